"""Several rounds of a rehearsal as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.evidence._conclusion import concluded
from sosie.evidence._finding import SURE, Finding, Verdict, decide, worst

if TYPE_CHECKING:
    from sosie.evidence._evidence import Evidence

__all__ = ["pooled"]

_ORDER = (Verdict.PASS, Verdict.ATTENTION, Verdict.FAIL, Verdict.INFORMATION, Verdict.NOT_MEASURED)


def pooled(rounds: list[Evidence]) -> Evidence:
    """Average the findings of rounds; intervals are averaged, not narrowed.

    An advantage is judged on its average. Copies have the worst verdict of all rounds; what has
    no advantage, the one of most rounds, the worse where two are equally many.
    """
    first = rounds[0]
    if len(rounds) == 1:
        return first
    privacy = _averaged([one.privacy for one in rounds])
    utility = _averaged([one.utility for one in rounds])
    controls = _together([one.controls for one in rounds])
    criteria, verdict = concluded(privacy, controls, control=True)
    return first.model_copy(
        update={
            "controls": controls,
            "privacy": privacy,
            "utility": utility,
            "criteria": criteria,
            "verdict": verdict,
            "settings": first.settings | {"seconds": rounds[-1].settings["seconds"]},
        }
    )


def _averaged(rounds: list[dict[str, Finding]]) -> dict[str, Finding]:
    return {name: _average([one[name] for one in rounds if name in one]) for name in rounds[0]}


def _average(findings: list[Finding]) -> Finding:
    measured = [one for one in findings if one.value is not None]
    if not measured:
        return findings[0]
    first = measured[0]
    changes: dict[str, Any] = {
        field: _mean([getattr(one, field) for one in measured])
        for field in ("value", "control", "naive", "difference", "target")
    }
    for field in ("ci", "difference_ci"):
        pairs = [getattr(one, field) for one in measured]
        changes[field] = (
            None
            if any(pair is None for pair in pairs)
            else tuple(float(end) for end in np.mean(pairs, axis=0))
        )
    p_values = [one.p_value for one in measured if one.p_value is not None]
    # Twice the median of dependent p-values is one again.
    changes["p_value"] = min(1.0, 2 * float(np.median(p_values))) if p_values else None
    changes["verdict"] = _verdict(measured, changes)
    changes["detail"] = first.detail | {
        "rounds": [one.value for one in measured],
    }
    return first.model_copy(update=changes)


def _verdict(measured: list[Finding], average: dict[str, Any]) -> Verdict:
    first, verdicts = measured[0], [one.verdict for one in measured]
    if len(measured) == 1:
        return first.verdict
    if first.target == 0 or Verdict.INFORMATION in verdicts:
        return worst(verdicts) if first.target == 0 else first.verdict
    if first.criterion is None or average["difference"] is None or average["difference_ci"] is None:
        return _most(measured)
    found = decide(average["difference"], average["difference_ci"], first.target or 0.0)
    p_values = [one.p_value for one in measured if one.p_value is not None]
    if found is Verdict.FAIL and p_values and float(np.median(p_values)) > SURE:
        return Verdict.ATTENTION
    # What no single round could pass (a secret not attacked) is not passed by their average.
    return worst([found, min(verdicts, key=_ORDER.index)]) if found is Verdict.PASS else found


def _together(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Report the controls of all rounds as those of the round that did worst."""
    found = dict(rounds[0])
    for name in ("original_as_synthetic", "fresh_control"):
        found[name] = min((one[name] for one in rounds), key=lambda x: x["as_expected"])
    found["planted"] = min((one["planted"] for one in rounds), key=lambda x: x["found"])
    return found


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _most(findings: list[Finding]) -> Verdict:
    verdicts = [one.verdict for one in findings]
    most = max(verdicts.count(verdict) for verdict in verdicts)
    tied = list(dict.fromkeys(v for v in verdicts if verdicts.count(v) == most))
    return tied[0] if len(tied) == 1 else worst(tied)
