"""One exchange by every way: in one process, by files in a folder, over HTTPS."""

import asyncio
import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Sosie, sosie
from tests.insitu.network.conftest import (
    CROSSTAB,
    HOLDERS,
    LOGISTIC,
    Network,
    Serving,
    envelope_of,
)

from sosie.errors import DataError, ParameterError
from sosie.insitu.analyst import Connection, asked, connect
from sosie.insitu.exchange import (
    AbsentError,
    Direct,
    Drop,
    Http,
    RefusedError,
    _drop,
    verify_in_place,
)
from sosie.insitu.exchange._messages import Poll, sealed, time_now
from sosie.insitu.exchange._tls import client_context, server_context
from sosie.insitu.hub import _dropped
from sosie.insitu.hub._dropped import serve_drop
from sosie.insitu.node import Node
from sosie.trust import Key, canonical, seal

__all__ = ["sosie"]

WAYS = ("direct", "files", "https")


@pytest.fixture(autouse=True)
def quick_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look into folders more often."""
    monkeypatch.setattr(_drop, "EVERY", 0.01)
    monkeypatch.setattr(_dropped, "EVERY", 0.01)
    monkeypatch.setattr(_drop, "_LONGEST", 0.1)


class Folder:
    """A hub that serves a folder, in a thread."""

    def __init__(self, network: Network, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._loop = asyncio.new_event_loop()
        self._task: Any = None
        begun = threading.Event()

        async def serve() -> None:
            self._task = asyncio.ensure_future(serve_drop(network.hub, folder))
            begun.set()
            await asyncio.gather(self._task, return_exceptions=True)

        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(serve()))
        self._thread.start()
        assert begun.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        self._loop.close()


class Threads:
    """Nodes that run, each in a thread of its own."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._threads = [threading.Thread(target=one.run, daemon=True) for one in nodes]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for node in self._nodes:
            node.stop()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def nodes_over(network: Network, url: str) -> list[Node]:
    """The holders' nodes, which reach their hub over HTTPS."""
    parties, world = network.parties(), network.world
    return [
        Node(parties, world.keys[name], world.data(name), network.place(name),
             Http(url, world.keys[name], world.keys["hub"].public))
        for name in HOLDERS
    ]  # fmt: skip


@pytest.fixture(params=WAYS)
def analyst(
    request: pytest.FixtureRequest, connected: Callable[..., Network], tmp_path: Path
) -> Iterator[Connection]:
    """An analyst, and all three holders, by one way."""
    network = connected()
    parties = network.parties()
    folder = tmp_path / "drop"
    over: Serving | Folder | None = None
    keys = network.world.keys
    if request.param == "https":
        over = Serving(network.hub, network.world, parties)
    elif request.param == "files":
        over = Folder(network, folder)

    def way(party: str) -> Any:
        if isinstance(over, Serving):
            return Http(over.url, keys[party], keys["hub"].public)
        return Drop(folder, party) if over is not None else Quiet(network)

    nodes = [
        Node(parties, keys[name], network.world.data(name), network.place(name), way(name))
        for name in HOLDERS
    ]
    threads = Threads(nodes)
    with Connection(parties, keys["recipient"], way("recipient")) as made:
        made.network = network  # type: ignore[attr-defined]
        yield made
    threads.stop()
    if over is not None:
        over.stop()
    threads.join()


class Quiet(Direct):
    """A way in this process for threads: it rests where there is nothing to do."""

    _one = threading.Lock()

    def __init__(self, network: Network) -> None:
        super().__init__(network.hub)

    def post(self, message: Any, payload: bytes | None = None, wait: float = 0.0) -> Any:
        with self._one:
            said = super().post(message, payload, wait)
        if not said.get("work"):
            time.sleep(0.01)
        return said


