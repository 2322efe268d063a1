"""What a hub does with bytes that come over a connection, whatever they are."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from http.client import HTTPSConnection
from typing import Any

import pytest
from tests.insitu.network.conftest import CROSSTAB, Network, Serving

from sosie.insitu.analyst import asked
from sosie.insitu.exchange import Http
from sosie.insitu.exchange._messages import Poll, sealed, time_now
from sosie.insitu.exchange._tls import client_context
from sosie.insitu.hub import _front, _serve
from sosie.insitu.hub._connection import Connection, Request

LARGEST = 1000
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


async def echo(request: Request) -> tuple[int, Any]:
    return 200, {"method": request.method, "target": request.target, "body": request.body.decode(),
                 "by": request.authorization}  # fmt: skip


def talked(talk: Talk, answer: Any = echo, **options: Any) -> Any:
    """Talk with a connection over a real socket."""

    async def run() -> Any:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Connection(reader, writer, answer, lambda: LARGEST, **options).serve()

        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(talk(reader, writer), 20)
            finally:
                writer.close()
                await asyncio.sleep(0.05)

    return asyncio.run(run())


def sent(*parts: bytes, **options: Any) -> bytes:
    """Send these, and read until the other side ends the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        return await reader.read()

    found: bytes = talked(talk, **options)
    return found


def replies(data: bytes) -> list[tuple[int, Any]]:
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(names[b"content-length"])
        found.append((int(head.split()[1]), json.loads(data[:length])))
        data = data[length:]
    return found


def get(target: str = "/", *more: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *more, "", ""]).encode()


LAST = "Connection: close"


def test_one_after_the_other() -> None:
    """Also where a client does not wait for its replies, and byte by byte."""
    both = get("/a") + get("/b", LAST)
    for parts in ([both], [bytes([one]) for one in both]):
        found = replies(sent(*parts))
        assert [(status, said["target"]) for status, said in found] == [(200, "/a"), (200, "/b")]


def test_bodies() -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\n{LAST}\r\nAuthorization: Bearer é\r\n".encode("latin-1")
    plain = head + b"Content-Length: 3\r\n\r\nabc"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    for data in (plain, chunked):
        ((status, said),) = replies(sent(data))
        assert (status, said["body"], said["by"]) == (200, "abc", "Bearer é")
    waits = head + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    found = sent(waits, b"abc")
    assert found.startswith(b"HTTP/1.1 100 ")
    assert replies(found.partition(b"\r\n\r\n")[2])[0][1]["body"] == "abc"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x00\n\r\n\r\n", 400),
        (b"GET / HTTP/x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no host
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"b" * 200_000, 431),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_connection_ended(data: bytes, status: int) -> None:
    ((found, said),) = replies(sent(data, b"" if status == 431 else get("/after")))
    assert found == status
    assert said == {"error": "This is no request of HTTP."}


