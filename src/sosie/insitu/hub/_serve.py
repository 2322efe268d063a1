"""Runs a hub: over HTTPS, in a folder of files, or both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

from sosie.errors import DataError
from sosie.insitu.exchange._tls import server_context
from sosie.insitu.hub._connection import Connection
from sosie.insitu.hub._front import Front

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sosie.insitu.hub._hub import Hub
    from sosie.trust import Key, PublicKey

__all__ = ["Server", "listen"]

_MOST, _MOMENT = 500, 1.0


def listen(host: str, port: int) -> socket.socket:
    """Take an address, so that nothing else is made where it is taken already.

    Parameters
    ----------
    host : str
    port : int
        0 for any that is free.

    Raises
    ------
    DataError
        If the address is taken.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]  # Python says once more on which address
        raise DataError(f"{host}:{port} cannot be listened on ({why}).") from error


class Server:
    """Serves a hub until it is stopped.

    Parameters
    ----------
    hub : Hub
    key : Key
        Of the hub.
    clients : iterable of PublicKey
        Who may connect.
    host : str
        As it is called in the URL.
    bound : socket
        Of :func:`listen`.
    drop : Path, optional
        A folder of files to serve too.

    Attributes
    ----------
    url : str
        Where it is reached.
    """

    def __init__(
        self,
        hub: Hub,
        key: Key,
        clients: Iterable[PublicKey],
        *,
        host: str,
        bound: socket.socket,
        drop: Path | None = None,
    ) -> None:
        self._hub = hub
        self._drop = drop
        self._context = server_context(key, clients)
        self._bound = bound
        # Those who connect inherit it; asyncio does not set it on sockets of this making, and each
        # answer would wait 40 ms for an acknowledgement.
        self._bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"https://{host}:{self._bound.getsockname()[1]}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def run(self, ready: Callable[[str], None] = lambda _: None) -> None:
        """Serve until stopped.

        Parameters
        ----------
        ready : callable
            Told the URL once the hub answers.
        """
        # What goes wrong is told to who asked, in one sentence; logs of libraries may hold more.
        log = logging.getLogger("asyncio")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        asyncio.run(self._run(ready))

    def stop(self) -> None:
        """Have it end, from any thread or handler of a signal."""
        if self._loop is None:
            self._stopped.set()
        else:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def _run(self, ready: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        front = Front(self._hub)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(self._connections) >= _MOST:
                writer.close()
                return
            one = asyncio.current_task()
            assert one is not None
            self._connections.add(one)
            try:
                await Connection(
                    reader, writer, front.answer, lambda: self._hub.largest, self._stopped.is_set
                ).serve()
            finally:
                self._connections.discard(one)

        beside = [asyncio.create_task(front.tick())]
        if self._drop is not None:
            from sosie.insitu.hub._dropped import serve_drop

            beside.append(asyncio.create_task(serve_drop(self._hub, self._drop)))
        server = await asyncio.start_server(
            connected, sock=self._bound, ssl=self._context, ssl_handshake_timeout=10.0,
            ssl_shutdown_timeout=_MOMENT,
        )  # fmt: skip
        try:
            ready(self.url)
            await self._stopped.wait()
        finally:
            server.close()
            front.stop()  # who waits is told that there is nothing
            await self._ended()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _ended(self) -> None:
        """Let replies that are under way go out, for a moment."""
        if self._connections:
            await asyncio.wait(self._connections, timeout=_MOMENT)
        for one in self._connections:
            one.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
