"""The persons behind rows that are drawn on a condition: how much such rows can teach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sosie.errors import ParameterError
from sosie.generators.artificial._conditions import balanced_levels, conditions_of, met

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sosie.table import Table

__all__ = ["Behind", "behind"]


class Behind(NamedTuple):
    """Persons who meet what is asked of drawn rows.

    Attributes
    ----------
    persons : int
        How many they are: drawn rows teach no more than so many independent persons.
    fewest : int
        How many they are in the smallest class that is balanced; all of them where none is.
    weights : ndarray of shape (n,)
        Of every person of the table, so that classes weigh as they are drawn; 0 for others.
    classes : int
        That are balanced; 1 where none is.
    """

    persons: int
    fewest: int
    weights: NDArray[np.float64]
    classes: int


def behind(
    table: Table,
    where: Mapping[str, Any] | None = None,
    balance: str | None = None,
    n: int | None = None,
) -> Behind:
    """Find the persons who meet what is asked of drawn rows.

    Parameters
    ----------
    table : Table
        Of the persons.
    where, balance
        As :meth:`RHVAE.sample` takes them.
    n : int, optional
        Rows to draw.

    Raises
    ------
    ParameterError
        If nobody is what is asked for, in a class that is balanced or at all, or one class is,
        or rows are fewer than classes.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.table import Table
    >>> table = Table.of(pl.DataFrame({"age": [41, 52, 60, 33], "sex": ["f", "m", "f", "f"]}))
    >>> behind(table, {"age": (40, None)}, balance="sex")[:2]
    (3, 1)
    """
    asked = conditions_of(table, where)
    levels = [] if balance is None else balanced_levels(table, balance, asked, n)
    rows = [met([*asked, level], table) for level in levels] or [met(asked, table)]
    counts = [int(row.sum()) for row in rows]
    if min(counts) == 0:
        which = "in one of the classes to balance " if levels else ""
        raise ParameterError(
            f"Nobody {which}meets all that is asked at once: nothing is known of such persons; "
            "ask for less."
        )
    weights = np.sum([row / count for row, count in zip(rows, counts, strict=True)], axis=0)
    return Behind(sum(counts), min(counts), weights / len(rows), len(rows))
