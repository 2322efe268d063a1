"""Persons who are found again in the synthetic table, whole or nearly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sosie.evidence._finding import Criterion, Finding, Verdict, decide, magnified, surely, worst
from sosie.evidence._intervals import clopper_pearson, difference_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._finding import Pair
    from sosie.evidence._people import People

    Words = NDArray[np.uint64]
    Found = NDArray[np.bool_]

__all__ = ["Copies", "judged"]

_HAIR = 0.03
"""Distance below which two rows are one: labels equal, numbers within 3 % of a deviation."""

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
    - ``near_copies``: all columns equal but at most one, for the persons attacked; the
      tolerance is that of the case, but where the control surely has fewer, and none, they ask
      for attention.
    - ``moved_copies``: all labels equal, and all numbers together within 3 % of a standard
      deviation: rows to which a little noise was added. Persons and tolerance as above.
    - ``known_copies``: the combination of the known columns, among persons who alone have it,
      as above; the tolerance is that of the case. Not measured where every column is known,
      which is ``unique_copies``.

    The attacker holds the rows of his targets and looks them up. Where columns are few or
    coarse a synthetic row equals a person's by chance: as often a control person's. Without
    a control nothing tells the two apart, and any copy asks for attention.

    One to four copies are told as four, so that no small count is. Interval of a share:
    Clopper-Pearson; of the difference: Newcombe. A row stands as the
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
            "moved_copies": _moved(case),
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
    return judged(_among(rows.original, rows.synthetic), theirs, None)


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
    return judged(_among(alone, rows.synthetic), theirs, tolerance)


def _near(case: Case) -> Finding:
    if len(case.layout.names) < 2:  # with one column everything is equal but for one
        return Finding(why_not="too_few")
    tables = [table for table in case.attacked() if table is not None]
    names = case.layout.names
    whole, sums = _summed(case.synthetic, names), [_summed(table, names) for table in tables]
    found = [np.zeros(len(table), np.bool_) for table in tables]
    for name in names:  # a sum less one column, modulo 2^64
        ranked = np.sort(whole - case.synthetic.words([name])[:, 0])
        for near, table, total in zip(found, tables, sums, strict=True):
            near |= _among(total - table.words([name])[:, 0], ranked)
    return judged(found[0], found[1] if len(found) > 1 else None, case.threshold)


def _moved(case: Case) -> Finding:
    if not case.layout.numbers:
        return Finding(why_not="no_number")
    persons, control = case.near_synthetic
    theirs = None if control is None else control[:, 0] < _HAIR
    return magnified(judged(persons[:, 0] < _HAIR, theirs, case.threshold), case.visible_share)


def judged(mine: Found, theirs: Found | None, tolerance: float | None) -> Finding:
    """Compare the share found with that of the control.

    Where the control has none, chance is no explanation: what is surely more than none fails
    where nothing is tolerated, and what is found asks for attention. Where it has some, chance
    must make as much once in a hundred times at most, as for other attacks; up to one in forty
    it asks for attention.

    Parameters
    ----------
    mine, theirs : ndarray of bool
        Of every person, and of every control person, whether he is found.
    tolerance : float or None
        Difference that passes; None where no surplus does.
    """
    copied, n = int(mine.sum()), len(mine)
    shown = _shown(copied)
    told: dict[str, Any] = {
        "value": shown / n,
        "ci": clopper_pearson(shown, n),
        "naive": 0.0,
        "target": tolerance or 0.0,
        "criterion": Criterion.SINGLING_OUT,
        "n": n,
        "detail": {"count": None if 0 < copied < _FEWEST else copied},
    }
    if theirs is None:
        verdict = Verdict.ATTENTION if copied else Verdict.PASS
        return Finding(verdict=verdict, **told)
    by_chance, m = int(theirs.sum()), len(theirs)
    difference = copied / n - by_chance / m
    interval = difference_interval(copied, n, by_chance, m)
    verdict = _verdict(difference, interval, tolerance, unexplained=0 == by_chance < copied)
    by_chance = _shown(by_chance)
    return Finding(
        control=by_chance / m,
        difference=shown / n - by_chance / m,
        difference_ci=_ordered(difference_interval(shown, n, by_chance, m)),
        n_control=m,
        verdict=verdict,
        **told,
    )


def _verdict(
    difference: float, interval: Pair, tolerance: float | None, *, unexplained: bool
) -> Verdict:
    more = interval[0] > 0
    if tolerance is not None:
        found = decide(difference, interval, tolerance)
        return worst([found, Verdict.ATTENTION]) if unexplained and more else found
    if surely(difference, interval[0]) or (unexplained and more):
        return Verdict.FAIL
    return Verdict.ATTENTION if unexplained or more else Verdict.PASS


def _shown(count: int) -> int:
    """Give a count as it may be told: from one to four persons are told as four."""
    return count if count == 0 or count >= _FEWEST else _FEWEST - 1


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
