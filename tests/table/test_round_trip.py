"""A text file that is read and written again is the same file, byte for byte."""

import gzip
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sosie.table import CODED, NUMERIC, Kind, Table

ROWS = 60


def through_arrays(table: Table) -> Table:
    """Rebuild a table from what a generator sees of it."""
    arrays = {
        column.name: table.numbers(column.name)
        if column.kind in NUMERIC
        else table.codes(column.name)
        for column in table.schema.columns
    }
    return table.rebuild(arrays)


def spelt_number(value: float, decimals: int, mark: str, *, fixed: bool) -> str:
    text = f"{value:.{decimals}f}"
    if not fixed:
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", mark)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[Kind]]:
    """Draw a text file written in some dialect, and the kinds of its columns."""
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    mark = "." if separator == "," else draw(st.sampled_from([".", ","]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quote_all = draw(st.booleans())
    missing = draw(st.sampled_from(["", "NA", ".", "?"]))
    final = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    decimals = draw(st.integers(1, 4))
    fixed = draw(st.booleans())
    day = draw(st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d%b%Y"]))
    clock = draw(st.sampled_from(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M"]))
    truth = draw(st.sampled_from([("true", "false"), ("TRUE", "FALSE"), ("vrai", "faux")]))
    labels = [
        "été",
        "Œuvre",
        "a b",
        f"x{separator}y",
        'say "hi"',
        "two\nlines" if end == "\n" else "z",
    ]

    start = datetime(2019, 3, 1)
    days = [date(1950, 1, 1) + timedelta(int(d)) for d in rng.integers(0, 20000, ROWS)]
    times = [start + timedelta(minutes=int(m)) for m in rng.integers(0, 10**6, ROWS)]
    numbers = rng.normal(scale=50, size=ROWS).round(decimals) + 0.0
    numbers[0] = 0.1 + 10**-decimals if decimals > 1 else 0.7
    columns: dict[str, tuple[Kind, list[str]]] = {
        "poids": (
            Kind.NUMBER,
            [spelt_number(v, decimals, mark, fixed=fixed) for v in numbers],
        ),
        'n "quoted"': (Kind.INTEGER, [str(v) for v in rng.integers(-50, 5000, ROWS)]),
        "étiquette 🙂" if encoding.startswith("utf") else "étiquette": (
            Kind.CATEGORY,
            [labels[i] for i in rng.integers(0, len(labels), ROWS)],
        ),
        "date": (Kind.DATE, [d.strftime(day) for d in days]),
        "at": (Kind.DATETIME, [t.strftime(clock) for t in times]),
        "flag": (Kind.BOOLEAN, [truth[i] for i in [0, 1, *rng.integers(0, 2, ROWS - 2)]]),
    }
    for position, (_, cells) in enumerate(columns.values()):
        for row in rng.choice(np.arange(2, ROWS), size=5, replace=False) if position % 2 else []:
            cells[row] = missing

    def cell(text: str) -> str:
        if quote_all or any(c in text for c in (separator, '"', "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    rows = [list(columns), *zip(*(cells for _, cells in columns.values()), strict=True)]
    text = end.join(separator.join(cell(t) for t in row) for row in rows) + (end if final else "")
    kinds = [kind for kind, _ in columns.values()]
    return text.encode(encoding), kinds


@settings(
    max_examples=40,
    deadline=None,
    # A machine that does other work besides is no fault of the files drawn.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=files())
def test_a_text_file_is_written_as_it_was_read(
    drawn: tuple[bytes, list[Kind]], tmp_path: Path
) -> None:
    content, kinds = drawn
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    table = Table.read(path)
    assert [column.kind for column in table.schema.columns] == kinds
    table.write(tmp_path / "same.csv")
    assert (tmp_path / "same.csv").read_bytes() == content
    through_arrays(table).write(tmp_path / "rebuilt.csv")
    assert (tmp_path / "rebuilt.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("cells", "kind", "first"),
    [
        (["660.0", "", "12.0"], Kind.INTEGER, 660.0),
        (["1 234,5", "12,0", "5 000 123,25"], Kind.NUMBER, 1234.5),
        (["1'234.5", "12.25", "999.0"], Kind.NUMBER, 1234.5),
        (["1,234", "12", "1,234,567"], Kind.INTEGER, 1234.0),
        (["1.234.567,25", "12,75", "-1.234,50"], Kind.NUMBER, 1234567.25),
        (["1.234.567", "12", "1.234.000"], Kind.INTEGER, 1234567.0),
        (["0,001", "0,00001", "3,5"], Kind.NUMBER, 0.001),
        (["1.50", "2.00", "3.25"], Kind.NUMBER, 1.5),
        (["+5", "3", "12"], Kind.INTEGER, 5.0),
    ],
)
def test_spellings_of_numbers(cells: list[str], kind: Kind, first: float, tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    lines = [f"{cell};{label}" for cell, label in zip(cells, "aba", strict=True)]
    path.write_text("x;y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    table = Table.read(path)
    assert table.schema["x"].kind is kind
    assert table.numbers("x")[0] == first
    table.write(tmp_path / "out.csv")
    expected = path.read_text(encoding="utf-8").replace("+", "")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    ("zero", "other"), [("-0.00", "1.20"), ("-0.0", "0.5"), ("-0", "0.5"), ("-0.0000", "2.5000")]
)
def test_a_zero_below_zero_is_kept_as_read_and_never_drawn(
    zero: str, other: str, tmp_path: Path
) -> None:
    path = tmp_path / "n.csv"
    path.write_text(f"x;y\n{zero};a\n{other};b\n;a\n")
    table = Table.read(path)
    table.write(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == path.read_text()
    drawn = {"x": np.array([-1e-9, 0.0, np.nan]), "y": table.codes("y")}
    table.rebuild(drawn).write(tmp_path / "drawn.csv")
    bare = zero[1:]
    assert (tmp_path / "drawn.csv").read_text() == f"x;y\n{bare};a\n{bare};b\n;a\n"


def test_r_habits_come_back(tmp_path: Path) -> None:
    """R quotes labels and names, not numbers, and leaves NA bare."""
    rng = np.random.default_rng(3)
    rows = [
        f'"{i}",{"NA" if i == 7 else rng.integers(20, 90)},"{"ab"[i % 2]}",{i % 3 or "NA"}'
        for i in range(1, 41)
    ]
    text = '"","age","arm","grade"\n' + "\n".join(rows) + "\n"
    path = tmp_path / "r.csv"
    path.write_text(text)
    table = Table.read(path)
    kinds = [column.kind for column in table.schema.columns]
    assert kinds == [Kind.IDENTIFIER, Kind.INTEGER, Kind.CATEGORY, Kind.CATEGORY]
    table.write(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == text


def test_gzip_in_and_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1.5,x\n2.5,y\n3.0,x\n"))
    table = Table.read(path)
    table.write(tmp_path / "b.csv.gz")
    assert gzip.decompress((tmp_path / "b.csv.gz").read_bytes()) == b"a,b\n1.5,x\n2.5,y\n3.0,x\n"
    table.write(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == b"a,b\n1.5,x\n2.5,y\n3.0,x\n"


def test_categories_with_missing_cells_of_pandas_are_read(tmp_path: Path) -> None:
    town = pd.Categorical(["a", None, "b"] * 20)
    frame = pd.DataFrame({"town": town, "n": range(60)})
    frame.to_feather(tmp_path / "a.feather")
    arrow = pa.Table.from_pandas(frame)
    with pa.ipc.new_stream(tmp_path / "a.arrow", arrow.schema) as stream:
        stream.write_table(arrow)
    for name in ("a.feather", "a.arrow"):
        table = Table.read(tmp_path / name)
        assert table.frame["town"].cast(pl.String).to_list() == ["a", None, "b"] * 20


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_binary_files_keep_their_types(suffix: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "small": pl.Series(rng.integers(0, 100, ROWS), dtype=pl.Int8),
            "single": pl.Series(rng.normal(size=ROWS).round(2), dtype=pl.Float32),
            "money": pl.Series(rng.integers(0, 10**6, ROWS)).cast(pl.Decimal(12, 2)) / 4,
            "enum": pl.Series(["a", "b"] * 30, dtype=pl.Enum(["b", "a", "unused"])),
            "cat": pl.Series(["u", "v", None] * 20, dtype=pl.Categorical),
            "day": [date(2020, 1, 1) + timedelta(i * 7) for i in range(ROWS)],
            "zoned": pl.Series(
                [datetime(2020, 1, 1) + timedelta(hours=5 * i) for i in range(ROWS)],
                dtype=pl.Datetime("ms"),
            ).dt.replace_time_zone("Europe/Paris"),
        }
    )
    path = tmp_path / f"in{suffix}"
    (frame.write_parquet if suffix == ".parquet" else frame.write_ipc)(path)
    table = Table.read(path)
    through_arrays(table).write(tmp_path / f"out{suffix}")
    back = (
        pl.read_parquet(tmp_path / "out.parquet")
        if suffix == ".parquet"
        else pl.read_ipc(tmp_path / "out.feather")
    )
    assert back.schema == frame.schema
    assert back.equals(frame)


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_ordered_categories_of_a_file_stay_in_their_order(suffix: str, tmp_path: Path) -> None:
    stages = pd.Categorical(
        ["II", None, "I", "III"] * 10, categories=["0", "III", "II", "I"], ordered=True
    )
    sexes = pd.Categorical(["f", "m", "m", "f"] * 10)
    file, again = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    frame = pd.DataFrame({"stage": stages, "sex": sexes, "n": range(40)})
    getattr(frame, f"to_{suffix[1:]}")(file)

    table = Table.read(file)
    table.write(again)

    assert (table.schema["stage"].kind, table.schema["sex"].kind) == (Kind.ORDINAL, Kind.CATEGORY)
    back = getattr(pd, f"read_{suffix[1:]}")(again)
    assert back["stage"].cat.ordered
    assert not back["sex"].cat.ordered
    pd.testing.assert_series_equal(back["stage"], frame["stage"])
    assert list(table.codes("stage")[:4]) == [1, -1, 2, 0]  # of the levels used


def test_dates_of_mixed_precision(tmp_path: Path) -> None:
    text = "at,x\n2014-07-02T11:45,1\n2013-02-18,2\n2014-01-14T11:10,1\n2012-05-06,4\n"
    path = tmp_path / "a.csv"
    path.write_text(text)
    table = Table.read(path)
    assert table.schema["at"].kind is Kind.DATETIME
    table.write(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text() == text


@pytest.mark.parametrize(
    ("cells", "zone"),
    [
        (["2020-01-15T10:00:00+01:00", "2020-07-15T10:30:00+02:00"], "Europe/Paris"),
        (["2020-01-15T10:00:00Z", "2020-07-15T10:30:00Z"], None),
        (["2020-01-15 10:00:00+0200", "2020-07-15 10:30:00+0200"], None),
        (["2020-01-15T10:00:00.123", "2020-07-15T10:30:00.456"], None),
        (["5/1/2020 9:05", "25/12/2020 10:30"], None),
        (["1/25/2020", "12/5/2020"], None),
    ],
)
def test_clocks(cells: list[str], zone: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "at,x\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells))
    path.write_text(text)
    table = Table.read(path)
    assert table.schema["at"].kind in (Kind.DATE, Kind.DATETIME)
    assert table.schema["at"].time_zone == zone
    table.write(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text() == text


def test_codes_and_numbers_index_what_they_say() -> None:
    frame = pl.DataFrame({"g": ["b", None, "a", "b"], "x": [1.5, None, 2.0, 3.25]})
    table = Table.of(frame)
    assert table.schema["g"].levels == ["a", "b"]
    assert table.codes("g").dtype == np.int32
    assert table.codes("g").tolist() == [1, -1, 0, 1]
    assert np.isnan(table.numbers("x")[1])
    assert set(CODED) & {column.kind for column in table.schema.columns}
