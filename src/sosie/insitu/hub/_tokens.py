"""Who may speak for an analyst for a while, once the key was shown; and how often."""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from sosie.errors import TrustError
from sosie.insitu.exchange._raised import TooManyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.insitu.hub._store import Store

__all__ = ["Rate", "Tokens"]

_SECONDS = 900.0


class Tokens:
    """Tokens of a quarter of an hour; the store has their hashes alone.

    Parameters
    ----------
    store : Store
    clock : callable
        Tells the time.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[tuple[str, str, str], float]] = {}

    def new(self, agreement: str, by: str, role: str) -> dict[str, Any]:
        """Make a token of a party, and tell it."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        self._store.add_token(_digest(token), agreement, by, role, now + _SECONDS)
        self._known = {one: kept for one, kept in self._known.items() if kept[1] > now}
        self._known[_digest(token)] = ((agreement, by, role), now + _SECONDS)
        return {"token": token, "role": role, "seconds": _SECONDS}

    def role(self, token: str, agreement: str, by: str) -> str:
        """Tell the role that a token gives a party.

        Raises
        ------
        TrustError
            If it has ended, or is another's.
        """
        digest = _digest(token)
        found, ends = self._known.get(digest, (None, 0.0))
        if found is None:
            found = self._store.token(digest)  # of before this hub started
        elif ends <= self._clock():
            found = None
        if found is None or found[:2] != (agreement, by):
            raise TrustError("The token has ended or is of somebody else; log in again.")
        return found[2]


class Rate:
    """How often a party may do a thing.

    Parameters
    ----------
    a_minute : int
    clock : callable
        Tells the time.
    """

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._done: dict[tuple[str, ...], deque[float]] = {}

    def check(self, *of: str) -> None:
        """Count it once more.

        Raises
        ------
        TooManyError
            If it was done too often within a minute.
        """
        now, times = self._clock(), self._done.setdefault(of, deque())
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) >= self._a_minute:
            raise TooManyError(
                f"The hub takes {self._a_minute} questions a minute of one party; ask again in a "
                "minute."
            )
        times.append(now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
