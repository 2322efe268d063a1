"""Labels of two tables in one spelling, whatever types they came in."""

import polars as pl

__all__ = ["plain_labels"]


def plain_labels(values: pl.Series) -> pl.Series:
    """Spell labels so that 1 and 1.0, which missing cells make of it in pandas, are one.

    Examples
    --------
    >>> plain_labels(pl.Series([1.0, None])).to_list()
    ['1', None]
    >>> plain_labels(pl.Series(["1", "01", "1.50", "inf"])).to_list()
    ['1', '01', '1.50', 'inf']
    """
    text = values.cast(pl.String)
    number = text.cast(pl.Float64, strict=False)
    spelt = number.cast(pl.Int64, strict=False).cast(pl.String)
    whole = spelt.is_not_null() & (number == number.round()) & ~text.str.contains(r"^[+-]?0\d")
    return pl.select(pl.when(whole).then(spelt).otherwise(text)).to_series()
