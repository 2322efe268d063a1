"""What the agreement alone tells of a question, before anybody is asked."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from sosie.insitu._task import HubTask
from sosie.insitu.exchange._raised import RefusedError
from sosie.insitu.gate import holders_suffice

if TYPE_CHECKING:
    from sosie.insitu._question import Question
    from sosie.insitu.exchange._parties import Parties

__all__ = ["check_question"]

_TOLD = 12


def check_question(parties: Parties, question: Question, by: str) -> None:
    """Refuse a question that no holder could answer under the agreement.

    Nobody is asked, so that it is no refusal of a holder, which would be counted.

    Parameters
    ----------
    parties : Parties
    question : Question
    by : str
        The party that asks.

    Raises
    ------
    RefusedError
        If the agreement does not allow it.
    ParameterError, TrustError
        If it does not fit what the agreement says of the columns.
    """
    _check_columns(parties, question)
    if refused := parties.refuses(question.outline, by):
        raise RefusedError(refused[0].why)
    _check_holders(parties, question, by)
    _check_epsilon(parties, question)
    schema = parties.schema(question.columns)
    HubTask(question, schema, len(parties.sites(question.columns)))


def _check_columns(parties: Parties, question: Question) -> None:
    listed = [c.name for one in parties.agreement.data_sets for c in one.columns]
    known = list(dict.fromkeys(listed))
    absent = [name for name in question.columns if name not in known]
    if not absent:
        return
    near = difflib.get_close_matches(absent[0], known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it lists {_some(known)}."
    raise RefusedError(f"Column {absent[0]!r} is not in the agreement; {hint}")


def _check_holders(parties: Parties, question: Question, by: str) -> None:
    """Refuse a question that too few holders could answer for nobody to subtract."""
    agreement, sites = parties.agreement, parties.sites(question.columns)
    to_holders = by in parties.holders or question.analysis.rounds_seen
    floors = agreement.disclosure.floors
    if holders_suffice(len(sites), floors, to_holders=to_holders):
        return
    lacking = [
        (name, one.holder)
        for name in question.columns
        for one in agreement.data_sets
        if name not in {column.name for column in one.columns}
    ]
    if not lacking:
        raise RefusedError(
            f"The agreement has {len(sites)} holders; for this analysis it asks for "
            f"{floors.min_holders}, for holders see totals."
        )
    column, holder = lacking[0]
    party = agreement.party_of(holder)
    raise RefusedError(
        f"Column {column!r} is not among those that {party.name if party else holder} agreed to. "
        f"That leaves {len(sites)} holders, who would see each other's part in the total; ask "
        "without it."
    )


def _check_epsilon(parties: Parties, question: Question) -> None:
    budget, asked = parties.agreement.disclosure.epsilon, question.epsilon
    if budget is None and asked is not None:
        raise RefusedError(
            "The agreement has no budget of differential privacy; ask without --epsilon."
        )
    if budget is not None and asked is None:
        raise RefusedError(
            f"Under the agreement every answer has noise: say with --epsilon how much of the "
            f"budget of {budget:g} is to be spent on this one."
        )
    if budget is not None and asked is not None and asked > budget:
        raise RefusedError(
            f"--epsilon {asked:g} is beyond the budget of the agreement, {budget:g}."
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(repr(name) for name in names[:_TOLD]) + more
