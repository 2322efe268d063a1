"""Columns as the terms of a linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Design", "as_codes"]

_MOST_LEVELS = 30
_FARTHEST = 10.0
"""Standard deviations beyond which a number counts as there: one row is not to rule a model."""


class Design:
    """Main effects: an intercept, standardised numbers, and level indicators.

    A missing number is the mean, with an indicator of its own where any is missing in the rows
    of the fit; a missing label is a level. The most frequent level of a column is left out;
    those beyond the thirtieth stand together.

    Attributes
    ----------
    names_ : tuple of str

    Examples
    --------
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age", "sex"), ("age",), {"sex": ("f", "m")})
    >>> people = People(layout, np.array([[41.0], [43.0], [45.0]]), np.array([[0], [0], [1]]))
    >>> Design().fit(people, ("age", "sex")).matrix(people).round(2).tolist()
    [[1.0, -1.22, 0.0], [1.0, 0.0, 0.0], [1.0, 1.22, 1.0]]
    """

    def fit(self, people: People, names: Sequence[str]) -> Design:
        """Learn centres, scales and levels."""
        self.names_ = tuple(names)
        self._scales: dict[str, tuple[float, float, bool]] = {}
        self._places: dict[str, tuple[NDArray[np.intp], int]] = {}
        for name in names:
            values = people.column(name)
            if people.layout.is_number(name):
                known = values[~np.isnan(values)]
                spread = float(known.std()) if len(known) else 0.0
                self._scales[name] = (
                    float(known.mean()) if len(known) else 0.0,
                    spread if spread > 0 else 1.0,
                    0 < len(known) < len(values),
                )
            else:
                count = np.roll(
                    np.bincount(values + 1, minlength=len(people.layout.levels[name]) + 1), -1
                )
                order = np.argsort(-count, kind="stable")
                order = order[count[order] > 0]
                place = np.full(len(count), -1, np.intp)
                place[order] = np.minimum(np.arange(len(order)), _MOST_LEVELS) - 1
                self._places[name] = place, min(len(order) - 1, _MOST_LEVELS)
        return self

    def matrix(self, people: People) -> Floats:
        """Give the terms of rows: (n, terms)."""
        n = len(people)
        parts = [np.ones((n, 1))]
        for name in self.names_:
            values = people.column(name)
            if name in self._scales:
                centre, scale, indicated = self._scales[name]
                missing = np.isnan(values)
                score = np.clip((values - centre) / scale, -_FARTHEST, _FARTHEST)
                parts.append(np.where(missing, 0, score)[:, None])
                if indicated:
                    parts.append(missing[:, None].astype(float))
            else:
                place, terms = self._places[name]
                held = np.zeros((n, terms + 1))
                held[np.arange(n), place[values]] = 1  # the level left out is the last, cut off
                parts.append(held[:, :-1])
        return np.concatenate(parts, axis=1)


def as_codes(people: People, names: Sequence[str]) -> NDArray[np.float32]:
    """Give columns as trees read them: numbers, and levels by their place; NaN where missing."""
    found = np.empty((len(people), len(names)), np.float32)
    for j, name in enumerate(names):
        values = people.column(name)
        if people.layout.is_number(name):
            limit = np.finfo(np.float32).max
            found[:, j] = np.clip(values, -limit, limit)
        else:
            found[:, j] = np.where(values < 0, np.nan, values)
    return found
