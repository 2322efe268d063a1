"""The rows of a holder as an analysis sees them: numbers and codes by column name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Selection
from sosie.insitu._alike import alike_in
from sosie.insitu._beside import Beside
from sosie.insitu._derive import derived, spelt
from sosie.insitu._snapshot import Snapshot
from sosie.table import CODED, NUMERIC, Column, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from sosie.insitu._derive import Derivation
    from sosie.table import Table
    from sosie.trust import Floors

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Mask = NDArray[np.bool_]

__all__ = ["Rows", "labels", "require_coded", "require_number"]

_MOST_LABELS = 40
"""Labels of a column in an analysis; more would be values (dsBase, nfilter.levels.max)."""


class Rows:
    """A holder's table, read with the columns that all holders agreed on.

    Parameters
    ----------
    table : Table or Snapshot
    schema : Schema
        That of the agreement, alike at every holder: the labels and their order are its.
    derive : tuple of Derivation
    floors : Floors
        Of the gate, for analyses that choose their bins by them.
    beside : Beside, optional

    Raises
    ------
    DataError
        If the table does not have the columns of the schema, or has a label that is not in it.
    """

    def __init__(
        self,
        table: Table | Snapshot,
        schema: Schema,
        derive: tuple[Derivation, ...],
        floors: Floors,
        beside: Beside[Table | Snapshot] | None = None,
    ) -> None:
        self.table = table
        self.agreed = schema
        self.schema = derived(schema, derive)
        self.rules = {rule.name: rule for rule in derive}
        # Each once: rules that use what others make twice over would else double the work.
        self._made: dict[str, Floats] = {}
        self._from: dict[str, frozenset[str]] = {}
        for rule in derive:
            self._from[rule.name] = self.sources(rule.sources)
        self.floors = floors
        self.beside = beside or Beside()
        self._alike: Mapping[str, str] | None = None

    def __len__(self) -> int:
        return len(self.table)

    def numbers(self, name: str) -> Floats:
        """Give a column of numbers; NaN where missing."""
        if name in self.rules:
            rule = self.rules[name]
            if rule.rule in ("log", "ratio"):
                if name not in self._made:
                    self._made[name] = rule.numbers(self.numbers)
                return self._made[name]
        column = self._own(name)
        if column.kind not in NUMERIC:
            raise DataError(f"Column {name!r} holds no numbers at this holder.")
        return self.table.numbers(name)

    def codes(self, name: str) -> Codes:
        """Give a column of labels as places among those of the agreement; -1 where missing."""
        if name in self.rules:
            rule = self.rules[name]
            if rule.rule in ("recode", "cut", "indicator"):
                return rule.codes(self.codes, self.numbers, self.schema)
        column = self._own(name)
        agreed = [spelt(level) for level in self.agreed[name].levels]
        if column.kind in NUMERIC:  # 0 and 1 at one holder, labels at another
            raise DataError(f"Column {name!r} holds numbers at this holder, where labels are due.")
        own = [spelt(level) for level in column.levels]
        unknown = [label for label in own if label not in agreed]
        if unknown:
            raise DataError(f"Column {name!r} has a label that the agreement does not list.")
        to = np.array([*(agreed.index(label) for label in own), -1], np.int32)
        return to[self.table.codes(name)]

    def values(self, name: str) -> Floats:
        """Give numbers, or codes as numbers with NaN where missing."""
        if self.schema[name].kind in NUMERIC:
            return self.numbers(name)
        codes = self.codes(name).astype(float)
        return np.where(codes < 0, np.nan, codes)

    def known(self, names: Iterable[str]) -> Mask:
        """Tell who has a value in all of some columns."""
        complete = np.ones(len(self), bool)
        for name in names:
            complete &= np.isfinite(self.values(name))
        return complete

    def sources(self, names: Iterable[str]) -> frozenset[str]:
        """Name the columns of the holder from which columns are made."""
        return frozenset().union(*(self._from.get(name, {name}) for name in names))

    def told(self, names: Iterable[str]) -> frozenset[str]:
        """Name what the audit knows of columns by: of those that say the same, the first."""
        if self._alike is None:
            # A snapshot was looked at before columns were taken of it.
            own, agreed = self.table, self.agreed.names
            self._alike = own.alike if isinstance(own, Snapshot) else alike_in(own, agreed)
        return frozenset(self._alike.get(name, name) for name in self.sources(names))

    def selection(self, rows: Mask, about: Iterable[str], by: Iterable[str] = ()) -> Selection:
        """Say which persons something is told of, and by which columns they were chosen."""
        chosen = self.told(by)
        return Selection(rows, self.told(about) | chosen, chosen)

    def _own(self, name: str) -> Column:
        column = self.table.schema.find(name)
        if column is None or name not in self.agreed:
            raise DataError(f"There is no column {name!r} at this holder.")
        return column


def labels(schema: Schema, name: str) -> list[str]:
    """Give the labels of a column, as every holder spells them."""
    return [spelt(level) for level in schema[name].levels]


def require_number(schema: Schema, *names: str) -> None:
    """Refuse a column that has no numbers, before any row is looked at.

    Raises
    ------
    ParameterError
    """
    for name in names:
        if schema[name].kind not in NUMERIC:
            raise ParameterError(f"Column {name!r} has no numbers; this analysis needs them.")


def require_coded(schema: Schema, *names: str) -> None:
    """Refuse a column that has no labels or too many, before any row is looked at.

    Raises
    ------
    ParameterError
    """
    for name in names:
        column = schema[name]
        if column.kind not in CODED or not 2 <= len(column.levels) <= _MOST_LABELS:
            raise ParameterError(
                f"Column {name!r} does not have 2 to {_MOST_LABELS} labels; this analysis needs "
                "them (recode or cut it)."
            )