def test_the_same_answers_by_every_way(analyst: Connection) -> None:
    network: Network = analyst.network  # type: ignore[attr-defined]
    pooled = network.world.pooled
    crosstab = analyst.ask("crosstab", wait=30, **CROSSTAB)
    found = {(one["menostat"], one["horTh"]): one["count"]
             for one in crosstab.frame("cells").to_dicts()}  # fmt: skip
    assert found == pooled.groupby(["menostat", "horTh"]).size().to_dict()
    logistic = analyst.ask("logistic", wait=30, **LOGISTIC)
    assert logistic.values["n"] == len(pooled)
    with pytest.raises(RefusedError, match="nothing left"):
        analyst.ask("crosstab", wait=30, row="tgrade", column="horTh")
    with pytest.raises(RefusedError, match="is not among those that the agreement allows"):
        analyst.ask("anova", wait=30, column="age", by="tgrade")
    with pytest.raises(ParameterError, match="has no numbers"):
        analyst.ask("means", wait=30, columns_of=["tgrade"])
    certificate = analyst.certificate([crosstab.task, logistic.task])
    trusted = {key.id: key for key in network.parties().keys.values()}
    answers = [crosstab.content, logistic.content]
    items, _ = verify_in_place(certificate, trusted, answers=answers)
    assert all(item.ok for item in items)
    assert [one["state"] for one in analyst.tasks()] == ["done", "done", "refused"]
    assert analyst.fetch(crosstab.task, wait=10).content == crosstab.content
    folder = network.folder / "drop"
    if folder.exists():
        left = [path.name for path in folder.rglob("*") if path.is_file()]
        assert left == [], "answers are taken away, and messages once they are read"


# -- files


@pytest.mark.usefixtures("careless")
def test_files_that_are_carried_together(connected: Callable[..., Network], tmp_path: Path) -> None:
    """A question and who waits for its answer, on one stick; the answer lies there by its task."""
    network = connected()
    folder = tmp_path / "drop"
    folder.mkdir()
    own = network.parties(), network.world.keys["recipient"]
    asker = Connection(*own, Drop(folder, "recipient"))
    task = asker.send(asked("crosstab", CROSSTAB))
    bad = asker.send(asked("anova", {"column": "age", "by": "tgrade"}))
    for name in (task, bad):
        with pytest.raises(DataError, match="fetch its answer with --task"):
            asker.fetch(name, wait=0)
    served = Folder(network, folder)
    nodes = Threads(
        [
            Node(network.parties(), network.world.keys[name], network.world.data(name),
                 network.place(name), Drop(folder, name))
            for name in HOLDERS
        ]
    )  # fmt: skip
    answer = folder / "to-recipient" / f"answer-{task}.json"
    for _ in range(200):
        if answer.exists():
            break
        time.sleep(0.05)
    nodes.stop()
    served.stop()
    nodes.join()
    other = Connection(*own, Drop(folder, "recipient"))
    assert other.fetch(task, wait=0).values["n"] == len(network.world.pooled)
    with pytest.raises(RefusedError, match="anova"):
        other.fetch(bad, wait=0)


def test_a_folder_in_which_no_hub_has_answered(
    network: Network, sosie: Sosie, tmp_path: Path
) -> None:
    """A holder is not told of a hub before there is one."""
    folder, state = tmp_path / "drop", network.place("holder_1").folder
    folder.mkdir()
    network.kill("holder_1")
    own = network.parties(), network.world.keys["holder_1"]
    node = Node(*own, network.world.data("holder_1"), network.place("holder_1"),
                Drop(folder, "holder_1"))  # fmt: skip
    said: list[str] = []
    thread = threading.Thread(target=node.run, args=(said.append,))
    thread.start()

    def until(words: list[str]) -> None:
        for _ in range(200):
            if said == words:
                return
            time.sleep(0.02)
        pytest.fail(str(said))

    def shown(lang: str) -> str:
        return sosie("node", "status", "--state", state, "--lang", lang).out

    until(["waits"])
    time.sleep(0.3)
    assert "no hub has answered in its folder yet" in shown("en")
    assert "aucun tiers de confiance n'a encore répondu" in shown("fr")
    served = Folder(network, folder)
    network.analyst().send(asked("crosstab", CROSSTAB))
    until(["waits", "up"])
    time.sleep(0.3)
    assert "the hub last answered at" in shown("en")
    node.stop()
    thread.join(10)
    served.stop()
    assert said == ["waits", "up"]


