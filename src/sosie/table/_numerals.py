"""Numbers in text: decimal marks, thousands, signs and exponents."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import polars as pl

__all__ = [
    "Numeral",
    "least_decimals",
    "no_numerals",
    "numeral_of",
    "parse_numerals",
    "uses_decimal_comma",
]

_PLAIN = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_COMMA = r"^\s*[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?\s*$"
_INFINITE = r"(?i)^\s*[+-]?(inf|infinity|∞)\s*$"
_CODE = r"^\s*\d+E\d+\s*$"
_COUNTED = r"[.,e]|E[+-]"
_MANY_CODES = 0.1
_GROUPS = (" ", "\u00a0", "\u202f", "'", "’", ",", ".")
_INFINITE_CELL = re.compile(_INFINITE)
_FEW = 60
_ROUGH = 0.3
_LONGEST = 15  # digits that float64 carries


@dataclass(frozen=True)
class Numeral:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : str
        The decimal mark.
    thousands : str
        The mark between groups of three digits, or nothing.
    is_whole : bool
        No cell has a decimal mark or an exponent.
    exponent : bool
        Some cell has an exponent.
    is_label : bool
        Digits that are not for counting: leading zeros, more than 15 of them, or codes as 2E05.
    """

    decimal: Literal[".", ","] = "."
    thousands: str = ""
    is_whole: bool = False
    exponent: bool = False
    is_label: bool = False


def uses_decimal_comma(columns: list[pl.Series], separator: str) -> bool:
    """Tell from samples of all columns whether decimals follow a comma.

    Examples
    --------
    >>> uses_decimal_comma([pl.Series(["1,5", "2,75"])], ";")
    True
    """
    comma = point = 0
    for column in columns:
        cells = column.drop_nulls()
        cells = cells.filter(cells.str.contains(r"\d"))
        if not len(cells):
            continue
        marked = cells.filter(cells.str.contains(",", literal=True))
        if len(marked) and cells.str.contains(_COMMA).mean() > 0.9:  # type: ignore[operator]
            grouped = marked.str.contains(r"^\s*[+-]?\d{1,3}(,\d{3})+\s*$").all()
            comma += not grouped or separator != ","
        elif cells.str.contains(r"^\s*[+-]?\d*\.\d+\s*$").mean() > 0.5:  # type: ignore[operator]
            point += 1
    return comma > point


def numeral_of(distinct: pl.Series, *, decimal_comma: bool) -> Numeral | None:
    """Find how the numbers of a column are written.

    Parameters
    ----------
    distinct : Series of text
        Cells that are not missing.
    decimal_comma : bool
        Whether the file writes decimals after a comma.

    Returns
    -------
    Numeral or None
        The way that reads most cells; None where no way reads half of them.

    Examples
    --------
    >>> numeral_of(pl.Series(["1 234,5", "12"]), decimal_comma=False).thousands
    ' '
    """
    if not len(distinct):
        return None
    # A few cells settle most columns before all are looked at.
    few = distinct.head(_FEW).to_list()
    ways = [way for way in _ways(decimal_comma) if _rough_share(few, way[2]) >= _ROUGH]
    best, most = None, 0.5
    for decimal, thousands, pattern in ways:
        if thousands and not distinct.str.contains(thousands, literal=True).any():
            continue
        share = _share(distinct, pattern)
        if share > most:
            best, most = (decimal, thousands), share
        if share == 1.0:
            break
    return None if best is None else _described(distinct, *best)


def no_numerals(cells: pl.Series) -> pl.Series:
    """Tell the cells that do not read as numbers in the way that reads most; not missing ones.

    Examples
    --------
    >>> no_numerals(pl.Series(["1,5", "<5", None, "2"])).to_list()
    [False, True, False, False]
    """
    known = cells.drop_nulls().unique(maintain_order=True)
    # What the file is written like was of no help: the column is not all numbers.
    ways = [numeral_of(known, decimal_comma=False), Numeral("."), Numeral(",")]
    read = min((parse_numerals(cells, way) for way in ways if way), key=pl.Series.null_count)
    return read.is_null() & cells.is_not_null()


