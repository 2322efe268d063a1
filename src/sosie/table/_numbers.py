"""Shape of numbers: their decimals, the step they are multiples of, infinities."""

import numpy as np
import polars as pl

from sosie.errors import DataError
from sosie.table._places import Places

__all__ = ["decimals_of", "refuse_infinities", "step_of"]

_MOST_DECIMALS = 9
_ENOUGH_VALUES = 20
_SAMPLE = 2000
_STEP_DECIMALS = 3  # finer ones come from conversions of units, not from rounding


def decimals_of(values: pl.Series) -> int | None:
    """Count the decimals that every value can do with.

    Parameters
    ----------
    values : Series of float
        Without missing ones.

    Returns
    -------
    int or None
        From 0 to 9; None where some need more.

    Examples
    --------
    >>> decimals_of(pl.Series([1.5, 2.25])), decimals_of(pl.Series([1 / 3]))
    (2, None)
    """
    start = 0
    for part in (values.head(_SAMPLE), values):
        for decimals in range(start, _MOST_DECIMALS + 1):
            if (part.round(decimals) == part).all():
                start = decimals
                break
        else:
            return None
    return start


def step_of(values: pl.Series, decimals: int | None) -> float | None:
    """Find the step that every value is a multiple of (5, 10, 100, 0.5).

    Twenty distinct values are asked for: by chance, all would be even in one case of
    a million.

    Parameters
    ----------
    values : Series of numbers
        Without missing ones.
    decimals : int or None
        Their decimals.

    Returns
    -------
    float or None
        None where the step is that of the decimals.

    Examples
    --------
    >>> step_of(pl.Series(range(0, 200, 5)), 0), step_of(pl.Series([0.5, 1.0] * 9), 1)
    (5.0, None)
    """
    if decimals is None or decimals > _STEP_DECIMALS:
        return None
    scale = 10**decimals
    for part in (values.head(_SAMPLE), values):
        scaled = np.abs(np.rint(part.cast(pl.Float64).to_numpy() * scale))
        if scaled.max(initial=0) > 2**53:
            return None
        divisor = int(np.gcd.reduce(scaled.astype(np.int64)))
        if divisor <= 1:
            return None
    if values.n_unique() < _ENOUGH_VALUES:
        return None
    return float(round(divisor / scale, decimals))


def refuse_infinities(frame: pl.DataFrame, places: Places) -> None:
    """Refuse a table that holds infinities.

    Raises
    ------
    DataError
        Naming the first column that does, and how many.
    """
    for values in frame.iter_columns():
        if not values.dtype.is_float():
            continue
        n = int(values.is_infinite().sum())
        if n:
            first = places.row(int(values.is_infinite().fill_null(value=False).arg_max() or 0))
            what = "1 infinite value" if n == 1 else f"{n} infinite values"
            raise DataError(
                f"{places.column(values.name)}: {what} (first on {first}); correct them or "
                "leave these cells empty."
            )
