"""Missing cells that nobody like the person has: perhaps they do not apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sosie.generators.artificial._bands import Bands
    from sosie.generators.artificial._coding import Absent
    from sosie.space import Columns
    from sosie.table import Table

__all__ = ["Unseen", "absences", "emptied", "unseen"]

_MOST_LEVELS = 20
_FEWEST = 10
_CHANCE = 1e-4
"""That so many miss a cell, were they as likely to as all others."""


class Unseen(NamedTuple):
    """A column that is missing for everybody with a value of another.

    Attributes
    ----------
    column : str
    by : str
    value : Any
        Of ``by``.
    cells : int
        Persons who have it.
    """

    column: str
    by: str
    value: Any
    cells: int


def unseen(table: Table, among: Iterable[str] | None = None) -> list[Unseen]:
    """Find the columns that are never known with some value of another, not by chance.

    Whether such a cell does not apply (the date of death of the living) or was not measured there
    (a test that one hospital does not make), a table does not tell; either way no person tells
    what would stand there.

    Parameters
    ----------
    table : Table
    among : iterable of str, optional
        Columns whose values are looked at; by default all.

    Returns
    -------
    list of Unseen
        Those of most persons first; none that others make superfluous. Values that ten persons
        or more have, of columns of 20 values at most.

    Examples
    --------
    >>> from sosie.table import Table
    >>> frame = pl.DataFrame({"dead": ["yes", "no"] * 20, "at": [5.0, None] * 20})
    >>> unseen(Table.of(frame))
    [Unseen(column='at', by='dead', value='no', cells=20)]
    """
    frame = table.frame
    found = [
        one
        for by in (frame.columns if among is None else among)
        if frame[by].n_unique() <= _MOST_LEVELS
        for column in frame.columns
        if column != by and frame[column].null_count()
        for one in _of(frame, column, by)
    ]
    kept: list[Unseen] = []
    told = dict.fromkeys({one.column for one in found}, pl.repeat(False, len(frame), eager=True))
    for one in sorted(found, key=lambda one: -one.cells):
        rows = _rows(frame, one)
        if (rows & ~told[one.column]).any():
            kept.append(one)
            told[one.column] |= rows
    return kept


def absences(table: Table, columns: Columns, bands: Bands, steps: Collection[str] = ()) -> Absent:
    """Give the levels with which cells are missing whatever else is known, by mask.

    So they are where others are missing, as all that is measured of those alone who took part.

    Parameters
    ----------
    table : Table
    columns : Columns
        Of the same rows.
    bands : Bands
        Columns of levels that numbers among ``columns`` tell.
    steps : collection of str
        Of the numbers, those that are steps.

    Returns
    -------
    dict of int to list of (str or int, int or (float, float))
        For a mask of ``columns``: names and codes of levels, of columns without missing cells; or
        the name of a number, and what it is above and at most; or another mask, of fewer cells,
        and 1.
    """
    found: Absent = {}
    whole = [name for name in columns.codes if name not in columns.mask_of]
    told = [
        name
        for name, number in bands.found.items()
        if number in columns.numbers and number not in columns.mask_of and number not in steps
    ]
    for one in unseen(table, [*whole, *told]):
        if one.column not in columns.mask_of:
            continue
        first = int(_rows(table.frame, one).arg_max() or 0)
        levels = found.setdefault(columns.mask_of[one.column], [])
        if one.by in bands.found:
            number = bands.found[one.by]
            value = float(columns.numbers[number][first])
            levels.append((number, bands.around(one.by, value)))
        else:
            levels.append((one.by, int(columns.codes[one.by][first])))
    for mask, within in _nested(columns).items():
        found.setdefault(mask, []).extend((one, 1) for one in within)
    return {mask: list(dict.fromkeys(levels)) for mask, levels in found.items()}


def _nested(columns: Columns) -> dict[int, list[int]]:
    """Give the masks that lie within others, but those within one that lies within."""
    sizes = [int(mask.sum()) for mask in columns.masks]
    n = len(columns)

    def inside(one: int, other: int) -> bool:
        size, gone = sizes[one], sizes[other]
        if gone <= size or size < _FEWEST or (columns.masks[one] & ~columns.masks[other]).any():
            return False
        return bool(((gone - size) / (n - size)) ** size < _CHANCE)

    found = {}
    for mask in range(len(sizes)):
        within = [one for one in range(len(sizes)) if inside(one, mask)]
        found[mask] = [one for one in within if not any(inside(one, more) for more in within)]
    return {mask: within for mask, within in found.items() if within}


def emptied(filled: pl.DataFrame, known: pl.DataFrame, found: list[Unseen]) -> pl.DataFrame:
    """Leave cells empty that are never known with some value.

    Parameters
    ----------
    filled : DataFrame
    known : DataFrame
        The same rows before they were filled.
    found : list of Unseen
        In ``known``.
    """
    told = filled
    for one in found:  # what it hangs on may have been filled too
        left = known[one.column].is_null() & _rows(filled, one)
        told = told.with_columns(pl.when(~left).then(told[one.column]).alias(one.column))
    return told


def _of(frame: pl.DataFrame, column: str, by: str) -> list[Unseen]:
    counted = (
        frame.filter(pl.col(by).is_not_null())
        .group_by(by)
        .agg(pl.len().alias("n"), pl.col(column).null_count().alias("gone"))
        .sort(by)
    )
    n, gone = int(counted["n"].sum()), int(counted["gone"].sum())
    return [
        Unseen(column, by, value, size)
        for value, size, missing in counted.iter_rows()
        if missing == size >= _FEWEST and n > size
        if ((gone - size) / (n - size)) ** size < _CHANCE
    ]


def _rows(frame: pl.DataFrame, one: Unseen) -> pl.Series:
    return (frame[one.by] == one.value).fill_null(value=False)
