"""Singling out: a description that fits one person only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from sosie.evidence._case import drawn
from sosie.evidence._finding import Criterion, Finding, Verdict, decide, magnified
from sosie.evidence._intervals import Interval, difference_interval, wilson
from sosie.evidence._space import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Rows = NDArray[np.intp]

__all__ = ["SinglingOut"]

_SIZES = (1, 2, 3, 4)
_PATIENCE = 10
"""Candidates tried for each predicate wanted."""

_HANDS_A_ROW = 4
_PERSONS_A_PREDICATE = 3
_PERSONS = 50_000


class _Test(NamedTuple):
    """One part of a predicate: a column equals, is at most, or is at least a value."""

    name: str
    sign: str
    value: float


class _Index:
    """Rows sorted along each column, so that those who pass a test are one run of them."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._values: dict[str, NDArray[np.float64]] = {}
        self._order: dict[str, Rows] = {}
        self._sorted: dict[str, NDArray[np.float64]] = {}
        self._known: dict[str, int] = {}
        for name in people.layout.names:
            missing = people.missing(name)
            values = np.where(missing, np.inf, people.column(name)).astype(np.float64)
            order = np.argsort(values, kind="stable")
            self._values[name], self._order[name] = values, order
            self._sorted[name] = values[order]
            self._known[name] = len(values) - int(missing.sum())  # the missing stand last

    def __len__(self) -> int:
        return len(self.people)

    def test(self, name: str, row: int, middle: dict[str, tuple[float, float]]) -> _Test:
        """Give the test of a column that a row passes and says most about it."""
        value = float(self._values[name][row])
        if value == np.inf:
            return _Test(name, "missing", 0.0)
        if name not in middle:
            return _Test(name, "==", value)
        median, step = middle[name]
        # A row that was moved a little from a person must still tell of that person.
        return (
            _Test(name, ">=", value - step) if value > median else _Test(name, "<=", value + step)
        )

    def _run(self, test: _Test) -> tuple[int, int]:
        ordered = self._sorted[test.name]
        known = self._known[test.name]
        if test.sign == "missing":
            return known, len(ordered)
        if test.sign == "<=":
            return 0, int(ordered.searchsorted(test.value, side="right"))
        low = int(ordered.searchsorted(test.value))
        if test.sign == ">=":
            return low, known
        return low, int(ordered.searchsorted(test.value, side="right"))

    def rows(self, predicate: Predicate) -> Rows:
        """Give the rows that fulfil a predicate."""
        runs = sorted(
            ((self._run(test), test) for test in predicate), key=lambda x: x[0][1] - x[0][0]
        )
        (low, high), first = runs[0]
        rows = self._order[first.name][low:high]
        for _, test in runs[1:]:
            if not len(rows):
                break
            values = self._values[test.name][rows]
            if test.sign == "missing":
                rows = rows[values == np.inf]
            elif test.sign == "==":
                rows = rows[values == test.value]
            elif test.sign == "<=":
                rows = rows[values <= test.value]
            else:
                rows = rows[(values >= test.value) & (values < np.inf)]
        return rows


Predicate = tuple[_Test, ...]
Described = dict[Predicate, int]
"""Predicates, and the synthetic row that each describes."""


