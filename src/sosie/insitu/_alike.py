"""Columns that say the same: what is told of one is told of the other."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import SosieError
from sosie.table import CODED, NUMERIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from sosie.insitu._snapshot import Snapshot
    from sosie.table import Table

__all__ = ["alike_in"]

_FEW = 40
"""Values that are taken as labels, whatever their order."""


def alike_in(table: Table | Snapshot, names: Iterable[str]) -> Mapping[str, str]:
    """Find columns that part persons alike, or order them alike or in reverse.

    So do ages and years of birth, a number and its multiple, a label and its translation. A
    person is missing in both, or in neither.

    Parameters
    ----------
    table : Table or Snapshot
    names : iterable of str
        Columns that the table lacks, or that are neither of numbers nor of labels, are left out.

    Returns
    -------
    mapping of str to str
        Of each column that has others like it, the first of them by name.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.table import Table
    >>> age = [years + 0.5 for years in range(20, 80)]
    >>> table = Table.of(pl.DataFrame({"born": [2000 - a for a in age], "age": age, "x": [1] * 60}))
    >>> alike_in(table, ["born", "age", "x"])
    {'age': 'age', 'born': 'age'}
    """
    found: dict[bytes, list[str]] = {}
    for name in sorted(set(names)):
        column = table.schema.find(name)
        if column is None or column.kind not in (*NUMERIC, *CODED):
            continue
        try:
            values = _values(table, name, numeric=column.kind in NUMERIC)
        except SosieError:  # of too many labels, of which no question can be
            continue
        said = _said(values)
        if said is not None:
            found.setdefault(said, []).append(name)
    return {name: names[0] for names in found.values() if len(names) > 1 for name in names}


def _values(table: Table | Snapshot, name: str, *, numeric: bool) -> NDArray[np.float64]:
    if numeric:
        return table.numbers(name)
    codes = table.codes(name)
    return np.where(codes < 0, np.nan, codes)


def _said(values: NDArray[np.float64]) -> bytes | None:
    """Give a digest of what a column says of persons; None where it says nothing."""
    different, first, place = np.unique(values, return_index=True, return_inverse=True)
    if len(different) < 2:
        return None
    if len(different) <= _FEW:
        return _digest(first.argsort().argsort()[place])
    missing = np.isnan(values)
    top = int(place[~missing].max())
    orders = (np.where(missing, -1, one) for one in (place, top - place))
    return min(_digest(one) for one in orders)


def _digest(places: NDArray[np.integer]) -> bytes:
    return hashlib.sha256(places.astype(np.int64).tobytes()).digest()
