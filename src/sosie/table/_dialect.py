"""How a text file is written: its encoding, separator, quotes and line ends."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sosie.errors import DataError
from sosie.table._missing import AMONG_NUMBERS, SURE

__all__ = ["Dialect", "as_utf8", "read_bytes", "separator_of"]

_SEPARATORS = (";", ",", "\t", "|")
_PIECE = 1 << 24
_MISSING = frozenset({*SURE, *AMONG_NUMBERS})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Dialect(BaseModel):
    """How a delimited text file is written, so that another can be written alike.

    Examples
    --------
    >>> Dialect(separator=";", decimal=",").encoding
    'utf-8'
    """

    model_config = ConfigDict(extra="forbid")

    encoding: str = "utf-8"
    byte_order_mark: bool = False
    separator: str = ","
    quote: Literal['"'] | None = '"'
    quoted_header: bool = False
    decimal: Literal[".", ","] = "."
    day_first: bool | None = None
    line_end: str = "\n"
    final_newline: bool = True
    gzipped: bool = False


def read_bytes(path: Path) -> tuple[bytes, bool]:
    """Read a file whole, unpacked where it is gzipped; tell whether it was.

    Raises
    ------
    DataError
        If it cannot be read, or is a damaged archive.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}).") from error
    if not data.startswith(b"\x1f\x8b"):
        return data, False
    try:
        return gzip.decompress(data), True
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is a damaged gzip file; copy or download it again.") from error


def as_utf8(data: bytes, path: Path) -> tuple[bytes, str, bool]:
    """Turn the bytes of a text file into UTF-8 without mark.

    Parameters
    ----------
    data : bytes
        What the file holds.
    path : Path
        For the message of an error.

    Returns
    -------
    data : bytes
        The same text as UTF-8.
    encoding : str
        What it was encoded in.
    byte_order_mark : bool
        Whether it began with one.

    Raises
    ------
    DataError
        If the bytes are not text, or in no encoding that can be told.

    Examples
    --------
    >>> as_utf8("é".encode("cp1252"), Path("a.csv"))[1]
    'cp1252'
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            body = data[len(mark) :]
            return (body if encoding == "utf-8" else _decode(body, encoding, path)), encoding, True
    if b"\x00" in data or _is_binary(data[:65536]):
        raise DataError(
            f"{path} is not a table of text; give a CSV, Parquet, Feather, Excel, SAS, Stata or "
            "SPSS file under its usual suffix."
        )
    broken = _first_invalid(data)
    if broken is None:
        return data, "utf-8", False
    text = data.decode("utf-8", errors="replace")
    wrong = text.count("\ufffd")
    right = sum(1 for character in text if character > "\x7f") - wrong
    if right > 2 * wrong:
        line = data.count(b"\n", 0, broken) + 1
        raise DataError(
            f"{path}: line {line} is not valid UTF-8 although the rest is; save the file again "
            "as UTF-8."
        )
    return _decode(data, "cp1252", path), "cp1252", False


def _decode(data: bytes, encoding: str, path: Path) -> bytes:
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError as error:
        raise DataError(
            f"{path} is in an encoding that cannot be read (neither UTF-8, UTF-16 nor "
            "Windows-1252); save it as UTF-8."
        ) from error


def _is_binary(head: bytes) -> bool:
    """Tell bytes that no text has: more than one in a hundred is a control character."""
    controls = sum(1 for byte in head if byte < 32 and byte not in (9, 10, 12, 13, 27))
    return controls * 100 > len(head)


def _first_invalid(data: bytes) -> int | None:
    """Find the first byte that is not UTF-8, a piece at a time so that memory stays low."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        if piece.isascii() and not decoder.getstate()[0]:
            continue
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            return start + error.start
    return len(data) if decoder.getstate()[0] else None


def separator_of(sample: str) -> str:
    r"""Tell what separates the cells: what cuts the lines into the same number of cells.

    Parameters
    ----------
    sample : str
        Whole lines from the top of the file.

    Returns
    -------
    str
        One of ``; , tab |``; the comma where there is a single column.

    Examples
    --------
    >>> separator_of("a;b\n1,5;2\n3,5;4\n")
    ';'
    """
    best, choice = (0.0, False, 1), ","
    for separator in _SEPARATORS:
        if separator not in sample:
            continue
        reader = csv.reader(io.StringIO(sample), delimiter=separator)
        try:
            sizes = [len(record) for record in reader if record]
        except csv.Error:
            continue
        if not sizes:
            continue
        usual, times = Counter(sizes).most_common(1)[0]
        if usual < 2:
            # One ragged file in two lines still shows its separator in the header.
            usual, times = sizes[0], sizes.count(sizes[0])
            if usual < 2 or len(sizes) > 3:
                continue
        score = (round(times / len(sizes), 2), sizes[0] == usual, usual)
        if score > best and score[0] >= 0.5:
            best, choice = score, separator
    return choice


def quoting_of(sample: str, separator: str, n_columns: int) -> tuple[bool, list[bool], list[bool]]:
    r"""Tell what is quoted though nothing needs it.

    Parameters
    ----------
    sample : str
        Whole lines from the top of the file, header included.
    separator : str
        What separates the cells.
    n_columns : int
        Number of columns.

    Returns
    -------
    header : bool
        Whether every name is quoted.
    cells : list of bool
        For each column, whether every cell that is not empty is quoted.
    empty : list of bool
        For each column, whether cells that spell missing are quoted.

    Examples
    --------
    >>> quoting_of('"a","b"\n"x",1\n"y",2\n', ",", 2)
    (True, [True, False], [False, False])
    """
    quoted = [0] * n_columns
    plain = [0] * n_columns
    forced = [0] * n_columns
    empty = [[0, 0] for _ in range(n_columns)]
    header = True
    special = re.compile('["\r\n' + re.escape(separator) + "]")
    for row, record in enumerate(_cells(sample, separator)):
        if len(record) != n_columns:
            continue
        for place, cell in enumerate(record):
            is_quoted = cell.startswith('"') and len(cell) > 1
            inside = cell[1:-1] if is_quoted else cell
            if row == 0:
                header = header and is_quoted
            elif inside in _MISSING:
                # R quotes every label but never the mark of a missing one.
                empty[place][is_quoted] += 1
            elif not is_quoted:
                plain[place] += 1
            elif special.search(inside):
                forced[place] += 1
            else:
                quoted[place] += 1
    cells = [quoted[i] > 0 and plain[i] == 0 for i in range(n_columns)]
    return header, cells, [empty[i][1] > empty[i][0] for i in range(n_columns)]


def _cells(sample: str, separator: str) -> list[list[str]]:
    """Cut a sample into cells as they are spelt, quotes included."""
    edge = re.escape(separator)
    cell = re.compile(f'("(?:[^"]|"")*"|[^{edge}\r\n]*)({edge}|\r?\n|$)')
    records: list[list[str]] = [[]]
    for match in cell.finditer(sample):
        records[-1].append(match[1])
        if match[2] != separator:
            records.append([])
    return [record for record in records if record != [""] and record]
