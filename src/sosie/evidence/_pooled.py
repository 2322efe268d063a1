"""Several rounds of a rehearsal as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.evidence._criteria import judge
from sosie.evidence._finding import Finding, Verdict, worst

if TYPE_CHECKING:
    from sosie.evidence._evidence import Evidence

__all__ = ["pooled"]


def pooled(rounds: list[Evidence]) -> Evidence:
    """Average the findings of rounds; intervals are averaged, not narrowed.

    A finding has the verdict of most rounds, the worse one where two are equally many: what
    fails in one split of three by chance does not fail.
    """
    first = rounds[0]
    if len(rounds) == 1:
        return first
    privacy = _averaged([one.privacy for one in rounds])
    utility = _averaged([one.utility for one in rounds])
    criteria, verdict = judge(privacy, control=True)
    return first.model_copy(
        update={
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
    changes["verdict"] = _most(measured)
    changes["detail"] = first.detail | {
        "rounds": [one.value for one in measured],
    }
    return first.model_copy(update=changes)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _most(findings: list[Finding]) -> Verdict:
    verdicts = [one.verdict for one in findings]
    most = max(verdicts.count(verdict) for verdict in verdicts)
    tied = list(dict.fromkeys(v for v in verdicts if verdicts.count(v) == most))
    return tied[0] if len(tied) == 1 else worst(tied)
