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

__all__ = ["Filter", "nearest"]

_BLOCK = 1024
TOO_NEAR = 0.05
"""Least quantile of the distances between persons that a draw keeps from every person."""


class Filter:
    """Tell draws that stand too near to a person, as a model sees them or as anybody would.

    Distances are taken twice: between normal scores and indicators, and between standardised
    values and indicators, as whoever looks for a person would. A missing cell stands in the
    middle.

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
    least, eased : tuple of float
        That quantile, and that of 5 %, of the distances of persons to the nearest other.
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
        apart = [nearest(persons, persons, same=True) for persons in self.persons]
        self.least = tuple(float(np.quantile(each, quantile)) for each in apart)
        self.eased = tuple(float(np.quantile(each, TOO_NEAR)) for each in apart)

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

    def near(self, spaces: tuple[Floats, Floats], *, eased: bool = False) -> NDArray[np.bool_]:
        """Tell which rows, as :meth:`seen` gives them, stand nearer to a person than ``least``.

        Or than ``eased``.
        """
        found = np.zeros(len(spaces[0]), bool)
        ends = self.eased if eased else self.least
        for rows, persons, least in zip(spaces, self.persons, ends, strict=True):
            found |= nearest(rows, persons) < least
        return found

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
