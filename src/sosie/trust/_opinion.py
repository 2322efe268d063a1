"""From what attacks found to the words of opinion WP216."""

from typing import Literal

from sosie.errors import TrustError
from sosie.trust._certificate import Opinion, Risk
from sosie.trust._judged import Criteria, Judged

__all__ = ["opinion_of"]

_ARGUMENTS: dict[str, Literal["below", "uncertain", "above", "not_measured"]] = {
    "pass": "below",
    "attention": "uncertain",
    "fail": "above",
}
_CONCLUSIONS: dict[str, Literal["no_criterion_met", "not_excluded", "detailed_analysis_needed"]] = {
    "pass": "no_criterion_met",
    "attention": "not_excluded",
    "fail": "detailed_analysis_needed",
}
_ORDER = ("pass", "attention", "fail")
_CONTROLS = ("original_as_synthetic", "fresh_control", "planted")


def opinion_of(evidence: Judged) -> Opinion:
    """Give the opinion that follows from the findings: anyone finds the same.

    Raises
    ------
    TrustError
        If a criterion is missing, the verdict is better than that of one of them, or one of them
        is better than an attack that failed; or if it passes by a battery that was not borne out.
    """
    names: tuple[Criteria, ...] = ("singling_out", "linkability", "inference", "membership")
    if set(evidence.criteria) != set(names):
        raise TrustError("The evidence does not judge the three criteria and membership.")
    worst = max(_ORDER.index(_deciding(one.verdict)) for one in evidence.criteria.values())
    if _ORDER.index(evidence.verdict) < worst:
        raise TrustError("The verdict of the evidence is better than that of one of its criteria.")
    if any(
        one.verdict == "fail"
        and one.criterion is not None
        and evidence.criteria[one.criterion].verdict != "fail"
        for one in evidence.privacy.values()
    ):
        raise TrustError("The verdict of a criterion is better than that of one of its attacks.")
    if evidence.verdict == "pass" and not (
        set(evidence.controls) == set(_CONTROLS) and all(evidence.controls.values())
    ):
        raise TrustError(
            "The evidence passes though its controls did not all end as expected, or are not told."
        )
    return Opinion(
        conclusion=_CONCLUSIONS[evidence.verdict],
        **{name: _risk(name, evidence) for name in names},
    )


def _deciding(verdict: str) -> str:
    return verdict if verdict in _ORDER else "attention"


def _risk(name: Criteria, evidence: Judged) -> Risk:
    judged = evidence.criteria[name]
    made = {
        attack: one
        for attack, one in evidence.privacy.items()
        if one.criterion == name and one.verdict in _ORDER
    }
    if judged.verdict == "pass":
        decisive = sorted(attack for attack, one in made.items() if one.verdict == "pass")
    else:
        decisive = judged.decided_by
    ends = [
        made[attack].difference_ci[1]  # type: ignore[index]
        for attack in decisive
        if attack in made and made[attack].difference_ci is not None
    ]
    return Risk(
        verdict=judged.verdict,
        argument=_ARGUMENTS.get(judged.verdict, "not_measured") if made else "not_measured",
        attacks=decisive,
        residual=max(ends, default=None),
    )