def test_whatever_lies_in_the_folder(network: Network, tmp_path: Path) -> None:
    """The folder goes on being served; nothing is written outside it."""
    folder = tmp_path / "drop"
    inbox = folder / "to-hub"
    inbox.mkdir(parents=True)
    message, _ = network.due["holder_1"]
    (inbox / "a-folder.json").mkdir()
    (inbox / "0.json").write_bytes(b"\xff")
    (inbox / "1.json").write_bytes(b"[]")
    (inbox / "2.json").write_bytes(b'{"message": null}')
    (inbox / "3.json").write_text(json.dumps({"message": message, "payload": "é"}))
    (inbox / "4.json").write_text("[" * 10_000)
    strange = Key.new("Stranger")
    for by in ("../../x", "x" * 300, "stranger", "Ünknown"):
        said = {"kind": "ask", "agreement": "0" * 64, "by": by, "at": time_now()}
        envelope = seal(canonical(said), "application/vnd.sosie.in-place+json", [strange])
        (inbox / f"x{len(by)}.json").write_bytes(canonical({"message": envelope}))
    served = Folder(network, folder)
    good = inbox / "z.json"
    good.write_text(json.dumps({"message": message}))
    for _ in range(100):
        if not good.exists():
            break
        time.sleep(0.05)
    served.stop()
    assert [path.name for path in inbox.iterdir()] == ["a-folder.json"]
    assert {path.name for path in folder.iterdir()} <= {"to-hub"}


def test_work_of_a_former_hub_is_taken_away(network: Network, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    (folder / "to-holder_1").mkdir(parents=True)
    stale = folder / "to-holder_1" / "work-0000-1-join.json"
    stale.write_text("{}")
    served = Folder(network, folder)
    for _ in range(100):
        if not stale.exists():
            break
        time.sleep(0.05)
    served.stop()
    assert not stale.exists()


# -- HTTPS


def test_a_key_that_is_not_of_the_agreement(network: Network, serving: Serving) -> None:
    """It does not get as far as sending a message."""
    world = network.world
    way = Http(serving.url, world.keys["stranger"], world.keys["hub"].public)
    message = network.due["holder_1"][0]
    with pytest.raises(AbsentError, match="does not know this key; is it of a party"):
        way.post(message)
    way.close()
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    to = HTTPSConnection(serving.url.removeprefix("https://"), timeout=10, context=plain)
    with contextlib.suppress(OSError):
        to.request("GET", "/v1/health")
    with pytest.raises((OSError, HTTPException)):
        to.getresponse()
    to.close()


def test_a_hub_with_another_key(network: Network) -> None:
    """The client finds out before it sends; also where the hub calls itself the same."""
    world = network.world
    fake = Key.new("Third party")
    context = server_context(fake, [world.keys["recipient"].public])
    with socket.create_server(("127.0.0.1", 0)) as bound:
        seen: list[bytes] = []

        def answer() -> None:
            raw, _ = bound.accept()
            with (
                raw,
                contextlib.suppress(OSError),
                context.wrap_socket(raw, server_side=True) as over,
            ):
                seen.append(over.recv(100))

        thread = threading.Thread(target=answer)
        thread.start()
        way = Http(
            f"https://127.0.0.1:{bound.getsockname()[1]}", world.keys["recipient"],
            world.keys["hub"].public,
        )  # fmt: skip
        with pytest.raises(AbsentError, match="does not hold the key"):
            way.post(network.due["holder_1"][0])
        thread.join(10)
        way.close()
    assert not any(seen)


def test_a_party_is_no_hub(network: Network) -> None:
    """Nor may a holder's key, which the hub trusts as a client, answer in its place."""
    world = network.world
    with socket.create_server(("127.0.0.1", 0)) as bound:
        context = server_context(world.keys["holder_2"], [world.keys["holder_1"].public])

        def answer() -> None:
            raw, _ = bound.accept()
            with raw, contextlib.suppress(OSError):
                context.wrap_socket(raw, server_side=True).close()

        thread = threading.Thread(target=answer)
        thread.start()
        way = Http(
            f"https://127.0.0.1:{bound.getsockname()[1]}", world.keys["holder_1"],
            world.keys["hub"].public,
        )  # fmt: skip
        with pytest.raises(AbsentError):
            way.post(network.due["holder_1"][0])
        thread.join(10)
        way.close()


def test_old_versions_of_tls(network: Network, serving: Serving) -> None:
    world = network.world
    context = client_context(world.keys["recipient"], world.keys["hub"].public)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    to = HTTPSConnection(serving.url.removeprefix("https://"), timeout=10, context=context)
    with pytest.raises(ssl.SSLError):
        to.request("GET", "/v1/health")
    to.close()


def test_a_hub_that_is_down(network: Network, tmp_path: Path) -> None:
    world = network.world
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"https://127.0.0.1:{bound.getsockname()[1]}"
    key = world.folder / "private" / "recipient.key"
    with connect(world.agreement, url, key=key) as analyst:
        with pytest.raises(DataError, match="cannot be reached; is it up"):
            analyst.ask("crosstab", wait=0, **CROSSTAB)
        with pytest.raises(DataError, match=f"--task {'0' * 64}"):
            analyst.fetch("0" * 64, wait=0)
    for wrong in ("http://127.0.0.1:1", "hub", "https://", "https://hub/x", "ftp://hub"):
        with pytest.raises(ParameterError, match="give a URL"):
            connect(world.agreement, wrong, key=key)
    for ways in ({}, {"hub": url, "drop": tmp_path}):
        with pytest.raises(ParameterError, match="one way"):
            connect(world.agreement, key=key, **ways)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="is not a folder"):
        connect(world.agreement, key=key, drop=tmp_path / "nowhere")


