"""The hub over HTTPS: one address for all messages, which waits until there is something to say."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.insitu.exchange._letter import read_letter
from sosie.insitu.exchange._messages import NO_MESSAGE
from sosie.insitu.exchange._raised import TooManyError
from sosie.insitu.hub._hub import NotAllowedError
from sosie.trust import strict_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sosie.insitu.hub._hub import Hub, Ticket

__all__ = ["app_of", "failed"]

_LONGEST = 30.0
_TICK = 1.0


def app_of(hub: Hub) -> Starlette:
    """Make the application that serves a hub."""
    bell = _Bell(hub)

    @contextlib.asynccontextmanager
    async def alive(_: Starlette) -> AsyncIterator[None]:
        ticking = asyncio.create_task(bell.tick())
        yield
        ticking.cancel()

    async def message(request: Request) -> JSONResponse:
        try:
            return JSONResponse(await _answered(request, hub, bell))
        except SosieError as error:
            code, said = failed(error)
            return JSONResponse(said, code)
        except ClientDisconnect:
            return JSONResponse({}, 400)

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "up"})

    app = Starlette(
        lifespan=alive,
        routes=[Route("/v1/message", message, methods=["POST"]), Route("/v1/health", health)],
    )
    app.state.bell = bell
    return app


def failed(error: SosieError) -> tuple[int, dict[str, str]]:
    """Tell what went wrong: a status of HTTP, and one sentence with its sort."""
    kinds: tuple[tuple[type[SosieError], int, str], ...] = (
        (TooManyError, 429, "many"),
        (NotAllowedError, 403, "refused"),
        (TrustError, 403, "trust"),
        (ParameterError, 422, "wrong"),
        (DataError, 503, "data"),
    )
    code, sort = next(((c, s) for kind, c, s in kinds if isinstance(error, kind)), (500, "data"))
    return code, {"error": str(error), "sort": sort}


class _Bell:
    """Wakes all who wait whenever something has changed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rung: asyncio.Future[None] | None = None
        self._last = hub.changes
        self.stopping = False

    def stop(self) -> None:
        """Send away all who wait: the hub goes down."""
        self.stopping = True
        self._wake()

    def ring(self) -> None:
        if self._hub.changes != self._last:
            self._last = self._hub.changes
            self._wake()

    @property
    def next(self) -> asyncio.Future[None]:
        """What the next change sets: to be taken before one looks, so that none is missed."""
        if self._rung is None:
            self._rung = asyncio.get_running_loop().create_future()
        return self._rung

    def _wake(self) -> None:
        if self._rung is not None:
            self._rung.set_result(None)
            self._rung = None

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            with contextlib.suppress(SosieError):
                self._hub.expire()
            self.ring()


async def _answered(request: Request, hub: Hub, bell: _Bell) -> dict[str, Any]:
    body = await _read(request, hub.largest)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token if scheme.lower() == "bearer" else ""
    ticket = hub.take(body["message"], body["payload"], token)
    bell.ring()
    said = hub.reply(ticket)
    bell.ring()
    if said is None:
        said = await _waited(request, ticket, body["wait"], hub, bell)
    return said


async def _waited(
    request: Request, ticket: Ticket, wait: float, hub: Hub, bell: _Bell
) -> dict[str, Any]:
    """Wait until there is something to say, the time is over, or who asked has gone."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    gone = asyncio.ensure_future(request.receive())
    try:
        while (left := until - loop.time()) > 0 and not gone.done() and not bell.stopping:
            rung = bell.next
            await asyncio.wait((gone, rung), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            said = None if gone.done() else hub.reply(ticket)
            bell.ring()
            if said is not None:
                return said
    finally:
        gone.cancel()
    return hub.nothing(ticket)


async def _read(request: Request, largest: int) -> dict[str, Any]:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > largest:
            raise TrustError("This message is too large; it is not used.")
    said = strict_json(bytes(data), largest=largest)
    message, payload = read_letter(said)
    wait = said.get("wait", 0)
    if type(wait) not in (int, float):
        raise TrustError(NO_MESSAGE)
    return {"message": message, "payload": payload, "wait": min(max(wait, 0.0), _LONGEST)}
