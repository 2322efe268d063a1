"""Inference as the reference product measures it: from the nearest avatar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import spatial

from sosie.errors import DataError
from sosie.evidence._case import drawn
from sosie.evidence._finding import Finding
from sosie.evidence._intervals import bootstrap, clopper_pearson
from sosie.evidence.privacy._factors import Factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import Floats, People

__all__ = ["inferences"]

_MOST_TRIED = 30
"""Columns among which the one best inferred is looked for."""


def inferences(case: Case, rng: np.random.Generator) -> dict[str, Finding]:
    """Measure ``inference_categorical`` and ``inference_continuous``, without their targets.

    See `ReferenceTable`. Only persons whose value is known are guessed, and only synthetic
    rows that have a value are looked at. Dates are guessed where they were declared secret
    only: percents of a day count since 1970 mean nothing.
    """
    made = case.compared
    tables = [drawn(case.original, case.effort.persons, rng)]
    if case.control is not None:
        tables.append(drawn(case.control, case.effort.persons, rng))
    layout, found = case.layout, {}
    declared = () if set(case.secrets) >= set(layout.names) else case.secrets
    for name, numeric in (("inference_categorical", False), ("inference_continuous", True)):
        columns = [c for c in layout.names if layout.is_number(c) == numeric]
        secret = next((c for c in columns if c in declared), None)
        if secret is None:
            columns = [c for c in columns if c not in layout.dates]
            secret = _best_inferred(case, tables[0], made, columns[:_MOST_TRIED])
        if secret is None:
            why = ("no_number" if numeric else "no_label") if not columns else "too_few"
            found[name] = Finding(why_not=why)
            continue
        found[name] = _guessed(case, secret, tables, made, rng)
    return found


def _guessed(
    case: Case, secret: str, tables: list[People], made: People, rng: np.random.Generator
) -> Finding:
    known = tuple(c for c in case.layout.names if c in case.known and c != secret)
    if not known:
        return Finding(why_not="no_known")
    rows = np.flatnonzero(~made.missing(secret))
    persons = [table.taken(np.flatnonzero(~table.missing(secret))) for table in tables]
    if not len(rows) or not len(persons[0]):
        return Finding(why_not="too_few")
    try:
        factors = Factors(min(5, len(known))).fit(made, known)
    except DataError:  # the known columns do not vary among synthetic rows
        return Finding(why_not="too_few")
    errors = _errors(secret, persons, made.taken(rows), factors)
    mine = errors.by_table[0]
    numeric, n = case.layout.is_number(secret), len(mine)
    if numeric:
        interval = bootstrap(lambda r: float(mine[r].mean()), n, rng, case.effort.repeats)
    else:
        low, high = clopper_pearson(round(float(mine.sum()) / 100), n)
        interval = 100 * low, 100 * high
    control = errors.by_table[1] if len(errors.by_table) > 1 else np.empty(0)
    return Finding(
        value=float(mine.mean()),
        ci=interval,
        control=float(control.mean()) if len(control) else None,
        naive=errors.naive,
        n=n,
        n_control=len(control) or None,
        detail={"column": secret},
    )


@dataclass(frozen=True)
class _Errors:
    by_table: list[Floats]
    """Error of the guess for each person, 0 to 100, or to 200 for numbers."""
    naive: float
    """Mean error of the guess that needs no neighbour, for the persons of the first table."""

    @property
    def gained(self) -> float:
        return self.naive - float(self.by_table[0].mean())


def _errors(
    secret: str,
    persons: list[People],
    made: People,
    factors: Factors,
    without: str | None = None,
) -> _Errors:
    tree = spatial.KDTree(factors.points(made, without))
    values, by_table = made.column(secret), []
    error = _percentage_error if made.layout.is_number(secret) else _miss
    for table in persons:
        _, places = tree.query(factors.points(table, without), workers=-1)
        by_table.append(error(values[places], table.column(secret)))
    truth = persons[0].column(secret)
    guess = np.median(truth) if made.layout.is_number(secret) else np.bincount(truth).argmax()
    return _Errors(by_table, float(error(np.full(len(truth), guess), truth).mean()))


def _best_inferred(case: Case, persons: People, made: People, columns: list[str]) -> str | None:
    """Find the column where the nearest row most improves on the naive guess.

    For this choice alone the factors are fitted once, on all columns, and what a column adds
    to them is taken away when it is guessed.
    """
    used = [c for c in case.layout.names if c in case.known or c in columns]
    try:
        factors = Factors(min(5, len(used))).fit(made, used)
    except DataError:  # nothing varies
        return None
    gained: dict[str, float] = {}
    for column in columns:
        rows = np.flatnonzero(~made.missing(column))
        asked = persons.taken(np.flatnonzero(~persons.missing(column)))
        if len(rows) and len(asked):
            gained[column] = _errors(column, [asked], made.taken(rows), factors, column).gained
    return max(gained, key=lambda column: gained[column]) if gained else None


def _percentage_error(guess: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """Symmetric percentage error, 0 to 200; nothing for 0 guessed as 0."""
    size = np.abs(guess) + np.abs(truth)
    return np.divide(200 * np.abs(guess - truth), size, out=np.zeros(len(truth)), where=size > 0)


def _miss(guess: NDArray[Any], truth: NDArray[Any]) -> Floats:
    return 100.0 * (guess != truth)
