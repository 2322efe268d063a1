"""One recipient who tries the same three things on whatever was shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sosie.insitu.compare._model import Model
    from sosie.insitu.compare._persons import Persons, Scale
    from sosie.insitu.compare._releases import Release

    Floats = NDArray[np.float64]

__all__ = ["AreaMeans", "Coefficients", "Guess", "Held", "Rows"]

_BLOCK = 256


@dataclass(frozen=True)
class Guess:
    """What the recipient makes of some persons.

    Attributes
    ----------
    present : ndarray of shape (n,)
        The larger, the more the person seems to be among those who were shared.
    secret : ndarray of shape (n,)
        The outcome that is guessed.
    """

    present: Floats
    secret: Floats


class Held(Protocol):
    """What a recipient holds, and can make of it."""

    def found(self, persons: Persons) -> Floats:
        """Give, of persons who were shared, the chance that he points at what is about them."""

    def guess(self, persons: Persons) -> Guess:
        """Guess who of some persons is present, and their outcome."""


class Rows:
    """Who holds rows looks for the nearest.

    Parameters
    ----------
    release : Release
    model : Model
    scale : Scale
    """

    def __init__(self, release: Release, model: Model, scale: Scale) -> None:
        self._release, self._model, self._scale = release, model, scale
        self._all = scale.points(release.rows, release.rows.columns)
        self._known = scale.points(release.rows, model.known)
        self._secret = model.told(release.rows)

    def found(self, persons: Persons) -> Floats:
        """Give the chance that the nearest row is the one made of the person."""
        about = self._release.about
        points = self._scale.points(persons, persons.columns)
        found = np.full(len(persons), 1 / len(persons))  # nobody's rows: one of all persons
        for some, near in _nearest(points, self._all):
            own = about[some]
            right = near[np.arange(len(own)), own] / near.sum(axis=1)
            found[some] = np.where(own < 0, found[some], right)
        return found

    def guess(self, persons: Persons) -> Guess:
        """Guess who is present, and the outcome by the known columns alone."""
        points = self._scale.points(persons, persons.columns)
        present = np.concatenate(
            [-_squares(points[some], self._all).min(axis=1) for some in _blocks(len(points))]
        )
        secret = np.empty(len(persons))
        known = self._scale.points(persons, self._model.known)
        for some, near in _nearest(known, self._known):
            secret[some] = near @ self._secret / near.sum(axis=1)
        return Guess(present, secret)


class AreaMeans:
    """Who holds means of areas looks up the area of the person.

    Parameters
    ----------
    members : Persons
        Of whom the means are.
    model : Model
    scale : Scale
    """

    def __init__(self, members: Persons, model: Model, scale: Scale) -> None:
        inside = members.taken(members.area >= 0)
        self._scale, self._model = scale, model
        areas = int(inside.area.max(initial=-1)) + 1
        self._n = np.bincount(inside.area, minlength=areas)
        points = scale.points(inside, inside.columns)
        self._points = self._means(inside, points)
        self._secret = self._means(inside, model.told(inside)[:, None])[:, 0]

    def found(self, persons: Persons) -> Floats:
        """Give one person of those in the area."""
        n = self._n[persons.area]
        return np.where(persons.area >= 0, 1 / np.maximum(n, 1), 1 / len(persons))

    def guess(self, persons: Persons) -> Guess:
        """Guess who is present by the distance to the mean of the area, which is the outcome."""
        area = np.minimum(persons.area, len(self._n) - 1)
        off = self._scale.points(persons, persons.columns) - self._points[area]
        return Guess(-(off**2).sum(axis=1), self._secret[area])

    def _means(self, inside: Persons, values: Floats) -> Floats:
        total = np.zeros((len(self._n), values.shape[1]))
        np.add.at(total, inside.area, values)
        return total / np.maximum(self._n, 1)[:, None]


class Coefficients:
    """Who holds a fitted model alone takes its residual and its prediction [1]_.

    References
    ----------
    .. [1] S. Yeom et al., "Privacy risk in machine learning: analyzing the connection to
       overfitting", IEEE CSF 2018.
    """

    def __init__(self, members: Persons, model: Model) -> None:
        self._model, self._fit = model, model.fit(members)

    def found(self, persons: Persons) -> Floats:
        """Give one person of all: every number is a sum over all of them."""
        return np.full(len(persons), 1 / len(persons))

    def guess(self, persons: Persons) -> Guess:
        """Guess who is present by the likelihood, and the outcome by the prediction."""
        coefficients = self._fit.coefficients
        return Guess(
            self._model.likelihoods(persons, coefficients),
            self._model.guesses(persons, coefficients),
        )


def _blocks(n: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]


def _squares(points: Floats, rows: Floats) -> Floats:
    found = (points**2).sum(axis=1)[:, None] + (rows**2).sum(axis=1) - 2 * points @ rows.T
    return np.maximum(found, 0)


def _nearest(points: Floats, rows: Floats) -> Iterator[tuple[slice, Floats]]:
    """Tell, block by block, which rows are nearest: 1 for each of those equally near, else 0."""
    for some in _blocks(len(points)):
        squares = _squares(points[some], rows)
        yield some, (squares <= squares.min(axis=1, keepdims=True) + 1e-9).astype(float)
