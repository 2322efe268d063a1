"""Any frame comes in, the same kind with the same types goes out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sosie.errors import SchemaError
from sosie.table import NUMERIC, Column, Kind, Schema, Table

N = 200


def through_arrays(table: Table) -> Table:
    arrays = {
        column.name: table.numbers(column.name)
        if column.kind in NUMERIC
        else table.codes(column.name)
        for column in table.schema.columns
    }
    return table.rebuild(arrays)


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    start = pd.Timestamp("2020-01-01")
    days = pd.to_timedelta(rng.integers(0, 900, N), "D")
    minutes = pd.to_timedelta(rng.integers(0, 900_000, N), "min")
    frame = pd.DataFrame(
        {
            "int": rng.integers(0, 100, N),
            "int8": rng.integers(0, 100, N).astype("int8"),
            "float": rng.normal(size=N).round(2),
            "float32": rng.normal(size=N).astype("float32").round(1),
            "whole": rng.integers(0, 100, N).astype(float),
            "ordered": pd.Categorical(
                rng.choice(["low", "mid", "high"], N),
                categories=["low", "mid", "high", "unused"],
                ordered=True,
            ),
            "category": pd.Categorical(rng.choice(["x", "y", None], N)),
            "code": pd.Categorical(rng.choice([3, 1, 2], N), categories=[3, 1, 2]),
            "label": rng.choice(["a", "b"], N),
            "some": pd.Series(rng.choice(["x", "y", None], N), dtype=object),
            "string": pd.array(rng.choice(["u", "v"], N), dtype="string"),
            "bool": rng.choice([True, False], N),
            "boolean": pd.array(rng.choice([True, False], N), dtype="boolean"),
            "Int64": pd.array(rng.integers(0, 100, N), dtype="Int64"),
            "Float32": pd.array(rng.integers(0, 100, N) / 2, dtype="Float32"),
            "day": start + days,
            "zoned": start.tz_localize("Europe/Paris") + minutes,
            "seconds": (start + minutes).astype("datetime64[s]"),
            "arrow": pd.Series(rng.integers(0, 100, N), dtype="int64[pyarrow]"),
            "arrow_text": pd.Series(rng.choice(["p", "q"], N), dtype="string[pyarrow]"),
            "iso": (start + days).strftime("%Y-%m-%d"),
            "french": (start + days).strftime("%d/%m/%Y"),
        }
    )
    frame.loc[3, ["float", "whole", "day", "zoned", "Int64", "boolean", "string", "iso"]] = None
    return frame


def test_kinds_are_those_of_the_types(patients: pd.DataFrame) -> None:
    schema = Table.of(patients).schema
    assert {column.name: column.kind for column in schema.columns} == {
        "int": Kind.INTEGER,
        "int8": Kind.INTEGER,
        "float": Kind.NUMBER,
        "float32": Kind.NUMBER,
        "whole": Kind.INTEGER,
        "ordered": Kind.ORDINAL,
        "category": Kind.CATEGORY,
        "code": Kind.CATEGORY,
        "label": Kind.CATEGORY,
        "some": Kind.CATEGORY,
        "string": Kind.CATEGORY,
        "bool": Kind.BOOLEAN,
        "boolean": Kind.BOOLEAN,
        "Int64": Kind.INTEGER,
        "Float32": Kind.NUMBER,
        "day": Kind.DATETIME,
        "zoned": Kind.DATETIME,
        "seconds": Kind.DATETIME,
        "arrow": Kind.INTEGER,
        "arrow_text": Kind.CATEGORY,
        "iso": Kind.DATE,
        "french": Kind.DATE,
    }
    assert schema["ordered"].levels == ["low", "mid", "high"]
    assert schema["float"].decimals == 2


def test_pandas_comes_back(patients: pd.DataFrame) -> None:
    shuffled = patients.sample(frac=1, random_state=0)
    table = Table.of(shuffled)
    for back in (table.native(), through_arrays(table).native()):
        pd.testing.assert_frame_equal(back, shuffled.reset_index(drop=True))


def test_polars_comes_back(patients: pd.DataFrame) -> None:
    frame = pl.from_pandas(patients)
    back = through_arrays(Table.of(frame)).native()
    assert back.schema == frame.schema
    assert back.equals(frame)
    lazy = Table.of(frame.lazy()).native()
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect().equals(frame)


def test_arrow_comes_back(patients: pd.DataFrame) -> None:
    arrow = pa.Table.from_pandas(patients, preserve_index=False)
    back = through_arrays(Table.of(arrow)).native()
    assert back.schema.equals(arrow.schema, check_metadata=True)
    pd.testing.assert_frame_equal(back.to_pandas(), arrow.to_pandas())


@pytest.mark.parametrize(
    "make",
    [
        pl.from_pandas,
        lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    ],
)
def test_libraries_agree(make: Callable[[pd.DataFrame], Any], patients: pd.DataFrame) -> None:
    one, other = Table.of(patients), Table.of(make(patients))
    for column in one.schema.columns:
        name = column.name
        twin = other.schema[name]
        if name in ("code", "ordered"):  # only pandas and Arrow have such categories
            continue
        assert (twin.kind, twin.decimals, twin.step) == (column.kind, column.decimals, column.step)
        if column.kind in NUMERIC:
            np.testing.assert_array_equal(one.numbers(name), other.numbers(name))
        else:
            labels = np.array([*column.levels, None], dtype=object)
            twins = np.array([*twin.levels, None], dtype=object)
            assert (labels[one.codes(name)] == twins[other.codes(name)]).all()


def test_nan_comes_back_as_nan() -> None:
    frame = pl.DataFrame({"a": [1.5, float("nan"), 2.5], "b": [1, 2, 2]})
    table = Table.of(frame)
    assert table.frame["a"].null_count() == 1
    assert table.native().equals(frame)


def test_rebuilt_numbers_keep_to_their_type_step_and_bounds() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "int8": pl.Series(rng.integers(0, 100, N), dtype=pl.Int8),
            "fives": rng.integers(0, 40, N) * 5,
            "tenths": rng.integers(0, 400, N) / 10,
            "halves": rng.integers(0, 400, N) / 2,
        }
    )
    declared = Schema(columns=[Column(name="tenths", kind=Kind.NUMBER, lower=0, upper=30.0)])
    with pytest.raises(SchemaError, match="above its bound"):
        Table.of(frame, declared)
    declared.columns[0].upper = 40.0
    table = Table.of(frame, declared)
    assert (table.schema["fives"].step, table.schema["halves"].step) == (5.0, 0.5)
    rebuilt = table.rebuild(
        {
            "int8": np.array([-300.0, 12.4, np.nan, 300.0]),
            "fives": np.array([12.0, 13.0, np.nan, -3.0]),
            "tenths": np.array([-1.0, 0.30000001, np.nan, 99.0]),
            "halves": np.array([0.3, 0.2, np.nan, 7.74]),
        }
    )
    assert rebuilt.frame.schema == frame.schema
    assert rebuilt.frame.rows() == [
        (-128, 10, 0.0, 0.5),
        (12, 15, 0.3, 0.0),
        (None, None, None, None),
        (127, -5, 40.0, 7.5),
    ]


def test_a_table_is_taken_as_it_is(patients: pd.DataFrame) -> None:
    table = Table.of(patients)
    assert Table.of(table) is table
    assert len(table) == N
    assert repr(table) == "Table(200 rows, 22 columns)"
