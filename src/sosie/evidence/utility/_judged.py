"""Distances against their targets, with fresh persons as what is possible."""

from __future__ import annotations

from sosie.evidence._finding import Verdict

__all__ = ["judged"]


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
