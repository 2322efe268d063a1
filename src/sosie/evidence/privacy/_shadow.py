"""Shadow models: the same generator, fitted with and without the most exposed persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sosie.evidence._finding import SURE, Criterion, Finding, Verdict
from sosie.evidence._intervals import auc_of, bootstrap, clopper_pearson
from sosie.evidence._space import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]
    Maker = Callable[[NDArray[np.intp], int], People]

__all__ = ["ShadowMembership"]

_PERSONS = 20
_FITS = {"quick": 16, "standard": 32, "thorough": 128}
_NEAR = 10


class ShadowMembership:
    r"""Was this person in the table? Asked of the 20 who stand farthest from the others.

    The attacker has the generator and the rows of everybody else. He fits it again and again,
    each of the 20 persons in or out at random, and learns from half of the fits how the
    distances from a person to the nearest and to the ten nearest synthetic rows differ between
    in and out (a naive Bayes likelihood ratio of Gaussians, one a person). On the other half of
    the fits he guesses; the AUC over all persons and fits is reported.

    The guess that was best on the first half gives, by exact intervals of its true and false
    positive rates on the second, a lower bound of the :math:`\varepsilon` of differential
    privacy that the generator could claim: :math:`\log(TPR_{low} / FPR_{high})`. The generator
    fails if that bound is above 0 and the advantage above the threshold; an advantage seen in
    the AUC alone asks for attention. Seeing nothing on 20 persons is a pass, not a proof.

    References
    ----------
    .. [1] F. Houssiau et al., "TAPAS: a toolbox for adversarial privacy auditing of synthetic
       data", 2022.
    .. [2] N. Carlini et al., "Membership inference attacks from first principles", IEEE S&P
       2022: fits shared by all targets.
    .. [3] M. Jagielski, J. Ullman, A. Oprea, "Auditing differentially private machine
       learning", NeurIPS 2020.
    """

    name: ClassVar[str] = "shadow_membership"

    def __init__(self, make: Maker, fits: int) -> None:
        self.make = make
        self.fits = fits

    @staticmethod
    def fits_of(effort: str) -> int:
        """Give the number of fits of an effort."""
        return _FITS[effort]

    def run(
        self, case: Case, progress: Callable[[float], None] | None = None
    ) -> dict[str, Finding]:
        """Attack the most isolated persons of the original."""
        rng = case.rng(self.name)
        points = case.space.points(case.original)
        near, _ = nearest(points, points, 6)
        chosen = np.argsort(-near[:, 1:].mean(axis=1), kind="stable")[:_PERSONS]
        everyone = np.arange(len(case.original))
        members = rng.random((self.fits, len(chosen))) < 0.5
        scores = np.empty((self.fits, len(chosen), 2))
        for fit in range(self.fits):
            out = chosen[~members[fit]]
            made = self.make(np.setdiff1d(everyone, out), int(rng.integers(2**31)))
            distance, _ = nearest(points[chosen], case.space.points(made), _NEAR)
            scores[fit, :, 0] = np.log(distance[:, 0] + 1e-3)
            scores[fit, :, 1] = np.log(distance.mean(axis=1) + 1e-3)
            if progress:
                progress((fit + 1) / self.fits)
        return {self.name: _finding(scores, members, case, rng)}


def _finding(
    scores: Floats, members: NDArray[np.bool_], case: Case, rng: np.random.Generator
) -> Finding:
    half = len(scores) // 2
    guesses = _ratios(scores[:half], members[:half], scores[half:])
    truth = members[half:]
    value = auc_of(guesses[truth], guesses[~truth])

    def area(fits: NDArray[np.intp]) -> float:
        some, inside = guesses[fits], truth[fits]
        return auc_of(some[inside], some[~inside])

    interval = bootstrap(area, len(truth), rng, case.effort.repeats)
    by_chance = np.array(
        [_shuffled_area(guesses, truth, rng) for _ in range(max(case.effort.repeats, 200))]
    )
    p_value = (1 + int((by_chance >= value).sum())) / (1 + len(by_chance))
    learned = _ratios(scores[:half], members[:half], scores[:half])
    bar = _best_bar(learned, members[:half])
    tpr, fpr = float((guesses[truth] > bar).mean()), float((guesses[~truth] > bar).mean())
    low, _ = clopper_pearson(int((guesses[truth] > bar).sum()), int(truth.sum()))
    _, high = clopper_pearson(int((guesses[~truth] > bar).sum()), int((~truth).sum()))
    epsilon = max(0.0, float(np.log(max(low, 1e-12) / max(high, 1e-12))))
    verdict = Verdict.PASS
    if value - 0.5 > case.threshold and p_value <= SURE:
        verdict = Verdict.FAIL if epsilon > 0 else Verdict.ATTENTION
    return Finding(
        value=value,
        ci=(min(interval[0], value), max(interval[1], value)),
        control=0.5,
        naive=0.5,
        difference=value - 0.5,
        difference_ci=(interval[0] - 0.5, interval[1] - 0.5),
        target=case.threshold,
        verdict=verdict,
        criterion=Criterion.MEMBERSHIP,
        n=guesses.size,
        p_value=p_value,
        detail={
            "persons": members.shape[1],
            "fits": len(scores),
            "tpr": tpr,
            "fpr": fpr,
            "epsilon_at_least": epsilon,
        },
    )


def _ratios(scores: Floats, members: NDArray[np.bool_], tried: Floats) -> Floats:
    """Give log likelihood ratios, learned for each person: (fits tried, persons)."""
    found = np.zeros(tried.shape[:2])
    for person in range(scores.shape[1]):
        inside = members[:, person]
        if min(inside.sum(), (~inside).sum()) < 2:
            continue
        one, other = scores[inside, person], scores[~inside, person]
        spread = np.sqrt((one.var(axis=0) + other.var(axis=0)) / 2) + 0.05
        for mean, sign in ((one.mean(axis=0), 1), (other.mean(axis=0), -1)):
            found[:, person] -= sign * (((tried[:, person] - mean) / spread) ** 2).sum(axis=1) / 2
    return found


def _shuffled_area(guesses: Floats, truth: NDArray[np.bool_], rng: np.random.Generator) -> float:
    """Give the AUC when each person is in or out of other fits, as many."""
    shuffled = rng.permuted(truth, axis=0)
    return auc_of(guesses[shuffled], guesses[~shuffled])


def _best_bar(guesses: Floats, truth: NDArray[np.bool_]) -> float:
    """Give the bar above which the bound on epsilon is highest."""
    bars = np.quantile(guesses, np.linspace(0.3, 0.95, 14))

    def bound(bar: float) -> float:
        low, _ = clopper_pearson(int((guesses[truth] > bar).sum()), int(truth.sum()))
        _, high = clopper_pearson(int((guesses[~truth] > bar).sum()), int((~truth).sum()))
        return low / max(high, 1e-12)

    return float(max(bars, key=bound))
