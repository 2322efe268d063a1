"""Blocks of rows, small enough to stay in the processor's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_blocks", "n_blocks"]

_BLOCK = 32_768

Found = TypeVar("Found")


def n_blocks(n: int) -> int:
    """Give the number of blocks of ``n`` rows."""
    return -(-n // _BLOCK)


def by_blocks(work: Callable[[int, slice], Found], n: int) -> list[Found]:
    """Give what ``work`` makes of each block of ``n`` rows, told its number and its rows.

    Blocks follow one another: their NumPy steps are so short that threads would spend more
    in waiting for each other than they save (measured at 100,000 and 1,000,000 rows).

    Examples
    --------
    >>> by_blocks(lambda number, rows: (number, rows.stop - rows.start), 40_000)
    [(0, 32768), (1, 7232)]
    """
    return [
        work(number, slice(start, min(start + _BLOCK, n)))
        for number, start in enumerate(range(0, n, _BLOCK))
    ]
