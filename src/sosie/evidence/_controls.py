"""Controls of the battery: whether it sees a leak, and is silent without one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.evidence._case import EFFORTS, Case, drawn
from sosie.evidence._finding import Finding, Verdict
from sosie.evidence._space import nearest
from sosie.evidence.privacy import (
    AttributeInference,
    Copies,
    Linkability,
    Membership,
    SinglingOut,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.evidence._people import People

__all__ = ["controls", "trusted"]

_PLANTED = 0.01
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
_ROWS = 5_000
"""Most rows of either table on which the battery is tried; at quick effort 3,000."""

_ALARMS = (
    "exact_copies",
    "singling_out_multivariate",
    "linkability_nearest",
    "attribute_inference_max",
    "membership_auc",
)
"""What copies of everybody must light, one attack a criterion at least."""


def controls(case: Case, progress: Callable[[float], None] | None = None) -> dict[str, Any]:
    """Try the battery where the truth is known.

    - *original_as_synthetic*: the original itself, which must light every alarm.
    - *fresh_control*: half of the control as synthetic table; none may be lit.
    - *planted*: copies of the most isolated persons among the synthetic rows, as many as 1 % of
      the original, must be found; and the smallest share that is.

    Parameters
    ----------
    case : Case
        With control persons.
    progress : callable, optional
        Told the share of the work done, from 0 to 1.
    """
    assert case.control is not None
    rng, rows = case.rng("controls"), min(_ROWS, 3 * case.effort.persons)
    small = replace(
        case,
        original=drawn(case.original, rows, rng),
        synthetic=drawn(case.synthetic, rows, rng),
        control=drawn(case.control, rows, rng),
        linked=None,
        secrets=_some(case.secrets, rng),
        effort=EFFORTS["quick"],
    )
    told = progress or (lambda _: None)
    lit = _alarms(small.judging(small.original))
    told(0.3)
    order = rng.permutation(len(case.control))
    half = len(order) // 2
    fresh = replace(
        small,
        synthetic=case.control.taken(order[:half]).taken(slice(0, rows)),
        control=case.control.taken(order[half:]).taken(slice(0, rows)),
    )
    silent = _alarms(fresh)
    told(0.6)
    return {
        "original_as_synthetic": {"alarms": lit, "as_expected": all(lit.values())},
        "fresh_control": {"alarms": silent, "as_expected": not any(silent.values())},
        "planted": _planted(small, fresh, told),
    }


def _some(names: tuple[str, ...], rng: np.random.Generator, most: int = 8) -> tuple[str, ...]:
    """Draw a few secrets: these controls are about the battery, not about columns."""
    return tuple(names[i] for i in np.sort(rng.permutation(len(names))[:most]))


def _alarms(case: Case) -> dict[str, bool]:
    found: dict[str, Finding] = {}
    for attack in (Copies, SinglingOut, Linkability, AttributeInference, Membership):
        found |= attack().run(case)
    return {name: found[name].verdict is Verdict.FAIL for name in _ALARMS}


def _planted(case: Case, fresh: Case, told: Callable[[float], None]) -> dict[str, Any]:
    """Plant copies of the most isolated persons, and look for the smallest share found.

    Among the synthetic rows; or, where these are found to leak already, among control rows.
    """
    before = _leaks(case)
    if before:
        case, before = fresh, _leaks(fresh)
    isolated = _most_isolated(case)
    shares = [share for share in _SHARES if round(share * len(case.original))]
    tried: dict[float, dict[str, Any]] = {}
    low, high = 0, len(shares)  # what is before low is too little, what is from high on is found
    at = shares.index(_PLANTED)
    while low < high:
        share = shares[at]
        count = round(share * len(case.original))
        found_by = sorted(_leaks(_with_copies(case, isolated[:count])) - before)
        tried[share] = {"share": share, "persons": count, "found_by": found_by}
        low, high = (low, at) if found_by else (at + 1, high)
        at = (low + high) // 2
        told(1 - 0.4 * (high - low) / len(shares))
    return {
        **tried[_PLANTED],
        "found": bool(tried[_PLANTED]["found_by"]),
        "smallest_found": shares[high] if high < len(shares) else None,
        "tried": [tried[share] for share in sorted(tried, reverse=True)],
    }


def trusted(found: dict[str, Any]) -> bool:
    """Tell whether the battery lit every alarm, was silent, and found what was planted."""
    return bool(found) and (
        found["original_as_synthetic"]["as_expected"]
        and found["fresh_control"]["as_expected"]
        and found["planted"]["found"]
    )


def _leaks(case: Case) -> set[str]:
    """Name the attacks that see a leak, of those that are after single persons."""
    found = Copies().run(case) | Membership().run(case)
    return {name for name, finding in found.items() if finding.verdict is Verdict.FAIL}


def _most_isolated(case: Case) -> np.ndarray[Any, np.dtype[np.intp]]:
    points = case.space.points(case.original)
    near, _ = nearest(points, points, 6)
    return np.argsort(-near[:, 1:].mean(axis=1), kind="stable")


def _with_copies(case: Case, rows: np.ndarray[Any, np.dtype[np.intp]]) -> Case:
    """Replace synthetic rows by persons."""
    kept: People = case.synthetic.taken(slice(len(rows), None))
    return case.judging(kept.with_(case.original.taken(rows)))
