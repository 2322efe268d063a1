"""Times of day and durations of a table in CSV are those of the original."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sosie.errors import DataError
from sosie.evidence._align import align, read_alike
from sosie.table import Table

N = 200


@pytest.fixture
def original() -> Table:
    rng = np.random.default_rng(0)
    ticks = pl.Series(rng.integers(0, 86_400, N)) * 1_000_000
    frame = pl.DataFrame(
        {
            "at": (ticks * 1_000).cast(pl.Time),
            "stay": ticks.cast(pl.Duration("us")),
            "age": rng.integers(20, 90, N),
        }
    )
    late = pl.int_range(N) % 11 == 0
    return Table.of(frame.with_columns(pl.when(~late).then(pl.col("at", "stay"))))


def test_a_csv_of_times_and_durations_aligns_with_the_original(
    original: Table, tmp_path: Path
) -> None:
    original.write(tmp_path / "a.csv")
    found = align(original, read_alike(tmp_path / "a.csv", original, "SYNTHETIC"))
    for name in ("at", "stay"):
        assert np.array_equal(found.synthetic.column(name), original.numbers(name), equal_nan=True)


def test_times_of_day_are_no_numbers_of_another_unit(original: Table, tmp_path: Path) -> None:
    minutes = original.frame.with_columns(pl.col("at").dt.hour().cast(pl.Int64) * 60)
    minutes.select("at", pl.col("stay").to_physical(), "age").write_csv(tmp_path / "a.csv")
    with pytest.raises(DataError, match="column 'at': times of day"):
        align(original, read_alike(tmp_path / "a.csv", original, "SYNTHETIC"))


@pytest.mark.parametrize("original_has", [pl.Date, pl.Datetime("ns")])
def test_days_are_compared_however_they_are_stored(original_has: pl.DataType) -> None:
    other = pl.Datetime("ns") if original_has == pl.Date else pl.Date
    rng = np.random.default_rng(0)
    days = pl.Series(rng.integers(18_000, 19_000, N)).cast(pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({"seen": days, "age": rng.integers(20, 90, N)})
    table = Table.of(frame.cast({"seen": original_has}))
    same = read_alike(frame.cast({"seen": other}), table, "SYNTHETIC")
    found = align(table, same)
    np.testing.assert_array_equal(found.synthetic.numbers, found.original.numbers)
