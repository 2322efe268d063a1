"""What holders say, and what the hub makes of it: an attempt goes on, ends, or begins again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.errors import SosieError, TrustError
from sosie.insitu.exchange._certificate import answer_of, certified, recorded
from sosie.insitu.exchange._messages import Decline, Join, Leave, Part, Poll
from sosie.insitu.gate import REFUSED
from sosie.insitu.hub._reckoner import STOPPED, LostError
from sosie.insitu.hub._ticket import NotAllowedError
from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.hub._groups import Groups
    from sosie.insitu.hub._presence import Presence
    from sosie.insitu.hub._queue import Queue
    from sosie.insitu.hub._running import Running
    from sosie.trust import Key

__all__ = ["Attempts"]

_DECLINED = {
    "gate": REFUSED,
    "agreement": "A holder finds that the agreement does not allow this question.",
    "snapshot": "The data of a holder are not those that were agreed on any more; nothing left.",
    "synthetic": "A holder serves no synthetic table that could be judged; ask it to.",
    "resources": "The analysis took more memory or time than a holder grants, or its answer more "
    "room than a message has; ask for less.",
    "exchange": "A holder received what is not as it must be, and stopped; nothing was answered.",
}
_NO_RESULT = "The holders' totals make no result of this analysis; ask for less, or otherwise."
_REFUSALS = ("gate", "agreement", "snapshot")
_MOST_LOST = 3


class Attempts:
    """Takes what holders say of the attempts that go on, and certifies what comes of them.

    Parameters
    ----------
    key : Key
        Of the hub.
    queue : Queue
    presence : Presence
    groups : Groups
    """

    def __init__(self, key: Key, queue: Queue, presence: Presence, groups: Groups) -> None:
        self._key = key
        self._queue = queue
        self._presence = presence
        self._groups = groups

    def take(
        self, parties: Parties, message: Any, envelope: dict[str, Any], payload: bytes | None
    ) -> bool:
        """Take a message of a holder; tell whether it stays for what comes next.

        Parameters
        ----------
        parties : Parties
        message : Poll, Leave, Join, Part or Decline
        envelope : dict
            As it was signed.
        payload : bytes or None
            What goes with a part.

        Raises
        ------
        TrustError
            If it holds nothing, or another node of it was started since.
        """
        if message.by not in parties.holders:
            raise TrustError(f"{message.by!r} holds no data under the agreement.")
        paused = isinstance(message, Poll) and message.paused
        known = (message.agreement, message.by, message.instance, message.at)
        left = isinstance(message, Leave)
        if not self._presence.saw(*known, paused=paused, left=left):
            raise NotAllowedError(
                "Another node of this holder was started after this one, and one alone may serve, "
                "since what the one released the other does not know: stop the one that is not to "
                "serve, then start the other again."
            )
        running = self._queue.running(message.agreement)
        if running is not None:
            if left or (paused and message.by not in running.joins):
                running.handed.pop(message.by, None)
            former = running.instances.get(message.by, message.instance)
            if former != message.instance:  # it started again, and knows nothing of before
                running = self._queue.again(running)
        if running is not None and not isinstance(message, Poll | Leave):
            self._go_on(running, message, envelope, payload)
        return not left

    def _go_on(
        self, running: Running, message: Any, envelope: dict[str, Any], payload: bytes | None
    ) -> None:
        of_now = (message.task, message.attempt) == (running.task, running.attempt)
        if message.by not in running.sites or not of_now:
            return
        running.handed.pop(message.by, None)
        self._queue.changes += 1
        if isinstance(message, Join):
            if not running.full:
                self._do(running, lambda: running.joined(message, envelope))
        elif isinstance(message, Decline):
            state = "refused" if message.why in _REFUSALS else "failed"
            self._queue.end(running, state, why=_DECLINED[message.why])
        elif message.round == running.turn and message.by not in running.parts:
            self._add(running, message, envelope, payload)

    def _add(
        self, running: Running, message: Part, envelope: dict[str, Any], payload: bytes | None
    ) -> None:
        if payload is None or sha256(payload) != message.payload_sha256:
            self._queue.end(running, "failed", why=_DECLINED["exchange"])
            return
        content = self._do(running, lambda: running.gave(message, envelope, payload))
        if content is None:
            return
        self._groups.add(running.parties, running.question)
        answered = running.answered(content)
        record = recorded(running.parties, [answered])
        answer = answer_of(record, answered, content)
        self._queue.end(
            running, "done", answer=answer | {"certificate": certified(record, [self._key])}
        )

    def _do(
        self, running: Running, step: Callable[[], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """Go on with an attempt; where that fails, it ends, or begins again."""
        try:
            return step()
        except LostError:
            if running.lost >= _MOST_LOST:  # it may be what ends the process
                self._queue.end(running, "failed", why=STOPPED)
            elif (made := self._queue.again(running)) is not None:
                made.lost = running.lost + 1
        except SosieError as error:
            self._queue.end(running, "failed", why=str(error))
        except Exception:  # numbers of which nothing can be made; what they are, nobody is told
            self._queue.end(running, "failed", why=_NO_RESULT)
        return None
