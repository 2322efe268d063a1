"""Dates and times in text: which format the whole column is written in."""

import re
from dataclasses import dataclass

import polars as pl

from sosie.table._names import is_named_like_date

__all__ = [
    "DateFormat",
    "compact_format",
    "date_format",
    "day_comes_first",
    "has_short_years",
    "looks_like_date",
    "parse_dates",
    "stated_format",
]

_TIME = r"[T ]\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})?"
_SHAPE = re.compile(
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    r"|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{4})"
    rf"({_TIME}{_ZONE})?$"
)
_SHORT = (
    r"^(\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2})([T ]\d{1,2}:\d{2}.*)?$"
)
_DAY_OF_MONTH = r"^(1[3-9]|2\d|3[01])\D|^\d{1,2}[-/.](1[3-9]|2\d|3[01])\D|[A-Za-z]"
_DAY = r"^(1[3-9]|2\d|3[01])[-/]\d{1,2}[-/]\d{4}"
_MONTH = r"^\d{1,2}[-/](1[3-9]|2\d|3[01])[-/]\d{4}"
_ZONES = ("Europe/Paris", "Europe/London", "America/New_York", "UTC")


@dataclass(frozen=True)
class DateFormat:
    """The format a column of dates is written in.

    Attributes
    ----------
    format : str
        As strftime has it.
    has_time : bool
        Whether a time of day follows the date.
    bare_midnight : bool
        Whether midnight is written without its time.
    time_zone : str or None
        The zone whose offsets the cells carry, where they differ from cell to cell.
    remark : str
        What had to be decided.
    """

    format: str
    has_time: bool
    bare_midnight: bool = False
    time_zone: str | None = None
    remark: str = ""


def looks_like_date(text: str) -> bool:
    """Tell whether a text has the shape of a date.

    Examples
    --------
    >>> looks_like_date("2014-07-02T11:45"), looks_like_date("12-14")
    (True, False)
    """
    return _SHAPE.match(text) is not None


def day_comes_first(texts: list[pl.Series]) -> bool | None:
    """Tell from all columns whether days come before months; None where nothing shows it.

    Parameters
    ----------
    texts : list of Series of text

    Examples
    --------
    >>> day_comes_first([pl.Series(["01/02/2020", "25/02/2020"])])
    True
    """
    shown = [
        [bool(text.str.contains(pattern).any()) for text in texts] for pattern in (_DAY, _MONTH)
    ]
    day, month = any(shown[0]), any(shown[1])
    return None if day == month else day


def has_short_years(texts: pl.Series) -> bool:
    """Tell whether texts are dates whose years have two digits, but for one in ten.

    Codes of three numbers may look so: some day is to be no month.

    Examples
    --------
    >>> dates, codes = ["31/01/58", "02/11/03"], ["01.02.03", "10.12.03"]
    >>> has_short_years(pl.Series(dates)), has_short_years(pl.Series(codes))
    (True, False)
    """
    days = texts.str.extract(_SHORT, 1).drop_nulls()
    if len(days) < 0.9 * len(texts) or not days.str.contains(_DAY_OF_MONTH).any():
        return False
    mark = re.sub(r"[0-9A-Za-z]", "", str(days[0]))[:1]
    ways = [f"%d{mark}%m{mark}%y", f"%m{mark}%d{mark}%y", f"%d{mark}%b{mark}%y"]
    trials = (DateFormat(pattern, has_time=False) for pattern in ways)
    return any(parse_dates(days, how).null_count() == 0 for how in trials)


def stated_format(texts: pl.Series, pattern: str) -> DateFormat:
    """Take the format that a schema states.

    Parameters
    ----------
    texts : Series of text
        Cells that are not missing.
    pattern : str
        As strftime has it.
    """
    has_time = re.search(r"%-?[HI]|%[TR]", pattern) is not None
    bare = has_time and not texts.str.contains(":", literal=True).all()
    return _local(texts, DateFormat(pattern, has_time, bare))


def date_format(texts: pl.Series, day_first: bool | None, french: bool) -> DateFormat | None:
    """Find the format that all texts are written in.

    Parameters
    ----------
    texts : Series of text
        Cells that are not missing.
    day_first : bool or None
        What other columns show.
    french : bool
        Whether the file has French traits: days come first where nothing else decides.

    Returns
    -------
    DateFormat or None
        None where no format reads nine cells in ten.

    Examples
    --------
    >>> date_format(pl.Series(["01/02/2020", "25/02/2020"]), None, False).format
    '%d/%m/%Y'
    """
    found: DateFormat | None = None
    most = 0
    for trial in _trials(texts, day_first, french):
        read = len(texts) - parse_dates(texts, trial).null_count()
        if read > most:
            found, most = trial, read
    if found is None or most < 0.9 * len(texts):
        return None
    return _padded(texts, _local(texts, found))


