"""Tables that are compared, read alike and checked against each other."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sosie.errors import DataError
from sosie.evidence._kept import Kept, kept_cells
from sosie.evidence._people import Layout, People
from sosie.table import CODED, NUMERIC, Column, Kind, Schema, Table, columns_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = ["Aligned", "align", "coded", "read_alike"]

_FEWEST = 100
"""Persons below which no interval would say anything."""

_ROW_NAMES = {"", "Unnamed: 0"}
"""How R and pandas name the column of row numbers that they write unasked."""

_FEW = (2, 3, 4)
"""How many have a row that chance would not give to both of two tables every time."""

_MANY_LEVELS = 1_000
"""Labels of a column beyond which it is text to an attacker."""


@dataclass(frozen=True)
class Aligned:
    """The tables as arrays of the same columns.

    Attributes
    ----------
    original, synthetic : People
    control, linked : People or None
    schema : Schema
        Of the original.
    left_out : dict of str to str
        Columns that are not compared, and why: ``identifier``, ``text`` or ``constant``.
    kept : dict of str to Kept
        For each identifier or text of the original that the synthetic table has too, how many
        of its cells are found there.
    """

    original: People
    synthetic: People
    control: People | None
    linked: People | None
    schema: Schema
    left_out: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)


def read_alike(
    source: Any,
    original: Table,
    name: str,
    missing: list[str] | None = None,
    *,
    drop: Collection[str] = (),
) -> Table:
    """Read another table as the original was read.

    Parameters
    ----------
    source : Table, path or dataframe
    original : Table
    name : str
        What the table is called in messages.
    missing : list of str, optional
        Further spellings of a missing cell.
    drop : collection of str
        Columns that were left out of the original, and are here too where it has them.

    Raises
    ------
    DataError
        If its columns are others, or hold what those of the original cannot.
    """
    if isinstance(source, Table):
        _check_names(original, source.names, name)
        return source
    said = Schema(
        max_levels=10**9,
        columns=[
            Column(name=c.name, kind=c.kind, format=c.format, time_zone=c.time_zone)
            for c in original.schema.columns
            if c.kind in NUMERIC or c.kind in CODED
        ],
    )
    path = isinstance(source, str | Path)
    there = columns_of(source) if path else _names_of(source)
    present = [name for name in there if name not in drop]
    _check_names(original, present, name)
    said = said.only([n for n in said.names if n in present])
    said = said.model_copy(update={"drop": [name for name in drop if name in there]})
    read = Table.read if path else Table.of
    with contextlib.suppress(DataError):  # dates may be spelt otherwise here
        return read(source, said, missing=missing)
    free = [column.model_copy(update={"format": None}) for column in said.columns]
    try:
        return read(source, said.model_copy(update={"columns": free}), missing=missing)
    except DataError as error:
        if path:
            raise
        raise DataError(f"{name}: {error}") from error


def _names_of(source: Any) -> list[str]:
    return list(source.columns) if hasattr(source, "columns") else list(source.column_names)


def _check_names(original: Table, names: list[str], name: str) -> None:
    kept = [c.name for c in original.schema.columns if c.kind not in (Kind.IDENTIFIER, Kind.TEXT)]
    absent = [n for n in kept if n not in names]
    extra = [n for n in names if n not in original.names and n not in _ROW_NAMES]
    if absent or extra:
        said = []
        if absent:
            said.append(f"it lacks {_listed(absent)}")
        if extra:
            said.append(f"the original has no {_listed(extra)}")
        raise DataError(
            f"{name} has not the columns of the original: {'; '.join(said)}. Give tables with the "
            "same columns."
        )


def _listed(names: list[str], most: int = 5) -> str:
    listed = ", ".join(map(repr, names[:most]))
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"


def align(
    original: Table,
    synthetic: Table,
    control: Table | None = None,
    linked: Table | None = None,
    names: dict[str, str] | None = None,
) -> Aligned:
    """Code the tables alike and refuse what cannot be compared.

    Raises
    ------
    DataError
        If there are fewer than 100 rows, nothing to compare, unseen labels, values of another
        kind, a linked table of another length, or persons both in the original and the control.
    """
    names = {"original": "ORIGINAL", "synthetic": "SYNTHETIC", "control": "CONTROL"} | (names or {})
    names.setdefault("linked", "LINKED")
    tables = {"original": original, "synthetic": synthetic, "control": control, "linked": linked}
    given = {role: table for role, table in tables.items() if table is not None}
    for role, table in given.items():
        if len(table) < _FEWEST:
            raise DataError(
                f"{names[role]} has {len(table)} rows: with fewer than {_FEWEST} persons no "
                "interval would say anything; give more rows."
            )
    if linked is not None and len(linked) != len(original):
        raise DataError(
            f"{names['linked']} has {len(linked)} rows and the original {len(original)}: row i "
            "must be the avatar of person i."
        )
    left_out, kept = {}, []
    for column in original.schema.columns:
        why = _why_left_out(column, original)
        if why:
            left_out[column.name] = why
        else:
            kept.append(column)
    if not kept:
        raise DataError(
            f"{names['original']} has no column that varies and can be compared; check its schema."
        )
    for role, table in given.items():
        _check_clocks(original, table, kept, names[role])
    levels: dict[str, tuple[str, ...]] = {}
    for column in kept:
        if column.kind in CODED:
            texts = {role: _texts(table.frame[column.name]) for role, table in given.items()}
            found = _levels(column, texts, names["synthetic"])
            if found is not None:
                levels[column.name] = found
    layout = Layout(
        tuple(c.name for c in kept),
        tuple(c.name for c in kept if c.name not in levels),
        levels,
        frozenset(c.name for c in kept if c.kind in (Kind.DATE, Kind.DATETIME)),
    )
    people = {role: coded(table, layout, names[role]) for role, table in given.items()}
    if "control" in people:
        _check_apart(people["original"], people["control"], names["control"], "the original")
        _check_apart(
            people["synthetic"], people["control"], names["control"], "the synthetic table"
        )
    return Aligned(
        people["original"],
        people["synthetic"],
        people.get("control"),
        people.get("linked"),
        original.schema,
        left_out,
        kept_cells(original, synthetic, control, left_out),
    )


def coded(table: Table, layout: Layout, name: str = "The table") -> People:
    """Code a table that has the columns of a layout.

    Raises
    ------
    DataError
        If a column of numbers holds something else.
    """
    numbers = [_numbers(table, column, name) for column in layout.numbers]
    codes = [_codes(_texts(table.frame[c]), levels) for c, levels in layout.levels.items()]
    n = len(table)
    return People(
        layout,
        np.column_stack(numbers) if numbers else np.empty((n, 0)),
        np.column_stack(codes) if codes else np.empty((n, 0), np.int32),
    )


def _check_clocks(original: Table, table: Table, columns: list[Column], role: str) -> None:
    """Refuse times of day beside numbers: their units are others."""
    for column in columns:
        here, there = (one.frame.schema[column.name] for one in (table, original))
        if column.kind in NUMERIC and pl.Time in (here, there) and here != there:
            raise DataError(
                f"{role}, column {column.name!r}: times of day stand in one table and numbers in "
                "the other; write both alike."
            )


def _why_left_out(column: Column, original: Table) -> str | None:
    if column.kind in (Kind.IDENTIFIER, Kind.TEXT):
        return str(column.kind)
    values = original.frame[column.name]
    if values.null_count() == 0 and values.n_unique() == 1:
        return "constant"
    if column.kind in CODED and values.n_unique() > _MANY_LEVELS:
        return "text"
    if column.kind not in NUMERIC and column.kind not in CODED:
        return str(column.kind)
    return None


def _numbers(table: Table, name: str, role: str) -> NDArray[np.float64]:
    kind = table.schema[name].kind
    if kind in NUMERIC:
        return table.numbers(name)
    text = _texts(table.frame[name])
    found = text.cast(pl.Float64, strict=False)
    strange = int((found.is_null() & text.is_not_null()).sum())
    if strange:
        raise DataError(
            f"{role}, column {name!r}: {strange} cells are no numbers, though the original holds "
            "numbers there; correct them."
        )
    return found.fill_null(np.nan).to_numpy()


def _texts(values: pl.Series) -> pl.Series:
    """Spell labels so that 1, 1.0 and "1" are one label."""
    if values.dtype == pl.Boolean:
        return values.cast(pl.String)
    text = values.cast(pl.String)
    number = text.cast(pl.Float64, strict=False)
    whole = number.is_not_null() & (number == number.round()) & (number.abs() < 2**53)
    if not whole.any():
        return text
    spelt = number.cast(pl.Int64, strict=False).cast(pl.String)
    # A code such as 007 is a label, not the number 7.
    plain = whole & ~text.str.contains(r"^[+-]?0\d")
    return pl.select(pl.when(plain).then(spelt).otherwise(text)).to_series()


def _levels(column: Column, texts: dict[str, pl.Series], name: str) -> tuple[str, ...] | None:
    """Give the levels of a column; None if they are numbers and the synthetic has others."""
    said = _texts(pl.Series([str(level) for level in column.levels], dtype=pl.String))
    if column.kind is Kind.BOOLEAN:
        said = said.replace({"True": "true", "False": "false"})
    order = dict.fromkeys(said.to_list())
    for role in ("original", "control"):
        if role in texts:
            order |= dict.fromkeys(sorted(texts[role].drop_nulls().unique().to_list()))
    made = texts["synthetic"].drop_nulls()
    unseen = int((~made.is_in(list(order))).sum())
    if not unseen:
        return tuple(order)
    if all(
        text.cast(pl.Float64, strict=False).null_count() == text.null_count()
        for text in texts.values()
    ):
        return None
    raise DataError(
        f"{name}, column {column.name!r}: {unseen} rows hold labels that nobody holds in the "
        "original; write labels as in the original, or list them all under levels in a schema."
    )


def _codes(text: pl.Series, levels: tuple[str, ...]) -> NDArray[np.int32]:
    coded = text.cast(pl.Enum(list(levels)), strict=False).to_physical().cast(pl.Int32)
    return coded.fill_null(-1).to_numpy()


def _check_apart(original: People, control: People, name: str, other: str) -> None:
    """Refuse persons of another table among the control.

    Persons may be equal by chance. Of rows that two, three or four have, chance puts some in
    either table as often as it parts any two, three or four persons.
    """
    from scipy import stats

    rows = [original.words().sum(axis=1), control.words().sum(axis=1)]
    n, m = map(len, rows)
    _, group = np.unique(np.concatenate(rows), return_inverse=True)
    here, there = (np.bincount(one, minlength=group.max() + 1) for one in np.split(group, [n]))
    parted = (here > 0) & (there > 0)
    for size in _FEW:
        of_size = here + there == size
        apart = int(parted[of_size].sum())
        together = sum(math.comb(one, size) for one in (n, m)) / math.comb(n + m, size)
        chance = stats.binomtest(apart, max(1, int(of_size.sum())), 1 - together, "greater").pvalue
        if apart >= 5 and chance < 1e-6:
            raise DataError(
                f"{name}: {int(there[parted].sum())} of its {m} rows are rows of {other}; "
                "control persons must be others, whom the generator never saw, and tables must "
                "keep their repeated rows."
            )
