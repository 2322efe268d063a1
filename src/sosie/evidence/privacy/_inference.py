"""Attribute inference: learning what a person did not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._case import drawn
from sosie.evidence._finding import Criterion, Finding, Verdict, decide, magnified
from sosie.evidence._intervals import difference_interval, wilson
from sosie.evidence._learners import boosted, features
from sosie.evidence._space import nearest_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Flags = NDArray[np.bool_]
    Attacker = Callable[[Case, str, list[str], People, list[People], int], list[NDArray[Any]]]

__all__ = ["AttributeInference"]

_TOLERANCE = 0.1
"""A number is found when it is this near, in interquartile ranges of the synthetic table."""

_LEARNT_ON = 4_000
_FEWEST = 20
_CLASSES = 6
"""Labels told apart by boosted trees; the rarer ones are never guessed."""


class AttributeInference:
    r"""The attacker knows a person's other columns and guesses a secret one.

    For each secret two attackers answer: the secret of the *nearest* synthetic row by the known
    columns, and *boosted* trees that learned the secret on the synthetic table. A label is found
    when guessed, a number within a tenth of the interquartile range. Missing secrets are not
    attacked; a known cell that is missing is missing for the attacker too.

    What is found of control persons, whom the generator never saw, is what the population
    teaches: only the difference is a leak. Two more baselines: the best constant guess, and
    the same attacker who learned on control persons instead of the synthetic table. The
    interval is widened for the number of attacks (Bonferroni), as the largest difference is
    the one reported; to pass, every single attack must, each at 95 %, and every secret must have
    been attacked.

    References
    ----------
    .. [1] M. Giomi et al., "A unified framework for quantifying privacy risk in synthetic
       data", PETS 2023, section 4.3.
    .. [2] M. S. M. S. Annamalai, A. Gadotti, L. Rocher, "A linear reconstruction approach for
       attribute inference attacks against synthetic data", USENIX Security 2024.
    """

    name: ClassVar[str] = "attribute_inference"

    def run(self, case: Case) -> dict[str, Finding]:
        """Attack every secret in turn."""
        persons, control = case.attacked()
        synthetic = case.compared
        found: list[dict[str, Any]] = []
        attackers = 1 + case.effort.learners
        level = 1 - 0.05 / max(attackers * len(case.secrets), 1)
        for secret in case.secrets:
            known = [name for name in case.known if name != secret]
            if known:
                found += _attacked(case, secret, known, persons, control, synthetic, level)
        if not found:
            return {
                "attribute_inference_max": Finding(why_not="too_few", criterion=Criterion.INFERENCE)
            }
        told = {one["column"] for one in found}
        silent = [secret for secret in case.secrets if secret not in told]
        key = "value" if control is None else "difference"
        worst = max(found, key=lambda one: one[key])
        strongest: dict[str, dict[str, Any]] = {}
        for one in found:
            held = strongest.get(one["column"])
            if held is None or one[key] > held[key]:
                strongest[one["column"]] = one
        finding = Finding(
            value=worst["value"],
            ci=wilson(worst["value"] * worst["n"], worst["n"]),
            naive=worst["naive"],
            target=case.threshold,
            verdict=Verdict.ATTENTION,
            criterion=Criterion.INFERENCE,
            n=worst["n"],
            detail={
                "by_secret": sorted(strongest.values(), key=lambda one: -one[key]),
                "not_attacked": silent,
                "column": worst["column"],
                "attacker": worst["attacker"],
                "tolerance": _TOLERANCE,
            },
        )
        if control is not None:
            # To fail is to be sure of one of many attacks; to pass, to pass every one of them.
            failed = any(
                decide(one["difference"], one["difference_ci"], case.threshold) is Verdict.FAIL
                for one in found
            )
            highest = [one.pop("highest") for one in found]
            passed = not silent and max(highest) < case.threshold
            finding = finding.model_copy(
                update={
                    "control": worst["control"],
                    "difference": worst["difference"],
                    "difference_ci": worst["difference_ci"],
                    "n_control": worst["n_control"],
                    "verdict": Verdict.FAIL
                    if failed
                    else (Verdict.PASS if passed else Verdict.ATTENTION),
                }
            )
        return {"attribute_inference_max": magnified(finding, case.visible_share)}


def _attacked(
    case: Case,
    secret: str,
    known: list[str],
    persons: People,
    control: People | None,
    synthetic: People,
    level: float,
) -> list[dict[str, Any]]:
    """Attack one secret; one dict an attacker, none where too few have a value."""
    targets = persons.taken(np.flatnonzero(~persons.missing(secret)))
    made = synthetic.taken(np.flatnonzero(~synthetic.missing(secret)))
    others = None if control is None else control.taken(np.flatnonzero(~control.missing(secret)))
    if len(targets) < _FEWEST or len(made) < _FEWEST:
        return []
    if others is not None and len(others) < _FEWEST:
        return []
    number = case.layout.is_number(secret)
    tolerance = _tolerance(made.column(secret)) if number else 0.0
    naive = _constant(made.column(secret), tolerance, number=number)
    rng = case.rng(f"secret {secret}")
    attackers: dict[str, Attacker] = {"nearest": _by_neighbour}
    if case.effort.learners:
        attackers["boosted"] = _by_trees
    found = []
    for name, attack in attackers.items():
        seed = int(rng.integers(2**31))
        queries = [targets] if others is None else [targets, others]
        guesses = attack(case, secret, known, made, queries, seed)
        truth = targets.column(secret)
        hits = _near(guesses[0], truth, tolerance)
        one: dict[str, Any] = {
            "column": secret,
            "attacker": name,
            "value": float(hits.mean()),
            "control": None,
            "naive": float(_near(np.full(len(truth), naive), truth, tolerance).mean()),
            "population": None,
            "difference": None,
            "difference_ci": None,
            "n": len(hits),
            "n_control": None,
        }
        if others is not None:
            hits_others = _near(guesses[1], others.column(secret), tolerance)
            taught = attack(case, secret, known, others, [targets], seed)[0]
            one |= {
                "control": float(hits_others.mean()),
                "population": float(_near(taught, truth, tolerance).mean()),
                "difference": float(hits.mean() - hits_others.mean()),
                "difference_ci": difference_interval(
                    int(hits.sum()), len(hits), int(hits_others.sum()), len(hits_others), level
                ),
                "n_control": len(hits_others),
                "highest": difference_interval(
                    int(hits.sum()), len(hits), int(hits_others.sum()), len(hits_others)
                )[1],
            }
        found.append(one)
    return found


def _tolerance(values: NDArray[Any]) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return _TOLERANCE * float(high - low)


def _near(guess: NDArray[Any], truth: NDArray[Any], tolerance: float) -> Flags:
    """Tell which guesses are right; a number within the tolerance, not one of another sign."""
    return np.abs(guess - truth) <= tolerance + 1e-9 * np.abs(truth)


def _constant(values: NDArray[Any], tolerance: float, *, number: bool) -> float:
    """Give the constant that is right most often: a mode, or the middle of the fullest window."""
    if not number:
        return float(np.bincount(values).argmax())
    ordered = np.sort(values)
    inside = np.searchsorted(ordered, ordered + 2 * tolerance, side="right") - np.arange(
        len(ordered)
    )
    return float(ordered[inside.argmax()] + tolerance)


def _by_neighbour(
    case: Case, secret: str, known: list[str], rows: People, queries: list[People], _: int
) -> list[NDArray[Any]]:
    points = case.space.points(rows, known)
    values = rows.column(secret)
    return [
        values[nearest_rows(case.space.points(persons, known), points)[:, 0]] for persons in queries
    ]


def _by_trees(
    case: Case, secret: str, known: list[str], rows: People, queries: list[People], seed: int
) -> list[NDArray[Any]]:
    rows = drawn(rows, _LEARNT_ON, np.random.default_rng(seed))
    truth = rows.column(secret)
    number = case.layout.is_number(secret)
    if not number:
        common = np.argsort(-np.bincount(truth), kind="stable")[:_CLASSES]
        rows = rows.taken(np.flatnonzero(np.isin(truth, common)))
        truth = rows.column(secret)
    if len(np.unique(truth)) < 2:
        return [np.full(len(persons), truth[0]) for persons in queries]
    model = boosted(features(rows, known), truth, seed, number=number)
    with threadpool_limits(1):
        return [model.predict(features(persons, known)) for persons in queries]
