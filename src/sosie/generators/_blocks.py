"""Blocks of rows, worked on side by side."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
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

    Blocks are the same whatever the number of threads, so results are too.

    Examples
    --------
    >>> by_blocks(lambda number, rows: (number, rows.stop - rows.start), 40_000)
    [(0, 32768), (1, 7232)]
    """
    blocks = [slice(s, min(s + _BLOCK, n)) for s in range(0, n, _BLOCK)]
    if len(blocks) < 2:
        return [work(i, block) for i, block in enumerate(blocks)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, range(len(blocks)), blocks))
