"""What drawn rows are asked to be: a value, or a range of values, of some columns."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sosie.errors import ParameterError
from sosie.table import CODED, NUMERIC, Kind, Table, tellable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

__all__ = ["Condition", "balanced_levels", "check_name", "check_shared", "conditions_of", "met"]

_LISTED = 10
"""Levels that a refusal lists."""


@dataclass(frozen=True)
class Condition:
    """What one column is asked to be.

    Parameters
    ----------
    name : str
    low, high : float
        Ends of the range, both within it; the same twice for a value. Codes for levels.
    coded : bool
        Whether the column is one of levels.
    at : float, optional
        The number asked for, where it is one and not a range.
    near : float
        How far from it a number is still the same.
    """

    name: str
    low: float
    high: float
    coded: bool
    at: float | None = None
    near: float = 0.0

    def exactly(self) -> Condition:
        """Give the condition that a drawn row has to meet, where it cannot be put there."""
        if self.at is None:
            return self
        return replace(self, low=self.at - self.near, high=self.at + self.near)

    def kept(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Put numbers within it."""
        if self.at is not None:
            return np.full(len(values), self.at)
        return np.clip(values, self.low, self.high)

    def met(self, table: Table) -> Bools:
        """Tell which rows of a table meet it."""
        values = table.codes(self.name) if self.coded else table.numbers(self.name)
        return (values >= self.low) & (values <= self.high)


def met(conditions: list[Condition], table: Table) -> Bools:
    """Tell which rows of a table meet all conditions."""
    found = np.ones(len(table), bool)
    for condition in conditions:
        found &= condition.met(table)
    return found


def conditions_of(table: Table, where: Mapping[str, Any] | None) -> list[Condition]:
    """Read conditions against the table of persons.

    Parameters
    ----------
    table : Table
    where : mapping of column to value, or to the two ends of a range
        None for an open end.

    Raises
    ------
    ParameterError
        If a column is unknown, or nobody in the table is what is asked for.
    """
    where = {} if where is None else where
    if not isinstance(where, Mapping):
        raise ParameterError("where is a mapping of columns to values, or to (low, high) ranges.")
    found = []
    for name, asked in where.items():
        check_name(table, name, "ask for")
        kind = table.schema[name].kind
        if kind in CODED or kind is Kind.CONSTANT:
            code = float(_code(table, name, asked))
            condition = Condition(name, code, code, coded=True)
        elif kind in NUMERIC:
            condition = _range(table, name, asked)
        else:
            raise ParameterError(f"Column {name!r} is of kind {kind}: it cannot be asked for.")
        if not condition.met(table).any():
            raise ParameterError(
                f"Nobody in the table has what is asked of column {name!r}: nothing is known of "
                "such persons; ask for a value or a range that is there."
            )
        found.append(condition)
    return found


def balanced_levels(
    table: Table, name: str, asked: Sequence[Condition] = (), n: int | None = None
) -> list[Condition]:
    """Give one condition for every level of a column that somebody has.

    Parameters
    ----------
    table : Table
    name : str
    asked : sequence of Condition
        What else is asked for.
    n : int, optional
        Rows to draw.

    Raises
    ------
    ParameterError
        If the column is unknown, has no levels, or one only, or one only is asked for, or
        there are fewer rows than levels.
    """
    check_name(table, name, "balance")
    kind = table.schema[name].kind
    if kind is Kind.CONSTANT:
        raise ParameterError(f"Column {name!r} has one class only: there is nothing to balance.")
    if kind not in CODED:
        raise ParameterError(
            f"Column {name!r} is of kind {kind}: only a column of levels can be balanced."
        )
    codes = np.unique(table.codes(name))
    codes = codes[codes >= 0]
    if len(codes) < 2:
        raise ParameterError(f"Column {name!r} has one class only: there is nothing to balance.")
    if any(condition.name == name for condition in asked):
        raise ParameterError(
            f"One class of column {name!r} is asked for, which leaves nothing to balance: ask for "
            "that class or for balance, not both."
        )
    check_shared(f"Column {name!r} has {len(codes)} classes", len(codes), n)
    return [Condition(name, float(code), float(code), coded=True) for code in codes]


