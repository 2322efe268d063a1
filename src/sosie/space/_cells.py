"""Cells of persons who are close: a balanced partition of coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cells"]

_STEPS = 1 << 16
"""Distinct places along an axis of a cell; closer rows are told apart by their key."""


def cells(
    coordinates: NDArray[np.float32], size: int, rng: np.random.Generator
) -> list[NDArray[np.int32]]:
    """Part rows into cells of ``size`` to ``2 size - 1`` near rows.

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
    order = rng.permutation(n).astype(np.int64)
    edges = np.array([0, n])
    while np.diff(edges).min() >= 2 * size:
        order = _sorted_along_widest(coordinates, order, edges)
        sizes = np.diff(edges)
        edges = np.sort(np.concatenate([edges, edges[:-1] + sizes // 2]))
    sizes = np.diff(edges)
    found = []
    for m in np.unique(sizes):
        starts = edges[:-1][sizes == m]
        found.append(order[starts[:, None] + np.arange(m)].astype(np.int32))
    return found


def _sorted_along_widest(
    coordinates: NDArray[np.float32], order: NDArray[np.int64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Sort the rows of each segment of ``order`` along its axis of largest variance."""
    starts, sizes = edges[:-1], np.diff(edges)
    segment = np.repeat(np.arange(len(starts)), sizes)
    width, along, low, high = None, None, None, None
    for j in range(coordinates.shape[1]):
        values = coordinates[:, j].take(order)
        mean = np.add.reduceat(values, starts) / sizes
        spread = np.add.reduceat(np.square(values), starts) / sizes - mean**2
        least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        if width is None:
            width, along, low, high = spread, values, least, most
            continue
        wider = spread > width
        width = np.where(wider, spread, width)
        low, high = np.where(wider, least, low), np.where(wider, most, high)
        along = np.where(wider[segment], values, along)
    assert along is not None
    assert low is not None
    assert high is not None
    span = np.where(high > low, high - low, 1)
    place = ((along - low[segment]) / span[segment] * (_STEPS - 1)).astype(np.uint64)
    # One word a row - segment, place, row - sorts far faster than an index sort by key.
    tie = np.arange(len(order), dtype=np.uint64)
    word = (segment.astype(np.uint64) << np.uint64(43)) | (place << np.uint64(27)) | tie
    word.sort()
    rank = (word & np.uint64((1 << 27) - 1)).astype(np.int64)
    return order[rank]
