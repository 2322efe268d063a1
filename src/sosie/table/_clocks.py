"""Times of day as they are written: 8:05, 08:05:30, 08:05:30.25."""

import polars as pl

__all__ = ["clock_format", "parse_clocks"]

_SHORT = r"^([01]?\d|2[0-3]):[0-5]\d$"
_LONG = r"^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?$"


def clock_format(texts: pl.Series) -> str | None:
    """Find the format that all texts are written in, as strftime has it; None where some are not.

    Examples
    --------
    >>> clock_format(pl.Series(["08:05", "23:59"])), clock_format(pl.Series(["08:05", "24:10"]))
    ('%H:%M', None)
    """
    hour = "%H" if texts.str.contains(r"^\d\d").all() else "%-H"
    if texts.str.contains(_SHORT).all():
        return f"{hour}:%M"
    return f"{hour}:%M:%S%.f" if texts.str.contains(_LONG).all() else None


def parse_clocks(cells: pl.Series, pattern: str) -> pl.Series:
    """Read times of day written in a format of :func:`clock_format`.

    Examples
    --------
    >>> parse_clocks(pl.Series(["8:05", None]), "%-H:%M").to_list()
    [datetime.time(8, 5), None]
    """
    seconds = cells if "%S" in pattern else cells + ":00"
    return seconds.str.to_time("%H:%M:%S%.f")
