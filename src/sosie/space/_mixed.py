"""Rows of numbers and category codes: all that this room knows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Mixed"]


@dataclass(frozen=True)
class Mixed:
    """Persons as numbers and integer category codes, without names or units.

    Parameters
    ----------
    numbers : ndarray of shape (n, p)
        Numeric columns, real and finite: missing values are the caller's to fill.
    codes : ndarray of shape (n, q)
        Category codes, integers; column ``j`` takes values ``0 .. levels[j] - 1``.
    levels : tuple of int, of length q
        Number of levels of each categorical column. A level may be empty.

    Examples
    --------
    >>> import numpy as np
    >>> ages, sexes = np.array([[31.0], [47.0]]), np.array([[0], [1]], dtype=np.uint8)
    >>> persons = Mixed(ages, sexes, levels=(2,))
    >>> len(persons), [len(block) for block in persons.blocks(size=1)]
    (2, [1, 1])
    """

    numbers: NDArray[Any]
    codes: NDArray[Any]
    levels: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.numbers.ndim != 2 or self.codes.ndim != 2:
            raise ValueError("numbers and codes are matrices: one row a person")
        if len(self.numbers) != len(self.codes):
            raise ValueError(f"{len(self.numbers)} rows of numbers, {len(self.codes)} of codes")
        if self.codes.shape[1] != len(self.levels):
            raise ValueError(f"{self.codes.shape[1]} columns of codes, {len(self.levels)} levels")
        if self.codes.shape[1] and not np.issubdtype(self.codes.dtype, np.integer):
            raise ValueError(f"codes are integers, not {self.codes.dtype}")

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def n_columns(self) -> int:
        """Number of columns, numeric and categorical."""
        return int(self.numbers.shape[1]) + len(self.levels)

    def blocks(self, size: int = 65_536) -> Iterator[Mixed]:
        """Yield consecutive blocks of at most ``size`` rows, as views."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield Mixed(self.numbers[rows], self.codes[rows], self.levels)

    def check(self) -> None:
        """Raise unless every number is finite and every code names a level."""
        if not np.isfinite(self.numbers.sum(axis=0, dtype=np.float64)).all() and not (
            np.isfinite(self.numbers).all()  # a sum may also overflow
        ):
            raise DataError("A numeric column holds missing or infinite values; fill them first.")
        if self.codes.size and (
            self.codes.min() < 0 or (self.codes.max(axis=0) >= np.array(self.levels)).any()
        ):
            raise ValueError("a category code lies outside 0 .. levels - 1")
