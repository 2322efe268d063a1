"""From the text of a column to its values: numbers, truth values, dates or labels."""

import re
from dataclasses import dataclass, field, replace
from typing import NoReturn

import polars as pl

from sosie.errors import DataError
from sosie.table._clocks import clock_format, parse_clocks
from sosie.table._dates import (
    DateFormat,
    compact_format,
    date_format,
    has_short_years,
    looks_like_date,
    parse_dates,
    stated_format,
)
from sosie.table._kinds import Kind
from sosie.table._numerals import Numeral, least_decimals, numeral_of, parse_numerals
from sosie.table._places import Places
from sosie.table._schema import Level
from sosie.table._spelling import Spelling

__all__ = ["TextColumn", "read_text"]

_TRUTHS = ({"true", "false"}, {"vrai", "faux"})
_LABELS = frozenset({Kind.CATEGORY, Kind.ORDINAL, Kind.TEXT, Kind.IDENTIFIER, Kind.BOOLEAN})


@dataclass(frozen=True)
class TextColumn:
    """One column of text and what is known before reading it.

    Attributes
    ----------
    name : str
        Its name.
    cells : Series of text
        Null where the file has nothing.
    missing : tuple of two lists
        Spellings of missing: anywhere, and among numbers and dates.
    kind : Kind or None
        What the user says it is.
    format : str or None
        How the user says its dates are spelt.
    labelled : bool
        Written as text on purpose (quoted, when numbers are not).
    decimal_comma, french : bool
        Habits of the whole file.
    day_first : bool or None
        What its dates show.
    places : Places
        Where to point at in a message.
    """

    name: str
    cells: pl.Series
    missing: tuple[list[str], list[str]]
    places: Places
    kind: Kind | None = None
    format: str | None = None
    labelled: bool = False
    decimal_comma: bool = False
    french: bool = False
    day_first: bool | None = None
    quoted: bool = False
    missing_quoted: bool = False
    levels: list[Level] = field(default_factory=list)

    @property
    def has_text_levels(self) -> bool:
        """Whether the labels declared are text."""
        return any(isinstance(level, str) for level in self.levels)


def read_text(column: TextColumn) -> tuple[pl.Series, Spelling, str]:
    """Read a column of text.

    Parameters
    ----------
    column : TextColumn

    Returns
    -------
    values : Series
        Typed; null where missing.
    spelling : Spelling
        How to spell such values again.
    remark : str
        What had to be decided, or nothing.

    Raises
    ------
    DataError
        If nine cells in ten read as numbers or as dates and the others do not.

    Examples
    --------
    >>> cells = pl.Series("a", ["1,5", "NA", "2"])
    >>> column = TextColumn("a", cells, (["NA"], ["NA"]), Places("t"), decimal_comma=True)
    >>> read_text(column)[0].to_list()
    [1.5, None, 2.0]
    """
    anywhere = [text for text in column.missing[0] if text not in column.levels]
    distinct = column.cells.unique().drop_nulls()
    cells, distinct, spelt = _without_missing(column.cells, distinct, anywhere)
    spelling = Spelling(missing=spelt, missing_quoted=column.missing_quoted, quoted=column.quoted)
    if column.kind is Kind.TEXT:
        return cells, spelling, ""
    if not column.has_text_levels and (truths := _truths(distinct)):
        values = cells == truths[0]
        return (
            values,
            spelling.model_copy(
                update={"content": "boolean", "true": truths[0], "false": truths[1]}
            ),
            "",
        )
    if column.kind in _LABELS:
        return _as_labels(column, cells, distinct, spelling)
    loose = [text for text in column.missing[1] if text not in column.levels]
    numbers, some, spelt_number = _without_missing(cells, distinct, loose)
    spelling = spelling.model_copy(update={"missing": spelt_number or spelt})
    if some.is_empty():  # nothing to read, whatever it is said to be
        return numbers, spelling, ""
    if column.kind in (Kind.NUMBER, Kind.INTEGER) and (clock := clock_format(some)):
        update = {"content": "time", "format": clock}
        return parse_clocks(numbers, clock), spelling.model_copy(update=update), ""
    if column.format is not None:
        return _as_stated(column, column.format, numbers, some, spelling)
    compact = compact_format(column.name, some) is not None
    for reader in (_as_date, _as_number) if compact else (_as_number, _as_date):
        outcome = reader(column, numbers, some, spelling)
        if outcome is not None:
            return outcome
    return cells, spelling.model_copy(update={"missing": spelt}), _why_label(column, distinct)


