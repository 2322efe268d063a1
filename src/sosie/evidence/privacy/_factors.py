"""The factors of a table, in which the reference product measures its distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from sosie.space import FAMD, Mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Factors"]


class Factors:
    """First factors of a FAMD of one table; rows of any other are projected on them.

    A missing number is the mean of the fitted table, a missing label one more level.
    Coordinates are sums over the columns, in double precision and always in the same order:
    equal rows have equal coordinates, to the last bit, so that ties can be told.

    Parameters
    ----------
    n_factors : int
        Fewer where the table has no more.

    Attributes
    ----------
    names_ : tuple of str
        Columns fitted.
    means_ : dict of str to float
        What stands for a missing number.

    Examples
    --------
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age", "sex"), ("age",), {"sex": ("f", "m")})
    >>> people = People(layout, np.array([[40.0], [60.0]]), np.array([[0], [1]], np.int32))
    >>> points = Factors().fit(people).points(people)
    >>> float(((points[0] - points[1]) ** 2).sum().round(5))  # 2^2 of age, 2 of each level
    8.0
    """

    def __init__(self, n_factors: int = 5) -> None:
        self.n_factors = n_factors

    def fit(self, people: People, names: Sequence[str] | None = None) -> Self:
        """Find the factors of some columns, all where not told.

        Raises
        ------
        DataError
            If none of the columns varies.
        """
        layout = people.layout
        self.names_ = tuple(layout.names if names is None else names)
        numbers = [name for name in self.names_ if layout.is_number(name)]
        labels = [name for name in self.names_ if not layout.is_number(name)]
        self.means_ = {}
        for name in numbers:
            values = people.column(name)
            known = values[~np.isnan(values)]
            self.means_[name] = float(known.mean()) if len(known) else 0.0
        mixed = Mixed(
            _stacked([self._filled(people, name) for name in numbers], len(people), np.float64),
            _stacked([_levels(people, name) for name in labels], len(people), np.int32),
            tuple(len(layout.levels[name]) + 1 for name in labels),
        )
        famd = FAMD(self.n_factors).fit(mixed)
        axes, tables = famd.shares()
        self._axes = dict(zip(numbers, axes, strict=True))
        self._tables = dict(zip(labels, tables, strict=True))
        self.n_factors_ = famd.n_factors_
        return self

    def points(self, people: People, without: str | None = None) -> Floats:
        """Give the coordinates of rows, leaving out what one column adds to them.

        Returns
        -------
        ndarray of shape (n, n_factors_), float64
        """
        points = np.zeros((len(people), self.n_factors_))
        for name in self.names_:
            if name == without:
                continue
            if name in self._axes:
                gap = self._filled(people, name) - self.means_[name]
                points += gap[:, None] * self._axes[name]
            else:
                points += self._tables[name][_levels(people, name)]
        return points

    def _filled(self, people: People, name: str) -> Floats:
        values = people.column(name)
        return np.where(np.isnan(values), self.means_[name], values)


def _levels(people: People, name: str) -> NDArray[np.int32]:
    codes = people.column(name)
    return np.where(codes < 0, len(people.layout.levels[name]), codes)


def _stacked(
    columns: list[NDArray[np.float64]] | list[NDArray[np.int32]], n: int, dtype: type
) -> NDArray[np.generic]:
    return np.column_stack(columns) if columns else np.empty((n, 0), dtype)
