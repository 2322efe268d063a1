"""Whether as many rows or images as are asked for can be held while they are drawn."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from sosie.errors import ParameterError
from sosie.table import CODED, NUMERIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.table import Table

__all__ = ["check_images", "check_rows", "row_bytes"]

_SCORE = 56
"""Bytes of one row's score while it is drawn: scores, places and values, some of them twice."""

_LEVEL = 40
"""Bytes of one level of a column in one row."""

_PIXEL = 28

_CONTROL = Path("/sys/fs/cgroup")
_LIMITS = (_CONTROL / "memory.max", _CONTROL / "memory" / "memory.limit_in_bytes")
"""Where Linux tells the limit of a container: of control groups of version 2, and of 1."""


def check_rows(table: Table, n: int) -> None:
    """Refuse more artificial rows than the memory of this machine holds while they are drawn.

    Parameters
    ----------
    table : Table
        Of the persons.
    n : int

    Raises
    ------
    ParameterError
        Where the system tells its memory, and it is less.
    """
    _check("rows", n, row_bytes(table))


def check_images(shape: Sequence[int], n: int) -> None:
    """Refuse more artificial images of a shape than memory holds; see :func:`check_rows`."""
    _check("images", n, _PIXEL * prod(shape))


def row_bytes(table: Table) -> int:
    """Estimate the bytes that an artificial row takes while it is drawn.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.table import Table
    >>> row_bytes(Table.of(pl.DataFrame({"age": [41, 52, 60, 33], "sex": ["f", "m", "f", "f"]})))
    136
    """
    found = 0
    for column in table.schema.columns:
        if column.kind in NUMERIC:
            found += _SCORE
        elif column.kind in CODED:
            found += _LEVEL * len(column.levels)
        if table.frame[column.name].null_count():
            found += _SCORE  # whether the cell is missing is a score too
    return found


def _check(what: str, n: int, each: int) -> None:
    there = _memory()
    if there is None or n * each <= there:
        return
    gib = 1 << 30
    raise ParameterError(
        f"{n:,} {what} would take about {n * each / gib:,.0f} GiB of memory while they are drawn, "
        f"and there are {there / gib:,.0f}: ask for at most {_round(there // each):,} at a "
        "time."
    )


def _round(n: int) -> int:
    """Round down to one digit that counts."""
    size: int = 10 ** (len(str(n)) - 1)
    return n // size * size


def _memory() -> int | None:
    """Give the bytes of memory there are, in a container those it may take; None if not told."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limits = [path.read_text().strip() for path in _LIMITS if path.exists()]
    except (AttributeError, ValueError, OSError):
        return None
    return min([whole, *(int(limit) for limit in limits if limit.isdecimal())])
