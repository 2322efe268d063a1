"""Identifiers and texts of persons that are found again in the synthetic table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie.evidence._finding import Criterion, Finding, Verdict, worst
from sosie.evidence._intervals import clopper_pearson
from sosie.evidence.privacy._copies import judged

if TYPE_CHECKING:
    from sosie.evidence._kept import Kept

__all__ = ["identifiers"]

_MEET_BY_CHANCE = 0.01
"""Share of identifiers that may meet where they are made afresh and no control tells how many."""


def identifiers(kept: dict[str, Kept]) -> Finding:
    """Judge the identifiers and the texts that the synthetic table has: none may come back.

    Of the worst column. As exact copies: any surplus over the control that is surely not chance
    fails. Without a control more than 1 % fails, and fewer ask for attention. So do numbers that
    run on from one another: they may have been made afresh.

    Parameters
    ----------
    kept : dict of str to Kept
        Of each identifier or text that both tables have.
    """
    if not kept:
        return Finding(why_not="no_identifier", criterion=Criterion.SINGLING_OUT)
    found = {name: _judged(one) for name, one in kept.items()}
    verdict = worst([one.verdict for one in found.values()])
    most = max(
        (one for one in found.values() if one.verdict is verdict), key=lambda one: one.value or 0.0
    )
    shares = {name: one.value for name, one in found.items()}
    return most.model_copy(update={"detail": most.detail | {"columns": shares}})


def _judged(one: Kept) -> Finding:
    told, found = judged(one.found, one.of_control, None), int(one.found.sum())
    verdict = told.verdict
    if one.of_control is None and clopper_pearson(found, len(one.found))[0] > _MEET_BY_CHANCE:
        verdict = Verdict.FAIL
    if one.running and verdict is Verdict.FAIL:
        verdict = Verdict.ATTENTION
    return told.model_copy(update={"verdict": verdict})
