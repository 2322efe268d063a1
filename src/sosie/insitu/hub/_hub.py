"""The trusted third party: it passes on, adds up, answers and certifies; it sees no row."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError, SosieError, TrustError
from sosie.insitu._question import Question
from sosie.insitu.exchange._certificate import Answered, certified, record_of
from sosie.insitu.exchange._http import RefusedError
from sosie.insitu.exchange._messages import (
    Ask,
    Certify,
    Decline,
    Join,
    Listing,
    Login,
    Part,
    Poll,
    Wait,
    check_clock,
    read_message,
    task_of,
)
from sosie.insitu.gate import REFUSED
from sosie.insitu.hub._running import Running
from sosie.insitu.hub._store import OPEN, Store
from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.hub._store import Stored
    from sosie.trust import Key

__all__ = ["MOST_ATTEMPTS", "Hub", "NotAllowedError", "Ticket", "TooManyError"]

MOST_ATTEMPTS = 100
"""Of one task, after which it has failed; a holder refuses more too."""

_TOKEN_SECONDS = 900.0
_DECLINED = {
    "gate": REFUSED,
    "agreement": "A holder finds that the agreement does not allow this question.",
    "snapshot": "The data of a holder are not those that were agreed on any more; nothing left.",
    "resources": "The analysis took more memory or time than a holder grants; ask for less.",
    "exchange": "A holder received what is not as it must be, and stopped; nothing was answered.",
}
_NO_RESULT = "The holders' totals make no result of this analysis; ask for less, or otherwise."
_REFUSALS = ("gate", "agreement", "snapshot")


class TooManyError(TrustError):
    """Somebody asks more often than the hub grants."""


class NotAllowedError(RefusedError):
    """The agreement does not allow what was asked."""


@dataclass(frozen=True)
class Ticket:
    """What a message waits for.

    Attributes
    ----------
    kind : str
        ``work``, ``answer`` or ``now``.
    agreement, by : str
    task : str
    said : dict
        The reply, where it is there at once.
    """

    kind: str
    agreement: str
    by: str
    task: str = ""
    said: dict[str, Any] | None = None


@dataclass
class _Seen:
    instance: str
    at: float
    paused: bool


class Hub:
    """All that a hub does, without a network: messages in, replies out.

    Parameters
    ----------
    key : Key
        Of the trusted third party.
    store : Store
    patience : float
        Seconds that a task waits for its holders before it has failed, once it is its turn.
    lease : float
        Seconds that a holder may work on one step before the attempt is given up.
    asks_a_minute : int
        Questions, and logins, of one party.
    clock : callable
        Tells the time.

    Notes
    -----
    Tasks of one agreement are done one after the other, in the order in which they were asked.
    An attempt lives in memory alone: when the hub, or a node, starts again, a new one begins with
    new masks, and whatever was computed before is not used.
    """

    def __init__(
        self,
        key: Key,
        store: Store,
        *,
        patience: float = 300.0,
        lease: float = 60.0,
        asks_a_minute: int = 120,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._store = store
        self._patience = patience
        self._lease = lease
        self._asks_a_minute = asks_a_minute
        self._clock = clock
        self._parties: dict[str, Parties] = {}
        self._running: dict[str, Running] = {}
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._asked: dict[tuple[str, str, str], deque[float]] = {}
        self._moved: dict[str, float] = {}
        self._idle: set[str] = set()
        self.changes = 0

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
        self._parties[parties.signed.sha256] = parties
        self._moved[parties.signed.sha256] = self._clock()
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
            Of an analyst; where it is None, the exchange is one without tokens.
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
        if isinstance(message, Poll | Join | Part | Decline):
            return self._of_holder(parties, message, envelope, payload)
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
            running = self._running.get(ticket.agreement)
            if running is not None and running.task == ticket.task:
                return None
            stored = self._store.task(ticket.task)
            return None if stored is None or stored.state in OPEN else _told(stored)
        running = self._next(ticket.agreement)
        if running is None or not running.due(ticket.by):
            return None
        seen = self._seen.get((ticket.agreement, ticket.by))
        if seen is not None and seen.paused and ticket.by not in running.joins:
            return None  # what it takes part in, it finishes
        running.handed.setdefault(ticket.by, self._clock())
        if seen is not None:
            running.instances.setdefault(ticket.by, seen.instance)
        return {"work": running.work(ticket.by)}

    def nothing(self, ticket: Ticket) -> dict[str, Any]:
        """Give the reply to a message that waited long enough."""
        if ticket.kind == "answer":
            stored = self._store.task(ticket.task)
            state = stored.state if stored else "failed"
            return {"state": state, "why": self._waits_for(ticket.agreement)}
        return {"work": None}

    def due(self) -> Iterator[tuple[Ticket, str]]:
        """Give the steps that are due of all holders, with a name each, for files in a folder."""
        for agreement, parties in self._parties.items():
            for site in {one.holder for one in parties.agreement.data_sets}:
                ticket = Ticket("work", agreement, site)
                running = self._next(agreement)
                if running is not None and running.due(site):
                    stage = f"part-{running.turn}" if running.full else "join"
                    yield ticket, f"{running.task[:16]}-{running.attempt}-{stage}"

    def expire(self) -> None:
        """End what waited too long."""
        for agreement in self._parties:
            self._expire(agreement)

    # -- messages of analysts

    def _login(self, parties: Parties, message: Login) -> Ticket:
        self._check_rate(message)
        role = _role_of(parties, message.by)
        token = secrets.token_urlsafe(32)
        ends = self._clock() + _TOKEN_SECONDS
        self._store.add_token(_digest(token), message.agreement, message.by, role, ends)
        said = {"token": token, "role": role, "seconds": _TOKEN_SECONDS}
        return Ticket("now", message.agreement, message.by, said=said)

    def _role(self, parties: Parties, by: str, token: str | None, agreement: str) -> str:
        if token is None:
            return _role_of(parties, by)
        found = self._store.token(_digest(token))
        if found is None or found[:2] != (agreement, by):
            raise TrustError("The token has ended or is of somebody else; log in again.")
        return found[2]

    def _ask(self, parties: Parties, message: Ask, envelope: dict[str, Any], role: str) -> Ticket:
        task = task_of(message)
        if self._store.task(task) is None:
            if role != "analyst":
                raise NotAllowedError(
                    f"{message.by!r} is not a recipient under the agreement and may not ask."
                )
            self._check_rate(message)
            question = Question.of(message.question)
            _check_allowed(parties, question, message.by)
            sites = parties.sites(question.columns)
            Running(task, 0, envelope, question, sites, parties).begin()
            self._store.begin(task, message.agreement, message.by, envelope)
            self._idle.discard(message.agreement)
            self.changes += 1
        return Ticket("now", message.agreement, message.by, said={"task": task})

    def _wait(self, message: Wait, role: str) -> Ticket:
        stored = self._store.task(message.task)
        if stored is None or stored.agreement != message.agreement:
            raise ParameterError("The hub knows no such task.")
        if role != "analyst" or stored.by != message.by:
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
        for one in self._store.tasks(message.agreement, ("done",)):
            if one.by == message.by and one.id in message.tasks and one.answer is not None:
                answered += record_of(one.answer["certificate"]).results
        if len(answered) != len(set(message.tasks)):
            raise ParameterError("One of these tasks is not answered, or not yours.")
        envelope = certified(parties, answered, [self._key])
        said = {"certificate": envelope}
        return Ticket("now", message.agreement, message.by, said=said)

    def _check_rate(self, message: Ask | Login) -> None:
        of = (message.agreement, message.by, message.kind)
        now, times = self._clock(), self._asked.setdefault(of, deque())
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) >= self._asks_a_minute:
            raise TooManyError(
                f"The hub takes {self._asks_a_minute} questions a minute of one party; ask again "
                "in a minute."
            )
        times.append(now)

    # -- messages of holders

    def _of_holder(
        self, parties: Parties, message: Any, envelope: dict[str, Any], payload: bytes | None
    ) -> Ticket:
        if all(one.holder != message.by for one in parties.agreement.data_sets):
            raise TrustError(f"{message.by!r} holds no data under the agreement.")
        place = (message.agreement, message.by)
        paused = isinstance(message, Poll) and message.paused
        self._seen[place] = _Seen(message.instance, self._clock(), paused)
        running = self._running.get(message.agreement)
        if running is not None:
            if paused and message.by not in running.joins:
                running.handed.pop(message.by, None)
            former = running.instances.get(message.by, message.instance)
            if former != message.instance:  # it started again, and knows nothing of before
                running = self._again(running)
        if running is not None and not isinstance(message, Poll):
            self._go_on(running, message, envelope, payload)
        return Ticket("work", message.agreement, message.by)

    def _go_on(
        self, running: Running, message: Any, envelope: dict[str, Any], payload: bytes | None
    ) -> None:
        of_now = (message.task, message.attempt) == (running.task, running.attempt)
        if message.by not in running.sites or not of_now:
            return
        running.handed.pop(message.by, None)
        self.changes += 1
        if isinstance(message, Join):
            if len(running.joins) < len(running.sites):
                running.joined(message, envelope)
        elif isinstance(message, Decline):
            state = "refused" if message.why in _REFUSALS else "failed"
            self._end(running, state, why=_DECLINED[message.why])
        elif message.round == running.turn and message.by not in running.parts:
            self._add(running, message, envelope, payload)

    def _add(
        self, running: Running, message: Part, envelope: dict[str, Any], payload: bytes | None
    ) -> None:
        if payload is None or sha256(payload) != message.payload_sha256:
            self._end(running, "failed", why=_DECLINED["exchange"])
            return
        try:
            result = running.gave(message, envelope, payload)
        except SosieError as error:
            self._end(running, "failed", why=str(error))
            return
        except Exception:  # numbers of which nothing can be made; what they are, nobody is told
            self._end(running, "failed", why=_NO_RESULT)
            return
        if result is None:
            return
        content = result.content()
        answered = running.answered(content)
        certificate = certified(running.parties, [answered], [self._key])
        self._end(
            running,
            "done",
            answer={
                "analysis": answered.analysis,
                "agreement": running.parties.signed.sha256,
                "sites": [running.parties.key_of(site).name for site in running.sites],
                "question": running.question.model_dump(mode="json"),
                "result": content,
                "gate": [{"check": c, "verdict": v} for c, v in running.checks.items()],
                "certificate": certificate,
            },
        )

    def _end(self, running: Running, state: str, **said: Any) -> None:
        self._running.pop(running.parties.signed.sha256, None)
        self._moved[running.parties.signed.sha256] = self._clock()
        self._store.end(running.task, state, **said)
        self.changes += 1

    def _again(self, running: Running) -> Running | None:
        attempt = running.attempt + 1
        agreement = running.parties.signed.sha256
        self.changes += 1
        if attempt > MOST_ATTEMPTS:
            self._end(running, "failed", why="The holders did not stay up for it; ask again.")
            return None
        self._store.attempted(running.task, attempt)
        self._running[agreement] = Running(
            running.task, attempt, running.ask, running.question, running.sites, running.parties
        )
        return self._running[agreement]

    # -- the queue

    def _next(self, agreement: str) -> Running | None:
        while agreement not in self._running:
            first = None if agreement in self._idle else self._store.first(agreement)
            if first is None:
                self._idle.add(agreement)  # until somebody asks
                return None
            try:
                running = self._running_of(first)
            except SosieError as error:  # as where the key of who asked has expired since
                self._store.end(first.id, "failed", why=str(error))
                self.changes += 1
                continue
            # An attempt of a hub that stopped is not gone on with.
            self._again(running)
        return self._running[agreement]

    def _running_of(self, stored: Stored) -> Running:
        parties = self._parties[stored.agreement]
        question = Question.of(read_message(stored.ask, parties.keys).question)
        sites = parties.sites(question.columns)
        return Running(stored.id, stored.attempt, stored.ask, question, sites, parties)

    def _expire(self, agreement: str) -> None:
        running = self._running.get(agreement)
        now = self._clock()
        if running is not None:
            late = [by for by, at in running.handed.items() if at < now - self._lease]
            if late:
                running = self._again(running)
        # Behind others, a task waits for its turn: holders are missing where none has its turn.
        if self._moved[agreement] >= now - self._patience:
            return
        for one in self._store_waiting(agreement, now - self._patience):
            why = self._waits_for(agreement, self._sites_of(one)) or (
                "The task took longer than the hub waits; ask again."
            )
            if running is not None and running.task == one.id:
                self._end(running, "failed", why=why)
            else:
                self._store.end(one.id, "failed", why=why)
                self.changes += 1

    def _store_waiting(self, agreement: str, before: float) -> list[Stored]:
        return [one for one in self._store.tasks(agreement, OPEN) if one.created < before]

    def _sites_of(self, stored: Stored) -> Iterable[str] | None:
        try:
            return self._running_of(stored).sites
        except SosieError:
            return None

    def _waits_for(self, agreement: str, sites: Iterable[str] | None = None) -> str:
        parties = self._parties[agreement]
        if sites is None:
            sites = [one.holder for one in parties.agreement.data_sets]
        absent, paused = [], []
        for site in sites:
            seen = self._seen.get((agreement, site))
            name = parties.key_of(site).name
            if seen is None or seen.at < self._clock() - self._lease:
                absent.append(name)
            elif seen.paused:
                paused.append(name)
        if absent:
            return f"No node of {', '.join(absent)} answers; nothing left. Ask its holder."
        return f"{', '.join(paused)} has paused its node; ask its holder." if paused else ""

    def _opened(self, envelope: Any) -> tuple[Parties, Any]:
        from sosie.insitu.exchange._messages import agreement_in

        digest = agreement_in(envelope)
        parties = self._parties.get(digest)
        if parties is None:
            raise TrustError(
                "The hub does not serve this agreement; have it started with the one that all "
                "signed."
            )
        return parties, read_message(envelope, parties.keys)

    def _now(self) -> Any:
        import datetime as dt

        return dt.datetime.fromtimestamp(self._clock(), dt.UTC)


def _check_allowed(parties: Parties, question: Question, by: str) -> None:
    analysis = str(question.analysis.id)
    refused = parties.signed.refuses(analysis=analysis, columns=question.columns, recipient=by)
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


def _told(stored: Stored) -> dict[str, Any]:
    if stored.state == "done":
        return {"state": "done", "answer": stored.answer}
    return {"state": stored.state, "why": stored.why}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
