"""Dates whose beginning is missing, completed backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["moved_back"]


def moved_back(
    known: pl.DataFrame, drawn: pl.DataFrame, told: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Move what is drawn before a date until that stands where it is known to.

    Of a discharge whose admission is missing, the admission is what the discharge leaves of the
    stay that is drawn.

    Parameters
    ----------
    known : DataFrame
        Null where missing.
    drawn : DataFrame
        Rows of the same persons, with no cell missing.
    told : mapping of str to list of str
        For every column told by steps, in order, those that it is counted from.

    Examples
    --------
    >>> from datetime import date
    >>> some = [None, date(2021, 3, 1), date(2021, 3, 8)]
    >>> known = pl.DataFrame({"in": some, "out": [date(2021, 3, 9)] * 3})
    >>> drawn = pl.DataFrame({"in": [date(2021, 3, 2)] * 3, "out": [date(2021, 3, 5)] * 3})
    >>> moved_back(known, drawn, {"out": ["in"]})["in"][0]
    datetime.date(2021, 3, 6)
    """
    stands = {name: known[name].is_not_null() for name in drawn.columns}
    for name, others in told.items():
        by = known[name] - drawn[name]
        whole = pl.select(pl.all_horizontal(*(stands[other] for other in others))).to_series()
        for other in others:
            rows = stands[name] & ~whole & ~stands[other]
            if rows.any():
                drawn = drawn.with_columns(_moved(drawn[other], rows, by, known[other]))
                stands[other] = stands[other] | rows
    return drawn


def _moved(values: pl.Series, rows: pl.Series, by: pl.Series, known: pl.Series) -> pl.Series:
    """Move values of some rows, to none beyond those that somebody has."""
    moment = values.cast(pl.Datetime("us")) if values.dtype == pl.Date else values
    there = (moment + by).cast(values.dtype)
    ends = pl.lit(known.min(), values.dtype), pl.lit(known.max(), values.dtype)
    return pl.select(pl.when(rows).then(there.clip(*ends)).otherwise(values)).to_series()
