"""Membership: telling who was in the table that the generator saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import stats

from sosie.evidence._case import NEIGHBOURS, drawn
from sosie.evidence._finding import SURE, Criterion, Finding, Verdict, decide, magnified
from sosie.evidence._intervals import Interval, auc_interval, auc_of, clopper_pearson
from sosie.evidence._learners import probability_of
from sosie.evidence._space import nearest
from sosie.evidence.utility._shown import round_edges, shares_shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Membership"]

_ISOLATION_NEIGHBOURS = 5
_FEWEST = 10
"""Persons of a group, of either sort, below which nothing is said of it."""

_GROUPS = {"": 1.0, "_isolated": 0.05, "_most_isolated": 0.01}


class Membership:
    r"""Four attackers guess who was in the original; the strongest is reported.

    A person :math:`x` is the more likely a member, to

    - *nearest*: the nearer the nearest synthetic row, :math:`-d_1(x, S)`;
    - *ratio*: the nearer it is for a person of that region, :math:`d_1(x, R) / d_1(x, S)`;
    - *density*: the denser the synthetic table around, for that region,
      :math:`\bar d_{10}(x, R) / \bar d_{10}(x, S)` [1]_;
    - *classifier*: the more a boosted classifier of S against R takes it for synthetic.

    R, the attacker's reference, is half of the control while the other half is attacked, and
    in turn. Members and control persons are then told apart by their scores: AUC, and share of
    members found at a false positive rate of 1 and 0.1 %, over all and over those who stand
    farthest from their neighbours [2]_. As the strongest attack is chosen, its AUC is compared
    with the *maximum* over attacks when members and control are shuffled [3]_.

    References
    ----------
    .. [1] B. van Breugel et al., "Membership inference attacks against synthetic data through
       overfitting detection" (DOMIAS), AISTATS 2023.
    .. [2] M. Meeus et al., "Achilles' heels: vulnerable record identification in synthetic
       data publishing", ESORICS 2023.
    .. [3] J. Ward et al., "Synth-MIA", arXiv:2509.18014, 2025: no attack is always the
       strongest.
    """

    name: ClassVar[str] = "membership"

    def run(self, case: Case) -> dict[str, Finding]:
        """Attack members and control persons."""
        names = [f"membership_auc{group}" for group in _GROUPS]
        names[1:1] = ["membership_tpr_at_1", "membership_tpr_at_01"]
        if case.control is None:
            return {name: _not_measured("no_control") for name in names}
        members, others = case.attacked()
        assert others is not None
        rng = case.rng(self.name)
        inside, outside = self._scores(case, members, others, rng)
        isolation = _isolation(case, members, others)
        found: dict[str, Finding] = {}
        for group, share in _GROUPS.items():
            bar = np.quantile(isolation, 1 - share) if share < 1 else -np.inf
            chosen = isolation >= bar
            m = len(members)
            ours = {name: score[chosen[:m]] for name, score in inside.items()}
            theirs = {name: score[chosen[m:]] for name, score in outside.items()}
            found[f"membership_auc{group}"] = _of_auc(ours, theirs, case, rng)
            if not group:
                found["membership_tpr_at_1"] = _of_rate(ours, theirs, 0.01, case, rng)
                found["membership_tpr_at_01"] = _of_rate(ours, theirs, 0.001, case, rng)
        found["membership_auc"].detail |= {
            "distances": _histogram(-inside["nearest"], -outside["nearest"])
        }
        return {name: magnified(one, case.visible_share) for name, one in found.items()}

    def _scores(
        self, case: Case, members: People, others: People, rng: np.random.Generator
    ) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Give the scores of members and of control persons, by attack."""
        space, synthetic = case.space, case.compared
        near_members, near_others = case.near_synthetic
        assert near_others is not None
        parts = {
            "members": (space.points(members), np.arange(len(members)) % 2),
            "others": (space.points(others), np.arange(len(others)) % 2),
        }
        k = min(NEIGHBOURS, len(synthetic), len(others) // 2)
        to_synthetic = {"members": near_members[:, :k], "others": near_others[:, :k]}
        reference = [others.taken(np.flatnonzero(parts["others"][1] != half)) for half in (0, 1)]
        found: dict[str, dict[str, Floats]] = {}
        for who, (points, half) in parts.items():
            near = to_synthetic[who]
            ratio, density = np.empty(len(points)), np.empty(len(points))
            for fold in (0, 1):
                some = half == fold
                population = nearest(points[some], space.points(reference[fold]), k)[0]
                ratio[some] = _log_ratio(population[:, 0], near[some, 0])
                density[some] = _log_ratio(population.mean(axis=1), near[some].mean(axis=1))
            found[who] = {"nearest": -near[:, 0].astype(float), "ratio": ratio, "density": density}
        if case.effort.learners:
            self._classify(found, reference, synthetic, members, others, rng)
        return found["members"], found["others"]

    def _classify(
        self,
        found: dict[str, dict[str, Floats]],
        reference: list[People],
        synthetic: People,
        members: People,
        others: People,
        rng: np.random.Generator,
    ) -> None:
        for who, people in (("members", members), ("others", others)):
            found[who]["classifier"] = np.empty(len(people))
        for fold in (0, 1):
            made = drawn(synthetic, 2 * len(reference[fold]), rng)
            seed = int(rng.integers(2**31))
            for who, people in (("members", members), ("others", others)):
                some = np.flatnonzero(np.arange(len(people)) % 2 == fold)
                found[who]["classifier"][some] = probability_of(
                    made, reference[fold], people.taken(some), seed
                )


def _log_ratio(population: NDArray[np.float32], near: NDArray[np.float32]) -> Floats:
    """Give the log of a ratio of distances, either of which may be 0."""
    least = 1e-3
    return np.log(population.astype(float) + least) - np.log(near.astype(float) + least)


def _isolation(case: Case, members: People, others: People) -> NDArray[np.float32]:
    """Give the mean distance to the 5 nearest other persons."""
    everyone = case.space.points(members.with_(others))
    near, _ = nearest(everyone, everyone, _ISOLATION_NEIGHBOURS + 1)
    return near[:, 1:].mean(axis=1)


def _of_auc(
    ours: dict[str, Floats], theirs: dict[str, Floats], case: Case, rng: np.random.Generator
) -> Finding:
    m, n = len(next(iter(ours.values()))), len(next(iter(theirs.values())))
    if min(m, n) < _FEWEST:
        return _not_measured("too_few")
    areas = {name: auc_of(ours[name], theirs[name]) for name in ours}
    strongest = max(areas, key=areas.__getitem__)
    by_chance = _permuted(ours, theirs, case.effort.repeats, rng)
    expected = float(by_chance.mean())
    value = areas[strongest]
    interval = auc_interval(ours[strongest], theirs[strongest])
    p_value = (1 + int((by_chance >= value).sum())) / (1 + len(by_chance))
    shifted = (interval[0] - expected, interval[1] - expected)
    return Finding(
        value=value,
        ci=interval,
        control=expected,
        naive=0.5,
        difference=value - expected,
        difference_ci=shifted,
        target=case.threshold,
        verdict=_decided(value - expected, shifted, case.threshold, p_value),
        criterion=Criterion.MEMBERSHIP,
        n=m,
        n_control=n,
        p_value=p_value,
        detail={
            "attacks": {
                name: {"auc": area, "tpr_at_1": _rate(ours[name], theirs[name], 0.01)}
                for name, area in areas.items()
            },
            "strongest": strongest,
            "roc": _curve(ours[strongest], theirs[strongest]),
        },
    )


def _decided(difference: float, interval: Interval, threshold: float, p_value: float) -> Verdict:
    """Decide on the strongest of several attacks: chance is judged by the permutations."""
    if difference > threshold and p_value <= SURE:
        return Verdict.FAIL
    verdict = decide(difference, interval, threshold)
    return Verdict.ATTENTION if verdict is Verdict.FAIL else verdict


def _permuted(
    ours: dict[str, Floats], theirs: dict[str, Floats], repeats: int, rng: np.random.Generator
) -> Floats:
    """Give the largest AUC over attacks for members drawn at random, many times."""
    m = len(next(iter(ours.values())))
    ranks = np.stack([stats.rankdata(np.concatenate([ours[k], theirs[k]])) for k in ours])
    n = ranks.shape[1] - m
    found = np.empty(repeats)
    for i in range(repeats):
        drawn_ranks = ranks[:, rng.permutation(m + n)[:m]].sum(axis=1)
        found[i] = ((drawn_ranks - m * (m + 1) / 2) / (m * n)).max()
    return found


def _rate(ours: Floats, theirs: Floats, false_positives: float) -> float:
    """Give the share of members above the scores of all but a share of the others."""
    allowed = int(np.floor(false_positives * len(theirs)))
    bar = np.sort(theirs)[::-1][allowed]
    return float((ours > bar).mean())


def _of_rate(
    ours: dict[str, Floats],
    theirs: dict[str, Floats],
    false_positives: float,
    case: Case,
    rng: np.random.Generator,
) -> Finding:
    m, n = len(next(iter(ours.values()))), len(next(iter(theirs.values())))
    if n < 1 / false_positives:
        return _not_measured("too_few")
    rates = {name: _rate(ours[name], theirs[name], false_positives) for name in ours}
    strongest = max(rates, key=rates.__getitem__)
    value = rates[strongest]
    together = np.stack([np.concatenate([ours[name], theirs[name]]) for name in ours])
    by_chance = np.empty(case.effort.repeats)
    for i in range(len(by_chance)):
        order = rng.permutation(m + n)
        by_chance[i] = max(
            _rate(row[order[:m]], row[order[m:]], false_positives) for row in together
        )
    expected = float(by_chance.mean())
    low, high = clopper_pearson(round(value * m), m)
    # Where the bar stands depends on few control persons: their chance is that of permutations.
    spread = float(np.quantile(by_chance, 0.975) - expected)
    shifted = (
        value - expected - float(np.hypot(value - low, spread)),
        value - expected + float(np.hypot(high - value, spread)),
    )
    p_value = (1 + int((by_chance >= value).sum())) / (1 + len(by_chance))
    return Finding(
        value=value,
        ci=(low, high),
        control=expected,
        naive=false_positives,
        difference=value - expected,
        difference_ci=shifted,
        target=case.threshold,
        verdict=_decided(value - expected, shifted, case.threshold, p_value),
        criterion=Criterion.MEMBERSHIP,
        n=m,
        n_control=n,
        p_value=p_value,
        detail={"attacks": rates, "strongest": strongest},
    )


def _curve(ours: Floats, theirs: Floats, points: int = 51) -> dict[str, list[float]]:
    """Give the ROC curve at equally spaced false positive rates."""
    grid = np.linspace(0, 1, points)
    bars = np.quantile(theirs, 1 - grid)
    found = [(float((ours > bar).mean()), float((ours >= bar).mean())) for bar in bars]
    tpr = [(above + at_least) / 2 for above, at_least in found]
    tpr[0], tpr[-1] = found[0][0], 1.0
    return {"fpr": grid.tolist(), "tpr": np.maximum.accumulate(tpr).tolist()}


def _histogram(inside: Floats, outside: Floats, bins: int = 30) -> dict[str, Any]:
    """Give the shares of persons by distance; those of fewer than 5 persons are not told."""
    edges = np.array(round_edges(0.0, float(np.quantile(inside, 0.98)) or 1.0, bins))
    shares = {}
    for name, values in (("original", inside), ("control", outside)):
        counts = np.histogram(np.minimum(values, edges[-1]), edges)[0]
        shares[name] = shares_shown(counts, len(values))
    return {"edges": edges.tolist(), **shares}


def _not_measured(why: str) -> Finding:
    return Finding(why_not=why, criterion=Criterion.MEMBERSHIP)
