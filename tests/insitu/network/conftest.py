"""Three holders of real rows, a hub and analysts: keys, a signed agreement, and all in one process.

The processes that compute are replaced here by the very code that they run; tests of the processes
themselves start them.
"""

import dataclasses
import datetime as dt
import functools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.insitu.conftest import Holders

from sosie.insitu.analyst import Answer, Connection
from sosie.insitu.exchange import Direct, Parties
from sosie.insitu.hub import Hub, Store
from sosie.insitu.hub._serve import Server, listen
from sosie.insitu.node import Node, Place, _beside, _node, _served
from sosie.insitu.node._frozen import Frozen
from sosie.insitu.node._inside import Inside
from sosie.insitu.node._reading import _read
from sosie.table import Schema
from sosie.trust import Agreement, Key, PublicKey, SignedAgreement, sign_agreement

HOLDERS = ("holder_1", "holder_2", "holder_3")
CATEGORIES = {"age": "Age", "menostat": "Health"}
COLUMNS = ("horTh", "age", "menostat", "tsize", "tgrade", "pnodes", "time", "cens", "big")
ANALYSES = ["cox", "crosstab", "logistic", "linear", "counts", "means"]
LOGISTIC = {"formula": "big ~ menostat + tgrade + age"}
CROSSTAB = {"row": "menostat", "column": "horTh"}
COX = {"formula": "Surv(time, cens) ~ age + tsize"}
TODAY = dt.datetime.now(dt.UTC).date()


@dataclass
class World:
    """What the parties have before anything is started.

    Attributes
    ----------
    folder : Path
        With the holders' tables, keys/ (.pub), private/ (.key) and agreement.json.
    """

    folder: Path
    keys: dict[str, Key]
    pooled: pd.DataFrame
    parts: list[pd.DataFrame]
    content: dict[str, Any]

    @property
    def agreement(self) -> Path:
        return self.folder / "agreement.json"

    def data(self, holder: str) -> Path:
        return self.folder / f"{holder}.csv"

    def public(self, *parties: str) -> dict[str, PublicKey]:
        return {self.keys[name].id: self.keys[name].public for name in parties}

    def signed(self, path: Path, by: tuple[str, ...] | None = None, **changed: Any) -> Path:
        """Write another agreement, signed by all parties or some."""
        agreement = Agreement.of({**self.content, **changed})
        for party in by or [one["id"] for one in self.content["parties"]]:
            sign_agreement(agreement, self.keys[party], path)
        return path


