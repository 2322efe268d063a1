"""The hub over HTTPS: one address for all messages, which waits until there is something to say."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.insitu.hub._hub import NotAllowedError, TooManyError
from sosie.trust import strict_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sosie.insitu.hub._hub import Hub

__all__ = ["LARGEST", "app_of", "failed"]

LARGEST = 4 << 20
"""Bytes of a request, at most."""

_LONGEST = 30.0
_TICK = 1.0


def app_of(hub: Hub) -> FastAPI:
    """Make the application that serves a hub."""
    bell = _Bell(hub)

    @contextlib.asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(bell.tick())
        yield
        ticking.cancel()

    app = FastAPI(lifespan=alive, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.bell = bell

    @app.post("/v1/message")
    async def message(request: Request) -> JSONResponse:
        try:
            return JSONResponse(await _answered(request, hub, bell))
        except SosieError as error:
            code, said = failed(error)
            return JSONResponse(said, code)
        except ClientDisconnect:
            return JSONResponse({}, 400)

    @app.get("/v1/health")
    async def health() -> dict[str, str]:
        return {"status": "up"}

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
        self._rung = asyncio.Event()
        self._last = hub.changes
        self.stopping = False

    def stop(self) -> None:
        """Send away all who wait: the hub goes down."""
        self.stopping = True
        self._rung.set()

    def ring(self) -> None:
        if self._hub.changes != self._last:
            self._last = self._hub.changes
            self._rung.set()
            self._rung = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """What the next change sets: to be taken before one looks, so that none is missed."""
        return self._rung

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            with contextlib.suppress(SosieError):
                self._hub.expire()
            self.ring()


async def _answered(request: Request, hub: Hub, bell: _Bell) -> dict[str, Any]:
    body = await _read(request)
    token = None
    if not body["holder"]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme.lower() == "bearer" else ""
    ticket = hub.take(body["message"], body["payload"], token)
    bell.ring()
    loop = asyncio.get_running_loop()
    until = loop.time() + body["wait"]
    while True:
        rung = bell.next
        said = hub.reply(ticket)
        bell.ring()
        if said is not None:
            return said
        left = until - loop.time()
        if left <= 0 or bell.stopping or await request.is_disconnected():
            return hub.nothing(ticket)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rung.wait(), left)


async def _read(request: Request) -> dict[str, Any]:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > LARGEST:
            raise TrustError("This message is too large; it is not used.")
    said = strict_json(bytes(data), largest=LARGEST)
    try:
        message, wait = said["message"], said.get("wait", 0)
        if type(wait) not in (int, float):
            raise TypeError
        spelt = said.get("payload")
        payload = None if spelt is None else base64.b64decode(spelt, validate=True)
        kind = _kind(message)
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise TrustError("This is no message of an analysis in place; it is not used.") from error
    return {
        "message": message, "payload": payload, "wait": min(max(wait, 0.0), _LONGEST),
        "holder": kind in ("login", "poll", "join", "part", "decline"),
    }  # fmt: skip


def _kind(message: Any) -> str:
    from sosie.trust import payload_of

    return str(strict_json(payload_of(message))["kind"])
