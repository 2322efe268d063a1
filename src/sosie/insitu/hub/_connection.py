"""One client of a hub: requests in and replies out, one after the other, over HTTP/1.1."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import h11

from sosie.errors import TrustError
from sosie.insitu.exchange._raised import failed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Connection", "Request"]

_HEAD = 16 << 10
_CHUNK = 64 << 10
_PATIENCE, _LINGERS = 60.0, 2.0


@dataclass(frozen=True)
class Request:
    """What a client asks for.

    Attributes
    ----------
    method, target : str
    authorization : str
        Of its header; empty where there is none.
    body : bytes
    gone : callable
        Gives what is done once the client has ended the connection, or says more before it
        has its reply.
    """

    method: str
    target: str
    authorization: str
    body: bytes
    gone: Callable[[], asyncio.Future[bytes]]


class Connection:
    """A connection, until either side ends it.

    What a client sends is read by h11, which refuses what is not HTTP/1.1 as RFC 9112 has it.
    A client that sends nothing for a minute is sent away.

    Parameters
    ----------
    reader, writer : StreamReader and StreamWriter
    answer : callable
        Gives status and JSON for a :class:`Request`.
    largest : callable
        Tells how many bytes a body may have.
    closing : callable
        Tells whether the hub goes down, so that a reply is the last.
    patience : float
        Seconds.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Callable[[Request], Awaitable[tuple[int, Any]]],
        largest: Callable[[], int],
        closing: Callable[[], bool] = lambda: False,
        patience: float = _PATIENCE,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._largest = largest
        self._closing = closing
        self._patience = patience
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)
        self._reading: asyncio.Future[bytes] | None = None
        self._head_alone = False

    async def serve(self) -> None:
        """Answer until the connection ends; whatever goes wrong ends this one alone."""
        try:
            while await self._one():
                self._http.start_next_cycle()
                await asyncio.sleep(0)  # it is the turn of others, however much was sent at once
        except (OSError, TimeoutError, h11.LocalProtocolError):
            pass
        finally:
            if self._reading is not None:
                self._reading.cancel()
            self._writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._writer.wait_closed()

    async def _one(self) -> bool:
        """Answer one request; tell whether there may be another."""
        try:
            self._head_alone = False
            head = await self._event()
            if not isinstance(head, h11.Request):  # it ended the connection
                return False
            self._head_alone = head.method == b"HEAD"
            body = await self._body()
            status, said = await self._answer(self._request(head, body))
        except h11.RemoteProtocolError as error:
            if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
                return False
            status, said = error.error_status_hint, {"error": "This is no request of HTTP."}
        except TrustError as error:
            status, said = failed(error)
        await self._reply(status, said)
        if self._http.their_state is h11.SEND_BODY:
            await self._linger()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def _request(self, head: h11.Request, body: bytes) -> Request:
        named = dict(head.headers)
        return Request(
            head.method.decode("ascii"), head.target.decode("ascii", "replace"),
            named.get(b"authorization", b"").decode("latin-1"), body, self._more,
        )  # fmt: skip

    async def _body(self) -> bytes:
        data, largest = bytearray(), self._largest()
        while isinstance(event := await self._event(), h11.Data):
            data += event.data
            if len(data) > largest:
                raise TrustError("This message is too large; it is not used.")
        return bytes(data)

    async def _event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            async with asyncio.timeout(self._patience):
                data = await asyncio.shield(self._more())
            self._reading = None
            self._http.receive_data(data)
        return event

    def _more(self) -> asyncio.Future[bytes]:
        """Give what is done once there are more bytes, none at the end; they are kept till read."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._reader.read(_CHUNK))
        return self._reading

    async def _reply(self, status: int, said: Any) -> None:
        body = json.dumps(said, allow_nan=False).encode()
        headers = [
            ("content-type", "application/json"), ("content-length", str(len(body))),
            ("date", formatdate(usegmt=True)),
        ]  # fmt: skip
        # Where the request was not read to its end, the rest of what it sends is not either.
        if self._closing() or self._http.their_state is h11.SEND_BODY:
            headers.append(("connection", "close"))
        response = h11.Response(status_code=status, headers=headers)
        told = [] if self._head_alone else [h11.Data(data=body)]
        await self._send(response, *told, h11.EndOfMessage())

    async def _linger(self) -> None:
        """Let a client that is still sending come to its reply, before the connection ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGERS):
                while await self._reader.read(_CHUNK):
                    pass

    async def _send(self, *events: Any) -> None:
        self._writer.write(b"".join(self._http.send(one) or b"" for one in events))
        async with asyncio.timeout(self._patience):
            await self._writer.drain()
