"""Persons as arrays, coded alike in every table that is compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Rows = NDArray[np.intp]

__all__ = ["Layout", "People"]


@dataclass(frozen=True)
class Layout:
    """The columns that are compared, the same in every table.

    Attributes
    ----------
    names : tuple of str
        All columns, in the order of the original.
    numbers : tuple of str
        Those that hold numbers (dates and times too, as numbers).
    levels : dict of str to tuple of str
        For each other column its labels, as text; ordinal ones in their order.
    dates : frozenset of str
        Those of ``numbers`` that are days or moments.
    """

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    dates: frozenset[str] = frozenset()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of labels."""
        return tuple(self.levels)

    def is_number(self, name: str) -> bool:
        """Tell whether a column holds numbers."""
        return name not in self.levels

    def place(self, name: str) -> int:
        """Give the place of a column among those of its sort."""
        return (self.numbers if self.is_number(name) else self.labels).index(name)


@dataclass(frozen=True)
class People:
    """Rows of one table: n persons, or n synthetic rows.

    Attributes
    ----------
    layout : Layout
    numbers : ndarray of shape (n, numbers), float64
        NaN where missing.
    codes : ndarray of shape (n, labels), int32
        Places among the levels; -1 where missing.

    Examples
    --------
    >>> layout = Layout(("age", "sex"), ("age",), {"sex": ("f", "m")})
    >>> people = People(layout, np.array([[41.0], [52.0]]), np.array([[0], [-1]], np.int32))
    >>> len(people), people.column("sex").tolist()
    (2, [0, -1])
    """

    layout: Layout
    numbers: Floats
    codes: Codes

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str) -> Floats | Codes:
        """Give one column: float64 with NaN, or int32 codes with -1, of shape (n,)."""
        place = self.layout.place(name)
        return self.numbers[:, place] if self.layout.is_number(name) else self.codes[:, place]

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Tell where a column is missing."""
        values = self.column(name)
        return np.isnan(values) if self.layout.is_number(name) else values < 0

    def taken(self, rows: Rows | slice) -> People:
        """Take rows by their numbers, in that order."""
        return replace(self, numbers=self.numbers[rows], codes=self.codes[rows])

    def with_(self, other: People) -> People:
        """Put the rows of another table of the same layout below these."""
        return replace(
            self,
            numbers=np.concatenate([self.numbers, other.numbers]),
            codes=np.concatenate([self.codes, other.codes]),
        )

    @cached_property
    def cells(self) -> NDArray[np.uint64]:
        """Every cell as one word, equal where values are: shape (n, columns), uint64.

        Columns stand in the order of ``layout.names``. Two numbers are the same when they
        are to nine significant digits, what a text file keeps.
        """
        found = np.empty((len(self), len(self.layout.names)), np.uint64)
        for j, name in enumerate(self.layout.names):
            place = self.layout.place(name)
            if self.layout.is_number(name):
                found[:, j] = _digits(self.numbers[:, place]).view(np.uint64)
            else:
                found[:, j] = (self.codes[:, place].astype(np.int64) + 1).view(np.uint64)
        return found

    def words(self, names: list[str] | tuple[str, ...] | None = None) -> NDArray[np.uint64]:
        """Give one word a row and column, whose sum over columns stands for the combination.

        Parameters
        ----------
        names : sequence of str, optional
            Columns; all where not given.

        Returns
        -------
        ndarray of shape (n, len(names)), uint64
            Sums over columns of two rows are equal when the rows are, and else only with
            probability 2^-64.
        """
        names = self.layout.names if names is None else names
        places = [self.layout.names.index(name) for name in names]
        return _scrambled(self.cells[:, places], np.array(places, np.uint64))


def _digits(values: Floats) -> Floats:
    """Round to nine significant digits; NaN and zero each in one spelling."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.where(np.isfinite(exponent), 8 - exponent, 0)
        rounded = np.round(values * scale) / scale
    rounded = np.where(np.isfinite(rounded), rounded, values) + 0.0  # -0 becomes 0
    return np.where(np.isnan(rounded), np.nan, rounded)


def _scrambled(cells: NDArray[np.uint64], salt: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of each cell, each column in its own way (splitmix64)."""
    with np.errstate(over="ignore"):
        word = cells + (salt + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return word ^ (word >> np.uint64(31))
