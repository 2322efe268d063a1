"""Rows drawn again and again, as weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sosie.evidence.utility._cells import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Weights = NDArray[np.float32]
    Codes = NDArray[np.int32]
    Distance = Callable[[Floats, Floats, NDArray[np.intp]], Floats]

__all__ = ["around", "cells_apart", "replicates", "weights"]

T = TypeVar("T")

_BATCH = 25
"""Resamples whose weights are held at a time."""


def weights(n: int, repeats: int, rng: np.random.Generator) -> Weights:
    """Count how often each row is drawn in each of ``repeats`` resamples: (n, repeats).

    Examples
    --------
    >>> weights(10, 3, np.random.default_rng(0)).sum(axis=0).tolist()
    [10.0, 10.0, 10.0]
    """
    found = np.empty((n, repeats), np.float32)
    for repeat in range(repeats):
        found[:, repeat] = np.bincount(rng.integers(0, n, n), minlength=n)
    return found


def replicates(
    statistic: Callable[[Weights, Weights], Floats],
    n: int,
    m: int,
    repeats: int,
    rng: np.random.Generator,
) -> Floats:
    """Give a statistic of two tables, both resampled by rows.

    Parameters
    ----------
    statistic : callable
        Takes the weights of the rows of either table, (n, b) and (m, b), to (b,) values.
    n, m : int
        Rows of the tables.

    Returns
    -------
    ndarray of shape (repeats,)
    """
    return np.concatenate(
        [
            statistic(weights(n, size, rng), weights(m, size, rng))
            for size in _batches(repeats, _BATCH)
        ]
    )


def cells_apart(
    distance: Distance,
    cells: Callable[[T], Codes],
    tables: tuple[T, T, T | None],
    sizes: NDArray[np.intp],
    repeats: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats | None, Floats]:
    """Give how far the columns of a table are from their original by what stands in cells.

    Parameters
    ----------
    distance : callable
        Takes the shares of the cells in two tables, (cells, b), and ``sizes``, to (columns, b).
    cells : callable
        Gives the cell of each value of a table, (n, columns).
    tables : tuple
        The original, the synthetic table, and the control or None.
    sizes : ndarray of shape (columns,)
        Cells of each column.

    Returns
    -------
    ndarray of shape (columns,)
        Distances of the synthetic table.
    ndarray of shape (columns,) or None
        Those of the control.
    ndarray of shape (repeats,)
        Mean distance of the synthetic table, rows of both resampled.
    """
    original, synthetic, control = tables
    ours, theirs = (Tally(cells(table), sizes) for table in (original, synthetic))
    by_column = distance(ours.shares(), theirs.shares(), sizes)[:, 0]
    fresh = None
    if control is not None:
        fresh = distance(ours.shares(), Tally(cells(control), sizes).shares(), sizes)[:, 0]
    found = replicates(
        lambda w, v: distance(ours.shares(w), theirs.shares(v), sizes).mean(axis=0),
        len(ours),
        len(theirs),
        repeats,
        rng,
    )
    return by_column, fresh, found


def _batches(total: int, most: int) -> Iterator[int]:
    for start in range(0, total, most):
        yield min(most, total - start)


def around(
    value: float, found: Floats, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Give the 95 % interval of a value from its replicates, centred on the value.

    A distance between samples is larger than that between their laws, and between resamples
    larger again: a percentile interval would lie above the value itself. The spread of the
    replicates is kept, their shift is not; the control shows how much of a value is noise.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, chapter 10.

    Examples
    --------
    >>> around(0.5, np.linspace(0.6, 0.8, 201))
    (0.405, 0.595)
    """
    known = found[np.isfinite(found)]
    if not len(known):
        return bounds
    low, high = value + np.quantile(known - known.mean(), [0.025, 0.975])
    low, high = min(low, value), max(high, value)
    return round(max(bounds[0], float(low)), 12), round(min(bounds[1], float(high)), 12)
