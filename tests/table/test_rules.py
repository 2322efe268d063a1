"""Rules that hold in every row are found, kept, and not invented."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sosie import Avatar
from sosie.errors import DataError
from sosie.table import Column, Kind, Schema, Sum, Table

N = 600


@pytest.fixture
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    site = rng.integers(0, 12, N)
    region = site // 4
    birth = [date(1930, 1, 1) + timedelta(int(d)) for d in rng.integers(0, 20000, N)]
    visit = [date(2010, 1, 1) + timedelta(int(d)) for d in rng.integers(0, 2000, N)]
    death = [
        None if gone else day + timedelta(int(later))
        for day, gone, later in zip(
            visit, rng.random(N) < 0.6, rng.integers(0, 900, N), strict=True
        )
    ]
    left, right = rng.integers(0, 500, N) / 10, rng.integers(0, 500, N) / 10
    return pl.DataFrame(
        {
            "patient_id": [f"P-{i:05}" for i in rng.permutation(N) + 900],
            "site": [f"site {s}" for s in site],
            "region": pl.Series([["north", "south", None][r] for r in region]),
            "region_code": [[31, 32, 93][r] for r in region],
            "study": ["CHU-1"] * N,
            "birth": birth,
            "visit": visit,
            "death": death,
            "left": left,
            "right": right,
            "total": (left + right).round(1),
            "twin": left,
            "sex": rng.choice(["f", "m"], N),
        }
    )


def test_determined_columns_and_orders_are_found(frame: pl.DataFrame) -> None:
    schema = Table.of(frame).schema
    assert {(rule.column, rule.by) for rule in schema.determined} == {
        ("region", "site"),
        ("region_code", "region"),
        ("twin", "left"),
    }
    assert schema.order == [["birth", "visit", "death"], ["left", "total"], ["right", "total"]]


@pytest.mark.parametrize("whole_first", [True, False])
def test_numbers_are_equal_whatever_their_type(whole_first: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    days = pl.Series("days", rng.integers(0, 900, N)).set(
        pl.arange(0, N, eager=True) % 9 == 0, None
    )
    copies = [days.cast(pl.Float32).alias("copy"), (days.cast(pl.Float64) + 0.5).alias("half")]
    frame = pl.DataFrame([days, *copies] if whole_first else [*copies, days])
    table = Table.of(frame)
    first, second = ("days", "copy") if whole_first else ("copy", "days")
    assert [(rule.column, rule.by) for rule in table.schema.determined] == [(second, first)]
    made = table.restored(table.reduced())
    assert made.native().equals(frame)
    assert made.native().schema == frame.schema
    cells = [("" if d is None else f"{d}", "" if d is None else f"{d},0") for d in days]
    lines = [";".join(row if whole_first else row[::-1]) for row in (("days", "copy"), *cells)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    read = Table.read(tmp_path / "t.csv")
    assert [(rule.column, rule.by) for rule in read.schema.determined] == [(second, first)]
    read.restored(read.reduced()).write(tmp_path / "o.csv")
    assert (tmp_path / "o.csv").read_text() == (tmp_path / "t.csv").read_text()
    one_off = pl.when(pl.arange(0, N) == N - 2).then(-1.0).otherwise("copy").cast(pl.Float32)
    assert not Table.of(frame.with_columns(one_off.alias("copy"))).schema.determined


def test_reduced_and_restored(frame: pl.DataFrame) -> None:
    said = Schema(
        columns=[Column(name="patient_id", kind=Kind.IDENTIFIER, recreate=True)],
        sums=[Sum(total="total", parts=["left", "right"])],
    )
    table = Table.of(frame, said)
    small = table.reduced()
    assert small.names == ["site", "birth", "visit", "death", "left", "right", "sex"]
    assert small.schema.order == [["birth", "visit", "death"]]
    rows = np.random.default_rng(1).integers(0, N, 250)
    drawn = Table(small.frame[rows], small.schema, small._source)
    full = table.restored(drawn)
    assert full.names == frame.columns
    expected = frame[rows].drop("patient_id")
    assert full.native().drop("patient_id").equals(expected)
    assert full.frame["patient_id"][:2].to_list() == ["P-00001", "P-00002"]
    assert full.native().schema == frame.schema


def test_identifiers_are_not_restored_unasked(frame: pl.DataFrame) -> None:
    table = Table.of(frame)
    with pytest.raises(DataError, match="'patient_id'"):
        table.restored(table.reduced())


@pytest.mark.parametrize(
    ("original", "first"),
    [
        ([10, 20, 30, 77], 1),
        (["A01", "A17", "A44", "A99"], "A01"),
        (["0007", "0100", "0200", "0431"], "0001"),
    ],
)
def test_fresh_identifiers_look_alike(original: list[object], first: object) -> None:
    said = Schema(columns=[Column(name="id", kind=Kind.IDENTIFIER, recreate=True)])
    table = Table.of(pl.DataFrame({"id": original, "x": [1.5, 2.5, 3.5, 4.0]}), said)
    full = table.restored(table.reduced())
    assert full.frame["id"][0] == first
    assert full.frame["id"].n_unique() == 4


def test_fresh_uuids_are_new() -> None:
    ids = [f"{i:08x}-0000-4000-8000-00000000000{i}" for i in range(4)]
    said = Schema(columns=[Column(name="id", kind=Kind.IDENTIFIER, recreate=True)])
    table = Table.of(pl.DataFrame({"id": ids, "x": [1.5, 2.5, 3.5, 4.0]}), said)
    fresh = table.restored(table.reduced()).frame["id"]
    assert not set(fresh) & set(ids)
    assert fresh.str.len_chars().unique().to_list() == [36]


def test_chance_is_no_rule() -> None:
    """Among 40 rows and 60 columns, some columns follow others by chance."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        columns = {f"c{i}": rng.integers(0, 2 + i % 5, 40).astype(str) for i in range(40)}
        columns |= {f"rare{i}": (np.arange(40) == i).astype(str) for i in range(10)}
        columns |= {f"many{i}": [f"l{j}" for j in rng.integers(0, 19, 40)] for i in range(10)}
        assert Table.of(pl.DataFrame(columns)).schema.determined == []


