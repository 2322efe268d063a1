"""How far apart two columns are, in probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.table import NUMERIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.table import Table

    Floats = NDArray[np.float64]

__all__ = ["fidelity", "largest_distance"]


def largest_distance(
    one: NDArray[Any], other: NDArray[Any], levels: int | None = None, weights: Floats | None = None
) -> float:
    """Give the largest distance in probability between two columns.

    For numbers that of Kolmogorov and Smirnov, between the distribution functions of the
    known values; for levels the total variation, missing being one more level.

    Parameters
    ----------
    one, other : ndarray of shape (n,) and (m,)
        Numbers, NaN where missing; or codes of levels, -1 where missing.
    levels : int, optional
        Number of levels; None for numbers.
    weights : ndarray of shape (n,), optional
        Of the rows of ``one``, not negative.

    Returns
    -------
    float
        0 for the same law, 1 for columns that have nothing in common.

    References
    ----------
    .. [1] F. J. Massey, "The Kolmogorov-Smirnov test for goodness of fit", JASA 46, 1951.

    Examples
    --------
    >>> largest_distance(np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0, 3.0]))
    0.25
    >>> largest_distance(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]), levels=2)
    0.5
    """
    weights = np.ones(len(one)) if weights is None else weights
    if levels is not None:
        p = np.bincount(one + 1, weights, levels + 1) / weights.sum()
        q = np.bincount(other + 1, minlength=levels + 1) / len(other)
        return float(np.abs(p - q).sum() / 2)
    held = ~np.isnan(one) & (weights > 0)
    one, weights = one[held], weights[held]
    other = np.sort(other[~np.isnan(other)])
    if not len(one) or not len(other):
        return float(len(one) != len(other))
    order = np.argsort(one)
    one, total = one[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    at = np.concatenate([one, other])  # ties count on both sides before they are compared
    p = total[np.searchsorted(one, at, side="right")] / total[-1]
    q = np.searchsorted(other, at, side="right") / len(other)
    return float(np.abs(p - q).max())


def fidelity(original: Table, other: Table, weights: Floats | None = None) -> float:
    """Give 1 minus the mean distance in probability of the columns of numbers and levels.

    Parameters
    ----------
    original : Table
    other : Table
        With the same columns.
    weights : ndarray of shape (n,), optional
        Of the rows of the original.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.table import Table
    >>> table = Table.of(pl.DataFrame({"age": [41.5, 52.0, 60.5, 33.5]}))
    >>> fidelity(table, table), fidelity(table, table.taken(np.array([0, 1])))
    (1.0, 0.75)
    """
    found = []
    for column in original.schema.columns:
        levels = None if column.kind in NUMERIC else len(column.levels)
        one, two = (
            table.numbers(column.name) if levels is None else table.codes(column.name)
            for table in (original, other)
        )
        found.append(largest_distance(one, two, levels, weights))
    return 1 - float(np.mean(found))
