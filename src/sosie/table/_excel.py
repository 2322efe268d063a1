"""Workbooks: the one sheet that holds a table, and the cells that are times of day."""

import logging
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from sosie.errors import DataError
from sosie.table._missing import spellings

__all__ = ["excel_columns", "read_excel"]

_NO_DAY = (date(1899, 12, 30), date(1899, 12, 31), date(1904, 1, 1))
"""Days on which the calendars of spreadsheets begin: they stand for no day."""

_SHOWN_SHEETS = 5

for _reader in ("calamine", "fastexcel"):  # what they log of charts is no concern of the user
    logging.getLogger(_reader).addHandler(logging.NullHandler())


def read_excel(path: Path) -> pl.DataFrame:
    """Read the sheet of a workbook that holds a table.

    Raises
    ------
    DataError
        If several sheets hold rows, hidden ones included; if the first line is no header; if a
        column holds durations and something else.
    """
    sheet, names = _table_of(path)
    frame = _cells(path, sheet).rename({"__UNNAMED__0": ""}, strict=False)
    if frame.width == len(names):  # names that are dates would be lost
        frame.columns = names
    return frame.with_columns(_as_times(values) for values in frame.iter_columns())


def excel_columns(path: Path) -> list[str]:
    """Read the names of the columns of the sheet that holds a table.

    Raises
    ------
    DataError
        As :func:`read_excel`.
    """
    return _table_of(path)[1]


def _table_of(path: Path) -> tuple[str, list[str]]:
    """Find the one sheet that holds rows, and the names of its columns."""
    import fastexcel

    book = fastexcel.read_excel(path)
    # A line alone is nobody: it is a header, or the title of a cover.
    lines = {name: _lines(book, name, 2) for name in book.sheet_names}
    held = [name for name, found in lines.items() if len(found) > 1]
    if len(held) > 1:
        listed = ", ".join(map(repr, held[:_SHOWN_SHEETS]))
        if len(held) > _SHOWN_SHEETS:
            listed += f" and {len(held) - _SHOWN_SHEETS} more"
        raise DataError(
            f"{path} has {len(held)} sheets that hold rows, hidden ones included: {listed}; save "
            "the one that holds the table in a file of its own."
        )
    if not held:
        name = max(lines, key=lambda name: len(lines[name]))
        return name, _header(lines[name])
    return held[0], _names(path, book, held[0], _header(lines[held[0]]))


def _lines(book: Any, sheet: str, most: int | None) -> pl.DataFrame:
    lines = book.load_sheet(sheet, header_row=None, n_rows=most, dtypes="string")
    return pl.DataFrame(lines.to_polars())


def _header(lines: pl.DataFrame) -> list[str]:
    return [name or "" for name in lines.row(0)] if len(lines) else []


def _names(path: Path, book: Any, sheet: str, header: list[str]) -> list[str]:
    """Give the names of the columns that hold something, and refuse a line that is no header."""
    if "" in header:
        below = _lines(book, sheet, None)[1:]
        used = [name or below[:, i].count() for i, name in enumerate(header)]
        header = [name for name, kept in zip(header, used, strict=True) if kept]
    # A first column alone may go without a name: R and pandas write row names so.
    empty = header.count("")
    if "" in header[1:]:
        raise DataError(
            f"{path}: the first line of sheet {sheet!r} is no header ({empty} of its "
            f"{len(header)} cells empty); leave only the row of column names above the data."
        )
    twice = dict.fromkeys(name for place, name in enumerate(header) if name in header[:place])
    if twice:
        raise DataError(
            f"{path}: several columns are named {', '.join(map(repr, twice))}; give each its own "
            "name."
        )
    return header


def _cells(path: Path, sheet: str) -> pl.DataFrame:
    import fastexcel

    try:
        return pl.read_excel(path, sheet_name=sheet, infer_schema_length=None, raise_if_empty=False)
    except fastexcel.UnsupportedColumnTypeCombinationError as error:
        # The end of what it says is the name: "... dtype for column stay".
        name = str(error).strip().rpartition(" column ")[2]
        raise DataError(
            f"{path}, column {name!r}: some of its cells are durations and others are not; empty "
            "those that are not, or write all of them as text."
        ) from error


def _as_times(values: pl.Series) -> pl.Series:
    """Take times of day for what they are: the cell of one has a time and no day."""
    if values.dtype == pl.String:
        return _times_among_words(values)
    if values.dtype not in (pl.Date, pl.Datetime) or values.null_count() == len(values):
        return values
    moments = values.cast(pl.Datetime("us"))
    return moments.dt.time() if moments.dt.date().is_in(_NO_DAY).all() else values


def _times_among_words(values: pl.Series) -> pl.Series:
    """Read times of day beside words that stand for a missing one."""
    words = values.str.strip_chars().is_in(spellings(None)[1])
    if not words.any():
        return values
    moments = values.set(words, None).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False)
    if moments.null_count() > values.null_count() + int(words.sum()):
        return values
    return _as_times(moments) if moments.count() else values
