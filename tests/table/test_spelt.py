"""How cells are spelt decides what they are: dates as a schema says, codes as codes."""

import datetime as dt
from pathlib import Path

import pytest

from sosie.errors import DataError
from sosie.table import Column, Kind, Schema, Table


def of(path: Path, cells: list[str], **said: object) -> Table:
    """Read a column beside another, of which something may be said."""
    path.write_text("x,n\n" + "".join(f"{cell},{i}.5\n" for i, cell in enumerate(cells)))
    return Table.read(path, Schema(columns=[Column(name="x", **said)]) if said else None)


def test_dates_are_read_as_the_schema_says(tmp_path: Path) -> None:
    cells = [f"{month:02}/{day:02}/2021" for month in range(1, 13) for day in range(1, 4)]
    path, again = tmp_path / "a.csv", tmp_path / "b.csv"

    table = of(path, cells, kind="date", format="%m/%d/%Y")
    table.write(again)

    assert table.frame["x"].max() == dt.date(2021, 12, 3)
    assert again.read_text() == path.read_text()
    assert of(path, cells, kind="date", format="%d/%m/%Y").frame["x"].max() == dt.date(2021, 3, 12)


def test_a_schema_that_was_written_reads_the_same_table(tmp_path: Path) -> None:
    for cells in (
        [f"{day}/{day % 3 + 1}/2021" for day in range(1, 29)],
        [f"2021-01-{day:02} {day % 24:02}:30" for day in range(1, 29)],
        [f"2021-{month:02}-02T10:00:00+0{1 + (3 < month < 11)}:00" for month in range(1, 13)],
        [f"2021-01-{day:02}" + " 07:15" * (day % 2) for day in range(1, 29)],
    ):
        table = of(tmp_path / "a.csv", cells)
        assert table.schema["x"].kind in (Kind.DATE, Kind.DATETIME)
        table.schema.write(tmp_path / "s.toml")
        assert Table.read(tmp_path / "a.csv", tmp_path / "s.toml").frame.equals(table.frame)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("%d.%m.%Y", "28 cells do not read as dates in the format '%d.%m.%Y'"),
        ("%Y", "first on line 2"),
        ("%d/%m/%y", "years of two digits"),
        ("%D", "years of two digits"),
        ("%d/%m/%Y %H", "28 cells do not read as dates in the format '%d/%m/%Y %H'"),
    ],
)
def test_a_format_that_does_not_read_the_cells_is_refused(
    pattern: str, told: str, tmp_path: Path
) -> None:
    cells = [f"{day:02}/05/2021" for day in range(1, 29)]
    with pytest.raises(DataError) as caught:
        of(tmp_path / "a.csv", cells, kind="date", format=pattern)
    assert told in str(caught.value)


def test_years_of_two_digits_are_refused_unless_they_are_labels(tmp_path: Path) -> None:
    cells = [f"{day:02}/05/{year}" for day, year in zip(range(1, 29), range(40, 99), strict=False)]
    with pytest.raises(DataError, match="years of two digits"):
        of(tmp_path / "a.csv", cells)
    assert of(tmp_path / "a.csv", cells, kind="category").schema["x"].kind is Kind.CATEGORY
    ratios = [f"{i:02}/40/{i + 3:02}" for i in range(10, 38)]  # month 40: no dates
    assert of(tmp_path / "a.csv", ratios * 2).frame.height == 56
    codes = ["01.02.03", "02.05.05", "10.12.03"] * 10  # no number is more than 12
    assert of(tmp_path / "a.csv", codes).schema["x"].kind is Kind.CATEGORY
    with pytest.raises(DataError, match="years of two digits"):
        of(tmp_path / "a.csv", [*cells, "inconnue"])


def test_codes_with_an_e_stay_as_they_are(tmp_path: Path) -> None:
    path, again = tmp_path / "a.csv", tmp_path / "b.csv"
    table = of(path, ["1E10", "2E05", "4010"] * 12)
    table.write(again)
    assert table.schema["x"].kind is Kind.CATEGORY
    assert again.read_text() == path.read_text()


@pytest.mark.parametrize("cells", [["1e5", "2e6"], ["1E+05", "2E-03"], ["1.5E3", "2.25E4"]])
def test_numbers_with_an_exponent_are_numbers(cells: list[str], tmp_path: Path) -> None:
    table = of(tmp_path / "a.csv", cells + [f"{i}.25" for i in range(30)])
    few = of(tmp_path / "b.csv", ["1E12", *(f"{10 ** (1 + i % 5) + 7 * i}" for i in range(60))])
    assert few.schema["x"].kind is Kind.INTEGER
    assert table.schema["x"].kind is Kind.NUMBER
    assert table.frame["x"][:2].to_list() == [float(cell) for cell in cells]
    said = of(tmp_path / "a.csv", ["1E5", "2E3"] * 10, kind="number").frame["x"]
    assert said[:2].to_list() == [100_000.0, 2000.0]


def test_what_spreadsheets_leave_around_a_table_is_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"{i};{i % 3},5\n" for i in range(20))
    path.write_text(f"a;b\n{rows}")
    plain = Table.read(path).frame
    for text in (f"a;b\n{rows};\n;\n", f"a;b\n\n\n{rows}", f"sep=;\na;b\n{rows}"):
        path.write_text(text)
        assert Table.read(path).frame.equals(plain)
    path.write_text(f"a;b\n1;2\n;\n{rows}")
    assert Table.read(path).frame.height == 22  # between persons it is one of them
    path.write_text(f"a;b\n\n{rows}1;2;3\n")
    with pytest.raises(DataError, match="line 23 does not have the 2 cells"):
        Table.read(path)


def test_a_title_above_the_names_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Export\n" + "a;b;c\n" * 2 + "1;2;3\n")
    with pytest.raises(DataError, match="line 1 has one cell and the lines below have 3"):
        Table.read(path)
