"""How near rows are to persons, as a product of matrices."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Points = NDArray[np.float32]

__all__ = ["Nearness", "highest"]

_PAIRS = 1 << 19
"""Of a person and a row, held at once."""

_SET = 32


@dataclass(frozen=True)
class Nearness:
    r"""Matrices whose product :math:`x'y - |y|^2 / 2` is the larger the nearer y is to x.

    Attributes
    ----------
    persons : ndarray of shape (m, coordinates), float32
    rows : ndarray of shape (coordinates, n), float32

    Examples
    --------
    >>> one = np.array([[0.0, 1.0]], np.float32)
    >>> two = np.array([[0.0, 3.0], [0.0, 0.0]], np.float32)
    >>> int(Nearness.of(one, two).product(slice(None)).argmax())
    1
    """

    persons: Points
    rows: Points

    @classmethod
    def of(cls, persons: Points, rows: Points) -> Nearness:
        """Make the matrices of coordinates, of shapes (m, d) and (n, d)."""
        centre = rows.mean(axis=0)
        persons, rows = persons - centre, rows - centre
        matters = rows.any(axis=0) & persons.any(axis=0)
        half = (rows**2).sum(axis=1) / -2
        return cls(
            np.concatenate([persons[:, matters], np.ones((len(persons), 1), np.float32)], axis=1),
            np.ascontiguousarray(np.concatenate([rows[:, matters].T, half[None]])),
        )

    def product(self, block: slice) -> Points:
        """Give how near every row is to each person of a block."""
        return self.persons[block] @ self.rows

    def in_blocks(self, work: Callable[[slice], None]) -> None:
        """Call ``work`` with blocks of persons, several at a time."""
        height = max(_PAIRS // self.rows.shape[1], 16)
        blocks = [slice(at, at + height) for at in range(0, len(self.persons), height)]
        # One thread of BLAS each: else digits would depend on the number of threads.
        with _libraries().limit(limits=1, user_api="blas"):
            if len(blocks) == 1:
                work(blocks[0])
            else:
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    list(pool.map(work, blocks))


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries that have threads, once: it takes longer than a small search."""
    return ThreadpoolController()


def highest(values: Points, k: int) -> NDArray[np.intp]:
    """Give the places of the ``k`` largest of each line, largest first: (m, k).

    Examples
    --------
    >>> highest(np.array([[3, 9, 4, 1]], np.float32), 2).tolist()
    [[1, 2]]
    """
    m, n = values.shape
    if k == 1:
        return values.argmax(axis=1)[:, None]
    sets = n // _SET
    if sets > 4 * k:
        # The k largest are in the k sets whose largest are: the others are not looked at.
        largest = values[:, : sets * _SET].reshape(m, _SET, sets).max(axis=1)
        best = np.argpartition(largest, sets - k, axis=1)[:, sets - k :]
        inside = best[:, :, None] + sets * np.arange(_SET)
        rest = np.broadcast_to(np.arange(sets * _SET, n), (m, n - sets * _SET))
        places = np.concatenate([inside.reshape(m, -1), rest], axis=1)
        chosen = highest(np.take_along_axis(values, places, axis=1), k)
        return np.take_along_axis(places, chosen, axis=1)
    if k < n:
        places = np.argpartition(values, n - k, axis=1)[:, n - k :]
    else:
        places = np.broadcast_to(np.arange(n), (m, n))
    order = np.argsort(-np.take_along_axis(values, places, axis=1), axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1)
