"""What a tree may split on to explain one variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.generators._coding import BINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators._coding import Persons

    Floats = NDArray[np.float64]

__all__ = ["Others", "Predictors", "outputs_of"]

_OUTPUTS = 3
"""Directions among the levels of a category that are explained: the best predicted."""

_RIDGE = 0.02
"""Added to the variance of each standardised column: small factors are mostly noise."""

_SCREENED = 60
"""Variables whose tie to the target is measured, of those that share its factors most."""

_FINE = 2048


class Others:
    """Coordinates of ``rows`` without ``v``, and their covariance with the ridge.

    Parameters
    ----------
    v : int
    persons : Persons
    rows : ndarray of shape (m,)
    """

    def __init__(self, v: int, persons: Persons, rows: NDArray[np.intp]) -> None:
        self.coordinates = persons.others(v, rows).astype(np.float64)
        self.mean = self.coordinates.mean(axis=0)
        self.centred = self.coordinates - self.mean
        covariance = self.centred.T @ self.centred / len(rows)
        self.gram = covariance + _RIDGE * np.eye(len(self.mean))


def outputs_of(
    v: int, persons: Persons, rows: NDArray[np.intp], others: Others
) -> NDArray[np.float32] | None:
    """Find the outputs that stand for the levels of ``v``: None if it is a number.

    The indicators of the levels, each over the root of its share, are projected on the
    directions that a ridge regression on the coordinates of the others predicts best.

    Returns
    -------
    ndarray of shape (levels, outputs), float32
        What each level counts for, of mean 0 over ``rows``.
    """
    if persons.coding.is_number(v):
        return None
    n_levels = persons.coding.n_levels_of(v)
    codes = persons.values[v][rows].astype(np.intp)
    counts = np.bincount(codes, minlength=n_levels)
    share = np.maximum(counts, 1) / len(rows)
    sums = np.zeros((n_levels, len(others.mean)))
    np.add.at(sums, codes, others.coordinates)
    cross = (sums - counts[:, None] * others.mean).T / np.sqrt(share) / len(rows)
    predicted = cross.T @ np.linalg.solve(others.gram, cross)
    kept = max(1, min(_OUTPUTS, n_levels - 1))  # one level alone has a law of its own
    directions = np.linalg.eigh(predicted)[1][:, ::-1][:, :kept]
    table = directions / np.sqrt(share)[:, None]
    table -= counts @ table / len(rows)
    return table.astype(np.float32)


class Predictors:
    """Bins of the variables, and linear predictions, that tell about a target.

    Levels are ordered by the mean of the target, so that one cut of a tree may part them
    in any way that matters (Breiman et al., 1984, theorem 4.5).

    Parameters
    ----------
    v : int
        The target variable.
    persons : Persons
    rows : ndarray of shape (m,)
        Persons to learn from.
    others : Others
        Of the same persons.
    targets : ndarray of shape (m, outputs)
    weights : ndarray of shape (variables,) or None
        The tie of a variable to the target is multiplied by its weight.
    most : int
        Most variables to keep: those most tied to the target.
    coarse : bool
        Whether two bins are made one, but for that of missing cells.

    Attributes
    ----------
    n_bins : int
        Number of bins.
    """

    def __init__(
        self,
        v: int,
        persons: Persons,
        rows: NDArray[np.intp],
        others: Others,
        targets: Floats,
        weights: NDArray[np.float64] | None,
        most: int,
        *,
        coarse: bool,
    ) -> None:
        beta = np.linalg.solve(others.gram, others.centred.T @ targets / len(rows))
        self._coarse, self.n_bins = coarse, BINS // 2 + 1 if coarse else BINS
        self._v, self._beta = v, beta.astype(np.float32)
        linear = others.coordinates.astype(np.float32) @ self._beta
        self._low, self._high = linear.min(axis=0), linear.max(axis=0)
        self._fine = [_equal_counts(self._place(linear[:, r], r)) for r in range(linear.shape[1])]
        self._orders: dict[int, NDArray[np.uint8]] = {}
        self._set_columns(persons, rows, targets, weights, most)

    def _set_columns(
        self,
        persons: Persons,
        rows: NDArray[np.intp],
        targets: Floats,
        weights: NDArray[np.float64] | None,
        most: int,
    ) -> None:
        """Choose the variables most tied to the target; order the levels of each."""
        coding, ties = persons.coding, {}
        barred = {*coding.family(self._v), coding.mask_of[self._v]}
        for f in coding.nearest(self._v, _SCREENED):
            if f in barred or (weights is not None and weights[f] == 0):
                continue
            bins = persons.bins[f][rows]
            counts = np.bincount(bins, minlength=256)
            sums = np.stack([np.bincount(bins, t, 256) for t in targets.T])
            with np.errstate(invalid="ignore"):
                means = np.where(counts > 0, sums / counts, 0)
            ties[f] = float((counts * means**2).sum()) * (1 if weights is None else weights[f])
            if not coding.is_number(f):
                self._orders[f] = _order(means[0], counts)
        self._columns = sorted(sorted(ties, key=lambda f: -ties[f])[:most])

    def bins(self, persons: Persons, rows: NDArray[np.intp] | slice) -> NDArray[np.uint8]:
        """Give the bins of ``rows``: shape (predictors, m), uint8."""
        found = [
            self._orders[f].take(persons.bins[f][rows])
            if f in self._orders
            else persons.bins[f][rows]
            for f in self._columns
        ]
        linear = persons.others_along(self._v, self._beta, rows)
        found += [fine.take(self._place(linear[:, r], r)) for r, fine in enumerate(self._fine)]
        bins = np.stack(found)
        return (bins + np.uint8(1)) >> np.uint8(1) if self._coarse else bins

    def _place(self, linear: NDArray[np.float32], r: int) -> NDArray[np.int32]:
        width = max(float(self._high[r] - self._low[r]), 1e-12)
        place = (linear - self._low[r]) * np.float32((_FINE - 1) / width)
        return np.clip(place, 0, _FINE - 1).astype(np.int32)


def _equal_counts(places: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Table that sends each of ``_FINE`` places to one of ``BINS`` bins of equal counts."""
    counts = np.bincount(places, minlength=_FINE)
    middle = np.cumsum(counts) - counts / 2
    return np.minimum(middle / len(places) * BINS, BINS - 1).astype(np.uint8)


def _order(means: Floats, counts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Table that sends each code to its rank by mean of the target, in ``BINS`` bins."""
    found = np.zeros(256, np.uint8)
    # A missing cell is no level: it stays in bin 0.
    seen = np.flatnonzero(counts[1:]) + 1
    ranked = seen[np.argsort(means[seen], kind="stable")]
    spread = np.arange(len(ranked)) * min(1.0, (BINS - 1) / max(len(ranked), 1))
    found[ranked] = spread.astype(np.uint8) + 1
    return found