def _share(cells: pl.Series, pattern: str) -> float:
    return float((cells.str.contains(pattern) | cells.str.contains(_INFINITE)).mean() or 0.0)  # type: ignore[arg-type]


def _rough_share(cells: list[str], pattern: str) -> float:
    whole = _compiled(pattern)
    return sum(1 for cell in cells if whole.match(cell) or _INFINITE_CELL.match(cell)) / len(cells)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _ways(decimal_comma: bool) -> list[tuple[Literal[".", ","], str, str]]:
    """List ways to write a number, the likeliest first."""
    plain: list[tuple[Literal[".", ","], str, str]] = [(".", "", _PLAIN), (",", "", _COMMA)]
    grouped: list[tuple[Literal[".", ","], str, str]] = []
    decimals: tuple[Literal[",", "."], ...] = (",", ".") if decimal_comma else (".", ",")
    for decimal in decimals:
        for mark in _GROUPS:
            if mark != decimal:
                group, point = re.escape(mark), re.escape(decimal)
                pattern = rf"^\s*[+-]?\d{{1,3}}({group}\d{{3}})*({point}\d*)?\s*$"
                grouped.append((decimal, mark, pattern))
    if decimal_comma:
        # In such a file 1.234 is a thousand and more, if every cell with a point looks so.
        by_point = next(way for way in grouped if way[:2] == (",", "."))
        return [(",", "", _COMMA), by_point, plain[0], *grouped]
    by_comma = next(way for way in grouped if way[:2] == (".", ","))
    return [plain[0], by_comma, plain[1], *grouped]


def _described(distinct: pl.Series, decimal: Literal[".", ","], thousands: str) -> Numeral:
    bare = distinct.str.replace_all(thousands, "", literal=True) if thousands else distinct
    digits = bare.str.contains(r"^\s*[+-]?\d+\s*$")
    whole = bool(digits.all())
    exponent = bool(bare.str.contains(r"\d[eE][+-]?\d").any())
    zeros = bool(bare.str.contains(r"^\s*[+-]?0\d").any())
    long = whole and int(bare.str.strip_chars(" +-").str.len_chars().max() or 0) > _LONGEST  # type: ignore[arg-type]
    return Numeral(
        decimal, thousands, whole, exponent, zeros or long or (exponent and _are_codes(bare))
    )


def _are_codes(cells: pl.Series) -> bool:
    """Tell codes as 2E05 from numbers: many look so, or all are as long, and none is a measure."""
    share = float(cells.str.contains(_CODE).mean() or 0.0)  # type: ignore[arg-type]
    if not share or cells.str.contains(_COUNTED).any():
        return False
    return share >= _MANY_CODES or cells.str.strip_chars().str.len_chars().n_unique() == 1


def parse_numerals(cells: pl.Series, how: Numeral) -> pl.Series:
    """Read texts as numbers; what does not read is null.

    Returns
    -------
    Series
        Int64 where all are whole, Float64 otherwise.

    Examples
    --------
    >>> parse_numerals(pl.Series(["1,5", "x"]), Numeral(decimal=",")).to_list()
    [1.5, None]
    """
    bare = cells.str.strip_chars()
    if how.thousands:
        bare = bare.str.replace_all(how.thousands, "", literal=True)
    if how.decimal == ",":
        bare = bare.str.replace(",", ".", literal=True)
    return bare.cast(pl.Int64 if how.is_whole else pl.Float64, strict=False)


def least_decimals(cells: pl.Series, how: Numeral) -> int:
    """Count the digits that follow the decimal mark in every cell, at least.

    Examples
    --------
    >>> least_decimals(pl.Series(["1.50", "2.0"]), Numeral())
    1
    """
    plain = cells.filter(cells.str.contains("[eE]").not_()) if how.exponent else cells
    tail = plain.drop_nulls().str.strip_chars().str.split_exact(how.decimal, 1)
    least = tail.struct.field("field_1").fill_null("").str.len_chars().min()
    return int(least or 0)  # type: ignore[arg-type]
