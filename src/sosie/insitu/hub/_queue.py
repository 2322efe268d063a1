"""The tasks of each agreement, one after the other."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from sosie.errors import SosieError
from sosie.insitu.exchange._messages import MOST_ATTEMPTS, read_message
from sosie.insitu.hub._running import Running
from sosie.insitu.hub._store import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.hub._presence import Presence
    from sosie.insitu.hub._reckoner import Reckoner
    from sosie.insitu.hub._store import Store, Stored

__all__ = ["Queue"]

_REMEMBERED = 8


class Queue:
    """Tasks of one agreement are done one after the other, in the order in which they were asked.

    An attempt lives in memory alone: when the hub, or a node, starts again, a new one begins with
    new masks, and whatever was computed before is not used.

    Parameters
    ----------
    store : Store
        What outlives this process: each task is there before it begins, and ends there.
    presence : Presence
    reckoner : Reckoner
    patience : float
        Seconds that a task waits for its holders before it has failed, once it is its turn.
    lease : float
        Seconds that a holder may work on one step before the attempt is given up.
    clock : callable
        Tells the time.

    Attributes
    ----------
    parties : dict of str to Parties
        Of each agreement that is served, by its SHA-256.
    changes : int
        Grows whenever somebody may have something to do, or to receive.
    """

    def __init__(
        self,
        store: Store,
        presence: Presence,
        reckoner: Reckoner,
        *,
        patience: float,
        lease: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._presence = presence
        self._reckoner = reckoner
        self._patience = patience
        self._lease = lease
        self._clock = clock
        self.parties: dict[str, Parties] = {}
        self.changes = 0
        self._running: dict[str, Running] = {}
        self._waiting: dict[str, deque[str]] = {}
        self._ended: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._moved: dict[str, float] = {}

    def adopt(self, parties: Parties) -> None:
        """Serve an agreement, with the tasks that a former hub did not end."""
        agreement = parties.signed.sha256
        self.parties[agreement] = parties
        self._moved[agreement] = self._clock()
        self._waiting[agreement] = deque(one.id for one in self._store.tasks(agreement, OPEN))

    def add(self, running: Running) -> None:
        """Take a task, unless there is one of that name; where none is before it, it begins."""
        agreement = running.parties.signed.sha256
        first = agreement not in self._running and not self._waiting[agreement]
        running.attempt = 1 if first else 0
        new = self._store.begin(
            running.task, agreement, running.by, running.ask, attempt=running.attempt
        )
        if new and first:
            self._running[agreement] = running
        else:
            running.close()
        if new and not first:
            self._waiting[agreement].append(running.task)
        self.changes += new

    @property
    def tells(self) -> bool:
        """Whether a holder is to tell something by itself."""
        return any(one.tells for one in self._running.values())

    def running(self, agreement: str) -> Running | None:
        """Give the attempt that goes on, if one does."""
        return self._running.get(agreement)

    def next(self, agreement: str) -> Running | None:
        """Give the attempt that goes on, or begin that of the next task."""
        waiting = self._waiting[agreement]
        while agreement not in self._running and waiting:
            stored = self._store.task(waiting[0])
            if stored is None or stored.state not in OPEN:
                waiting.popleft()
                continue
            try:
                running = self._running_of(stored)
            except SosieError as error:  # as where the key of who asked has expired since
                self._ended_so(stored.id, "failed", why=str(error))
                continue
            # An attempt of a hub that stopped is not gone on with.
            self.again(running)
            waiting.popleft()
        return self._running.get(agreement)

    def again(self, running: Running) -> Running | None:
        """Give an attempt up and begin the next, unless there were too many."""
        attempt = running.attempt + 1
        self.changes += 1
        if attempt > MOST_ATTEMPTS:
            self.end(running, "failed", why="The holders did not stay up for it; ask again.")
            return None
        self._store.attempted(running.task, attempt)
        made = running.afresh(attempt)
        self._running[running.parties.signed.sha256] = made
        return made

    def end(self, running: Running, state: str, **said: Any) -> None:
        """End a task: done, refused or failed."""
        agreement = running.parties.signed.sha256
        self._running.pop(agreement, None)
        running.close()
        self._moved[agreement] = self._clock()
        # Where its end cannot be kept, as on a full disk, it is done once more.
        self._waiting[agreement].appendleft(running.task)
        self._ended_so(running.task, state, **said)
        self._waiting[agreement].popleft()

    def told(self, agreement: str, task: str) -> dict[str, Any] | None:
        """Give what who asked is told; None while the task goes on or waits."""
        if task in self._ended:
            return self._ended[task]
        running = self._running.get(agreement)
        if (running is not None and running.task == task) or task in self._waiting[agreement]:
            return None
        stored = self._store.task(task)
        if stored is None or stored.state in OPEN:
            return None
        return _told(stored.state, stored.answer, stored.why)

    def expire(self, agreement: str) -> None:
        """End what waited too long."""
        running = self._running.get(agreement)
        now = self._clock()
        if running is not None:
            lease = max(self._lease, running.seconds)
            late = [by for by, at in running.handed.items() if at < now - lease]
            gone = [
                by for by in running.joins if running.due(by) and self._presence.left(agreement, by)
            ]
            if late or gone:
                running = self.again(running)
        # Behind others, a task waits for its turn: holders are missing where none has its turn.
        if self._moved[agreement] >= now - self._patience:
            return
        # One that computes for long is given up by its lease alone.
        if running is not None and running.seconds:
            return
        for one in self._store.tasks(agreement, OPEN):
            if one.created >= now - self._patience:
                continue
            why = self._missing(one) or "The task took longer than the hub waits; ask again."
            if running is not None and running.task == one.id:
                self.end(running, "failed", why=why)
            else:
                self._ended_so(one.id, "failed", why=why)  # in the queue it is passed over

    def _missing(self, stored: Stored) -> str:
        parties = self.parties[stored.agreement]
        try:
            sites = self._running_of(stored).sites
        except SosieError:
            sites = parties.holders
        return self._presence.missing(parties, sites)

    def _running_of(self, stored: Stored) -> Running:
        parties = self.parties[stored.agreement]
        ask = read_message(stored.ask, parties.keys)
        question = self._reckoner.outline(ask.question)
        sites = parties.sites(question.columns)
        return Running(
            stored.id, stored.attempt, ask.by, stored.ask, question, sites, parties,
            self._reckoner,
        )  # fmt: skip

    def _ended_so(
        self,
        task: str,
        state: str,
        *,
        answer: dict[str, Any] | None = None,
        why: str | None = None,
    ) -> None:
        self._store.end(task, state, answer=answer, why=why)
        self._ended[task] = _told(state, answer, why)
        while len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        self.changes += 1


def _told(state: str, answer: dict[str, Any] | None, why: str | None) -> dict[str, Any]:
    return {"state": state, "answer": answer} if state == "done" else {"state": state, "why": why}
