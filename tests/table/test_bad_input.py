"""Bad input is refused in one sentence that says where, and quotes no value."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sosie.errors import DataError, ParameterError, SchemaError, SosieError
from sosie.table import Column, Schema, Table

SECRET = "Zorglub"
A = {"name": "a", "kind": "integer"}


def refused(action: Callable[[], object], *parts: str, error: type[SosieError] = DataError) -> None:
    """Check that an action is refused in one sentence with these parts."""
    with pytest.raises(error) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert SECRET not in message
    for part in parts:
        assert part in message, message


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ("is empty",)),
        (b"\n\n", ("is empty",)),
        (b"a,b\n", ("no rows",)),
        (b"a,b", ("no rows",)),
        (b"a,b\n1,2\n", ("one row only",)),
        (b"a,a,b\n1,2,3\n4,5,6\n", ("named 'a'",)),
        (b"a,b\n1,x\n1,x\n1,x\n", ("every column has one value",)),
        (b"a,b\n1,\n2,\n3,NA\n", ("column 'b'", "no value at all")),
        (b"a,b\n1,2\n3,4,5\n5,6\n", ("line 3",)),
        (b"a,b\n1,2\n3\n5,6\n4\n", ("lines 3, 5",)),
        (b'a,b\n"x\ny",2\n3\n5,6\n', ("line 4",)),
        (b"a,b\n1,2,3\n3,4,5\n", ("header has 2 names", "3 cells")),
        (b"a,b\n1,2\ninf,4\n3,5\n2.5,1\n", ("'a'", "1 infinite value", "line 3")),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 9, ("not a table of text",)),
        (b"a,b\n1,\x81\x8d\n2,\x90\x9d\n", ("encoding",)),
        ("a;b\n1;été\n2;œuvre\n3;naïve\n".encode() + b"4;\xe9t\n", ("line 5", "UTF-8")),
        (b"\x1f\x8b\x08\x00junk", ("damaged gzip",)),
    ],
)
def test_text_that_is_no_table(content: bytes, parts: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    refused(lambda: Table.read(path), str(path), *parts)


def test_a_few_words_among_numbers(tmp_path: Path) -> None:
    cells = [str(i * 1.5) for i in range(50)]
    cells[20] = cells[33] = SECRET
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{c},{i % 2}\n" for i, c in enumerate(cells)))
    refused(lambda: Table.read(path), "'a'", "2 cells", "numbers", "line 22")
    assert Table.read(path, missing=[SECRET]).frame["a"].null_count() == 2
    declared = Schema(columns=[Column(name="a", kind="category")])
    assert Table.read(path, declared).schema["a"].kind == "category"


def test_a_few_words_among_dates(tmp_path: Path) -> None:
    cells = [f"2020-01-{i % 28 + 1:02}" for i in range(40)]
    cells[5] = SECRET
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{c},{i % 2}\n" for i, c in enumerate(cells)))
    refused(lambda: Table.read(path), "'a'", "1 cell", "dates", "line 7")


def test_lines_are_counted_past_line_ends_in_cells(tmp_path: Path) -> None:
    rows = [f'"two\nlines",{i}' for i in range(30)]
    rows[12] = f'"two\nlines",{SECRET}'
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "\n".join(rows) + "\n")
    refused(lambda: Table.read(path), "'b'", "line 26")


def test_files_that_are_not_there_or_cut_short(tmp_path: Path) -> None:
    refused(lambda: Table.read(tmp_path / "none.csv"), "does not exist")
    refused(lambda: Table.read(tmp_path), "is a folder")
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1, 2], "b": ["x", SECRET]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    refused(lambda: Table.read(path), "not a .parquet file")
    for name in ("a.xlsx", "a.sav", "a.dta", "a.sas7bdat", "a.feather"):
        (tmp_path / name).write_bytes(b"certainly not")
        refused(lambda name=name: Table.read(tmp_path / name), "file that can be read")


def test_frames_that_are_no_tables() -> None:
    refused(lambda: Table.of([1, 2]), "not a table", error=ParameterError)
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    refused(lambda: Table.of(twice), "named 'a'")
    refused(lambda: Table.of(pd.DataFrame({"a": [1, "x", 2.5], "b": [1, 2, 3]})), "'a'", "mixes")
    refused(lambda: Table.of(pl.DataFrame({"a": [[1], [2]], "b": [1, 2]})), "'a'", "List")
    refused(lambda: Table.of(pl.DataFrame({"a": [1.0, np.inf, -np.inf], "b": [1, 2, 3]})), "2 inf")
    refused(lambda: Table.of(pl.DataFrame()), "no columns")


@pytest.mark.parametrize(
    ("schema", "parts"),
    [
        ({"columns": [{"name": "zz", "kind": "text"}]}, ("'zz'",)),
        ({"drop": ["zz"]}, ("'zz'",)),
        ({"order": [["a", "zz"]]}, ("'zz'",)),
        (
            {"columns": [{"name": "a", "kind": "integer", "upper": 3}]},
            ("above", "2 rows", "line 5"),
        ),
        ({"columns": [{"name": "a", "kind": "integer", "lower": 2}]}, ("below", "1 row", "line 2")),
        ({"columns": [{"name": "c", "kind": "number"}]}, ("'c'", "numbers")),
        ({"columns": [{"name": "h", "kind": "integer"}]}, ("'h'", "not whole")),
        ({"columns": [{"name": "c", "kind": "category", "levels": ["x"]}]}, ("'c'", "levels")),
        ({"sums": [{"total": "b", "parts": ["a", "h"]}]}, ("'b'", "sum", "first on line 2")),
        ({"order": [["b", "a"]]}, ("'b'", "above", "5 rows")),
        ({"determined": [{"column": "a", "by": "c"}]}, ("'a'", "'c'", "differs")),
    ],
)
def test_schemas_that_do_not_hold(
    schema: dict[str, object], parts: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{i},{10 * i},{i + 0.5},{'xy'[i % 2]}" for i in range(1, 6)]
    path.write_text("a,b,h,c\n" + "\n".join(rows) + "\n")
    with pytest.raises((SchemaError, DataError)) as caught:
        Table.read(path, Schema.model_validate(schema))
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("kind = ", ("not valid TOML",)),
        ("deep = " + "[" * 5_000 + "]" * 5_000, ("not valid TOML",)),
        ("colour = 1", ("colour",)),
        ('[[columns]]\nname = "a"\nkind = "colour"', ("column 'a'", "kind")),
        ('[[columns]]\nkind = "text"', ("column number 1", "name")),
        ('[[columns]]\nname="a"\nkind="text"\n[[columns]]\nname="a"\nkind="text"', ("twice",)),
    ],
)
def test_schema_files_that_are_wrong(content: str, parts: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(content)
    refused(lambda: Schema.read(path), "s.toml", *parts, error=SchemaError)


def test_outputs_are_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table.of(pl.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}))
    refused(lambda: table.write(tmp_path / "none" / "a.csv"), "does not exist")
    refused(lambda: table.write(tmp_path), "no suffix", error=ParameterError)
    refused(lambda: table.write(tmp_path / "a.docx"), ".docx", error=ParameterError)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "kept.csv").write_text("before")
    monkeypatch.setattr(os, "fsync", full)
    refused(lambda: table.write(tmp_path / "kept.csv"), "No space left")
    assert (tmp_path / "kept.csv").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_private_files_are_the_owners_only(tmp_path: Path) -> None:
    table = Table.of(pl.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}))
    table.write(tmp_path / "a.csv", private=True)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o600


def test_a_label_without_place_in_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a;b\n1;été\n2;né\n3;été\n".encode("cp1252"))
    table = Table.read(path)
    strange = Table(table.frame.with_columns(b=pl.lit("\N{SNOWMAN}")), table.schema, table._source)
    refused(lambda: strange.write(tmp_path / "o.csv"), "cp1252")
    assert not (tmp_path / "o.csv").exists()


def test_refuse_names_every_column_and_what_to_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 500
    frame = pl.DataFrame(
        {
            "patient_id": [f"P{i:04}" for i in range(n)],
            "note": [f"{SECRET} said {i} things of {i * i} kinds" for i in range(n)],
            "town": [f"t{i}" for i in rng.integers(0, 210, n)],
            "age": rng.integers(20, 90, n),
        }
    )
    refused(
        lambda: Table.of(frame, Schema(max_levels=150)).refuse(),
        "'patient_id'",
        "'note'",
        "'town'",
        "drop",
        "sosie inspect DATA --write schema.toml",
    )
    said = Schema(drop=["patient_id", "note", "town"])
    table = Table.of(frame, said)
    table.refuse()
    assert table.names == ["age"]


@pytest.mark.parametrize(
    ("name", "pasted"),
    [
        ("id", "--recreate id or --drop id,"),
        ("n° id", "--recreate 'n° id' or --drop 'n° id',"),
        ("id's; rm *", """--drop 'id'"'"'s; rm *',"""),
        ("id\n'é", "--drop $'id\\n\\'é',"),
    ],
)
def test_options_to_paste_are_quoted_for_a_shell(name: str, pasted: str) -> None:
    frame = pl.DataFrame({name: [f"P{i}" for i in range(50)], "age": [i % 9 for i in range(50)]})
    refused(Table.of(frame).refuse, pasted, "is an identifier: add --recreate", "in a schema")


@pytest.mark.parametrize(
    ("n_words", "kind"), [(1, "numbers"), (40, "mixed"), (50, "mixed"), (51, "identifier")]
)
def test_columns_of_mixed_types(n_words: int, kind: str) -> None:
    cells = [f"{SECRET}{i}" if i < n_words else f"{i},5" for i in range(100)][::-1]
    frame = pl.DataFrame({"dose": cells, "age": [i % 9 for i in range(100)]})
    if kind == "numbers":
        refused(lambda: Table.of(frame), "'dose'", "1 cell does not read as numbers")
        return
    if kind == "identifier":
        refused(Table.of(frame).refuse, "'dose' is an identifier")
        return
    table = Table.of(frame)
    parts = (f"{n_words} of 100 cells", "numbers", f"row {101 - n_words}", "--drop dose")
    refused(table.refuse, "column 'dose' is of mixed types", "--missing", *parts)
    named = Table.of(frame.rename({"dose": "patient_id"}))
    refused(named.refuse, "'patient_id' is an identifier")


def test_odd_names_simply_work(tmp_path: Path) -> None:
    names = ['a "b"', "two\nlines", "😀", "", "x,y;z", "'", "a.b", "  "]
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.normal(size=30).round(2) for name in names})
    frame.write_csv(tmp_path / "a.csv")
    table = Table.read(tmp_path / "a.csv")
    assert table.names == names
    table.schema.write(tmp_path / "s.toml")
    again = Table.read(tmp_path / "a.csv", tmp_path / "s.toml")
    assert again.schema == table.schema
    again.write(tmp_path / "b.csv")
    assert Table.read(tmp_path / "b.csv").frame.equals(table.frame)
    assert Table.of(frame.to_pandas()).native().columns.tolist() == names
