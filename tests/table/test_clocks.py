"""Times of day and durations in text."""

from datetime import time, timedelta
from pathlib import Path

import polars as pl
import pytest

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
