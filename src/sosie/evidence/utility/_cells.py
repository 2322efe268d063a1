"""Columns cut into cells, and distances between what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import Layout, People

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["Cutting", "Tally", "hellinger", "kolmogorov", "tally", "total_variation"]


@dataclass(frozen=True)
class Cutting:
    """Where columns are cut, the same in every table.

    Attributes
    ----------
    layout : Layout
    inner : dict of str to ndarray
        For each number its inner cuts, in order; a value on a cut belongs above it. The
        first and the last cell are open, and one more is for missing values.
    groups : dict of str to ndarray of shape (levels + 1,)
        For each other column the cell of each level, and last of missing.

    Examples
    --------
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age",), ("age",), {})
    >>> people = People(layout, np.array([[0.0], [9.0], [10.0], [np.nan]]), np.empty((4, 0), int))
    >>> Cutting.equal_width(people, 2).codes(people).ravel().tolist()
    [0, 1, 1, 2]
    """

    layout: Layout
    inner: dict[str, Floats]
    groups: dict[str, Codes]

    @classmethod
    def equal_width(cls, original: People, bins: int = 20) -> Cutting:
        """Cut the range of each number of the original in cells of equal width."""
        inner = {}
        for name in original.layout.numbers:
            known = _known(original.column(name))
            low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
            inner[name] = np.linspace(low, high, bins + 1)[1:-1]
        return cls(original.layout, inner, _every_level(original.layout))

    @classmethod
    def fine(cls, original: People, synthetic: People, cells: int = 200) -> Cutting:
        """Cut numbers at quantiles of both tables together, finely."""
        inner = {}
        for name in original.layout.numbers:
            known = _known(np.concatenate([original.column(name), synthetic.column(name)]))
            at = np.arange(1, cells) / cells
            inner[name] = np.unique(np.quantile(known, at)) if len(known) else np.empty(0)
        return cls(original.layout, inner, _every_level(original.layout))

    @classmethod
    def coarse(cls, original: People, groups: int = 4) -> Cutting:
        """Cut columns in few groups that are about as large in the original.

        Numbers at quantiles, missing apart; of labels the most frequent, and the rest.
        """
        layout, inner, lookup = original.layout, {}, {}
        for name in layout.numbers:
            values = original.column(name)
            known = _known(values)
            parts = groups - (len(known) < len(values))
            inner[name] = _quantile_cuts(known, parts)
        for name, levels in layout.levels.items():
            codes = original.column(name)
            count = np.bincount(codes + 1, minlength=len(levels) + 1)
            count = np.roll(count, -1)  # missing, -1, stands last
            order = np.argsort(-count, kind="stable")
            found = np.full(len(count), groups - 1, np.int32)
            found[order[: groups - 1]] = np.arange(min(groups - 1, len(order)))
            lookup[name] = found
        return cls(layout, inner, lookup)

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Cells of each column, in the order of ``layout.names``."""
        return np.array(
            [
                len(self.inner[name]) + 2
                if name in self.inner
                else int(self.groups[name].max()) + 1
                for name in self.layout.names
            ]
        )

    def codes(self, people: People) -> Codes:
        """Give the cell of each value: shape (n, columns)."""
        found = np.empty((len(people), len(self.layout.names)), np.int32)
        for j, name in enumerate(self.layout.names):
            values = people.column(name)
            if name in self.inner:
                cuts = self.inner[name]
                at = np.searchsorted(cuts, values, side="right")
                found[:, j] = np.where(np.isnan(values), len(cuts) + 1, at)
            else:
                found[:, j] = self.groups[name][values]
        return found


def _known(values: NDArray[Any]) -> NDArray[Any]:
    return values[~np.isnan(values)]


def _quantile_cuts(known: Floats, parts: int) -> Floats:
    above = known[known > known.min()] if len(known) else known
    if not len(above):
        return np.empty(0)
    cuts = np.unique(np.quantile(known, np.arange(1, parts) / parts))
    cuts = cuts[cuts > known.min()]  # one at the minimum would leave its lower cell empty
    # Where nearly all hold the minimum, it stands against the rest.
    return cuts if len(cuts) else np.array([above.min()])


def _every_level(layout: Layout) -> dict[str, Codes]:
    return {
        name: np.arange(len(levels) + 1, dtype=np.int32) for name, levels in layout.levels.items()
    }


class Tally:
    """Counts of the cells of all columns, for many resamples at once.

    Parameters
    ----------
    codes : ndarray of shape (n, columns)
    sizes : ndarray of shape (columns,)
        Cells of each column.
    """

    def __init__(self, codes: NDArray[Any], sizes: NDArray[np.intp]) -> None:
        from scipy import sparse

        n, columns = codes.shape
        starts = np.concatenate([[0], np.cumsum(sizes)])
        places = (codes + starts[:-1].astype(np.int32)).astype(np.int32)
        held = sparse.csr_array(
            (
                np.ones(n * columns, np.float32),
                places.ravel(),
                np.arange(0, n * columns + 1, columns),
            ),
            shape=(n, int(starts[-1])),
        )
        self._cells = held.T.tocsr()
        self._n = n

    def __len__(self) -> int:
        return self._n

    def shares(self, weights: NDArray[np.float32] | None = None) -> Floats:
        """Give the share of each cell among the rows: (cells, resamples)."""
        if weights is None:
            weights = np.ones((self._n, 1), np.float32)
        return np.asarray(self._cells @ weights, np.float64) / self._n


def tally(codes: NDArray[Any], sizes: NDArray[np.intp]) -> list[NDArray[np.int64]]:
    """Count the cells of each column."""
    return [
        np.bincount(column, minlength=size) for column, size in zip(codes.T, sizes, strict=True)
    ]


def hellinger(p: Floats, q: Floats, sizes: NDArray[np.intp]) -> Floats:
    r"""Give :math:`\sqrt{1 - \sum \sqrt{p q}}` of each column: (columns, resamples).

    As half the sum of the squares of :math:`\sqrt p - \sqrt q`, which loses no digits near 0.

    Examples
    --------
    >>> p, q = np.array([[1.0], [0.0]]), np.array([[0.25], [0.75]])
    >>> hellinger(p, q, np.array([2])).round(4).tolist()
    [[0.7071]]
    """
    return np.sqrt(np.clip(_by_column((np.sqrt(p) - np.sqrt(q)) ** 2, sizes) / 2, 0, 1))


def total_variation(p: Floats, q: Floats, sizes: NDArray[np.intp]) -> Floats:
    """Give half the sum of the absolute differences, of each column."""
    return _by_column(np.abs(p - q), sizes) / 2


def kolmogorov(p: Floats, q: Floats) -> Floats:
    """Give the largest distance between two laws on the same ordered cells, missing last.

    Only known values count; where one table knows none of a column that the other knows, 1.
    """
    p_known, q_known = p[:-1].sum(axis=0), q[:-1].sum(axis=0)
    both = (p_known > 0) & (q_known > 0)
    one = np.where(both, np.maximum(p_known, 1e-300), 1)
    other = np.where(both, np.maximum(q_known, 1e-300), 1)
    gap = np.abs(np.cumsum(p[:-1], axis=0) / one - np.cumsum(q[:-1], axis=0) / other).max(axis=0)
    return np.where(both, gap, (p_known > 0) != (q_known > 0))


def _by_column(values: Floats, sizes: NDArray[np.intp]) -> Floats:
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.add.reduceat(values, starts, axis=0)