def check_shared(what: str, classes: int, n: int | None) -> None:
    """Refuse to balance fewer rows, or images, than classes.

    Raises
    ------
    ParameterError
    """
    if n is not None and n < classes:
        raise ParameterError(f"{what}: ask for {classes} at least, and not {n}, to balance them.")


def check_name(table: Table, name: str, verb: str) -> None:
    """Refuse a column that the table does not have, and name the one that may be meant.

    Raises
    ------
    ParameterError
    """
    if name not in table.names:
        near = difflib.get_close_matches(str(name), table.names, 1)
        hint = f"did you mean {near[0]!r}?" if near else "check its spelling."
        raise ParameterError(f"There is no column {name!r} to {verb}; {hint}")


def _code(table: Table, name: str, asked: Any) -> int:
    """Find the place of a label; text stands for what it spells."""
    levels = table.schema[name].levels
    if isinstance(asked, tuple | list):
        raise ParameterError(
            f"Column {name!r} is one of levels: ask for one of them; ranges are of numbers and "
            "dates."
        )
    number = _as_float(asked)
    same: tuple[Callable[[Any], bool], ...] = (
        lambda level: bool(level == asked) or str(level) == str(asked),
        lambda level: isinstance(level, Real) and number == float(level),
    )
    for alike in same:
        for place, level in enumerate(levels):
            if alike(level):
                return place
    folded = [str(level).casefold() == str(asked).casefold() for level in levels]
    if sum(folded) == 1:
        return folded.index(True)
    codes = table.codes(name)
    told = tellable(levels, np.bincount(codes[codes >= 0], minlength=len(levels)))[:_LISTED]
    if not told:
        raise ParameterError(f"Column {name!r} has no level as asked.")
    raise ParameterError(
        f"Column {name!r} has no level as asked; it has"
        f"{', among others' if len(told) < len(levels) else ''}: {', '.join(map(str, told))}."
    )


def _range(table: Table, name: str, asked: Any) -> Condition:
    column = table.schema[name]
    if isinstance(asked, tuple | list):
        if len(asked) != 2:
            raise ParameterError(f"A range of column {name!r} has two ends, the lower one first.")
        low, high = (
            other if end is None else _number(name, column.kind, end)
            for end, other in zip(asked, (-np.inf, np.inf), strict=True)
        )
        if low > high:
            raise ParameterError(f"The range of column {name!r} ends before it begins.")
        return Condition(name, low, high, coded=False)
    value = _number(name, column.kind, asked)
    seen = table.numbers(name)
    if not np.nanmin(seen) <= value <= np.nanmax(seen):
        raise ParameterError(
            f"Nobody in the table has such a value of column {name!r}: ask for one from the least "
            "to the largest that is there."
        )
    decimals = column.decimals if column.kind is Kind.NUMBER else column.decimals or 0
    if decimals is not None and abs(round(value, decimals) - value) > 1e-9 * max(1.0, abs(value)):
        plural = "s" if decimals > 1 else ""
        holds = f"numbers of {decimals} decimal{plural}" if decimals else "whole numbers"
        raise ParameterError(
            f"Column {name!r} holds {holds}: ask for one of these, or for a range."
        )
    near = half = 1e-9 * abs(value) if decimals is None else 0.5 * 10.0**-decimals
    away = np.abs(seen - value)
    if decimals is None or not (away <= half).any():
        # The nearest other value seen says how wide a look is needed.
        half = max(half, float(np.min(away[away > half], initial=np.inf)))
    return Condition(name, value - half, value + half, coded=False, at=value, near=near)


def _number(name: str, kind: Kind, value: Any) -> float:
    if kind in (Kind.DATE, Kind.DATETIME) and not isinstance(value, Real):
        try:
            at = value if isinstance(value, date) else datetime.fromisoformat(str(value))
        except ValueError:
            raise ParameterError(f"Column {name!r} holds dates: give one as YYYY-MM-DD.") from None
        if kind is Kind.DATE:
            return float(at.toordinal() - date(1970, 1, 1).toordinal())
        return float(pl.Series([at]).cast(pl.Datetime("us")).dt.epoch("us")[0])
    number = _as_float(value)
    if number is None or np.isnan(number):
        raise ParameterError(f"Column {name!r} holds numbers: give one, or a range.")
    return number


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
