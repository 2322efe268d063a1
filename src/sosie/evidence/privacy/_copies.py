"""Persons who are found again in the synthetic table, whole or nearly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sosie.evidence._case import drawn
from sosie.evidence._finding import Criterion, Finding, Verdict, decide
from sosie.evidence._intervals import clopper_pearson, difference_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._finding import Pair
    from sosie.evidence._people import People

    Words = NDArray[np.uint64]
    Found = NDArray[np.bool_]

__all__ = ["Copies"]

_MOST_NEAR = 100_000
"""Persons of each table for whom a near copy is looked for: one search a column."""

_FEWEST = 5
"""Persons below which neither a share nor a count is told."""


class Copies:
    """Share of persons whose row is found in the synthetic table, less that of control persons.

    - ``exact_copies``: the whole row, to nine significant digits; missing equals missing.
      All persons. No tolerance: any surplus over the control that is surely not chance
      fails, and copies where the control has none ask for attention.
    - ``unique_copies``: the same among persons whose row nobody else of the original has. No
      tolerance either. Whether a row is unique depends on how many persons there are: so a
      control person is looked for among as many as the original has, control persons and,
      where these are fewer, persons of the original drawn to make up the number.
    - ``near_copies``: all columns equal but at most one, for at most 100,000 persons;
      the tolerance is that of the case.
    - ``known_copies``: the combination of the known columns, among persons who alone have it,
      as above; the tolerance is that of the case. Not measured where every column is known,
      which is ``unique_copies``.

    The attacker holds the rows of his targets and looks them up. Where columns are few or
    coarse a synthetic row equals a person's by chance: as often a control person's. Without
    a control nothing tells the two apart, and any copy asks for attention.

    Interval of a share: Clopper-Pearson; of the difference: Newcombe. A row stands as the
    sum of 64-bit words of its cells, so that all columns, and all but one, cost one addition:
    two different rows collide with probability 2^-64 a pair.

    Examples
    --------
    >>> from sosie.evidence._case import Case
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age",), ("age",), {})
    >>> def people(ages):
    ...     return People(layout, np.array(ages)[:, None], np.empty((len(ages), 0), np.int32))
    >>> original, control = people(np.arange(100.0)), people(np.arange(100.0) + 0.5)
    >>> case = Case(original, people(np.arange(20.0)), control, None, ("age",), ("age",))
    >>> found = Copies().run(case)["exact_copies"]
    >>> found.value, found.control, found.verdict.value
    (0.2, 0.0, 'fail')
    """

    name: ClassVar[str] = "copies"

    def run(self, case: Case) -> dict[str, Finding]:
        """Look up every person, and every control person, in the whole synthetic table."""
        whole = _Rows.of(case, case.layout.names)
        found = {
            "exact_copies": _exact(whole),
            "near_copies": _near(case),
            "unique_copies": _unique(whole, case.rng("unique_copies"), None),
        }
        known = tuple(name for name in case.layout.names if name in case.known)
        if 0 < len(known) < len(case.layout.names):
            part = _Rows.of(case, known)
            found["known_copies"] = _unique(part, case.rng("known_copies"), case.threshold)
        else:
            found["known_copies"] = Finding(why_not="no_known")
        return found


@dataclass(frozen=True)
class _Rows:
    """The rows of three tables along some columns, each row as one word."""

    original: Words
    synthetic: Words
    """In increasing order."""
    control: Words | None

    @classmethod
    def of(cls, case: Case, names: tuple[str, ...]) -> _Rows:
        return cls(
            _summed(case.original, names),
            np.sort(_summed(case.synthetic, names)),
            None if case.control is None else _summed(case.control, names),
        )


def _exact(rows: _Rows) -> Finding:
    theirs = None if rows.control is None else _among(rows.control, rows.synthetic)
    return _judged(_among(rows.original, rows.synthetic), theirs, None)


def _unique(rows: _Rows, rng: np.random.Generator, tolerance: float | None) -> Finding:
    mine, control, theirs = rows.original, rows.control, None
    alone = mine[_alone(mine)]
    if len(alone) < _FEWEST:
        return Finding(why_not="too_few")
    if control is not None:
        if len(control) > len(mine):
            control = rng.choice(control, len(mine), replace=False)
        fill = rng.choice(mine, len(mine) - len(control), replace=False)
        control = control[_alone(np.concatenate([control, fill]))[: len(control)]]
        theirs = _among(control, rows.synthetic) if len(control) >= _FEWEST else None
    return _judged(_among(alone, rows.synthetic), theirs, tolerance)


def _near(case: Case) -> Finding:
    if len(case.layout.names) < 2:  # with one column everything is equal but for one
        return Finding(why_not="too_few")
    tables = [drawn(case.original, _MOST_NEAR, case.rng("near_copies original"))]
    if case.control is not None:
        tables.append(drawn(case.control, _MOST_NEAR, case.rng("near_copies control")))
    names = case.layout.names
    whole, sums = _summed(case.synthetic, names), [_summed(table, names) for table in tables]
    found = [np.zeros(len(table), np.bool_) for table in tables]
    for name in names:  # a sum less one column, modulo 2^64
        ranked = np.sort(whole - case.synthetic.words([name])[:, 0])
        for near, table, total in zip(found, tables, sums, strict=True):
            near |= _among(total - table.words([name])[:, 0], ranked)
    return _judged(found[0], found[1] if len(found) > 1 else None, case.threshold)


def _judged(mine: Found, theirs: Found | None, tolerance: float | None) -> Finding:
    """Compare the share found with that of the control; no tolerance where it is None."""
    copied, n = int(mine.sum()), len(mine)
    told: dict[str, Any] = {
        "value": copied / n,
        "ci": clopper_pearson(copied, n),
        "naive": 0.0,
        "target": tolerance or 0.0,
        "criterion": Criterion.SINGLING_OUT,
        "n": n,
        "detail": {"count": copied if copied == 0 or copied >= _FEWEST else None},
    }
    if theirs is None:
        verdict = Verdict.ATTENTION if copied else Verdict.PASS
        return Finding(verdict=verdict, **told)
    by_chance, m = int(theirs.sum()), len(theirs)
    difference = copied / n - by_chance / m
    interval = difference_interval(copied, n, by_chance, m)
    if tolerance is None:
        # Copies that no control person explains are a question, even where chance may.
        unexplained = Verdict.ATTENTION if copied and not by_chance else Verdict.PASS
        verdict = Verdict.FAIL if interval[0] > 0 else unexplained
    else:
        verdict = decide(difference, interval, tolerance)
    return Finding(
        control=by_chance / m,
        difference=difference,
        difference_ci=_ordered(interval),
        n_control=m,
        verdict=verdict,
        **told,
    )


def _ordered(interval: Pair) -> Pair:
    return min(interval), max(interval)


def _summed(people: People, names: tuple[str, ...]) -> Words:
    """Give one word a row, equal where rows are; column by column, which stays in the cache."""
    total = np.zeros(len(people), np.uint64)
    for name in names:
        total += people.words([name])[:, 0]
    return total


def _alone(rows: Words) -> Found:
    """Tell the rows that nobody else has."""
    order = np.argsort(rows)
    ranked = rows[order]
    differs = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    alone = np.empty(len(rows), np.bool_)
    alone[order] = differs[1:] & differs[:-1]
    return alone


def _among(asked: Words, ranked: Words) -> Found:
    """Tell which rows are among those of an ordered table."""
    # Asked in order, neighbours share their path through memory.
    order = np.argsort(asked)
    place = np.searchsorted(ranked, asked[order])
    found = np.empty(len(asked), np.bool_)
    found[order] = ranked[np.minimum(place, len(ranked) - 1)] == asked[order]
    return found