@pytest.fixture(scope="session")
def world(gbsg2: Holders, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    parties = [
        *((name, f"Hospital {name[-1]}", ["joint_controller"]) for name in HOLDERS),
        ("hub", "Third party", ["trusted_third_party"]),
        ("recipient", "Research team", ["recipient"]),
        ("second", "Second team", ["recipient"]),
        ("auditor", "Regulator", ["processor"]),
    ]
    keys = {party: Key.new(name) for party, name, _ in parties}
    keys["stranger"] = Key.new("Stranger")
    for place in ("private", "keys"):
        (folder / place).mkdir()
    for party, key in keys.items():
        private, public = key.write(folder / "private")
        private.rename(folder / "private" / f"{party}.key")
        public.rename(folder / "keys" / f"{party}.pub")
    columns = []
    for name in COLUMNS:
        column = gbsg2.schema[name]
        one = {"name": name, "category": CATEGORIES.get(name, "Health"), "kind": column.kind.value}
        columns.append(one | ({"levels": list(column.levels)} if column.levels else {}))
    columns[-1] |= {"kind": "category", "levels": [0, 1]}
    content = {
        "format": "sosie-agreement/1",
        "id": "urn:uuid:6f1f6c1a-6d0e-4a35-9b57-0b8a1c6fb9a1",
        "title": "Recurrence, in place",
        "parties": [
            {"id": party, "name": name, "roles": roles, "key": keys[party].id}
            for party, name, roles in parties
        ],
        "purpose": {"description": "Who has a recurrence.", "terms": ["AcademicResearch"]},
        "legal_basis": ["A6-1-e", "A9-2-j"],
        "data_sets": [
            {"id": f"persons_{name[-1]}", "title": "Persons", "holder": name,
             "persons": "Women with breast cancer", "columns": columns}
            for name in HOLDERS
        ],
        "uses": ["Publication."],
        "analyses": ANALYSES,
        "disclosure": {"preset": "snds-11"},
        "evidence": {"threshold": 0.05, "accept": ["pass"], "effort": "standard"},
        "retention": "Ten years.",
        "transfers": "None.",
        "validity": {
            "starts": (TODAY - dt.timedelta(1)).isoformat(),
            "ends": (TODAY + dt.timedelta(30)).isoformat(),
        },
        "withdrawal": "By letter.",
    }  # fmt: skip
    made = World(folder, keys, gbsg2.pooled, gbsg2.parts, content)
    for name, part in zip(HOLDERS, gbsg2.parts, strict=True):
        part[list(COLUMNS)].to_csv(made.data(name), index=False)
    made.signed(made.agreement)
    return made


class Stub:
    """What :class:`Worker` is to a node, in this process and without limits."""

    kept_by = "hook"

    def __init__(self) -> None:
        self._inside = Inside()

    def ask(self, said: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        return self._inside.answer(json.loads(json.dumps(said)), data)

    def close(self) -> None:
        pass


class Stubs:
    """What :class:`Workers` is to a node."""

    def __init__(self, *_: object, fresh: bool) -> None:
        pass

    def take(self) -> Stub:
        return Stub()

    def give(self, worker: Stub, *, good: bool) -> None:
        pass

    def prepare(self) -> None:
        pass

    def close(self) -> None:
        pass


_READ: dict[Any, Any] = {}


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nodes compute here, and read a table once."""

    def once(path: Path, schema: Schema, *, synthetic: bool = False) -> Any:
        key = (path.read_bytes(), schema.model_dump_json(), synthetic)
        if key not in _READ:
            said, data = _read(path, schema.model_dump(mode="json"), synthetic)
            _READ[key] = Frozen.of(said["snapshot"], data), said["sha256"], said["content"]
        return _READ[key]

    monkeypatch.setattr(_node, "Workers", Stubs)
    for module in (_served, _beside):
        monkeypatch.setattr(module, "read_snapshot", once)


class Clock:
    """Tells the time to a hub; tests move it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return dt.datetime.now(dt.UTC).timestamp() + self.ahead


Tamper = Callable[[str, dict[str, Any]], dict[str, Any]]


@functools.cache
def read_once(agreement: Path) -> Parties:
    return Parties.read(agreement)


@dataclass
class Network:
    """A hub and its nodes, of which a test makes one step after the other."""

    world: World
    folder: Path
    agreement: Path
    hub: Hub
    store: Store
    clock: Clock
    nodes: dict[str, Node] = field(default_factory=dict)
    due: dict[str, tuple[dict[str, Any], bytes | None]] = field(default_factory=dict)
    sent: list[tuple[str, dict[str, Any], bytes | None]] = field(default_factory=list)
    tamper: Tamper | None = None
    """What a hub that lies makes of a reply."""

    def parties(self) -> Parties:
        read = read_once(self.agreement)
        return dataclasses.replace(read, keys=dict(read.keys))

    def start(self, *holders: str, **options: Any) -> None:
        for name in holders or HOLDERS:
            self.nodes[name] = Node(
                self.parties(), self.world.keys[name],
                options.pop("data", self.world.data(name)),
                self.place(name), Direct(self.hub), **options,
            )  # fmt: skip
            self.due[name] = (self.nodes[name]._poll(), None)

    def kill(self, holder: str) -> None:
        """End a node as a power cut does: what it had in memory is gone."""
        self.nodes.pop(holder).close()
        self.due.pop(holder, None)

    def place(self, holder: str) -> Place:
        return Place(self.folder / f"{holder}.node")

    def ledger(self, holder: str, event: str | None = None) -> list[dict[str, Any]]:
        lines = self.place(holder).lines()
        return [line for line in lines if event in (None, line["event"])]

    def step(self, holder: str) -> dict[str, Any]:
        """Send what a node has to say, and have it do what the hub wants; give the reply."""
        message, payload = self.due[holder]
        self.sent.append((holder, message, payload))
        reply = Direct(self.hub).post(message, payload)
        if self.tamper is not None:
            reply = self.tamper(holder, reply)
        self.due[holder] = self.nodes[holder].step(reply)
        return reply

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            for holder in list(self.nodes):
                self.step(holder)

    def analyst(self, party: str = "recipient") -> Connection:
        return Connection(self.parties(), self.world.keys[party], Direct(self.hub))

    def ended(self, task: str, turns: int = 40) -> str:
        """Go on until a task has ended, and tell how."""
        for _ in range(turns):
            self.turn()
            stored = self.store.task(task)
            if stored is not None and stored.ended is not None:
                return stored.state
        pytest.fail("the task does not end")

    def ask(self, analysis: str, party: str = "recipient", **said: Any) -> Answer:
        with self.analyst(party) as analyst:
            from sosie.insitu.analyst import asked

            task = analyst.send(asked(analysis, said))
            self.ended(task)
            return analyst.fetch(task, wait=0)

    def released(self) -> int:
        """Count what left all holders, by their own ledgers."""
        return sum(len(self.ledger(name, "released")) for name in HOLDERS)

    def refusals(self, holder: str = "holder_1") -> list[list[str]]:
        found = (line["content"] for line in self.ledger(holder, "refused"))
        return [[one["why"], *one["reasons"]] for one in found]


@pytest.fixture
def connected(world: World, tmp_path: Path, in_process: None) -> Iterator[Callable[..., Network]]:
    """Make networks: a hub on SQLite, no node yet."""
    made: list[Network] = []

    def make(agreement: Path | None = None, **options: Any) -> Network:
        clock = Clock()
        store = Store(f"sqlite:///{tmp_path}/hub.db", clock)
        hub = Hub(world.keys["hub"], store, clock=clock, **options)
        one = Network(world, tmp_path, agreement or world.agreement, hub, store, clock)
        hub.adopt(one.parties())
        made.append(one)
        return one

    yield make
    for one in made:
        for node in one.nodes.values():
            node.close()
        one.store.close()


@pytest.fixture
def network(connected: Callable[..., Network]) -> Network:
    """A hub and three nodes."""
    one = connected()
    one.start()
    return one


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analyst's program that does not look at the agreement: hub and nodes see to it."""
    monkeypatch.setattr("sosie.insitu.analyst._connection.check_question", lambda *_: None)


def envelope_of(agreement: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(agreement.read_bytes())
    return found


def read_signed(path: Path) -> SignedAgreement:
    return SignedAgreement.read(path)


class Serving:
    """A hub over HTTPS, in a thread of this process."""

    def __init__(self, hub: Hub, world: World, parties: Parties, drop: Path | None = None) -> None:
        clients = [key for name, key in parties.keys.items() if name != "hub"]
        self._server = Server(hub, world.keys["hub"], clients, host="127.0.0.1",
                              bound=listen("127.0.0.1", 0), drop=drop)  # fmt: skip
        self.url = self._server.url
        up = threading.Event()
        self._thread = threading.Thread(
            target=self._server.run, args=[lambda _: up.set()], daemon=True
        )
        self._thread.start()
        assert up.wait(20)

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def serving(network: Network) -> Iterator[Serving]:
    """The network's hub over HTTPS."""
    made = Serving(network.hub, network.world, network.parties())
    yield made
    made.stop()
