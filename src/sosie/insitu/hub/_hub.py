"""The trusted third party: it passes on, adds up, answers and certifies; it sees no row."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError, TrustError
from sosie.insitu.exchange._certificate import (
    Answered,
    certified,
    record_of,
    recorded,
)
from sosie.insitu.exchange._messages import (
    Ask,
    Certify,
    Decline,
    Join,
    Leave,
    Listing,
    Login,
    Part,
    Poll,
    Wait,
    agreement_in,
    check_clock,
    read_message,
    task_of,
)
from sosie.insitu.hub._attempts import Attempts
from sosie.insitu.hub._groups import Groups
from sosie.insitu.hub._presence import Presence
from sosie.insitu.hub._queue import Queue
from sosie.insitu.hub._reckoner import Reckoner
from sosie.insitu.hub._running import Running
from sosie.insitu.hub._ticket import NotAllowedError, Ticket
from sosie.insitu.hub._tokens import Rate, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sosie.insitu._outline import Outline
    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.hub._store import Store, Stored
    from sosie.trust import Key

__all__ = ["LARGEST", "Hub"]

LARGEST, LARGEST_TOLD = 4 << 20, 16 << 20

_APART = (
    "Not all holders who answered before, about one of these columns, have all of them: the "
    "difference of the answers would tell of a few holders alone. Ask about columns that the same "
    "holders have."
)


class Hub:
    """All that a hub does, without a network: messages in, replies out.

    Parameters
    ----------
    key : Key
        Of the trusted third party.
    store : Store
    reckoner : Reckoner, optional
        In this process where not given.
    patience : float
        Seconds that a task waits for its holders before it has failed, once it is its turn.
    lease : float
        Seconds that a holder may work on one step before the attempt is given up.
    asks_a_minute : int
        Questions, and logins, of one party.
    clock : callable
        Tells the time.

    """

    def __init__(
        self,
        key: Key,
        store: Store,
        reckoner: Reckoner | None = None,
        *,
        patience: float = 300.0,
        lease: float = 60.0,
        asks_a_minute: int = 120,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._store = store
        self._clock = clock
        self._presence = Presence(lease, clock)
        self._reckoner = reckoner = reckoner or Reckoner(beside=False)
        self._queue = Queue(
            store, self._presence, reckoner, patience=patience, lease=lease, clock=clock
        )
        self._tokens = Tokens(store, clock)
        self._groups = Groups(store, reckoner)
        self._attempts = Attempts(key, self._queue, self._presence, self._groups)
        self._rate = Rate(asks_a_minute, clock)

    @property
    def changes(self) -> int:
        """Grows whenever somebody may have something to do, or to receive."""
        return self._queue.changes

    @property
    def largest(self) -> int:
        """Bytes of a message, at most: more while holders are to send rows, and only then."""
        return LARGEST_TOLD if self._queue.tells else LARGEST

    def adopt(self, parties: Parties) -> str:
        """Serve an agreement.

        Returns
        -------
        str
            Its SHA-256.

        Raises
        ------
        TrustError
            If the key of this hub is not that of its trusted third party.
        """
        if parties.hub.id != self._key.id:
            raise TrustError(
                f"The agreement names {parties.hub.name} as the trusted third party, with another "
                "key than --key."
            )
        self._queue.adopt(parties)
        return parties.signed.sha256

    def take(
        self,
        envelope: Any,
        payload: bytes | None = None,
        token: str | None = None,
        *,
        carried: bool = False,
    ) -> Ticket:
        """Take a message.

        Parameters
        ----------
        envelope : dict
        payload : bytes, optional
            What goes with a part.
        token : str, optional
            Of an analyst, empty where none was sent; where it is None, the exchange is one without
        tokens. Holders have none.
        carried : bool
            Whether it came as a file, which may take days.

        Raises
        ------
        TrustError
            If it is not signed by a party, is of another time, or is not allowed.
        ParameterError
            If the question does not fit the columns of the agreement.
        """
        parties, message = self._opened(envelope)
        check_clock(message, self._now(), carried=carried)
        if isinstance(message, Poll | Leave | Join | Part | Decline):
            stays = self._attempts.take(parties, message, envelope, payload)
            if stays:
                return Ticket("work", message.agreement, message.by)
            return Ticket("now", message.agreement, message.by, said={"work": None})
        if isinstance(message, Login):
            return self._login(parties, message)
        role = self._role(parties, message.by, token, message.agreement)
        if isinstance(message, Ask):
            return self._ask(parties, message, envelope, role)
        if isinstance(message, Wait):
            return self._wait(message, role)
        if isinstance(message, Certify):
            return self._certify(parties, message, role)
        return self._list(message, role)

    def reply(self, ticket: Ticket) -> dict[str, Any] | None:
        """Give the reply to a message, or None where it must wait."""
        if ticket.kind == "now":
            return ticket.said
        if ticket.kind == "answer":
            return self._queue.told(ticket.agreement, ticket.task)
        running = self._queue.next(ticket.agreement)
        if running is None or not running.due(ticket.by):
            return None
        seen = self._presence.of(ticket.agreement, ticket.by)
        if seen is not None and (seen.left or (seen.paused and ticket.by not in running.joins)):
            return None  # what it takes part in, a paused one finishes
        running.handed.setdefault(ticket.by, self._clock())
        if seen is not None:
            running.instances.setdefault(ticket.by, seen.instance)
        return {"work": running.work(ticket.by)}

    def nothing(self, ticket: Ticket) -> dict[str, Any]:
        """Give the reply to a message that waited long enough."""
        if ticket.kind == "answer":
            stored = self._store.task(ticket.task)
            parties = self._queue.parties[ticket.agreement]
            running = self._queue.running(ticket.agreement)
            busy = running.handed if running is not None else ()  # those who compute are silent
            why = self._presence.missing(parties, [s for s in parties.holders if s not in busy])
            return {"state": stored.state if stored else "failed", "why": why}
        return {"work": None}

    def due(self) -> Iterator[tuple[Ticket, str]]:
        """Give the steps that are due of all holders, with a name each, for files in a folder."""
        for agreement, parties in self._queue.parties.items():
            for site in parties.holders:
                ticket = Ticket("work", agreement, site)
                running = self._queue.next(agreement)
                if running is not None and running.due(site):
                    stage = f"part-{running.turn}" if running.full else "join"
                    yield ticket, f"{running.task[:16]}-{running.attempt}-{stage}"

    def expire(self) -> None:
        """End what waited too long."""
        for agreement in self._queue.parties:
            self._queue.expire(agreement)

    # -- messages of analysts

    def _login(self, parties: Parties, message: Login) -> Ticket:
        self._rate.check(message.kind, message.agreement, message.by)
        said = self._tokens.new(message.agreement, message.by, _role_of(parties, message.by))
        return Ticket("now", message.agreement, message.by, said=said)

    def _role(self, parties: Parties, by: str, token: str | None, agreement: str) -> str:
        return _role_of(parties, by) if token is None else self._tokens.role(token, agreement, by)

    def _ask(self, parties: Parties, message: Ask, envelope: dict[str, Any], role: str) -> Ticket:
        task = task_of(message)
        running = self._queue.running(message.agreement)
        if running is None or running.task != task:
            if role != "analyst":
                raise NotAllowedError(
                    f"{message.by!r} is not a recipient under the agreement and may not ask."
                )
            self._rate.check(message.kind, message.agreement, message.by)
            question = self._reckoner.outline(message.question)
            _check_allowed(parties, question, message.by)
            if not self._groups.allows(parties, question):
                raise NotAllowedError(_APART)
            sites = parties.sites(question.columns)
            running = Running(
                task, 0, message.by, envelope, question, sites, parties, self._reckoner
            )
            try:
                running.begin()
                self._queue.add(running)
            except BaseException:
                running.close()
                raise
        return Ticket("now", message.agreement, message.by, said={"task": task})

    def _wait(self, message: Wait, role: str) -> Ticket:
        running = self._queue.running(message.agreement)
        if running is not None and running.task == message.task:
            by = running.by
        else:
            stored = self._store.task(message.task)
            if stored is None or stored.agreement != message.agreement:
                raise ParameterError("The hub knows no such task.")
            by = stored.by
        if role != "analyst" or by != message.by:
            raise TrustError("Only who asked a question receives its answer.")
        return Ticket("answer", message.agreement, message.by, message.task)

    def _list(self, message: Listing, role: str) -> Ticket:
        told = [
            {"task": one.id, "by": one.by, "state": one.state, "analysis": _analysis(one),
             "created": one.created, "ended": one.ended, "attempt": one.attempt}
            for one in self._store.tasks(message.agreement)
            if role != "analyst" or one.by == message.by
        ]  # fmt: skip
        return Ticket("now", message.agreement, message.by, said={"tasks": told})

    def _certify(self, parties: Parties, message: Certify, role: str) -> Ticket:
        if role != "analyst":
            raise TrustError("Only who received results is given their certificate.")
        answered: list[Answered] = []
        for task in dict.fromkeys(message.tasks):
            one = self._store.task(task)
            mine = one is not None and (one.agreement, one.by) == (message.agreement, message.by)
            if one is None or not mine or one.answer is None:
                raise ParameterError("One of these tasks is not answered, or not yours.")
            answered += record_of(one.answer["certificate"]).results
        envelope = certified(recorded(parties, answered), [self._key])
        said = {"certificate": envelope}
        return Ticket("now", message.agreement, message.by, said=said)

    def _opened(self, envelope: Any) -> tuple[Parties, Any]:
        parties = self._queue.parties.get(agreement_in(envelope))
        if parties is None:
            raise TrustError(
                "The hub does not serve this agreement; have it started with the one that all "
                "signed."
            )
        return parties, read_message(envelope, parties.keys)

    def _now(self) -> Any:
        import datetime as dt

        return dt.datetime.fromtimestamp(self._clock(), dt.UTC)


def _check_allowed(parties: Parties, question: Outline, by: str) -> None:
    refused = parties.refuses(question, by)
    if refused:
        raise NotAllowedError(" ".join(one.why for one in refused[:3]))


def _role_of(parties: Parties, by: str) -> str:
    party = parties.agreement.party_of(by)
    roles = party.roles if party else []
    if "recipient" in roles:
        return "analyst"
    return "auditor"


def _analysis(stored: Stored) -> str:
    from sosie.trust import payload_of, strict_json

    said = strict_json(payload_of(stored.ask))
    return str(said["question"]["analysis"]["id"])
