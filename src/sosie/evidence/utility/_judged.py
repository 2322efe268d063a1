"""Distances against their targets, with fresh persons as what is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.evidence._finding import Finding, Verdict

if TYPE_CHECKING:
    from sosie.evidence._case import Case

__all__ = ["finding_of", "judged"]


def judged(
    value: float,
    interval: tuple[float, float],
    target: float,
    *,
    better: str = "lower",
    control: float | None = None,
) -> Verdict:
    """Decide on a distance, or where ``better="higher"`` on a share kept.

    Pass if the whole interval is on the good side of the target; fail if the value is on
    the bad side. But what fresh persons of the same population show too is the noise of so few
    persons: where the interval does not leave their value behind, attention at most.

    Examples
    --------
    >>> judged(0.02, (0.01, 0.03), 0.1), judged(0.2, (0.18, 0.22), 0.1)
    (<Verdict.PASS: 'pass'>, <Verdict.FAIL: 'fail'>)
    >>> judged(0.2, (0.18, 0.22), 0.1, control=0.21)
    <Verdict.ATTENTION: 'attention'>
    """
    low, high = interval
    if better == "higher":
        value, low, high, target = -value, -high, -low, -target
        control = None if control is None else -control
    if high <= target:
        return Verdict.PASS
    if value > target and (control is None or low > control):
        return Verdict.FAIL
    return Verdict.ATTENTION


def finding_of(
    case: Case,
    value: float,
    interval: tuple[float, float],
    target: float,
    *,
    control: float | None,
    detail: dict[str, Any],
    better: str = "lower",
) -> Finding:
    """Tell a distance between all rows of the case, with its verdict: see :func:`judged`."""
    return Finding(
        value=value,
        ci=interval,
        control=control,
        target=target,
        better=better,
        verdict=judged(value, interval, target, better=better, control=control),
        n=len(case.original),
        n_control=None if case.control is None else len(case.control),
        detail=detail,
    )
