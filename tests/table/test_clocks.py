"""Times of day and durations in text."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from sosie.errors import SchemaError
from sosie.table import Column, Kind, Schema, Table

N = 60


def test_durations_are_written_in_units_of_their_clock(tmp_path: Path) -> None:
    stays = [timedelta(hours=7 * i, milliseconds=1) if i % 9 else None for i in range(N)]
    frame = pl.DataFrame({"stay": pl.Series(stays, dtype=pl.Duration("ms")), "n": range(N)})
    Table.of(frame).write(tmp_path / "a.csv")
    cells = [line.split(",")[0] for line in (tmp_path / "a.csv").read_text().splitlines()[1:]]
    assert cells[0] == ""
    assert int(cells[1]) == 7 * 3_600_000 + 1


def test_times_are_written_with_their_fractions(tmp_path: Path) -> None:
    times = [time(8, i, 0, 250_000) for i in range(N)]
    Table.of(pl.DataFrame({"at": times, "n": range(N)})).write(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == "08:00:00.250,0"


@pytest.mark.parametrize("spelt", ["{}:{:02}", "{:02}:{:02}", "{:02}:{:02}:07"])
def test_times_declared_numbers_are_read_and_spelt_as_they_were(spelt: str, tmp_path: Path) -> None:
    cells = [spelt.format(i * 7 % 24, i) for i in range(N)]
    cells[4] = ""
    content = "at,n\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells))
    (tmp_path / "a.csv").write_text(content)
    table = Table.read(tmp_path / "a.csv", Schema(columns=[Column(name="at", kind=Kind.INTEGER)]))
    assert table.frame.schema["at"] == pl.Time
    assert table.frame["at"][3] == time(21, 3, 7 if spelt.endswith("7") else 0)
    table.write(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text() == content
    table.schema.write(tmp_path / "schema.toml")
    again = Table.read(tmp_path / "b.csv", tmp_path / "schema.toml")
    assert again.frame.equals(table.frame)


@pytest.mark.parametrize("stored", [pl.Date, pl.Datetime("ms"), pl.Datetime("ns")])
@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_days_are_days_however_they_are_stored(kind: str, stored: pl.DataType) -> None:
    """pandas keeps dates as midnights, and writes them to CSV without the hour."""
    days = pl.Series([None, *(date(2020, 1, 1) + timedelta(i * i) for i in range(1, N))])
    frame = pl.DataFrame({"seen": days.cast(stored), "n": [i * 7 % 31 for i in range(N)]})
    table = Table.of(frame, Schema(columns=[Column(name="seen", kind=kind)]))
    assert table.schema["seen"].kind == kind
    assert table.frame["seen"].dt.date().to_list() == days.to_list()
    # Whatever it is read as, it is written as it was.
    again = table.rebuild({name: table.numbers(name) for name in table.names})
    assert again.native().schema["seen"] == stored
    assert again.native()["seen"].to_list() == frame["seen"].to_list()


def test_an_hour_is_not_lost_to_a_date() -> None:
    frame = pl.DataFrame({"seen": [datetime(2020, 1, 1, i % 24) for i in range(N)], "n": range(N)})
    with pytest.raises(SchemaError, match="cannot be of kind date"):
        Table.of(frame, Schema(columns=[Column(name="seen", kind="date")]))