def _without_missing(
    cells: pl.Series, distinct: pl.Series, spellings: list[str]
) -> tuple[pl.Series, pl.Series, str]:
    """Make missing cells null; tell how most of them were spelt.

    The distinct cells say which they are, so that a column that has none costs nothing.
    """
    gone = distinct.str.strip_chars().is_in(spellings)
    if not gone.any():
        return cells, distinct, ""
    spelt = distinct.filter(gone)
    here = cells.is_in(spelt.to_list()).fill_null(value=False)
    tally = cells.filter(here).value_counts(sort=True)
    n_empty = cells.null_count()
    usual = str(tally.item(0, 0)).strip() if int(tally.item(0, 1)) > n_empty else ""
    return cells.set(here, None), distinct.filter(~gone), usual


def _truths(distinct: pl.Series) -> tuple[str, str] | None:
    """Find how true and false are spelt, where the column holds nothing else."""
    if len(distinct) != 2:
        return None
    spelt = {str(text).strip().lower(): str(text) for text in distinct}
    for truth in _TRUTHS:
        if set(spelt) == truth:
            return spelt[max(truth & {"true", "vrai"})], spelt[max(truth & {"false", "faux"})]
    return None


def _as_labels(
    column: TextColumn, cells: pl.Series, distinct: pl.Series, spelling: Spelling
) -> tuple[pl.Series, Spelling, str]:
    """Read labels as numbers if all are, and nothing declares them to be text."""
    free = replace(column, kind=None)
    numeral = numeral_of(distinct, decimal_comma=column.decimal_comma)
    if (
        numeral
        and not column.has_text_levels
        and parse_numerals(distinct, numeral).null_count() == 0
    ):
        return _as_number(free, cells, distinct, spelling) or (cells, spelling, "")
    return cells, spelling, ""


def _as_number(
    column: TextColumn, cells: pl.Series, distinct: pl.Series, spelling: Spelling
) -> tuple[pl.Series, Spelling, str] | None:
    if column.kind not in (None, Kind.NUMBER, Kind.INTEGER, Kind.CONSTANT):
        return None
    forced = column.kind in (Kind.NUMBER, Kind.INTEGER)
    numeral = numeral_of(distinct, decimal_comma=column.decimal_comma)
    if numeral is None or (numeral.is_label and not forced):
        if forced:
            _refuse(column, cells, numeral or Numeral(), "numbers")
        return None
    if column.labelled and not forced and numeral.is_whole:
        return None
    values = parse_numerals(cells, numeral)
    wrong = values.null_count() - cells.null_count()
    if wrong:
        n = len(cells) - cells.null_count()
        if not forced and (n - wrong < 0.9 * n or n - wrong < 5):
            return None
        if not forced and (
            date_format(distinct, column.day_first, column.french) or _are_codes(distinct, numeral)
        ):
            return None
        _refuse(column, cells, numeral, "numbers")
    return (
        values,
        spelling.model_copy(
            update={
                "content": "number",
                "decimal": numeral.decimal,
                "thousands": numeral.thousands,
                "least_decimals": 0 if numeral.is_whole else least_decimals(cells, numeral),
                "exponent": numeral.exponent,
            }
        ),
        "",
    )


