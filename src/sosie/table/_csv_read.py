"""Delimited text to a frame of text, as people really write such files."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from sosie.errors import DataError
from sosie.table._dialect import Dialect, as_utf8, quoting_of, read_bytes, separator_of
from sosie.table._places import Places
from sosie.table._records import Records, scan

__all__ = ["TextTable", "csv_columns", "read_csv"]

_SAMPLE = 1 << 18
_TOP = 1 << 20
_BLANK = re.compile(rb"\r?\n")


@dataclass(frozen=True)
class TextTable:
    """A text file cut into cells.

    Attributes
    ----------
    frame : DataFrame
        Text alone; null where the cell is empty.
    dialect : Dialect
        How the file is written.
    quoted, missing_quoted : list of bool
        For each column, whether its cells, its empty cells are quoted.
    places : Places
        Lines of the file, for messages.
    """

    frame: pl.DataFrame
    dialect: Dialect
    quoted: list[bool]
    missing_quoted: list[bool]
    places: Places


def read_csv(path: Path) -> TextTable:
    """Cut a delimited text file into cells, whatever its encoding and separator.

    Parameters
    ----------
    path : Path
        A file of text, gzipped or not.

    Returns
    -------
    TextTable

    Raises
    ------
    DataError
        If it is not text, has no rows, or its lines have different numbers of cells.
    """
    data, gzipped = read_bytes(path)
    if not data:
        raise DataError(f"{path} is empty; give a table with a header and at least two rows.")
    data, encoding, mark = as_utf8(data, path)
    data, line_end = _line_ends(data)
    sample = _sample(data)
    separator = separator_of(sample)
    names, first_line, start = _header(data, separator, path)
    final = data.endswith(b"\n")
    data = data[start:]  # one copy, and the whole is let go
    quote = '"' if _has_quotes(data, separator) else None
    frame, places = Cut(data, names, first_line, separator, quote, path).frame()
    header, quoted, missing_quoted = quoting_of(sample, separator, len(names))
    dialect = Dialect(
        encoding=encoding,
        byte_order_mark=mark,
        separator=separator,
        quote='"',
        quoted_header=header,
        line_end=line_end,
        final_newline=final,
        gzipped=gzipped,
    )
    return TextTable(frame, dialect, quoted, missing_quoted, places)


def csv_columns(path: Path) -> list[str]:
    """Read the names of the columns of a delimited text file, and of a long one no more.

    Raises
    ------
    DataError
        If it is not text or has no header.
    """
    data = _top(path)
    if not data:
        raise DataError(f"{path} is empty; give a table with a header and at least two rows.")
    data, _ = _line_ends(as_utf8(data, path)[0])
    return _header(data, separator_of(_sample(data)), path)[0]


def _top(path: Path) -> bytes:
    """Take the lines at the top of a file; all of it where they cannot be told apart."""
    with path.open("rb") as packed:
        opened = gzip.open if packed.read(2) == b"\x1f\x8b" else open
    try:
        with opened(path, "rb") as file:
            data = bytes(file.read(_TOP))
    except (OSError, EOFError, zlib.error):
        return read_bytes(path)[0]  # which says what is wrong with it
    end = data.rfind(b"\n") + 1
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if len(data) < _TOP or (end and not wide):
        return data[: end if len(data) == _TOP else None]
    return read_bytes(path)[0]


def _line_ends(data: bytes) -> tuple[bytes, str]:
    newline = data.find(b"\n")
    if newline < 0 and b"\r" in data:
        return data.replace(b"\r", b"\n"), "\r"
    return data, "\r\n" if newline > 0 and data[newline - 1] == 13 else "\n"


def _sample(data: bytes) -> str:
    """Take whole lines from the top."""
    if len(data) <= _SAMPLE:
        return data.decode("utf-8")
    end = data.rfind(b"\n", 0, _SAMPLE)
    if end < data.find(b"\n"):
        end = data.find(b"\n")
    return data[: end + 1 if end >= 0 else len(data)].decode("utf-8")


def _has_quotes(data: bytes, separator: str) -> bool:
    """Tell whether quotes enclose cells; elsewhere they are characters like others."""
    edge = separator.encode()
    return data.startswith(b'"') or b'\n"' in data or edge + b'"' in data


def _header(data: bytes, separator: str, path: Path) -> tuple[list[str], int, int]:
    """Read the names; tell the line and the byte at which the rows begin."""
    lines = 0
    start = 0
    record: list[str] = []
    # The sample holds whole lines; a header longer than it is read from a longer one.
    head = data[: _SAMPLE if b"\n" in data[:_SAMPLE] else len(data)]
    text = io.StringIO(head.decode("utf-8", errors="ignore"), newline="")
    reader = csv.reader(text, delimiter=separator)
    try:
        while not any(cell.strip() for cell in record) or _says_separator(record):
            record = next(reader)
    except StopIteration:
        raise DataError(f"{path} is empty; give a header and at least two rows.") from None
    except csv.Error as error:
        raise DataError(f"{path}: the header cannot be read; check its quotes.") from error
    lines = reader.line_num
    for _ in range(lines):
        start = data.find(b"\n", start) + 1 or len(data)
    while len(record) > 1 and (blank := _BLANK.match(data, start)):
        start, lines = blank.end(), lines + 1
    _refuse_duplicates(record, path)
    return record, lines + 1, start


def _says_separator(record: list[str]) -> bool:
    """Tell whether a line is no header but the word of Excel for what separates cells."""
    return record[0].strip().lower() == "sep=" and not any(record[1:])


def _without_tail(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out separators alone at the end, as spreadsheets leave them below a table.

    Where there are such lines between persons too, they are persons of whom nothing is known.
    """
    someone = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    n = int(someone.sum())
    return frame.head(n) if someone.head(n).all() else frame


