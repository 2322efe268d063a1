"""Of a workbook one sheet is read, its header is one line, and its times of day are such."""

import zipfile
from collections.abc import Sequence
from datetime import time
from pathlib import Path

import polars as pl
import pytest

from sosie.errors import DataError
from sosie.table import Kind, Table, columns_of

GENERAL, DAY, CLOCK, STAY = 0, 1, 2, 3
"""Styles of cells; :func:`write` says which formats of Excel they are."""

_STATES = ("visible", "hidden")

Cell = int | float | str | tuple[float, int] | None
Rows = Sequence[Sequence[Cell]]

PERSONS: Rows = [("age", "sex"), *((20 + i * 37 % 50, "fm"[i % 2]) for i in range(60))]


def _cell(cell: Cell, place: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>'
    value, style = cell if isinstance(cell, tuple) else (cell, GENERAL)
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def write(path: Path, sheets: dict[str, Rows], hidden: str = "") -> Path:
    """Write the least that Excel calls a workbook."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="r{i}" state="{_STATES[name == hidden]}"/>'
        for i, name in enumerate(sheets)
    )
    linked = "".join(
        f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/{i}.xml"/>'
        for i in range(len(sheets))
    )
    formats = "".join(f'<xf numFmtId="{code}"/>' for code in (0, 14, 20, 46))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{linked}'
        f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs>{formats}</cellXfs></styleSheet>',
    }
    for i, rows in enumerate(sheets.values()):
        lines = "".join(
            f'<row r="{r}">'
            + "".join(_cell(cell, f"{'ABCDEFGH'[c]}{r}") for c, cell in enumerate(row))
            + "</row>"
            for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/{i}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        Table.read(path)
    return str(caught.value)


def test_several_sheets_of_rows_are_refused_by_their_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"north": PERSONS, "notes": [], "south": PERSONS[:9]})
    message = refusal(path)
    assert "2 sheets" in message
    assert "'north', 'south'" in message
    assert "notes" not in message


def test_a_hidden_sheet_of_rows_is_not_lost_in_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"north": PERSONS, "south": PERSONS}, hidden="south")
    assert "'south'" in refusal(path)


def test_the_one_sheet_that_holds_rows_is_read_wherever_it_is(tmp_path: Path) -> None:
    sheets = {"cover": [("Registry",)], "persons": PERSONS, "empty": []}
    path = write(tmp_path / "a.xlsx", sheets)
    assert columns_of(path) == Table.read(path).names == ["age", "sex"]
    assert len(Table.read(path)) == 60


@pytest.mark.parametrize("above", [("Registry of 2020",), ("Person", None, "Stay")])
def test_a_line_above_the_names_is_no_header(above: tuple[Cell, ...], tmp_path: Path) -> None:
    rows = [above, *([*row, i, "ab"[i % 2]] for i, row in enumerate(PERSONS))]
    path = write(tmp_path / "a.xlsx", {"s": rows})
    empty = 4 - len([cell for cell in above if cell])
    assert f"the first line of sheet 's' is no header ({empty} of its 4 cells" in refusal(path)
    with pytest.raises(DataError, match="no header"):
        columns_of(path)


def test_an_empty_column_between_others_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"s": [(a, None, b) for a, b in PERSONS]})
    assert Table.read(path).names == columns_of(path) == ["age", "sex"]


def test_row_names_have_no_name(tmp_path: Path) -> None:
    rows = [(i - 1 if i else None, *row) for i, row in enumerate(PERSONS)]
    table = Table.read(write(tmp_path / "a.xlsx", {"s": rows}))
    assert table.names == columns_of(tmp_path / "a.xlsx") == ["", "age", "sex"]
    assert table.schema[""].kind is Kind.IDENTIFIER


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"s": [("age", "age"), *PERSONS[1:]]})
    assert "several columns are named 'age'" in refusal(path)


def _visits(word: str | None = None) -> Rows:
    clocks: list[Cell] = [(minute / 1440, CLOCK) for minute in range(0, 1440, 24)]
    clocks[7] = word
    days = [(43_831 + i * 37 % 50, DAY) for i in range(60)]
    return [("at", "seen"), *zip(clocks, days, strict=True)]


@pytest.mark.parametrize("word", [None, "NC"])
def test_a_cell_of_time_has_no_day(word: str | None, tmp_path: Path) -> None:
    table = Table.read(write(tmp_path / "a.xlsx", {"s": _visits(word)}))
    assert table.frame.schema["at"] == pl.Time
    assert table.frame["at"][:2].to_list() == [time(0, 0), time(0, 24)]
    assert table.frame["at"].null_count() == 1
    assert table.frame.schema["seen"] == pl.Date
    assert table.schema.order == []


def test_words_among_durations_are_told_by_their_column(tmp_path: Path) -> None:
    stays: list[Cell] = [(i / 7, STAY) for i in range(60)]
    stays[3] = "long"
    rows = [("n", "stay"), *((i % 9, stay) for i, stay in enumerate(stays))]
    message = refusal(write(tmp_path / "a.xlsx", {"s": rows}))
    assert "column 'stay'" in message
    assert "long" not in message


def test_names_that_are_dates_are_kept(tmp_path: Path) -> None:
    months = ((43831, DAY), (43862, DAY), "sex")  # 2020-01-01, 2020-02-01
    rows = [months, *((0.5 * i, 7 * i % 11, "fm"[i % 2]) for i in range(60))]
    path = write(tmp_path / "a.xlsx", {"s": rows})
    names = Table.read(path).names
    assert names == columns_of(path)
    assert [name[:10] for name in names] == ["2020-01-01", "2020-02-01", "sex"]
