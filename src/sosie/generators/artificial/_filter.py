"""The similarity filter: no draw nearer to a person than persons are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Coding
    from sosie.generators.artificial._draws import Draws

    Floats = NDArray[np.float64]

__all__ = ["Filter", "nearest"]

_BLOCK = 1024
_TOO_NEAR = 0.05
"""Quantile of the distances between persons that a draw keeps from every person."""


class Filter:
    """Tell draws that stand too near to a person.

    Distances are between normal scores and indicators; a missing cell stands in the middle.

    Parameters
    ----------
    coding : Coding
    coded : Coded
        Of the persons.

    Attributes
    ----------
    least : float
        The 5 % quantile of the distances of persons to the nearest other.
    """

    def __init__(self, coding: Coding, coded: Coded) -> None:
        self._coding = coding
        self._persons = np.hstack([coded.point * coded.seen, coded.level, coded.stratum]).astype(
            np.float64
        )
        self.least = float(np.quantile(nearest(self._persons, self._persons, same=True), _TOO_NEAR))

    def near(self, drawn: Draws, places: Floats) -> NDArray[np.bool_]:
        """Tell which rows stand nearer to a person than ``least``."""
        return nearest(self._coordinates(drawn, places), self._persons) < self.least

    def _coordinates(self, drawn: Draws, places: Floats) -> Floats:
        coding, at = self._coding, np.empty(places.shape)
        masks = []
        for j in range(places.shape[1]):
            values = coding.values(j, places[:, j], drawn.strata)
            at[:, j] = coding.scores(j, values, drawn.strata)[2]
            if j >= len(coding.scored):
                masks.append(values > 0.5)
        parts = [at]
        for i, k in enumerate(coding.shape.levels):
            parts.append(np.eye(k)[drawn.levels[:, i]])
        for name, mask in coding.mask_of.items():
            if name in coding.scored:
                at[masks[mask], coding.scored.index(name)] = 0
            else:
                parts[1 + coding.nominal.index(name)][masks[mask]] = 0
        parts.append(np.eye(coding.shape.n_strata)[drawn.strata])
        return np.hstack(parts)


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
