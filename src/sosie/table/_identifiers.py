"""Which columns point at one person: unique per row, or named as if they did.

The rules, in this order:

1. named like one (`patient_id`, `usubjid`, `nir`, `email`, `nom`) and of many values:
   more than 20, and either more than `max_levels` or one row in ten has its own;
   `center_id` with 5 values is a category;
2. a row name (`Unnamed: 0` or no name) that counts the rows from 0 or 1;
3. text: e-mail addresses; or short labels, each on one row, on 10 rows at least;
4. whole numbers, each on one row, although a measure would have repeated some: n numbers
   within a range of R values share about n (n - 1) / 2R pairs, more if they are not uniform;
   10 expected pairs and none found is no chance (e^-10). Forty distinct weights in grams
   expect one pair and stay a measure, the numbers 1 to 40 expect twenty and are serial.
"""

import polars as pl

from sosie.table._names import is_named_like_identifier, is_row_name

__all__ = ["why_identifier"]

_EXPECTED_PAIRS = 10.0


def why_identifier(values: pl.Series, n_distinct: int, max_levels: int) -> str:
    """Tell why a column is an identifier.

    Parameters
    ----------
    values : Series
        Without missing ones; text or numbers.
    n_distinct : int
        How many values differ.
    max_levels : int
        Labels that a category has at most.

    Returns
    -------
    str
        The reason; empty where it is none.

    Examples
    --------
    >>> why_identifier(pl.Series("x", range(1, 41)), 40, 200)
    'serial numbers: each on one row, none twice'
    >>> why_identifier(pl.Series("weight", [3120, 2980, 3540]), 3, 200)
    ''
    """
    n = len(values)
    unique = n_distinct == n
    whole = values.dtype.is_integer() or (values.dtype.is_float() and _is_whole(values))
    text = values.dtype == pl.String
    if not (whole or text):
        return ""
    many = n_distinct > max_levels or 10 * n_distinct >= n
    if is_named_like_identifier(values.name) and n_distinct > min(20, n - 1) and many:
        return "named like one"
    if whole and unique and is_row_name(values.name) and _counts_rows(values):
        return "numbers of the rows"
    if text:
        return _why_text(values, unique=unique)
    if unique and values.dtype.is_integer() and _would_repeat(values):
        return "serial numbers: each on one row, none twice"
    return ""


def _is_whole(values: pl.Series) -> bool:
    return bool((values == values.round(0)).all())


def _counts_rows(values: pl.Series) -> bool:
    lowest, highest = int(values.min()), int(values.max())  # type: ignore[arg-type]
    return lowest in (0, 1) and highest - lowest + 1 == len(values)


def _why_text(values: pl.Series, *, unique: bool) -> str:
    if values.head(100).str.contains(r"^[^@\s]+@[^@\s]+\.\w+$").mean() > 0.5:  # type: ignore[operator]
        return "e-mail addresses"
    longest = int(values.str.len_chars().quantile(0.9) or 0)
    if unique and len(values) >= 10 and longest <= 40:
        return "each label is on one row"
    return ""


def _would_repeat(values: pl.Series) -> bool:
    n = len(values)
    span = int(values.max()) - int(values.min()) + 1  # type: ignore[arg-type]
    return n * (n - 1) / (2 * span) >= _EXPECTED_PAIRS
