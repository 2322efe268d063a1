"""The margin of an ordered variable as a model sees it: values as places, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from sosie.space import Margin

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["BEHIND", "Scale"]

BEHIND = 2
"""Persons behind a piece of a margin: no value stands for one person alone."""

_WINDOW = 3.0
"""Persons on either side whose values a drawn value is a weighted mean of."""

_HALVINGS = 36
"""Of the places, to find that of a value: more than a score of float32 tells apart."""


class Scale:
    """Margin of an ordered variable in every stratum: value <-> place in (0, 1).

    Numbers go by :class:`sosie.space.Margin`; codes of ordered levels by their shares. Whole
    numbers are counts: each stands for the interval between its neighbours, were it of one
    person only, so that the probabilities of all counts seen add up to 1.
    """

    def __init__(self, *, number: bool) -> None:
        self.number = number

    def fit(self, values: Floats, stratum: NDArray[np.int32], n_strata: int) -> Self:
        """Learn from values, NaN where missing; a stratum without values has those of all."""
        known = ~np.isnan(values)
        self._whole = bool((values[known] % 1 == 0).all())
        self._sorted, self._margins = [], []
        for c in range(n_strata):
            inside = values[known & (stratum == c)]
            inside = np.sort(inside if len(inside) >= 2 else values[known])
            self._sorted.append(inside)
            self._margins.append(Margin(BEHIND).fit(inside) if self.number else None)
        return self

    def interval(self, values: Floats, stratum: NDArray[np.int32]) -> tuple[Floats, Floats]:
        """Give the least and the largest place that a value stands for."""
        low, high = np.zeros(len(values)), np.ones(len(values))
        known = ~np.isnan(values)
        for c, ordered in enumerate(self._sorted):
            rows = np.flatnonzero(known & (stratum == c))
            n = len(ordered)
            low[rows] = np.searchsorted(ordered, values[rows], "left") / n
            high[rows] = np.searchsorted(ordered, values[rows], "right") / n
        return low, high

    def shared(self, low: Floats, high: Floats, stratum: NDArray[np.int32]) -> Bools:
        """Tell which intervals hold more than one person; all count for counts and levels."""
        if self._whole:
            return np.ones(len(low), bool)
        n = np.array([len(ordered) for ordered in self._sorted])[stratum]
        return (high - low) * n > 1.5

    def between(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Give, of every stratum, the two ends of the places of values within a range.

        Where a stratum has none, the end comes before the beginning.
        """
        none = [ordered[-1] < low or ordered[0] > high for ordered in self._sorted]
        n_strata = len(self._sorted)
        if self.number:  # between two persons, too
            ends = self._first(lambda v: v >= low), self._first(lambda v: v > high)
        else:
            strata = np.arange(n_strata, dtype=np.int32)
            a, _ = self.interval(np.full(n_strata, low), strata)
            _, b = self.interval(np.full(n_strata, high), strata)
            ends = a, b
        return np.where(none, 1.0, ends[0]), np.where(none, 0.0, ends[1])

    def _first(self, beyond: Callable[[Floats], Bools]) -> Floats:
        """Give, of every stratum, the first place whose value is beyond an end; 1 if none is."""
        strata = np.arange(len(self._sorted), dtype=np.int32)
        low, high = np.zeros(len(strata)), np.ones(len(strata))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            told = beyond(self.quantile(middle, strata))
            low, high = np.where(told, low, middle), np.where(told, middle, high)
        return high

    def quantile(self, places: Floats, stratum: NDArray[np.int32]) -> Floats:
        """Give the values at places in (0, 1)."""
        found = np.empty(len(places))
        for c, (ordered, margin) in enumerate(zip(self._sorted, self._margins, strict=True)):
            rows = np.flatnonzero(stratum == c)
            if margin is not None:
                found[rows] = _smooth(ordered, margin, places[rows])
            else:
                n = len(ordered)
                found[rows] = ordered[np.minimum((places[rows] * n).astype(int), n - 1)]
        return found


def _smooth(ordered: Floats, margin: Margin, places: Floats) -> Floats:
    """Give a weighted mean of neighbouring values at every place: a kernel quantile [1]_.

    In a run of values that nobody shares it moves on evenly from one person to the next. Were
    values drawn between two persons alone, or not so near to either, many of them would show in
    their holes where persons are; the ends of a run, as if it went on mirrored there, too.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        All values, rising.
    margin : Margin
        Of them: what is shared keeps its share.
    places : ndarray of shape (m,)
        In (0, 1).

    References
    ----------
    .. [1] S. J. Sheather, J. S. Marron, "Kernel quantile estimators", JASA 85 (1990), section 1.
    """
    rank = places * len(ordered)
    low, high = margin.runs(rank)
    values, loose = margin.quantile(places), high > low
    rank, low, high = rank[loose], low[loose], high[loose]
    width = np.clip((high - low) / 2, 0.5, _WINDOW)
    first = np.floor(rank - width)
    found = np.zeros(len(rank))
    for step in range(int(2 * _WINDOW) + 2):
        cell = first + step
        weight = _triangle((cell + 1 - rank) / width) - _triangle((cell - rank) / width)
        mirrored = np.where(cell < low, 2 * low - 1 - cell, cell)
        mirrored = np.where(mirrored >= high, 2 * high - 1 - mirrored, mirrored)
        inside = np.clip(mirrored, low, high - 1).astype(np.intp)
        found += weight * ordered[inside]
    values[loose] = found
    return values


def _triangle(t: Floats) -> Floats:
    """Give the share of a triangle between -1 and 1 that lies below t."""
    t = np.clip(t, -1, 1)
    return np.where(t < 0, (1 + t) ** 2 / 2, 1 - (1 - t) ** 2 / 2)