def test_a_body_that_is_too_large() -> None:
    """It is not read to its end, told by its length or not; who sends it still has a reply."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\n"
    told = head + b"Content-Length: 5000000\r\n\r\n"
    not_told = head + b"Transfer-Encoding: chunked\r\n\r\n"
    for parts in ([told, b"x" * 2000], [not_told, *[b"200\r\n" + b"x" * 512 + b"\r\n"] * 8]):
        ((status, said),) = replies(sent(*parts))
        assert (status, said["sort"]) == (403, "trust")
        assert "too large" in said["error"]
    exact = head + f"{LAST}\r\nContent-Length: {LARGEST}\r\n\r\n".encode() + b"x" * LARGEST
    assert replies(sent(exact))[0][0] == 200


CUT = get()[:-2] + b"Content-Length: 9\r\n\r\nab"


@pytest.mark.parametrize("data", [b"", b"GET / HT", get(), CUT])
def test_who_says_nothing_more_is_sent_away(data: bytes) -> None:
    started = time.monotonic()
    found = replies(sent(data, patience=0.2))
    assert time.monotonic() - started < 5
    assert len(found) == (data == get())


def test_an_answer_is_told_that_who_asked_has_gone() -> None:
    seen: list[bytes] = []

    async def waits(request: Request) -> tuple[int, Any]:
        seen.append(await asyncio.wait_for(request.gone(), 10))
        return 200, {}

    async def leaves(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get())
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.2)

    talked(leaves, waits)
    assert seen == [b""]


def test_the_last_reply_of_a_hub_that_goes_down() -> None:
    data = sent(get("/a"), closing=lambda: True)
    assert b"connection: close" in data.lower()
    assert replies(data)[0][0] == 200


# -- the hub over HTTPS


def over(network: Network, url: str, party: str = "recipient") -> HTTPSConnection:
    keys = network.world.keys
    context = client_context(keys[party], keys["hub"].public)
    return HTTPSConnection(url.removeprefix("https://"), timeout=10, context=context)


def test_other_addresses_and_methods(network: Network, serving: Serving) -> None:
    to = over(network, serving.url)
    for method, path, status in (
        ("GET", "/", 404), ("GET", "/v1/message", 405), ("POST", "/v1/health", 405),
        ("GET", "/v1/health?x", 404), ("GET", "/v1/health", 200),
    ):  # fmt: skip
        to.request(method, path)
        got = to.getresponse()
        assert got.status == status, path
        assert got.getheader("date")
        json.loads(got.read())
    to.close()


def test_the_head_alone(network: Network, serving: Serving) -> None:
    to = over(network, serving.url)
    for path, status in (("/v1/health", 200), ("/", 404)):
        to.request("HEAD", path)
        got = to.getresponse()
        assert got.status == status
        assert int(got.getheader("content-length") or 0) > 0
        assert got.read() == b""
    to.close()


def test_time_goes_on_whatever_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    class Failing:
        changes = 0

        def expire(self) -> None:
            calls.append(1)
            raise OSError(24, "Too many open files")

    monkeypatch.setattr(_front, "_TICK", 0.01)

    async def run() -> None:
        ticking = asyncio.create_task(_front.Front(Failing()).tick())  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        assert not ticking.done()
        ticking.cancel()

    asyncio.run(run())
    assert len(calls) > 2


def test_what_goes_wrong_inside_is_not_told(
    network: Network, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("a value of a person")

    monkeypatch.setattr(network.hub, "take", fails)
    to = over(network, serving.url)
    to.request("POST", "/v1/message", json.dumps({"message": {}}))
    got = to.getresponse()
    assert (got.status, json.loads(got.read())["error"]) == (500, "The hub failed.")
    to.close()


def poll(network: Network) -> dict[str, Any]:
    of = {"agreement": network.parties().signed.sha256, "by": "holder_1", "at": time_now()}
    return sealed(Poll(**of, instance="0" * 64), network.world.keys["holder_1"])


def test_who_waits_is_told_when_a_hub_goes_down(network: Network) -> None:
    served = Serving(network.hub, network.world, network.parties())
    keys = network.world.keys
    way = Http(served.url, keys["holder_1"], keys["hub"].public)
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(way.post(poll(network), wait=25.0)))
    thread.start()
    idle = over(network, served.url)
    idle.request("GET", "/v1/health")
    idle.getresponse().read()
    time.sleep(0.3)
    started = time.monotonic()
    served.stop()
    assert time.monotonic() - started < 8
    thread.join(5)
    assert said == [{"work": None}]
    way.close()
    idle.close()


def test_who_is_gone_is_given_no_work(network: Network, serving: Serving) -> None:
    """What a hub hands to a connection that has ended would wait for its lease."""
    to = over(network, serving.url, "holder_1")
    to.request("POST", "/v1/message", json.dumps({"message": poll(network), "wait": 25}))
    time.sleep(0.2)
    to.close()
    time.sleep(0.2)
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    running = network.hub._queue.running(network.parties().signed.sha256)
    assert running is not None
    assert running.task == task
    time.sleep(0.3)
    assert "holder_1" not in running.handed


def test_more_connections_than_a_hub_takes(
    network: Network, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_serve, "_MOST", 2)
    some = [over(network, serving.url) for _ in range(3)]
    for one in some[:2]:
        one.request("GET", "/v1/health")
        assert one.getresponse().read()
    with pytest.raises(OSError, match=r"."):  # noqa: PT012
        some[2].request("GET", "/v1/health")
        some[2].getresponse()
    some[0].close()
    time.sleep(0.3)
    again = over(network, serving.url)
    again.request("GET", "/v1/health")
    assert again.getresponse().status == 200
    for one in (*some, again):
        one.close()


def test_a_hub_that_is_stopped_before_it_runs(network: Network) -> None:
    world = network.world
    server = _serve.Server(
        network.hub, world.keys["hub"], [world.keys["recipient"].public], host="127.0.0.1",
        bound=_serve.listen("127.0.0.1", 0),
    )  # fmt: skip
    server.stop()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    server.stop()
