"""Cells of persons who are close: a balanced partition of coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.space._margins import order_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cells"]


def cells(
    coordinates: NDArray[np.float32], size: int, rng: np.random.Generator
) -> list[NDArray[np.int32]]:
    """Part rows into cells of ``size`` to ``2 size`` near rows, of almost equal sizes.

    All rows are halved at the median of their widest coordinate, then each half of its
    own, as in a k-d tree, until a half would hold fewer than ``size`` rows. Cells are
    disjoint, so that what is drawn inside each has, all in all, the spread of the whole.

    Parameters
    ----------
    coordinates : ndarray of shape (n, d)
        Places of the rows.
    size : int
        Least number of rows in a cell.
    rng : Generator
        Breaks ties.

    Returns
    -------
    list of ndarray of shape (cells, rows in each)
        Row numbers, one row of the array a cell; cells of equal size stand together.

    References
    ----------
    .. [1] J. H. Friedman, J. L. Bentley, R. A. Finkel, "An algorithm for finding best
       matches in logarithmic expected time", ACM TOMS 3(3), 1977.

    Examples
    --------
    >>> line = np.arange(8, dtype=np.float32)[:, None]
    >>> [sorted(c.tolist()) for c in cells(line, 4, np.random.default_rng(0))[0]]
    [[0, 1, 2, 3], [4, 5, 6, 7]]
    """
    n = len(coordinates)
    axes = [_Axis(np.ascontiguousarray(column), rng) for column in coordinates.T]
    order, edges = np.arange(n), np.array([0, n])
    while np.diff(edges).min() >= 2 * size:
        order = _sorted_along_widest(axes, order, edges)
        sizes = np.diff(edges)
        edges = np.sort(np.concatenate([edges, edges[:-1] + sizes // 2]))
    sizes = np.diff(edges)
    found = []
    for m in np.unique(sizes):
        starts = edges[:-1][sizes == m]
        found.append(order[starts[:, None] + np.arange(m)].astype(np.int32))
    return found


class _Axis:
    """One coordinate of all rows, and their ranks along it, ties at random."""

    def __init__(self, values: NDArray[np.float32], rng: np.random.Generator) -> None:
        shuffled = rng.permutation(len(values))
        self.values = values
        self.row_at = shuffled[order_of(values[shuffled])]
        self.rank = np.empty(len(values), np.int64)
        self.rank[self.row_at] = np.arange(len(values))


def _sorted_along_widest(
    axes: list[_Axis], order: NDArray[np.int64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Sort the rows of each segment of ``order`` along its axis of largest variance."""
    starts, sizes = edges[:-1], np.diff(edges)
    spreads = []
    for axis in axes:
        values = axis.values.take(order)
        values -= np.repeat(np.add.reduceat(values, starts) / sizes, sizes).astype(np.float32)
        spreads.append(np.add.reduceat(np.square(values), starts) / sizes)
    widest = np.argmax(spreads, axis=0)
    of_row = np.repeat(widest, sizes)
    chosen = [(axes[j], np.flatnonzero(of_row == j)) for j in np.unique(widest)]
    place = np.empty(len(order), np.int64)
    for axis, rows in chosen:
        place[rows] = axis.rank.take(order.take(rows))
    # One word a row, segment then place, sorts far faster than an index sort by key.
    word = np.repeat(np.arange(len(starts)), sizes) << 32 | place
    word.sort()
    word &= 0xFFFFFFFF
    found = np.empty(len(order), np.int64)
    for axis, rows in chosen:
        found[rows] = axis.row_at.take(word.take(rows))
    return found
