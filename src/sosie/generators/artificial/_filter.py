"""The similarity filter: no draw nearer to a person than persons are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Coding
    from sosie.generators.artificial._draws import Draws
    from sosie.space import Columns

    Floats = NDArray[np.float64]

__all__ = ["TOO_NEAR", "Filter", "nearest", "within"]

_BLOCK = 1024

_ALIKE = 20
"""Persons who miss the same cells that make a group."""

TOO_NEAR = 0.05
"""Least quantile of the distances between persons that a draw keeps from every person."""


class Filter:
    """Tell draws that stand too near to a person, as a model sees them or as anybody would.

    Distances are taken twice: between normal scores and indicators, and between standardised
    values and indicators, as whoever looks for a person would. A missing cell stands in the
    middle. Persons of whom little is known stand near to each other for that: how near rows may
    come is told for those who miss the same cells by themselves, or the filter would leave of
    such rows the unusual ones alone.

    Parameters
    ----------
    coding : Coding
    coded : Coded
        Of the persons.
    columns : Columns
        Of the persons.
    quantile : float
        Share of the persons who stand as near to another as a draw may to none.

    Attributes
    ----------
    persons : tuple of ndarray
        Where the persons stand, in the two spaces.
    least, eased : list of ndarray of shape (g,)
        That quantile, and that of 5 %, of the distances of persons to the nearest other, in
        the two spaces, of every group of persons.
    """

    def __init__(
        self, coding: Coding, coded: Coded, columns: Columns, quantile: float = TOO_NEAR
    ) -> None:
        self._coding = coding
        values = np.reshape(coding.ordered(columns), (-1, len(columns))).T
        n_numbers, missing = len(coding.numbers), np.isnan(values)
        self._middle, self._width = np.zeros(values.shape[1]), np.ones(values.shape[1])
        self._middle[:n_numbers] = np.nanmean(values[:, :n_numbers], axis=0)
        self._width[:n_numbers] = np.nanstd(values[:, :n_numbers], axis=0)
        ordered = slice(n_numbers, None)
        self._middle[ordered] = np.nanmean(values[:, ordered], axis=0)
        self._width[ordered] = np.nanmax(values[:, ordered], axis=0)
        self._width[self._width <= 0] = 1
        scores = (coded.point * coded.seen).astype(np.float64)
        others = np.hstack([coded.level, coded.stratum]).astype(np.float64)
        self.persons = self._spaces(scores, np.where(missing, self._middle, values), others)
        self._groups = _alike(columns)
        self._apart = [nearest(persons, persons, same=True) for persons in self.persons]
        self.least, self.eased = self.reach(quantile), self.reach(TOO_NEAR)

    def told(self, columns: Columns) -> tuple[Floats, Floats]:
        """Give where other persons stand, in the two spaces."""
        coded = self._coding.coded(columns)
        values = np.reshape(self._coding.ordered(columns), (-1, len(columns))).T
        values = np.where(np.isnan(values), self._middle, values)
        others = np.hstack([coded.level, coded.stratum]).astype(np.float64)
        return self._spaces((coded.point * coded.seen).astype(np.float64), values, others)

    def seen(self, drawn: Draws, places: Floats) -> tuple[Floats, Floats]:
        """Give where drawn rows stand, in the two spaces."""
        return self._spaces(*self._read(drawn, places))

    def nearest(self, spaces: tuple[Floats, Floats]) -> list[Floats]:
        """Give the distances of rows to the nearest person of every group, each (m, g)."""
        return [
            np.column_stack([nearest(rows, persons[group]) for group in self._groups])
            for rows, persons in zip(spaces, self.persons, strict=True)
        ]

    def reach(self, quantile: float) -> list[Floats]:
        """Give the quantile of the distances of persons to the nearest other, by group."""
        return [
            np.array([np.quantile(apart[group], quantile) for group in self._groups])
            for apart in self._apart
        ]

    def near(self, spaces: tuple[Floats, Floats], *, eased: bool = False) -> NDArray[np.bool_]:
        """Tell which rows, as :meth:`seen` gives them, stand nearer to a person than ``least``.

        Or than ``eased``.
        """
        return within(self.nearest(spaces), self.eased if eased else self.least)

    def _spaces(self, scores: Floats, values: Floats, others: Floats) -> tuple[Floats, Floats]:
        plain = (values - self._middle) / self._width
        return np.hstack([scores, others]), np.hstack([plain, others / np.sqrt(2)])

    def _read(self, drawn: Draws, places: Floats) -> tuple[Floats, Floats, Floats]:
        """Give scores, values and indicators of rows, in the middle where missing."""
        coding, at, values = self._coding, np.empty(places.shape), np.empty(places.shape)
        for j in range(places.shape[1]):
            values[:, j] = coding.values(j, places[:, j], drawn.strata)
            at[:, j] = coding.scores(j, values[:, j], drawn.strata)[2]
        first = len(coding.scored)
        levels = [np.eye(k)[drawn.levels[:, i]] for i, k in enumerate(coding.shape.levels)]
        for i in range(coding.n_masks):
            told = coding.absent_in(i, places, drawn)
            at[told, first + i], values[told, first + i] = 0, self._middle[first + i]
        masks = [coding.missing(i, places, drawn) for i in range(coding.n_masks)]
        for name, mask in coding.mask_of.items():
            missing = masks[mask]
            if name in coding.scored:
                j = coding.scored.index(name)
                at[missing, j], values[missing, j] = 0, self._middle[j]
            else:
                levels[coding.nominal.index(name)][missing] = 0
        others = np.hstack([*levels, np.eye(coding.shape.n_strata)[drawn.strata]])
        return at, values, others


def _alike(columns: Columns) -> list[NDArray[np.intp]]:
    """Group persons by the cells that they miss; those of small groups make one.

    Examples
    --------
    >>> from sosie.space import Columns
    >>> mask = np.arange(60) < 25
    >>> columns = Columns({"x": np.arange(60.0)}, {}, {}, (mask,), {"x": 0})
    >>> [len(group) for group in _alike(columns)]
    [35, 25]
    """
    if not len(columns.masks):
        return [np.arange(len(columns))]
    masks = np.column_stack(list(columns.masks))
    _, which, counts = np.unique(masks, axis=0, return_inverse=True, return_counts=True)
    which = np.where(counts >= _ALIKE, np.arange(len(counts)), -1)[which.ravel()]
    if (which < 0).sum() < _ALIKE:
        which[which < 0] = counts.argmax()
    return [np.flatnonzero(which == group) for group in np.unique(which)]


def within(distances: list[Floats], ends: list[Floats]) -> NDArray[np.bool_]:
    """Tell which rows are nearer to a group than its end, in any space."""
    return np.any([(d < end).any(1) for d, end in zip(distances, ends, strict=True)], axis=0)


def nearest(rows: Floats, persons: Floats, *, same: bool = False) -> Floats:
    """Give the distance of each row to the nearest person, itself left out if the same.

    Examples
    --------
    >>> nearest(np.array([[0.0], [3.0]]), np.array([[1.0], [5.0]])).tolist()
    [1.0, 2.0]
    """
    found = np.empty(len(rows))
    square = (persons**2).sum(1)
    for first in range(0, len(rows), _BLOCK):
        part = rows[first : first + _BLOCK]
        distance = (part**2).sum(1)[:, None] + square - 2 * part @ persons.T
        if same:
            distance[np.arange(len(part)), first + np.arange(len(part))] = np.inf
        found[first : first + _BLOCK] = np.sqrt(np.maximum(distance.min(1), 0))
    return found