def _are_codes(distinct: pl.Series, numeral: Numeral) -> bool:
    """Tell codes of a nomenclature, digits alone or after a letter (ICD: 250.01, V57, E909)."""
    others = distinct.filter(parse_numerals(distinct, numeral).is_null())
    return bool(others.str.contains(r"^[A-Za-z]{1,2}\d[\w.]*$").all())


def _refuse(column: TextColumn, cells: pl.Series, numeral: Numeral, what: str) -> NoReturn:
    bad = parse_numerals(cells, numeral).is_null() & cells.is_not_null()
    _mixed(column, bad, what)


def _mixed(column: TextColumn, bad: pl.Series, what: str) -> NoReturn:
    n = int(bad.sum())
    cells = "1 cell does" if n == 1 else f"{n} cells do"
    raise DataError(
        f"{column.places.column(column.name)}: {cells} not read as {what} though the others do "
        f"(first on {column.places.row(int(bad.arg_max() or 0))}); correct them, add their "
        'spelling to the missing ones, or set kind = "category" or "text" in a schema.'
    )


def _as_date(
    column: TextColumn, cells: pl.Series, distinct: pl.Series, spelling: Spelling
) -> tuple[pl.Series, Spelling, str] | None:
    if column.kind not in (None, Kind.DATE, Kind.DATETIME, Kind.CONSTANT) or not len(distinct):
        return None
    texts = distinct.sort()
    if has_short_years(texts):
        _short_years(column)
    shaped = sum(looks_like_date(text) for text in texts.head(100))
    compact = compact_format(column.name, texts)
    if not compact and shaped * 2 < min(100, len(texts)):
        if column.kind in (Kind.DATE, Kind.DATETIME):
            _mixed(column, cells.is_not_null(), "dates")
        return None
    how = compact or date_format(texts, column.day_first, column.french)
    if how is None:
        if column.kind in (Kind.DATE, Kind.DATETIME):
            _mixed(column, cells.is_not_null(), "dates")
        return None
    values = parse_dates(cells, how)
    bad = values.is_null() & cells.is_not_null()
    if bad.any():
        _mixed(column, bad, "dates")
    return values, _spelt(spelling, how), how.remark


def _as_stated(
    column: TextColumn, pattern: str, cells: pl.Series, distinct: pl.Series, spelling: Spelling
) -> tuple[pl.Series, Spelling, str]:
    """Read dates as the schema says that they are spelt."""
    if re.search("%[yDxcg]", pattern):
        _short_years(column)
    try:
        how = stated_format(distinct.sort(), pattern)
        values = parse_dates(cells, how)
    except pl.exceptions.PolarsError:  # an hour without its minutes
        how, values = DateFormat(pattern, has_time=False), cells.clear(len(cells))
    bad = values.is_null() & cells.is_not_null()
    if bad.any():
        n = int(bad.sum())
        count = "1 cell does" if n == 1 else f"{n} cells do"
        raise DataError(
            f"{column.places.column(column.name)}: {count} not read as dates in the format "
            f"{pattern!r} that the schema gives (first on "
            f"{column.places.row(int(bad.arg_max() or 0))}); correct them, or the format."
        )
    return values, _spelt(spelling, how), ""


def _spelt(spelling: Spelling, how: DateFormat) -> Spelling:
    update = {
        "content": "datetime" if how.has_time else "date",
        "format": how.format,
        "bare_midnight": how.bare_midnight,
    }
    return spelling.model_copy(update=update)


def _short_years(column: TextColumn) -> NoReturn:
    raise DataError(
        f"{column.places.column(column.name)}: its dates have years of two digits, which may be of "
        'either century; write them with four, or set kind = "category" or "text" in a schema.'
    )


def _why_label(column: TextColumn, distinct: pl.Series) -> str:
    """Say why digits are not taken for numbers."""
    if not len(distinct) or not distinct.str.contains(r"^\d+(E\d+)?$").all():
        return ""
    if distinct.str.contains("E", literal=True).any():
        return "digits about an E: a code, not a number"
    if column.labelled:
        return "numbers written as labels"
    return "digits with leading zeros, or too many to count with"
