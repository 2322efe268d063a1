"""The columns of a question as arrays, of persons or of rows made from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from sosie.insitu._rows import Rows, labels
from sosie.table import NUMERIC, Column, Kind, Schema
from sosie.trust import PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sosie.table import Table

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Places = NDArray[np.integer] | NDArray[np.bool_]

__all__ = ["Persons", "Scale"]


@dataclass(frozen=True)
class Persons:
    """Rows without a missing value in the columns of the question.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n,)
        Numbers as float64; labels as int32 places among `levels`.
    levels : dict of str to list of str
        Labels of the columns that have some.
    holder : ndarray of shape (n,), int32
        Whose row each is.
    area : ndarray of shape (n,), int32
        Where each person belongs, for means of areas; -1 where that is missing.
    place : ndarray of shape (n,), int32
        Row among the complete ones of the holder; -1 where a row is nobody's.
    """

    columns: dict[str, Floats | Codes]
    levels: dict[str, list[str]]
    holder: Codes
    area: Codes
    place: Codes

    @classmethod
    def of(cls, rows: Rows, names: Sequence[str], holder: int, area: str | None) -> Self:
        """Read the complete rows of a holder.

        Parameters
        ----------
        rows : Rows
        names : sequence of str
            Columns of the question, derived ones too.
        holder : int
        area : str or None
            A column of labels; where not given the holder is the area.
        """
        known = rows.known(names)
        levels = {
            name: labels(rows.schema, name)
            for name in names
            if rows.schema[name].kind not in NUMERIC
        }
        columns: dict[str, Floats | Codes] = {
            name: (rows.codes(name) if name in levels else rows.numbers(name))[known]
            for name in names
        }
        n = int(known.sum())
        whose = np.full(n, holder, np.int32)
        where = whose if area is None else rows.codes(area)[known]
        return cls(columns, levels, whose, where, np.arange(n, dtype=np.int32))

    @classmethod
    def stacked(cls, parts: Sequence[Self]) -> Self:
        """Put the rows of several holders one below the other."""
        return cls(
            {
                name: np.concatenate([part.columns[name] for part in parts])
                for name in parts[0].columns
            },
            parts[0].levels,
            np.concatenate([part.holder for part in parts]),
            np.concatenate([part.area for part in parts]),
            np.concatenate([part.place for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.holder)

    def taken(self, rows: Places) -> Persons:
        """Take rows, in that order."""
        return Persons(
            {name: values[rows] for name, values in self.columns.items()},
            self.levels,
            self.holder[rows],
            self.area[rows],
            self.place[rows],
        )

    def with_columns(self, columns: dict[str, Floats | Codes]) -> Persons:
        """Give the same rows with other values."""
        return replace(self, columns=columns)

    def made(self, columns: dict[str, Floats | Codes]) -> Persons:
        """Give rows of this holder that are nobody's: they have no area."""
        n = len(next(iter(columns.values())))
        nowhere = np.full(n, -1, np.int32)
        return Persons(columns, self.levels, np.full(n, self.holder[0], np.int32), nowhere, nowhere)

    def values(self, name: str) -> Floats:
        """Give a column as numbers; codes for labels."""
        return self.columns[name].astype(float)

    def numbers(self, name: str) -> Floats:
        """Give a column of numbers."""
        return self.values(name)

    @property
    def schema(self) -> Schema:
        """What the columns mean, with the labels in the order of the agreement."""
        return Schema(
            columns=[
                Column(name=name, kind=Kind.CATEGORY, levels=list(self.levels[name]))
                if name in self.levels
                else Column(name=name, kind=Kind.NUMBER)
                for name in self.columns
            ]
        )

    def like(self, table: Table) -> dict[str, Floats | Codes]:
        """Read the same columns of a table that was made like these rows."""
        rows = Rows(table, self.schema, (), PRESETS["snds-11"])
        return {
            name: rows.codes(name) if name in self.levels else rows.numbers(name)
            for name in self.columns
        }


class Scale:
    """Rows as points: numbers over their spread, two different labels one apart.

    Parameters
    ----------
    persons : Persons
        Of whom means and standard deviations are taken.
    """

    def __init__(self, persons: Persons) -> None:
        self._centre = {name: float(persons.values(name).mean()) for name in persons.columns}
        self._spread = {name: float(persons.values(name).std()) or 1.0 for name in persons.columns}

    def points(self, persons: Persons, names: Iterable[str]) -> Floats:
        """Give the points of some columns, of shape (n, d)."""
        found: list[Floats] = [np.empty((len(persons), 0))]
        for name in names:
            values = persons.columns[name]
            if name in persons.levels:
                one = values[:, None] == np.arange(len(persons.levels[name]))
                found.append((one / np.sqrt(2)).astype(np.float64))
            else:
                standard = (persons.values(name) - self._centre[name]) / self._spread[name]
                found.append(standard[:, None])
        return np.concatenate(found, axis=1)
