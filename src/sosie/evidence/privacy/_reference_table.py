"""The table that users of the reference product know, with its targets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import spatial

from sosie.errors import DataError
from sosie.evidence._case import drawn
from sosie.evidence._finding import Finding, Verdict
from sosie.evidence._intervals import bootstrap, clopper_pearson
from sosie.evidence.privacy._avatar import hiding, lines_drawn, most_hidden
from sosie.evidence.privacy._factors import Factors
from sosie.evidence.privacy._guesses import inferences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._finding import Pair
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["ReferenceTable"]

_TARGETS = {
    "distance_to_closest": 0.2,
    "closest_distance_ratio": 0.3,
    "closest_rate": 90.0,
    "correlation_protection_rate": 95.0,
    "inference_categorical": 10.0,
    "inference_continuous": 10.0,
    "categorical_hidden_rate": 90.0,
    "column_direct_match_protection": 50.0,
    "row_direct_match_protection": 90.0,
}

_EXCHANGED = 32
"""Neighbours that stand for all persons when persons are exchanged."""

_RISK_QUANTILE = 0.05
_NUMBER_TOLERANCE = 0.05
_BINS = 20
_FEWEST = 5
"""Persons, or rows, below which no share is told."""


class ReferenceTable:
    r"""Rows of the table that the reference product publishes, in its units, with its targets.

    Distances are no evidence of anonymity, and these numbers decide nothing: each is held
    against the product's target, for readers who expect it. Higher is better throughout;
    rates are percents. Its code is closed: what its papers and clients do not say, below, is
    **our definition**.

    Space: first 5 factors of a FAMD of the original. :math:`d_1 \le d_2` are the distances of
    a synthetic row to the two nearest persons of the original.

    - ``distance_to_closest`` (> 0.2): median of :math:`d_1`. Its scale depends on the number
      of columns, and it falls as persons are more. ``detail`` compares like with like: as
      many persons of the original as of the control, histograms and medians. The p-value is
      that of the Kolmogorov-Smirnov statistic between these, by permutation of the persons.
    - ``closest_distance_ratio`` (> 0.3): median of :math:`d_1 / d_2`, 1 where :math:`d_2 = 0`.
    - ``closest_rate`` (> 90): percent of synthetic rows not at risk. Our definition of risk:
      neither :math:`d_1` nor :math:`d_1 / d_2` above the 5th percentile of the same among
      control persons, or, without a control, among persons of the original, each without
      himself.
    - ``correlation_protection_rate`` (> 95): :math:`100 (1 - \mathrm{round}(m (1 - h)) / n)`
      with :math:`m` the persons who are alone with their known columns and meet one single
      synthetic row there (labels equal, numbers within 5 % of the column's mean), and
      :math:`h` the tie-safe hidden rate; our definition without a linked table: :math:`h = 0`.
    - ``inference_categorical``, ``inference_continuous`` (> 10): error of who takes the value
      of the synthetic row nearest to a person in the factors of the other known columns:
      100 less accuracy; symmetric mean absolute percentage error. The column is the first secret
      of its sort where some were declared; else (ours) the one best inferred, against the
      guess of the commonest label or of the median. ``naive`` is that guess.
    - ``categorical_hidden_rate`` (> 90): hidden rate in the factors of the labels alone.
      Tie-safe, as everywhere here; ``detail`` gives the index rule of the product.
    - ``column_direct_match_protection`` (> 50), our definition: percent of the cells of persons
      that their own avatar does not have unchanged.
    - ``row_direct_match_protection`` (> 90), our definition: percent of persons whose own avatar
      is not their whole row.

    Persons and synthetic rows are drawn down to those attacked at this effort, and compared
    with at most as many as an attacker compares with. Intervals: bootstrap of the rows for
    medians and means, Clopper-Pearson for rates. ``control``: the same number with the
    persons of the control in the place of those of the original.

    References
    ----------
    .. [1] M. Guillaudeux et al., npj Digital Medicine 6, 37, 2023: hidden rate, local cloaking.
    .. [2] Y. Yao et al., "The DCR delusion: measuring the privacy risk of synthetic data",
       arXiv:2505.01524, 2025: why distances prove nothing.
    """

    name: ClassVar[str] = "reference_table"

    def run(self, case: Case) -> dict[str, Finding]:
        """Fill the table."""
        rng = case.rng(self.name)
        persons = drawn(case.original, case.effort.rows, rng)
        found = dict.fromkeys(_TARGETS, Finding(why_not="too_few"))
        try:
            factors = Factors().fit(persons)
        except DataError:  # nothing varies
            return found
        found |= _distances(case, factors, persons, rng)
        hidden = None
        if case.linked is None:
            for name in _LINKED:
                found[name] = Finding(why_not="no_linked")
        else:
            most = min(case.effort.persons, most_hidden(case))
            rows = lines_drawn(len(case.original), most, rng)
            everyone, avatars = factors.points(case.original), factors.points(case.linked)
            hidden = float(hiding(everyone, avatars, rows).hidden.mean())
            found["categorical_hidden_rate"] = _categorical_hidden(case, rows)
            found |= _direct_matches(case, rows, rng)
        found["correlation_protection_rate"] = _correlation_protection(case, hidden)
        for name, guessed in inferences(case, rng).items():
            found[name] = guessed
        return {name: _against(name, finding) for name, finding in found.items()}


_LINKED = (
    "categorical_hidden_rate",
    "column_direct_match_protection",
    "row_direct_match_protection",
)


def _against(name: str, found: Finding) -> Finding:
    """Hold a number against its target."""
    if found.value is None:
        return found
    verdict = Verdict.PASS if found.value > _TARGETS[name] else Verdict.FAIL
    told = {"target": _TARGETS[name], "better": "higher", "verdict": verdict}
    return found.model_copy(update=told)


def _distances(
    case: Case, factors: Factors, persons: People, rng: np.random.Generator
) -> dict[str, Finding]:
    made = factors.points(drawn(case.compared, case.effort.persons, rng))
    there = factors.points(persons)
    nearest, ratio = _two_nearest(made, there)
    median = partial(_median_interval, rng=rng, repeats=case.effort.repeats)
    told: dict[str, dict[str, Any]] = {
        "distance_to_closest": {"value": np.median(nearest), "ci": median(nearest)},
        "closest_distance_ratio": {"value": np.median(ratio), "ci": median(ratio)},
    }
    asked = drawn(persons if case.control is None else case.control, case.effort.persons, rng)
    if case.control is None:
        # Oneself is the nearest of all, at no distance.
        others = _two_nearest(factors.points(asked), there, beyond=1)
    else:
        population = drawn(case.control, case.effort.rows, rng)
        others = _two_nearest(factors.points(asked), there)
        theirs = _two_nearest(made, factors.points(population))
        told["distance_to_closest"] |= _like_with_like(
            made, there, factors.points(population), rng, case.effort.repeats
        ) | {"control": np.median(theirs[0]), "n_control": len(population)}
        told["closest_distance_ratio"] |= {
            "control": np.median(theirs[1]),
            "n_control": len(population),
        }
    limits = [float(np.quantile(values, _RISK_QUANTILE)) for values in others]
    safe = [
        (first > limits[0]) | (second > limits[1]) for first, second in ((nearest, ratio), others)
    ]
    told["closest_rate"] = _rate(safe[0])
    if case.control is not None:
        told["closest_rate"] |= {"control": 100 * safe[1].mean(), "n_control": len(asked)}
    return {name: Finding(**({"n": len(made)} | finding)) for name, finding in told.items()}


def _two_nearest(asked: Floats, rows: Floats, beyond: int = 0) -> tuple[Floats, Floats]:
    """Give the distance to the nearest row and its ratio to that of the second nearest.

    The ``beyond`` nearest are passed over.
    """
    found, _ = spatial.KDTree(rows).query(asked, [beyond + 1, beyond + 2], workers=-1)
    first, second = found.T
    return first, np.divide(first, second, out=np.ones(len(asked)), where=second > 0)


def _like_with_like(
    made: Floats, mine: Floats, theirs: Floats, rng: np.random.Generator, repeats: int
) -> dict[str, Any]:
    """Compare distances to as many persons of the original as of the control."""
    k = min(len(mine), len(theirs))
    chosen = [points[lines_drawn(len(points), k, rng)] for points in (mine, theirs)]
    sides = [spatial.KDTree(points).query(made, workers=-1)[0] for points in chosen]
    top = float(np.quantile(np.concatenate(sides), 0.99)) or 1.0
    edges = np.linspace(0, top, _BINS + 1)
    detail: dict[str, Any] = {"edges": edges.tolist()}
    for name, side in zip(("original", "control"), sides, strict=True):
        counts = np.histogram(np.minimum(side, top), edges)[0].tolist()  # the last bin is open
        detail[name] = [count / len(made) if count >= _FEWEST else None for count in counts]
        detail[f"median_{name}"] = float(np.median(side))
    detail["persons"] = k
    return {"detail": detail, "p_value": _exchanged(made, chosen[0], chosen[1], rng, repeats)}


def _exchanged(
    made: Floats, mine: Floats, theirs: Floats, rng: np.random.Generator, repeats: int
) -> float:
    """Test whether persons of the two tables, as many of each, could be exchanged.

    The statistic is that of Kolmogorov and Smirnov between the distances to the nearest of
    each. Its usual law does not hold: all distances lead to the same few persons, and are not
    independent. So persons are exchanged instead, which is exact. A row needs its nearest
    neighbours among all persons only: that 32 of them come from one table has
    probability 2^-32.
    """
    pool = np.concatenate([mine, theirs])
    near, places = spatial.KDTree(pool).query(made, min(_EXCHANGED, len(pool)), workers=-1)

    def statistic(of_mine: NDArray[np.bool_]) -> float:
        from_mine = of_mine[places]
        sides = []
        for taken in (from_mine, ~from_mine):
            first = np.where(taken.any(axis=1), taken.argmax(axis=1), taken.shape[1] - 1)
            sides.append(np.sort(near[np.arange(len(near)), first]))
        both = np.concatenate(sides)
        below = [np.searchsorted(side, both, "right") for side in sides]
        return float(np.abs(below[0] - below[1]).max() / len(near))

    labels = np.arange(len(pool)) < len(mine)
    seen = statistic(labels)
    as_far = sum(statistic(rng.permutation(labels)) >= seen for _ in range(repeats))
    return (1 + as_far) / (1 + repeats)


def _categorical_hidden(case: Case, rows: NDArray[np.intp]) -> Finding:
    labels = case.layout.labels
    if not labels:
        return Finding(why_not="no_label")
    persons = drawn(case.original, case.effort.rows, case.rng("categorical_hidden_rate"))
    try:
        factors = Factors().fit(persons, labels)
    except DataError:  # nothing varies
        return Finding(why_not="too_few")
    assert case.linked is not None
    found = hiding(factors.points(case.original), factors.points(case.linked), rows)
    detail = {"index_rule": 100 * float(found.hidden_by_index.mean())}
    return Finding(**_rate(found.hidden), detail=detail)


def _direct_matches(
    case: Case, rows: NDArray[np.intp], rng: np.random.Generator
) -> dict[str, Finding]:
    assert case.linked is not None
    changed = case.original.taken(rows).cells != case.linked.taken(rows).cells
    shares = 100 * changed.mean(axis=1)
    return {
        "column_direct_match_protection": Finding(
            value=float(shares.mean()),
            ci=_mean_interval(shares, rng, case.effort.repeats),
            n=len(rows),
        ),
        "row_direct_match_protection": Finding(**_rate(changed.any(axis=1))),
    }


def _correlation_protection(case: Case, hidden: float | None) -> Finding:
    known = tuple(name for name in case.layout.names if name in case.known)
    if not known:
        return Finding(why_not="no_known")
    tolerances = {
        name: _NUMBER_TOLERANCE * _mean_size(case.original.column(name))
        for name in known
        if case.layout.is_number(name)
    }
    rng, rates = case.rng("correlation_protection_rate"), []
    for people in (case.original, case.control):
        if people is not None:
            rows = lines_drawn(len(people), case.effort.persons, rng)
            met = _met_alone(people, rows, case.compared, known, tolerances)
            at_risk = round(float(met.sum()) * (1 - (hidden or 0)))
            rates.append(_rate(np.arange(len(rows)) >= at_risk))
    control = {"control": rates[1]["value"], "n_control": rates[1]["n"]} if len(rates) > 1 else {}
    return Finding(**rates[0], **control)


def _mean_size(values: NDArray[Any]) -> float:
    known = values[~np.isnan(values)]
    return abs(float(known.mean())) if len(known) else 0.0


def _met_alone(
    people: People,
    rows: NDArray[np.intp],
    made: People,
    known: tuple[str, ...],
    tolerances: dict[str, float],
) -> NDArray[np.bool_]:
    """Tell which rows are alone with the known columns and meet one single synthetic row."""
    whole = people.words(known).sum(axis=1)
    _, places, counts = np.unique(whole, return_inverse=True, return_counts=True)
    asked = people.taken(rows)

    # Synthetic rows with the labels of a person stand together.
    labels = [name for name in known if name not in tolerances]
    mine, theirs = (table.words(labels).sum(axis=1) for table in (asked, made))
    order = np.argsort(theirs)
    start = np.searchsorted(theirs[order], mine, "left")
    stop = np.searchsorted(theirs[order], mine, "right")
    numbers = made.taken(order)
    met = np.zeros(len(rows), np.bool_)
    for i in np.flatnonzero((counts[places[rows]] == 1) & (stop > start)):
        alike = np.ones(stop[i] - start[i], np.bool_)
        for name, tolerance in tolerances.items():
            value = asked.column(name)[i]
            other = numbers.column(name)[start[i] : stop[i]]
            alike &= np.isnan(other) if np.isnan(value) else np.abs(other - value) <= tolerance
        met[i] = alike.sum() == 1
    return met


def _rate(safe: NDArray[np.bool_]) -> dict[str, Any]:
    n, count = len(safe), int(safe.sum())
    low, high = clopper_pearson(count, n)
    return {"value": 100 * count / n, "ci": (100 * low, 100 * high), "n": n}


def _median_interval(values: Floats, rng: np.random.Generator, repeats: int) -> Pair:
    return bootstrap(lambda rows: float(np.median(values[rows])), len(values), rng, repeats)


def _mean_interval(values: Floats, rng: np.random.Generator, repeats: int) -> Pair:
    return bootstrap(lambda rows: float(values[rows].mean()), len(values), rng, repeats)
