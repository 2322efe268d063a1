"""Runs a hub: over HTTPS, in a folder of files, or both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

import uvicorn

from sosie.errors import DataError
from sosie.insitu.exchange._tls import server_context
from sosie.insitu.hub._app import app_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sosie.insitu.hub._hub import Hub
    from sosie.trust import Key, PublicKey

__all__ = ["serve"]


def serve(
    hub: Hub,
    key: Key,
    clients: Iterable[PublicKey],
    *,
    host: str,
    port: int,
    drop: Path | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until stopped.

    Parameters
    ----------
    hub : Hub
    key : Key
        Of the hub.
    clients : iterable of PublicKey
        Who may connect.
    host : str
    port : int
        0 for any that is free.
    drop : Path, optional
        A folder of files to serve too.
    ready : callable
        Told the URL once the hub answers.

    Raises
    ------
    DataError
        If the address is taken.
    """
    try:
        bound = socket.create_server((host, port))
    except OSError as error:
        raise DataError(f"{host}:{port} cannot be listened on ({error.strerror}).") from error
    # Those who connect inherit it; asyncio does not set it on sockets of this making, and each
    # answer would wait 40 ms for an acknowledgement.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # What goes wrong is told to who asked, in one sentence; logs of libraries may hold more.
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    context = server_context(key, clients)
    app = app_of(hub)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", loop="asyncio", http="httptools",
        timeout_keep_alive=60, timeout_graceful_shutdown=1, limit_concurrency=500,
        server_header=False, ssl_context_factory=lambda _config, _default: context,
    )  # fmt: skip
    url = f"https://{host}:{bound.getsockname()[1]}"
    asyncio.run(_run(_Server(config, lambda: ready(url), app.state.bell.stop), bound, hub, drop))


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop()
        await super().shutdown(sockets)


async def _run(server: _Server, bound: socket.socket, hub: Hub, drop: Path | None) -> None:
    dropping = None
    if drop is not None:
        from sosie.insitu.hub._dropped import serve_drop

        dropping = asyncio.create_task(serve_drop(hub, drop))
    try:
        await server.serve(sockets=[bound])
    finally:
        if dropping is not None:
            dropping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await dropping