def test_a_rule_broken_once_is_no_rule() -> None:
    rng = np.random.default_rng(0)
    arm = rng.integers(0, 4, 5000)
    label = np.array(["a", "b", "c", "d"])[arm]
    assert len(Table.of(pl.DataFrame({"arm": arm, "label": label})).schema.determined) == 1
    label[4321] = "a" if label[4321] != "a" else "b"
    assert not Table.of(pl.DataFrame({"arm": arm, "label": label})).schema.determined


def test_rules_that_are_declared_are_left_alone(frame: pl.DataFrame) -> None:
    schema = Table.of(frame, Schema(determined=[], order=[])).schema
    assert schema.determined == []
    assert schema.order == []


def test_missing_dates_do_not_make_chains() -> None:
    """a <= b and b <= c do not make a <= c where b is missing."""
    days = [date(2020, 1, 1) + timedelta(i) for i in range(200)]
    frame = pl.DataFrame(
        {
            "a": [days[i + 60] if i % 2 else days[i] for i in range(100)],
            "b": [None if i % 2 else days[i + 10] for i in range(100)],
            "c": [days[i + 20] for i in range(100)],
        }
    )
    assert Table.of(frame).schema.order == [["a", "b"], ["b", "c"]]


def test_what_is_the_same_where_both_are_known_stays_so() -> None:
    rng = np.random.default_rng(2)
    last = [date(2020, 1, 1) + timedelta(int(d)) for d in rng.integers(0, 900, N)]
    dead = rng.random(N) < 0.3
    weight = rng.normal(70, 12, N).round(1)
    frame = pl.DataFrame(
        {
            "death": [day if gone else None for day, gone in zip(last, dead, strict=True)],
            "last_news": last,
            "weight_again": [w if known else None for w, known in zip(weight, ~dead, strict=True)],
            "weight": weight,
            "other": rng.normal(size=N).round(3),
        }
    )
    table = Table.of(frame)
    assert sorted(table.schema.order) == [["last_news", "death"], ["weight", "weight_again"]]
    drawn = Avatar(k=10, seed=0).fit_sample(frame)
    both = drawn.drop_nulls("death")
    assert 100 < len(both) < 260
    assert both["death"].equals(both["last_news"])
    again = drawn.drop_nulls("weight_again")
    assert len(again) > 300
    assert again["weight_again"].equals(again["weight"])


def test_constants_with_missing_are_categories() -> None:
    frame = pl.DataFrame({"a": ["x", None, "x", None], "b": [1.5, 2.0, 3.5, 1.0]})
    table = Table.of(frame)
    assert table.schema["a"].kind is Kind.CATEGORY
    assert table.reduced().names == ["a", "b"]


def test_a_schema_is_read_as_it_was_written(frame: pl.DataFrame, tmp_path: Path) -> None:
    table = Table.of(frame)
    table.schema.write(tmp_path / "s.toml")
    assert Schema.read(tmp_path / "s.toml") == table.schema
    assert Table.of(frame, tmp_path / "s.toml").schema == table.schema
    assert "columns" in Schema.model_json_schema()["properties"]


def test_a_thousand_columns_do_not_take_long() -> None:
    import time

    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": rng.integers(0, 5, 1000).astype(str) for i in range(1000)})
    frame = frame.with_columns(copy=pl.col("c7").replace_strict({str(i): i % 3 for i in range(5)}))
    start = time.process_time()
    schema = Table.of(frame).schema
    assert [(rule.column, rule.by) for rule in schema.determined] == [("copy", "c7")]
    assert time.process_time() - start < 60
