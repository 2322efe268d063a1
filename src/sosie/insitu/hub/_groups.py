"""Which holders answered what, so that no holder is told apart by asking others the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie.trust import payload_of, strict_json

if TYPE_CHECKING:
    from sosie.insitu._outline import Outline
    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.hub._reckoner import Reckoner
    from sosie.insitu.hub._store import Store

__all__ = ["Groups"]

Answer = tuple[frozenset[str], frozenset[str]]


class Groups:
    """The holders of every question that was answered, and its columns.

    Each node looks at those that it answered; the hub at all.

    Parameters
    ----------
    store : Store
    reckoner : Reckoner
    """

    def __init__(self, store: Store, reckoner: Reckoner) -> None:
        self._store = store
        self._reckoner = reckoner
        self._answers: dict[str, set[Answer]] = {}

    def allows(self, parties: Parties, question: Outline) -> bool:
        """Tell whether an answer, with those before, tells of no few holders alone."""
        columns, holders = _of(parties, question)
        before = [group for told, group in self._of_agreement(parties) if told & columns]
        return self._reckoner.apart(
            holders, before, parties.agreement.disclosure.floors.min_holders
        )

    def add(self, parties: Parties, question: Outline) -> None:
        """Keep who answered a question."""
        self._of_agreement(parties).add(_of(parties, question))

    def _of_agreement(self, parties: Parties) -> set[Answer]:
        agreement = parties.signed.sha256
        if agreement not in self._answers:
            self._answers[agreement] = {
                _of(parties, self._reckoner.outline(strict_json(payload_of(one.ask))["question"]))
                for one in self._store.tasks(agreement, ("done",))
            }
        return self._answers[agreement]


def _of(parties: Parties, question: Outline) -> Answer:
    return frozenset(question.columns), frozenset(parties.sites(question.columns))