def parse_dates(texts: pl.Series, how: DateFormat) -> pl.Series:
    """Read texts as dates or datetimes; what does not read is null.

    Examples
    --------
    >>> texts = pl.Series(["2020-01-31", "2020-02-31"])
    >>> parse_dates(texts, DateFormat("%Y-%m-%d", has_time=False)).to_list()
    [datetime.date(2020, 1, 31), None]
    """
    pattern = re.sub(r"%-([dmHI])", r"%\1", how.format)
    if not how.has_time:
        return texts.str.to_date(pattern, strict=False)
    pattern = re.sub(r"%\.\d?f", "%.f", pattern)
    if "%:z" in pattern or "%z" in pattern:
        # With offsets in the text, polars gives instants in UTC.
        parsed = texts.str.to_datetime(pattern, time_unit="us", strict=False)
        return parsed.dt.convert_time_zone(how.time_zone or "UTC")
    parsed = texts.str.to_datetime(pattern, time_unit="us", strict=False)
    if not how.bare_midnight:
        return parsed
    bare = texts.str.to_date(re.split(r"[T ]%-?H", pattern)[0], strict=False)
    return parsed.fill_null(bare.cast(pl.Datetime("us")))


def _trials(texts: pl.Series, day_first: bool | None, french: bool) -> list[DateFormat]:
    """List the formats worth trying, by the look of the cells."""
    sample = texts.head(1000)
    matches = [match for text in sample if (match := _SHAPE.match(text))]
    if not matches:
        return []
    timed = next((match for match in matches if match[2]), None)
    dates = _date_trials(matches[0][1], day_first, french)
    if timed is None:
        return [DateFormat(pattern, False, remark=remark) for pattern, remark in dates]
    tail = _time_pattern([match[2] for match in matches if match[2]])
    bare = any(not match[2] for match in matches)
    note = "; some cells have no time of day: midnight" if bare else ""
    return [DateFormat(p + tail, True, bare, remark=(r + note).strip("; ")) for p, r in dates]


def _date_trials(text: str, day_first: bool | None, french: bool) -> list[tuple[str, str]]:
    mark = re.sub(r"[0-9A-Za-z]", "", text)[:1]
    if re.match(r"\d{4}", text):
        return [(f"%Y{mark}%m{mark}%d", "")]
    if re.search(r"[A-Za-z]", text):
        return [(f"%d{mark}%b{mark}%Y", "")]
    day, month = f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y"
    if mark == "." or day_first:
        return [(day, ""), (month, "")]
    if day_first is False:
        return [(month, ""), (day, "")]
    if french:
        return [
            (day, "days taken to come first, as the file is written the French way"),
            (month, ""),
        ]
    return [(month, "months taken to come first, nothing shows which"), (day, "")]


def _time_pattern(tails: list[str]) -> str:
    """Spell the time of day as the longest one seen."""
    longest = max(tails, key=len)
    pattern = f"{longest[0]}%H:%M"
    if longest.count(":") - (1 if re.search(r"[+-]\d{2}:\d{2}$", longest) else 0) > 1:
        pattern += ":%S"
    fractions = {len(m[1]) for tail in tails if (m := re.search(r"\.(\d+)", tail))}
    if fractions:
        only = fractions.pop() if len(fractions) == 1 else 0
        pattern += f"%.{only}f" if only in (3, 6, 9) else "%.f"
    zones = {m[0] if (m := re.search(r"(Z|[+-]\d{2}:?\d{2})$", tail)) else "" for tail in tails}
    if len(zones) == 1:
        # The same offset in every cell is a decoration: times stay as they are written.
        return pattern + zones.pop()
    return pattern + ("%:z" if any(":" in zone for zone in zones) else "%z")


def _local(texts: pl.Series, found: DateFormat) -> DateFormat:
    """Find the time zone whose summer and winter offsets the cells carry."""
    if "z" not in found.format[-2:]:
        return found
    for zone in _ZONES:
        trial = DateFormat(found.format, True, found.bare_midnight, zone, found.remark)
        if _spelt_back(texts, trial):
            return trial
    return DateFormat(found.format, True, found.bare_midnight, "UTC", found.remark)


def _padded(texts: pl.Series, found: DateFormat) -> DateFormat:
    """Choose days, months and hours without leading zero where the cells have none."""
    if _spelt_back(texts, found):
        return found
    bare = re.sub(r"%([dm])", r"%-\1", found.format)
    for pattern in (bare, re.sub("%H", "%-H", bare), re.sub("%H", "%-H", found.format)):
        trial = DateFormat(
            pattern, found.has_time, found.bare_midnight, found.time_zone, found.remark
        )
        if _spelt_back(texts, trial):
            return trial
    return found


def _spelt_back(texts: pl.Series, how: DateFormat) -> bool:
    """Tell whether the first cells come out as they went in."""
    sample = texts.head(2000)
    parsed = parse_dates(sample, how)
    spelt = parsed.dt.to_string(how.format)
    if how.bare_midnight:
        bare = parsed.dt.to_string(re.split(r"[T ]%-?H", how.format)[0])
        spelt = pl.select(pl.when(sample.str.contains(":")).then(spelt).otherwise(bare)).to_series()
    return bool((spelt == sample).all())


def compact_format(name: str, texts: pl.Series) -> DateFormat | None:
    """Tell whether eight digits are a date: all are, and the column is named like one.

    Examples
    --------
    >>> compact_format("birth_date", pl.Series(["19810131"])).format
    '%Y%m%d'
    """
    if not len(texts) or not is_named_like_date(name):
        return None
    if not texts.str.contains(r"^(18|19|20|21)\d{6}$").all():
        return None
    how = DateFormat("%Y%m%d", has_time=False)
    return None if parse_dates(texts, how).null_count() else how
