"""Which nodes answer, as the hub last heard of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sosie.insitu.exchange._parties import Parties

__all__ = ["Presence", "Seen"]

_REMEMBERED = 100
"""Former nodes of a holder; each has a name of 64 digits that it drew."""


@dataclass
class Seen:
    """A node when it last said something.

    Attributes
    ----------
    instance : str
        Another one each time it starts.
    at : float
        Seconds since 1970.
    said : str
        The same by the holder's clock.
    paused : bool
    left : bool
        Whether it was told to stop; it does nothing more.
    """

    instance: str
    at: float
    said: str
    paused: bool
    left: bool = False


class Presence:
    """The nodes of all agreements.

    Parameters
    ----------
    lease : float
        Seconds of silence after which a node is away.
    clock : callable
        Tells the time.
    """

    def __init__(self, lease: float, clock: Callable[[], float]) -> None:
        self._lease = lease
        self._clock = clock
        self._seen: dict[tuple[str, str], Seen] = {}
        self._replaced: dict[tuple[str, str], deque[str]] = {}

    def saw(
        self,
        agreement: str,
        by: str,
        instance: str,
        said: str,
        *,
        paused: bool = False,
        left: bool = False,
    ) -> bool:
        """Keep that a node said something; tell whether none of its holder began after it.

        Parameters
        ----------
        agreement, by, instance : str
        said : str
            When, by the holder's clock: files in a folder come in any order.
        paused, left : bool
        """
        place = agreement, by
        replaced = self._replaced.setdefault(place, deque(maxlen=_REMEMBERED))
        former = self._seen.get(place)
        if former is not None and former.instance != instance:
            if instance in replaced or said < former.said:
                return False
            replaced.append(former.instance)
            former = None
        # What it said before it left may come after that.
        left = left or (former is not None and former.left)
        self._seen[place] = Seen(instance, self._clock(), said, paused, left)
        return True

    def of(self, agreement: str, by: str) -> Seen | None:
        """Give when a node was last seen."""
        return self._seen.get((agreement, by))

    def left(self, agreement: str, by: str) -> bool:
        """Tell whether the last node of a holder was told to stop."""
        seen = self.of(agreement, by)
        return seen is not None and seen.left

    def missing(self, parties: Parties, sites: Iterable[str]) -> str:
        """Tell in a sentence who is missing of these holders; nothing where all answer."""
        absent, paused = [], []
        for site in sites:
            seen = self.of(parties.signed.sha256, site)
            name = parties.key_of(site).name
            if seen is None or seen.left or seen.at < self._clock() - self._lease:
                absent.append(name)
            elif seen.paused:
                paused.append(name)
        if absent:
            return f"No node of {', '.join(absent)} answers; nothing left. Ask its holder."
        return f"{', '.join(paused)} has paused its node; ask its holder." if paused else ""