class SinglingOut:
    r"""Descriptions that single out one synthetic row, tried on persons.

    The attacker looks for predicates of 1 to 4 columns that exactly one synthetic row
    fulfils: a label, or a number at least (at most) that of the row where it stands above
    (below) the median; for one column alone also the only row with a value. An attack succeeds
    if exactly one person of the original fits. Columns are drawn in turn, so that no
    rare-valued column makes most of the predicates, and half of the rows described are the
    tenth that stand farthest from their neighbours: outliers, as the CNIL asks.

    A predicate fits one of the n persons of a population by chance too, so the same predicates
    are tried on as many control persons. The naive attacker combines values of the columns
    drawn independently of each other.

    References
    ----------
    .. [1] M. Giomi et al., "A unified framework for quantifying privacy risk in synthetic
       data", PETS 2023, section 4.1.
    .. [2] A. Cohen, K. Nissim, "Towards formalizing the GDPR's notion of singling out",
       PNAS 117(15), 2020.
    .. [3] CNIL, letter on Anonymeter, 13 February 2023.
    """

    name: ClassVar[str] = "singling_out"

    def run(self, case: Case) -> dict[str, Finding]:
        """Attack with predicates of one column, and of two to four."""
        rng = case.rng(self.name)
        most = _PERSONS if case.control is None else min(_PERSONS, len(case.control))
        persons = drawn(case.original, most, rng)
        control = None if case.control is None else drawn(case.control, len(persons), rng)
        synthetic = drawn(case.compared, _PERSONS, rng)
        index, middle = _Index(synthetic), _middle(synthetic)
        outliers = _outliers(case, synthetic)
        predicates: dict[int, Described] = {}
        naive: dict[int, list[Predicate]] = {}
        # More predicates than that would single out the same few persons again and again.
        wanted = min(case.effort.attacks, len(persons) // _PERSONS_A_PREDICATE)
        for size in _SIZES:
            if size <= len(synthetic.layout.names):
                predicates[size] = _found(index, size, wanted, middle, outliers, rng)
                n = len(predicates[size])
                naive[size] = _independent(index, size, n, middle, rng)
        tried, tried_control = _Index(persons), None if control is None else _Index(control)
        several = [size for size in predicates if size > 1]
        found = {
            "singling_out_univariate": _finding([1], predicates, naive, tried, tried_control, case),
            "singling_out_multivariate": _finding(
                several, predicates, naive, tried, tried_control, case
            ),
        }
        # As many persons as control persons are asked: whom a row tells of may not be among them.
        share = len(persons) / len(case.original)
        return {name: magnified(one, share) for name, one in found.items()}


def _middle(people: People) -> dict[str, tuple[float, float]]:
    """Give the median of each number, and a step too small to matter: 1 % of its spread."""
    found = {}
    for name in people.layout.numbers:
        known = people.column(name)[~people.missing(name)]
        found[name] = (float(np.median(known)), 0.01 * float(known.std())) if len(known) else (0, 0)
    return found


def _outliers(case: Case, synthetic: People) -> Rows:
    """Give the tenth of rows whose nearest neighbours are the farthest."""
    points = case.space.points(drawn(synthetic, 5_000, case.rng("outliers")))
    rows = case.space.points(synthetic)
    near, _ = nearest(rows, points, 3)
    distance = near[:, 1:].mean(axis=1)
    return np.argsort(-distance, kind="stable")[: max(10, len(rows) // 10)]


def _turns(names: list[str], size: int, rng: np.random.Generator) -> list[list[str]]:
    """Deal columns in hands of ``size`` distinct ones, each as often as the others."""
    shuffled = [names[i] for i in rng.permutation(len(names))]
    twice = shuffled + [names[i] for i in rng.permutation(len(names))]
    hands = [list(dict.fromkeys(twice[i : i + size])) for i in range(0, len(names), size)]
    for hand in hands:
        spare = [name for name in shuffled if name not in hand]
        hand.extend(spare[: size - len(hand)])
    return hands


def _found(
    synthetic: _Index,
    size: int,
    wanted: int,
    middle: dict[str, tuple[float, float]],
    outliers: Rows,
    rng: np.random.Generator,
) -> Described:
    """Find predicates of ``size`` columns that exactly one synthetic row fulfils."""
    names = list(synthetic.people.layout.names)
    found: Described = {}
    if size == 1:
        for name in names:
            found |= _alone(synthetic.people, name)
        listed = list(found)
        return {listed[i]: found[listed[i]] for i in rng.permutation(len(found))[:wanted]}
    # No column makes more than its share of the predicates, no row is described twice.
    share = max(2, 3 * wanted * size // max(len(names), 1))
    used = dict.fromkeys(names, 0)
    hands: list[list[str]] = []
    tried = 0
    for row in _alternating(outliers, len(synthetic), rng):
        for _ in range(_HANDS_A_ROW):
            tried += 1
            hands = hands or _turns(names, size, rng)
            hand = hands.pop()
            if max(used[name] for name in hand) >= share:
                continue
            predicate = tuple(synthetic.test(name, row, middle) for name in hand)
            if predicate not in found and len(synthetic.rows(predicate)) == 1:
                found[predicate] = row
                for name in hand:
                    used[name] += 1
                break
        if len(found) == wanted or tried > _PATIENCE * wanted:
            break
    return found


def _alternating(outliers: Rows, n: int, rng: np.random.Generator) -> list[int]:
    """Give distinct rows: an outlier, then any row, and so on."""
    far = rng.permutation(outliers).tolist()
    any_row = rng.permutation(n).tolist()
    mixed = [row for pair in zip(far, any_row, strict=False) for row in pair]
    return list(dict.fromkeys(mixed + any_row))


def _alone(synthetic: People, name: str) -> Described:
    """Give the predicates of one column that one row fulfils: single values, both ends."""
    values = synthetic.column(name)
    known = np.flatnonzero(~synthetic.missing(name))
    distinct, first, counts = np.unique(values[known], return_index=True, return_counts=True)
    rows = known[first]
    found: Described = {
        (_Test(name, "==", float(distinct[i])),): int(rows[i])
        for i in np.flatnonzero(counts == 1)[:200]
    }
    if synthetic.layout.is_number(name) and len(distinct) > 1:
        for end, sign in ((0, "<="), (-1, ">=")):
            if counts[end] == 1:
                found[_Test(name, sign, float(distinct[end])),] = int(rows[end])
    missing = np.flatnonzero(synthetic.missing(name))
    if len(missing) == 1:
        found[_Test(name, "missing", 0.0),] = int(missing[0])
    return found


def _independent(
    synthetic: _Index,
    size: int,
    wanted: int,
    middle: dict[str, tuple[float, float]],
    rng: np.random.Generator,
) -> list[Predicate]:
    """Combine values of different rows: what margins alone would teach."""
    found: list[Predicate] = []
    while len(found) < wanted:
        for hand in _turns(list(synthetic.people.layout.names), size, rng):
            rows = rng.integers(0, len(synthetic), len(hand)).tolist()
            pairs = zip(hand, rows, strict=True)
            found.append(tuple(synthetic.test(name, row, middle) for name, row in pairs))
    return found[:wanted]


def _singled(index: _Index | None, predicates: list[Predicate]) -> Rows:
    """Give the person whom each predicate singles out, -1 where there is none."""
    if index is None:
        return np.empty(0, np.intp)
    found = [index.rows(predicate) for predicate in predicates]
    return np.array([rows[0] if len(rows) == 1 else -1 for rows in found], np.intp)


def _finding(
    sizes: list[int],
    predicates: dict[int, Described],
    naive: dict[int, list[Predicate]],
    persons: _Index,
    control: _Index | None,
    case: Case,
) -> Finding:
    """Compare the successes on persons with those on control persons and of a naive attacker."""
    tried = [predicate for size in sizes for predicate in predicates.get(size, {})]
    if len(tried) < 10:
        return Finding(why_not="too_few", criterion=Criterion.SINGLING_OUT)
    singled, singled_control = _singled(persons, tried), _singled(control, tried)
    hits, hits_control = singled >= 0, singled_control >= 0
    guesses = [predicate for size in sizes for predicate in naive.get(size, [])]
    hits_naive = _singled(persons, guesses) >= 0
    n, k = len(tried), int(hits.sum())
    by_size, place = {}, 0
    for size in sizes:
        some = slice(place, place + len(predicates.get(size, {})))
        place = some.stop
        if some.stop > some.start:
            by_size[str(size)] = {
                "value": float(np.mean(hits[some])),
                "control": float(np.mean(hits_control[some])) if control is not None else None,
                "naive": float(np.mean(hits_naive[some])) if len(hits_naive[some]) else None,
                "n": some.stop - some.start,
            }
    drivers: dict[str, int] = {}
    for predicate, hit in zip(tried, hits, strict=True):
        for test in predicate if hit else ():
            drivers[test.name] = drivers.get(test.name, 0) + 1
    total = max(sum(drivers.values()), 1)
    found = Finding(
        value=k / n,
        ci=wilson(k, n),
        naive=float(np.mean(hits_naive)) if len(hits_naive) else 0.0,
        target=case.threshold,
        verdict=Verdict.ATTENTION,
        criterion=Criterion.SINGLING_OUT,
        n=n,
        detail={
            "by_size": by_size,
            "columns": {
                name: count / total for name, count in sorted(drivers.items(), key=lambda x: -x[1])
            },
        },
    )
    if control is None:
        return found
    j = int(hits_control.sum())
    difference = (k - j) / n
    interval = _wider(difference, difference_interval(k, n, j, n), [singled, singled_control])
    return found.model_copy(
        update={
            "control": j / n,
            "difference": difference,
            "difference_ci": interval,
            "n_control": n,
            "verdict": decide(difference, interval, case.threshold),
        }
    )


def _wider(difference: float, interval: Interval, singled: list[Rows]) -> Interval:
    """Widen an interval where the same persons are singled out again and again.

    That a person is in a table, or not, wins or loses all the predicates that fit that person.
    """
    times = [np.bincount(rows[rows >= 0]) for rows in singled]
    half = 1.96 * float(np.sqrt(sum(float((t**2.0).sum()) for t in times))) / len(singled[0])
    return min(interval[0], difference - half), max(interval[1], difference + half)
