"""Rows of persons who have several: those of all, then again those of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rows_of"]


def rows_of(
    persons: NDArray[np.intp], n: int, each: int, most: int | None = None
) -> NDArray[np.intp]:
    """Give the rows of some of n persons who have ``each`` rows, in the order of the rows.

    Parameters
    ----------
    persons : ndarray of shape (k,)
    n, each : int
    most : int, optional
        About as many rows at most, the same number of every person and at least one.

    Examples
    --------
    >>> rows_of(np.array([2, 0]), 10, 3).tolist()
    [2, 0, 12, 10, 22, 20]
    >>> rows_of(np.array([2, 0]), 10, 3, most=5).tolist()
    [2, 0, 12, 10]
    """
    if most is not None:
        each = min(each, max(most // len(persons), 1))
    return np.add.outer(np.arange(each) * n, persons).ravel()
