"""Messages to a hub in the same process: for trying things out, and for tests."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from sosie.errors import SosieError
from sosie.trust import canonical

if TYPE_CHECKING:
    from sosie.insitu.hub._hub import Hub

__all__ = ["Direct"]


class Direct:
    """A way to a hub without a network; it never waits.

    Parameters
    ----------
    hub : Hub
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def bear(self, token: str) -> None:
        """There are no tokens here: messages are signed."""

    def post(
        self, message: dict[str, Any], payload: bytes | None = None, wait: float = 0.0
    ) -> dict[str, Any]:
        """Give a message to the hub, spelt as it would be on the way."""
        self._hub.expire()
        ticket = self._hub.take(json.loads(canonical(message)), payload)
        said = self._hub.reply(ticket)
        if said is None:
            said = self._hub.nothing(ticket)
        found: dict[str, Any] = json.loads(canonical(said))
        return found

    def close(self, last: dict[str, Any] | None = None) -> None:
        """Give a last message; nothing is open."""
        if last is not None:
            with contextlib.suppress(SosieError):
                self.post(last)
