"""The similarity filter: no draw nearer to a person than persons are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Coding
    from sosie.generators.artificial._draws import Draws
    from sosie.space import Columns

    Floats = NDArray[np.float64]

__all__ = ["TOO_NEAR", "Filter", "Stands", "nearest", "within"]

_BLOCK = 1024

_ALIKE = 40
"""Persons who miss the same cells that make a group: of fewer, one pair would be the 5 %."""

TOO_NEAR = 0.05
"""Least quantile of the distances between persons that a draw keeps from every person."""


class Stands(NamedTuple):
    """Where rows stand in the two spaces, and of which group they are."""

    scores: Floats
    values: Floats
    group: NDArray[np.intp]

    @property
    def spaces(self) -> tuple[Floats, Floats]:
        """Scores and values, each with indicators: what distances are taken in."""
        return self.scores, self.values


class Filter:
    """Tell draws that stand too near to a person, as a model sees them or as anybody would.

    Distances are taken twice: between normal scores and indicators, and between standardised
    values and indicators, as whoever looks for a person would. A missing cell stands in the
    middle. Persons of whom little is known stand near to each other for that: how near rows may
    come is told for those who miss the same cells by themselves, or the filter would leave of
    such rows the unusual ones alone. Between a row and a person of two groups the smaller of
    their distances counts.

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
    persons : Stands
    least, eased : list of ndarray of shape (g,)
        That quantile, and that of 5 %, of the distances of persons to the nearest other, in
        the two spaces, of every group of persons.
    """

    def __init__(
        self, coding: Coding, coded: Coded, columns: Columns, quantile: float = TOO_NEAR
    ) -> None:
        self._coding = coding
        values, n_numbers = self._values(columns), len(coding.numbers)
        self._middle, self._width = np.zeros(values.shape[1]), np.ones(values.shape[1])
        self._middle[:n_numbers] = np.nanmean(values[:, :n_numbers], axis=0)
        self._width[:n_numbers] = np.nanstd(values[:, :n_numbers], axis=0)
        ordered = slice(n_numbers, None)
        self._middle[ordered] = np.nanmean(values[:, ordered], axis=0)
        self._width[ordered] = np.nanmax(values[:, ordered], axis=0)
        self._width[self._width <= 0] = 1
        self._groups = _Groups(columns)
        self.persons = self._told(coded, columns)
        self._members = [np.flatnonzero(self.persons.group == g) for g in range(self._groups.n)]
        self._apart = [nearest(at, at, same=True) for at in self.persons.spaces]
        self.least, self.eased = self.reach(quantile), self.reach(TOO_NEAR)

    def told(self, columns: Columns) -> Stands:
        """Give where other persons stand."""
        return self._told(self._coding.coded(columns), columns)

    def seen(self, drawn: Draws, places: Floats) -> Stands:
        """Give where drawn rows stand."""
        return self._stands(*self._read(drawn, places))

    def nearest(self, rows: Stands) -> list[Floats]:
        """Give the distances of rows to the nearest person of every group, each (m, g)."""
        return [
            np.column_stack([nearest(at, persons[group]) for group in self._members])
            for at, persons in zip(rows.spaces, self.persons.spaces, strict=True)
        ]

    def reach(self, quantile: float) -> list[Floats]:
        """Give the quantile of the distances of persons to the nearest other, by group."""
        return [
            np.array([np.quantile(apart[group], quantile) for group in self._members])
            for apart in self._apart
        ]

    def near(self, drawn: Draws, places: Floats, *, eased: bool = False) -> NDArray[np.bool_]:
        """Tell which drawn rows are too near to a person; see :meth:`too_near`."""
        return self.too_near(self.seen(drawn, places), eased=eased)

    def too_near(self, rows: Stands, *, eased: bool = False) -> NDArray[np.bool_]:
        """Tell which rows stand nearer to a person than ``least``, or than ``eased``."""
        return within(rows, self.nearest(rows), self.eased if eased else self.least)

    def _values(self, columns: Columns) -> Floats:
        return np.reshape(self._coding.ordered(columns), (-1, len(columns))).T

    def _told(self, coded: Coded, columns: Columns) -> Stands:
        values = self._values(columns)
        values = np.where(np.isnan(values), self._middle, values)
        others = np.hstack([coded.level, coded.stratum]).astype(np.float64)
        scores = (coded.point * coded.seen).astype(np.float64)
        return self._stands(scores, values, others, columns.masks)

    def _stands(
        self,
        scores: Floats,
        values: Floats,
        others: Floats,
        masks: Sequence[NDArray[np.bool_]],
    ) -> Stands:
        plain = (values - self._middle) / self._width
        at = np.hstack([scores, others]), np.hstack([plain, others / np.sqrt(2)])
        return Stands(*at, self._groups.of(masks, len(scores)))

    def _read(
        self, drawn: Draws, places: Floats
    ) -> tuple[Floats, Floats, Floats, list[NDArray[np.bool_]]]:
        """Give scores, values and indicators of rows, in the middle where missing, and masks."""
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
        return at, values, others, masks


class _Groups:
    """Groups of persons who miss the same cells; those of small groups make one.

    Examples
    --------
    >>> from sosie.space import Columns
    >>> mask = np.arange(100) < 45
    >>> columns = Columns({"x": np.arange(100.0)}, {}, {}, (mask,), {"x": 0})
    >>> np.bincount(_Groups(columns).of(columns.masks, 100)).tolist()
    [55, 45]
    """

    def __init__(self, columns: Columns) -> None:
        packed = _packed(columns.masks, len(columns))
        patterns, counts = np.unique(packed, axis=0, return_counts=True)
        large = counts >= _ALIKE
        self._patterns, rest = patterns[large], int(counts[~large].sum())
        # Too few to make a group of their own are of the largest.
        self._others = len(self._patterns)
        if rest < _ALIKE and large.any():
            self._others = int(counts[large].argmax())
        self.n = max(len(self._patterns), self._others + 1)

    def of(self, masks: Sequence[NDArray[np.bool_]], n: int) -> NDArray[np.intp]:
        """Give the group of each of n rows."""
        packed, found = _packed(masks, n), np.full(n, self._others, np.intp)
        for g, pattern in enumerate(self._patterns):
            found[(packed == pattern).all(1)] = g
        return found


def _packed(masks: Sequence[NDArray[np.bool_]], n: int) -> NDArray[np.uint8]:
    # One column more, for a table without masks.
    return np.packbits(np.column_stack([np.zeros(n, bool), *masks]), axis=1)


def within(rows: Stands, distances: list[Floats], ends: list[Floats]) -> NDArray[np.bool_]:
    """Tell which rows are nearer to a person of a group than its end and that of their own.

    Parameters
    ----------
    rows : Stands
    distances : list of ndarray of shape (m, g)
        To the nearest person of every group.
    ends : list of ndarray of shape (g,)
    """
    found = np.zeros(len(rows.group), bool)
    for distance, end in zip(distances, ends, strict=True):
        found |= (distance < np.minimum(end, end[rows.group][:, None])).any(1)
    return found


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
