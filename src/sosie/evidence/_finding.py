"""What one attack or one measure found, and what that means."""

import math
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["SURE", "Criterion", "Finding", "Verdict", "decide", "magnified", "surely", "worst"]


SURE = 0.01
"""Chance, if nothing leaks, of an attack as successful: at most this, to fail."""

_SURELY = 2.3263 / 1.9600
"""Half of a one-sided interval of 99 %, in halves of a two-sided one of 95 %: see `SURE`."""


class Verdict(StrEnum):
    """What a number means against its target."""

    PASS = "pass"
    ATTENTION = "attention"
    FAIL = "fail"
    INFORMATION = "information"
    """Shown for those who expect it; decides nothing."""
    NOT_MEASURED = "not_measured"


class Criterion(StrEnum):
    """The three criteria of opinion WP216 (05/2014) of the Article 29 group, and membership."""

    SINGLING_OUT = "singling_out"
    LINKABILITY = "linkability"
    INFERENCE = "inference"
    MEMBERSHIP = "membership"


Pair = tuple[float, float]


class Finding(BaseModel):
    """The result of one attack (privacy) or one measure (utility).

    Examples
    --------
    >>> Finding(value=0.52, ci=(0.49, 0.55), target=0.05).verdict
    <Verdict.NOT_MEASURED: 'not_measured'>
    """

    model_config = ConfigDict(extra="forbid")

    value: float | None = Field(default=None, description="On the persons of the original.")
    ci: Pair | None = Field(default=None, description="95 % interval of `value`.")
    control: float | None = Field(
        default=None, description="The same on control persons, whom the generator never saw."
    )
    naive: float | None = Field(
        default=None, description="What the strongest guess without the synthetic table gets."
    )
    difference: float | None = Field(default=None, description="`value` less `control`.")
    difference_ci: Pair | None = Field(default=None, description="95 % interval of `difference`.")
    target: float | None = Field(
        default=None, description="Threshold of `difference` where there is one, else of `value`."
    )
    better: str = Field(default="lower", pattern="^(lower|higher)$")
    verdict: Verdict = Verdict.NOT_MEASURED
    criterion: Criterion | None = None
    n: int | None = Field(default=None, description="Attacks, or persons, or rows.")
    n_control: int | None = None
    p_value: float | None = None
    why_not: str | None = Field(
        default=None, description="Why it was not measured: a key of the texts of the report."
    )
    detail: dict[str, Any] = Field(
        default_factory=dict,
        description="What figures and tables are made of: aggregates only.",
    )

    @field_validator("value", "control", "naive", "difference", "target", "p_value")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        return None if value is None or not math.isfinite(value) else float(value)


def surely(difference: float, low: float) -> bool:
    """Tell whether chance alone makes such a difference once in a hundred times at most.

    Parameters
    ----------
    difference : float
    low : float
        End of its interval of 95 %.

    Examples
    --------
    >>> surely(0.2, 0.1), surely(0.2, 0.01)
    (True, False)
    """
    return difference - _SURELY * (difference - low) > 0


def decide(difference: float, interval: Pair, target: float) -> Verdict:
    """Decide on an advantage: how much more is found of persons the generator saw.

    Pass if the whole interval lies below the target; fail if the advantage is above the
    target, and chance alone would make as much of it once in a hundred times at most; else
    attention: too few persons to conclude, or control persons whom the generator seems to
    have seen.

    Parameters
    ----------
    difference : float
    interval : pair of float
        Of 95 %.
    target : float

    Examples
    --------
    >>> decide(0.01, (-0.02, 0.04), 0.05), decide(0.2, (0.1, 0.3), 0.05)
    (<Verdict.PASS: 'pass'>, <Verdict.FAIL: 'fail'>)
    """
    low, high = interval
    if difference > target and surely(difference, low):
        return Verdict.FAIL
    if high < -target:  # control persons nearer than the generator's own: no control
        return Verdict.ATTENTION
    return Verdict.PASS if high < target else Verdict.ATTENTION


def magnified(finding: Finding, share: float) -> Finding:
    """Undo the dilution of an attack that sees a share of the rows, or of the persons.

    Of the leak it sees as much: advantage and interval are divided by the share.

    Examples
    --------
    >>> seen = Finding(difference=0.02, difference_ci=(0.01, 0.03), target=0.05, verdict="pass")
    >>> magnified(seen, 0.25).verdict
    <Verdict.FAIL: 'fail'>
    """
    if share >= 1 or finding.difference is None or finding.difference_ci is None:
        return finding
    difference = finding.difference / share
    low, high = (end / share for end in finding.difference_ci)
    verdict = finding.verdict
    if verdict is not Verdict.FAIL:
        wider = decide(difference, (low, high), finding.target or 0.0)
        if wider is Verdict.FAIL and finding.p_value is not None and finding.p_value > SURE:
            wider = Verdict.ATTENTION
        verdict = worst([verdict, wider])
    return finding.model_copy(
        update={
            "difference": difference,
            "difference_ci": (low, high),
            "verdict": verdict,
            "detail": finding.detail | {"visible_share": share},
        }
    )


_ORDER = (Verdict.PASS, Verdict.ATTENTION, Verdict.FAIL)


def worst(verdicts: list[Verdict]) -> Verdict:
    """Give the worst of those that decide; attention where none does.

    Examples
    --------
    >>> worst([Verdict.PASS, Verdict.INFORMATION, Verdict.ATTENTION])
    <Verdict.ATTENTION: 'attention'>
    """
    deciding = [v for v in verdicts if v in _ORDER]
    return max(deciding, key=_ORDER.index) if deciding else Verdict.ATTENTION
