"""Attribute inference: learning what a person did not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._case import drawn
from sosie.evidence._finding import Criterion, Finding, Verdict, decide, magnified
from sosie.evidence._intervals import difference_interval, wilson
from sosie.evidence._learners import boosted, features
from sosie.evidence._left_out import nearest_without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Flags = NDArray[np.bool_]
    Near = dict[str, NDArray[np.intp]]

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
    the stronger attacker who learned on control persons instead of the synthetic table. The
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
        found: list[dict[str, Any]] = []
        attackers = 1 + case.effort.learners
        level = 1 - 0.05 / max(attackers * len(case.secrets), 1)
        search = _Search.of(case, persons, control)
        for secret in case.secrets:
            if set(case.known) - {secret}:
                found += _attacked(case, secret, persons, control, search, level)
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


@dataclass(frozen=True)
class _Search:
    """Nearest rows of everybody attacked by all known columns but a secret, by secret."""

    persons: Near
    control: Near
    population: Near
    """Of the persons, among control persons."""

    @classmethod
    def of(cls, case: Case, persons: People, control: People | None) -> _Search:
        def among(queries: People | None, rows: People | None) -> Near:
            if queries is None or rows is None:
                return {}
            return nearest_without(case.space, queries, rows, case.known, case.secrets)

        return cls(
            among(persons, case.compared), among(control, case.compared), among(persons, control)
        )


def _attacked(
    case: Case,
    secret: str,
    persons: People,
    control: People | None,
    search: _Search,
    level: float,
) -> list[dict[str, Any]]:
    """Attack one secret; one dict an attacker, none where too few have a value."""
    synthetic = case.compared
    asked = np.flatnonzero(~persons.missing(secret))
    targets, truth = persons.taken(asked), persons.column(secret)[asked]
    made = synthetic.taken(np.flatnonzero(~synthetic.missing(secret)))
    if len(targets) < _FEWEST or len(made) < _FEWEST:
        return []
    others, asked_others = None, np.empty(0, np.intp)
    if control is not None:
        asked_others = np.flatnonzero(~control.missing(secret))
        others = control.taken(asked_others)
        if len(others) < _FEWEST:
            return []
    number = case.layout.is_number(secret)
    tolerance = _tolerance(made.column(secret)) if number else 0.0
    naive = np.full(len(truth), _constant(made.column(secret), tolerance, number=number))
    known = [name for name in case.known if name != secret]
    seed = int(case.rng(f"secret {secret}").integers(2**31))

    def hits(guess: NDArray[Any], of: People) -> Flags:
        return _near(guess, of.column(secret), tolerance)

    queries = [targets] if others is None else [targets, others]
    values = synthetic.column(secret)
    guesses = {"nearest": [values[search.persons[secret][asked]]]}
    if others is not None:
        guesses["nearest"].append(values[search.control[secret][asked_others]])
    if case.effort.learners:
        guesses["boosted"] = _by_trees(secret, known, made, queries, seed)
    found = []
    for name, guess in guesses.items():
        right = hits(guess[0], targets)
        one: dict[str, Any] = {
            "column": secret,
            "attacker": name,
            "value": float(right.mean()),
            "control": None,
            "naive": float(hits(naive, targets).mean()),
            "population": None,
            "difference": None,
            "difference_ci": None,
            "n": len(right),
            "n_control": None,
        }
        if others is not None:
            right_others = hits(guess[1], others)
            counts = int(right.sum()), len(right), int(right_others.sum()), len(right_others)
            one |= {
                "control": float(right_others.mean()),
                "difference": float(right.mean() - right_others.mean()),
                "difference_ci": difference_interval(*counts, level),
                "n_control": len(right_others),
                "highest": difference_interval(*counts)[1],
            }
        found.append(one)
    if control is not None and others is not None:
        strongest = max(found, key=lambda one: one["difference"])
        if strongest["attacker"] == "nearest":
            taught = control.column(secret)[search.population[secret][asked]]
        else:
            taught = _by_trees(secret, known, others, [targets], seed)[0]
        strongest["population"] = float(hits(taught, targets).mean())
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


def _by_trees(
    secret: str, known: list[str], rows: People, queries: list[People], seed: int
) -> list[NDArray[Any]]:
    """Guess the secret of every query by trees that learned it on rows which have it."""
    rows = drawn(rows, _LEARNT_ON, np.random.default_rng(seed))
    truth = rows.column(secret)
    number = rows.layout.is_number(secret)
    if not number:
        common = np.argsort(-np.bincount(truth), kind="stable")[:_CLASSES]
        rows = rows.taken(np.flatnonzero(np.isin(truth, common)))
        truth = rows.column(secret)
    if len(np.unique(truth)) < 2:
        return [np.full(len(persons), truth[0]) for persons in queries]
    model = boosted(features(rows, known), truth, seed, number=number)
    with threadpool_limits(1):
        return [model.predict(features(persons, known)) for persons in queries]
