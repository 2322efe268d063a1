"""Columns that never decrease along a row, kept in order when drawn.

Dates are told by the steps between them where these vary less than they do: a stay, a delay. An
admission of this year varies less than the age at it, and is drawn as it is. Numbers that often
equal one before them are told by steps too, as a follow-up without relapse equals survival:
a step of 0 is then drawn as often as it was. All others are drawn as they are and, in the
rows where two come out of order, change places, which keeps margins that sums of steps blur:
on scikit-learn's breast cancer they are three times nearer, and correlations 6 % further
than where nothing is put in order. With ties, steps are nearer in correlations and in ties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from sosie.table import before_of, in_order, ticks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.table import Table

    Arrays = dict[str, NDArray[np.float64]]
    Bools = NDArray[np.bool_]

__all__ = ["Steps"]

_OFTEN_EQUAL = 0.1


class Steps:
    """Chains such as birth <= visit <= death, whose columns may belong to several.

    A step is counted from the largest of the columns that come before it in its
    chains and are not missing, or from the least value seen where all are, so that it is
    never negative. A step from a column that tells no short ones, as the age at a discharge
    of which the admission is missing, would be no stay: it is missing too, and a column more
    holds the value as it is.

    Parameters
    ----------
    table : Table
        Whose schema has the chains.
    values : dict of name to ndarray of shape (n,)
        NaN where missing.
    fewest : int
        Persons of whom a step is known, at least: of fewer none is told.

    Attributes
    ----------
    names : list of str
        Columns that are in order.
    told : dict of str to list of str
        Columns that steps tell, in order, and those that they are counted from.
    alone : dict of str to str
        Of those whose step is missing for some, the column that holds the value as it is.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from sosie.table import Schema, Table
    >>> days = {"birth": [date(1970, 1, 11), date(1970, 1, 21)],
    ...         "visit": [date(1970, 1, 16), date(1970, 1, 22)]}
    >>> table = Table.of(pl.DataFrame(days), Schema(order=[["birth", "visit"]]))
    >>> numbers = {name: table.numbers(name) for name in days}
    >>> steps = Steps(table, numbers)
    >>> steps.taken(numbers)["visit"].tolist()
    [5.0, 1.0]
    >>> steps.undone({"birth": np.array([12.0]), "visit": np.array([3.0])})["visit"].tolist()
    [15.0]
    """

    def __init__(self, table: Table, values: Arrays, fewest: int = 1) -> None:
        before = before_of(table.schema)
        used = {*before, *(name for others in before.values() for name in others)}
        self._ticks = {
            column.name: ticks_of(column, table.frame.schema[column.name])
            for column in table.schema.columns
            if column.name in used
        }
        self.names = list(self._ticks)
        dates = {name for name in used if table.frame.schema[name].is_temporal()}
        self._days = [name for name in used if table.frame.schema[name] == pl.Date]
        self._pairs = [(a, b) for b, others in before.items() for a in others]
        ticked = {name: values[name] * ticks for name, ticks in self._ticks.items()}
        self.told: dict[str, list[str]] = {}
        self.alone: dict[str, str] = {}
        self._short: dict[str, list[str]] = {}
        for name, others in before.items():
            near = _nearer if name in dates else _often_equal
            if not near(ticked[name], [ticked[other] for other in others]):
                continue
            short = [other for other in others if near(ticked[name], [ticked[other]])]
            lacking = _lacks(ticked, others, short) & ~np.isnan(ticked[name])
            known = int((~np.isnan(ticked[name])).sum())
            if known - int(lacking.sum()) < min(fewest, known):
                continue
            self.told[name], self._short[name] = others, short
            if lacking.any():
                self.alone[name] = _fresh(name, {*table.names, *self.alone.values()})
        self._start = {
            name: min(float(np.nanmin(ticked[c])) for c in (name, *others))
            for name, others in self.told.items()
        }
        self._seen = {
            name: (float(np.nanmin(values[name])), float(np.nanmax(values[name])))
            for name in {*self.told, *(o for others in self.told.values() for o in others)}
        }
        self._grid = {name: _grid(ticked[name]) for name in dates}

    def taken(self, values: Arrays) -> Arrays:
        """Replace by steps the columns that are told so, and add those that hold no steps."""
        found = values | {name: values[name] - self._latest(name, values) for name in self.told}
        for name, alone in self.alone.items():
            found[name] = np.where(self._lacking(name, values), np.nan, found[name])
            found[alone] = values[name]
        return found

    def undone(self, values: Arrays, known: Arrays | None = None) -> Arrays:
        """Replace steps by values, none beyond those seen; put them in order.

        Parameters
        ----------
        values : dict of name to ndarray of shape (m,)
            As :meth:`taken` gives them. Of columns that are told so and as they are, the second
            says what is missing.
        known : dict of name to ndarray of shape (m,), optional
            What is known of the rows, NaN where missing. Missing values from which a known one
            is counted are moved until it stands where it does: an admission is the discharge
            less the stay.
        """
        # A moment is counted from a whole day: rounded later, the day could overtake it.
        found = values | {name: np.rint(values[name]) for name in self._days if name in values}
        moved = {name: np.zeros(len(v), bool) for name, v in found.items()}
        for name in self.told:
            latest, seen = self._latest(name, found), self._seen[name]
            found[name] = np.maximum(np.clip(found[name] + latest, *seen), latest)
            if name in self.alone:
                as_it_is = found.pop(self.alone[name])
                told_so = self._lacking(name, found) | np.isnan(as_it_is)
                found[name] = np.where(told_so, np.maximum(as_it_is, latest), found[name])
            if known is not None:
                self._put(name, found, known, moved)
        return self._in_order(found)

    def kept(self, table: Table) -> Table:
        """Put a rebuilt table, whose values were rounded, in order again."""
        table.frame = in_order(table.frame, table.schema)
        return table

    def _put(self, name: str, found: Arrays, known: Arrays, moved: dict[str, Bools]) -> None:
        """Put known values in, and move what is missing and what they are counted from."""
        stands = ~np.isnan(known[name])
        by = (known[name] - found[name]) * self._ticks[name]
        rows = stands & self._lacking(name, known)
        for other in self.told[name]:
            some = rows & np.isnan(known[other]) & ~moved[other]
            there = found[other] * self._ticks[other] + by
            grid = self._grid.get(other, 0.0)
            there = (np.floor(there / grid) * grid if grid else there) / self._ticks[other]
            found[other] = np.where(some, np.clip(there, *self._seen[other]), found[other])
            moved[other] |= some
        found[name] = np.where(stands, known[name], found[name])

    def _in_order(self, found: Arrays) -> Arrays:
        """Have two that are out of order change places."""
        same = {name: found[name] * ticks for name, ticks in self._ticks.items()}
        swapped = set()
        again = True
        while again:  # Ends: a change of places leaves fewer pairs out of order.
            again = False
            for a, b in self._pairs:
                broken = same[a] > same[b]
                if broken.any():
                    again = True
                    swapped |= {a, b}
                    low, high = same[b], same[a]
                    same[a] = np.where(broken, low, high)
                    same[b] = np.where(broken, high, low)
        return found | {name: same[name] / self._ticks[name] for name in swapped}

    def _lacking(self, name: str, values: Arrays) -> Bools:
        others = self.told[name]
        ticked = {other: values[other] * self._ticks[other] for other in others}
        return _lacks(ticked, others, self._short[name])

    def _latest(self, name: str, values: Arrays) -> NDArray[np.float64]:
        """Give what the steps of a column are counted from, in its unit."""
        latest = np.full(len(values[name]), np.nan)
        for other in self.told[name]:
            latest = np.fmax(latest, values[other] * self._ticks[other])
        return np.where(np.isnan(latest), self._start[name], latest) / self._ticks[name]


def _lacks(values: Arrays, others: list[str], short: list[str]) -> Bools:
    """Tell the rows in which no column that tells short steps is the largest of some."""
    latest = np.fmax.reduce([values[other] for other in others])
    if not short:
        return np.ones(len(latest), bool)
    near = np.fmax.reduce([values[other] for other in short])
    return ~(near >= latest)


def _fresh(name: str, taken: set[str]) -> str:
    """Name a column as no other is."""
    while name in taken:
        name += " as it is"
    return name


def _grid(values: NDArray[np.float64]) -> float:
    """Give the largest unit, in ticks, of which all values are multiples."""
    whole = values[~np.isnan(values)].astype(np.int64)
    return float(np.gcd.reduce(whole)) if len(whole) else 0.0


def _nearer(values: NDArray[np.float64], others: list[NDArray[np.float64]]) -> bool:
    """Tell whether steps from the largest of those before vary no more than the values do.

    Where one of those is missing a step goes further back, and says nothing of most: such rows
    count only if there are no others.
    """
    steps = values - np.maximum.reduce(others)
    if np.isnan(steps).all():
        steps = values - np.fmax.reduce(others)
    both = ~np.isnan(steps)
    return bool(steps[both].std() <= values[both].std()) if both.any() else True


def _often_equal(values: NDArray[np.float64], others: list[NDArray[np.float64]]) -> bool:
    """Tell whether a number often equals the largest of those before it."""
    latest = np.fmax.reduce(others)
    both = int((~np.isnan(values) & ~np.isnan(latest)).sum())
    return int((values == latest).sum()) >= _OFTEN_EQUAL * max(both, 1)
