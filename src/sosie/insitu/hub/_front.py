"""What a hub says to who connects: one address for all messages, which waits until it can reply."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from sosie.errors import SosieError, TrustError
from sosie.insitu.exchange._letter import read_letter
from sosie.insitu.exchange._messages import NO_MESSAGE
from sosie.insitu.exchange._raised import failed
from sosie.trust import strict_json

if TYPE_CHECKING:
    from sosie.insitu.hub._connection import Request
    from sosie.insitu.hub._hub import Hub
    from sosie.insitu.hub._ticket import Ticket

__all__ = ["Front"]

_LONGEST = 30.0
_TICK = 1.0


class Front:
    """Answers requests to a hub.

    Parameters
    ----------
    hub : Hub
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rung: asyncio.Future[None] | None = None
        self._last = hub.changes
        self._stopping = False

    async def answer(self, request: Request) -> tuple[int, Any]:
        """Give status and JSON.

        Parameters
        ----------
        request : Request
        """
        methods = {"/v1/message": ("POST",), "/v1/health": ("GET", "HEAD")}
        if request.target not in methods:
            return 404, {"error": "There is nothing here."}
        if request.method not in methods[request.target]:
            return 405, {"error": f"Use {methods[request.target][0]}."}
        if request.method != "POST":
            return 200, {"status": "up"}
        try:
            return 200, await self._said(request)
        except SosieError as error:
            return failed(error)
        except Exception:  # what it is, may tell of what was sent
            return 500, {"error": "The hub failed.", "sort": "data"}

    def stop(self) -> None:
        """Send away all who wait: the hub goes down."""
        self._stopping = True
        self._wake()

    async def tick(self) -> None:
        """End what waited too long, again and again."""
        while True:
            await asyncio.sleep(_TICK)
            with contextlib.suppress(Exception):  # it is tried again, and has nobody to tell
                self._hub.expire()
            self._ring()

    async def _said(self, request: Request) -> dict[str, Any]:
        body = _read(request.body, self._hub.largest)
        scheme, _, token = request.authorization.partition(" ")
        token = token if scheme.lower() == "bearer" else ""
        ticket = self._hub.take(body["message"], body["payload"], token)
        self._ring()
        said = self._hub.reply(ticket)
        self._ring()
        return await self._waited(request, ticket, body["wait"]) if said is None else said

    async def _waited(self, request: Request, ticket: Ticket, wait: float) -> dict[str, Any]:
        """Wait until there is something to say, the time is over, or who asked has gone."""
        loop = asyncio.get_running_loop()
        until, gone = loop.time() + wait, request.gone()
        while (left := until - loop.time()) > 0 and not gone.done() and not self._stopping:
            rung = self._next  # taken before one looks, so that no change is missed
            await asyncio.wait((gone, rung), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            said = None if gone.done() else self._hub.reply(ticket)
            self._ring()
            if said is not None:
                return said
        return self._hub.nothing(ticket)

    @property
    def _next(self) -> asyncio.Future[None]:
        """What the next change sets."""
        if self._rung is None:
            self._rung = asyncio.get_running_loop().create_future()
        return self._rung

    def _ring(self) -> None:
        """Wake all who wait where something has changed."""
        if self._hub.changes != self._last:
            self._last = self._hub.changes
            self._wake()

    def _wake(self) -> None:
        if self._rung is not None:
            self._rung.set_result(None)
            self._rung = None


def _read(body: bytes, largest: int) -> dict[str, Any]:
    said = strict_json(body, largest=largest)
    message, payload = read_letter(said)
    wait = said.get("wait", 0)
    if type(wait) not in (int, float):
        raise TrustError(NO_MESSAGE)
    return {"message": message, "payload": payload, "wait": min(max(wait, 0.0), _LONGEST)}
