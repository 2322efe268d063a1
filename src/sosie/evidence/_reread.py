"""Evidence that was read from a file is to be what sosie would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.evidence._conclusion import concluded
from sosie.evidence._criteria import ATTACKS_OF_TABLES, DECIDING_ATTACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sosie.evidence._evidence import Evidence
    from sosie.evidence._finding import Finding

__all__ = ["follows", "misplaced"]

_OUTCOMES = {
    "original_as_synthetic": "as_expected",
    "fresh_control": "as_expected",
    "planted": "found",
}
"""Controls of the battery, and where each says how it ended."""

_FEWEST = 4
"""As many persons as one to four of them are told as: of three, they are more than all."""

_SLACK = 1e-3
"""By how much a value may lie outside of its interval: means of shares have rounded counts."""


def follows(found: Evidence) -> bool:
    """Tell whether the verdicts are what the findings say, judged as when they were made.

    What to change, and through which columns, is no verdict: its words may be other ones now.
    """
    criteria, verdict = concluded(found.privacy, found.controls, control=_with_control(found))
    told, now = (
        {name: (one.verdict, one.drivers) for name, one in judged.items()}
        for judged in (found.criteria, criteria)
    )
    return told == now and found.verdict == verdict


def misplaced(found: Evidence) -> str | None:
    """Name the first place where something is missing, or is nothing that sosie writes."""
    return next(_misplaced(found), None)


def _with_control(found: Evidence) -> bool:
    """Tell whether there were control persons: a rehearsal always has them."""
    return found.judged == "generator" or found.inputs.get("control") is not None


def _misplaced(found: Evidence) -> Iterator[str]:
    needed = [*ATTACKS_OF_TABLES]
    if found.judged == "generator":
        needed.append("shadow_membership")
    yield from (f"privacy.{name}" for name in needed if name not in found.privacy)
    if not _controls_told(found.controls, needed=_with_control(found)):
        yield "controls"
    for part, findings in (("privacy", found.privacy), ("utility", found.utility)):
        for name, one in findings.items():
            share = part == "privacy" and name in DECIDING_ATTACKS
            yield from (f"{part}.{name}.{field}" for field in _beyond(one, share=share))


def _controls_told(controls: dict[str, Any], *, needed: bool) -> bool:
    if not needed or not controls:
        return not needed and not controls
    return all(
        isinstance(told := controls.get(name), dict) and isinstance(told.get(key), bool)
        for name, key in _OUTCOMES.items()
    )


def _beyond(one: Finding, *, share: bool) -> Iterator[str]:
    """Name the fields of a finding that hold no such number; attacks find shares, or areas."""
    for field in ("ci", "difference_ci"):
        pair = getattr(one, field)
        if pair is not None and not pair[0] <= pair[1]:
            yield field
    for field in ("n", "n_control"):
        if (getattr(one, field) or 0) < 0:
            yield field
    if one.p_value is not None and not 0 <= one.p_value <= 1:
        yield "p_value"
    if not share:
        return
    for field, of in (("value", one.n), ("control", one.n_control), ("naive", None)):
        number = getattr(one, field)
        if number is not None and not 0 <= number <= _most(of):
            yield field
    if one.ci is None:
        return
    low, high = one.ci
    if low < -_SLACK or high > 1 + _SLACK:
        yield "ci"
    if one.value is not None and not low - _SLACK <= one.value <= high + _SLACK:
        yield "value"


def _most(of: int | None) -> float:
    return max(1.0, _FEWEST / of) if of else 1.0