def _refuse_duplicates(names: list[str], path: Path) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        listed = ", ".join(map(repr, twice))
        raise DataError(f"{path}: several columns are named {listed}; give each its own name.")


@dataclass(frozen=True)
class Cut:
    """What is known of a text before its rows are cut into cells."""

    data: bytes
    names: list[str]
    first_line: int
    separator: str
    quote: str | None
    path: Path

    def frame(self) -> tuple[pl.DataFrame, Places]:
        """Cut the rows into cells."""
        plain = Places(str(self.path), self.first_line)
        if not self.data[:_SAMPLE].strip(b"\r\n") and not self.data.strip(b"\r\n"):
            return pl.DataFrame(schema=dict.fromkeys(self.names, pl.String)), plain
        try:
            frame = self._parse(self.quote)
        except pl.exceptions.PolarsError as error:
            self._refuse_ragged(self._scan())
            raise DataError(
                f"{self.path}: the lines cannot be cut into cells; check its quotes."
            ) from error
        n_lines = self.data.count(b"\n") + (not self.data.endswith(b"\n"))
        last = frame.to_series(len(self.names) - 1)
        if n_lines == len(frame) and not last.null_count():
            return frame, plain
        records = self._scan()
        self._refuse_ragged(records)
        lines = records.lines
        if len(self.names) > 1 and len(frame) == len(lines):
            frame, lines = frame.filter(pl.Series(~records.blank)), lines[~records.blank]
            frame = _without_tail(frame)
            lines = lines[: len(frame)]
        simple = len(lines) == len(frame) and bool((np.diff(lines) == 1).all())
        return frame, plain if simple else Places(str(self.path), self.first_line, lines)

    def _scan(self) -> Records:
        return scan(self.data, 0, self.first_line, self.separator, self.quote)

    def _parse(self, quote: str | None) -> pl.DataFrame:
        # The header is cut off: polars would not undo the doubled quotes of a name.
        frame = pl.read_csv(
            self.data,
            has_header=False,
            separator=self.separator,
            quote_char=quote,
            schema={f"column_{place}": pl.String for place in range(len(self.names))},
        )
        frame.columns = self.names
        return frame

    def _refuse_ragged(self, records: Records) -> None:
        expected = len(self.names)
        ragged = ~records.blank & (records.cells != expected)
        n = int(ragged.sum())
        if not n:
            return
        found = np.unique(records.cells[ragged])
        if n == int((~records.blank).sum()) and len(found) == 1:
            if expected == 1:
                raise DataError(
                    f"{self.path}: line {self.first_line - 1} has one cell and the lines below "
                    f"have {found[0]}; leave nothing above the names of the columns."
                )
            raise DataError(
                f"{self.path}: the header has {expected} names but the lines have {found[0]} "
                "cells; name every column, row names included."
            )
        lines = [str(line) for line in records.lines[ragged][:5]]
        where = ", ".join(lines) + (f" and {n - 5} others" if n > 5 else "")
        raise DataError(
            f"{self.path}: {'line' if n == 1 else 'lines'} {where} "
            f"{'does' if n == 1 else 'do'} not have the {expected} cells of the header; "
            "correct or quote what they hold."
        )