def test_a_hub_that_starts_again_under_who_waits(network: Network, serving: Serving) -> None:
    """Who fetches outlives a hub that is away for a moment."""
    world = network.world
    with Connection(
        network.parties(), world.keys["recipient"],
        Http(serving.url, world.keys["recipient"], world.keys["hub"].public),
    ) as analyst:  # fmt: skip
        task = analyst.send(asked("crosstab", CROSSTAB))
        real, failures = analyst._way.post, iter([True, True, True])

        def post(*given: Any, **named: Any) -> dict[str, Any]:
            if next(failures, False):
                raise AbsentError("The hub cannot be reached.")
            return real(*given, **named)

        analyst._way.post = post  # type: ignore[method-assign]
        network.ended(task)
        assert analyst.fetch(task, wait=20).task == task


def test_nobody_is_woken_in_vain_or_late(network: Network, serving: Serving) -> None:
    """A holder that waits is told of work as soon as somebody asks."""
    world = network.world
    way = Http(serving.url, world.keys["holder_1"], world.keys["hub"].public)
    poll = sealed(
        Poll(agreement=network.parties().signed.sha256, by="holder_1", at=time_now(),
             instance="0" * 64),
        world.keys["holder_1"],
    )  # fmt: skip
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(way.post(poll, wait=25.0)))
    thread.start()
    time.sleep(0.3)
    analyst = Connection(
        network.parties(), world.keys["recipient"],
        Http(serving.url, world.keys["recipient"], world.keys["hub"].public),
    )  # fmt: skip
    analyst.send(asked("crosstab", CROSSTAB))
    thread.join(5)
    assert said
    assert said[0]["work"]["stage"] == "join"
    way.close()
    analyst.close()


def test_no_authority_of_the_machine_is_trusted(network: Network) -> None:
    context = client_context(network.world.keys["recipient"], network.world.keys["hub"].public)
    assert [one["serialNumber"] for one in context.get_ca_certs()] == ["01"]
    assert len(envelope_of(network.agreement)["signatures"]) == 7
