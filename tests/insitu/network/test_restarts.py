"""Nodes and hubs that stop in the middle: another attempt, the right answer, and one alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import statsmodels.formula.api as smf
from tests.insitu.network.conftest import CROSSTAB, HOLDERS, LOGISTIC, Network, World

from sosie.cli._refusals import refusal
from sosie.errors import DataError
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import Direct, RefusedError
from sosie.insitu.gate import MOST_REFUSALS, Memory
from sosie.insitu.hub import Hub, Store
from sosie.insitu.node import Node, Place
from sosie.trust import payload_of, strict_json, verify_ledger


def kind_due(network: Network, holder: str) -> tuple[str, int]:
    said = strict_json(payload_of(network.due[holder][0]))
    return said["kind"], said.get("round", -1)


def until(network: Network, holder: str, kind: str, turn: int = -1) -> None:
    """Go on until this is what a holder is about to send."""
    for _ in range(20):
        if kind_due(network, holder) == (kind, turn):
            return
        network.turn()
    pytest.fail(f"{holder} never has a {kind} to send")


@pytest.fixture(scope="module")
def expected(world: World) -> Any:
    """What the pooled rows give."""
    return smf.logit(LOGISTIC["formula"], world.pooled).fit(disp=0, tol=1e-12)


def same(found: Any, expected: Any) -> None:
    for one, estimate, se in zip(found["terms"], expected.params, expected.bse, strict=True):
        assert one["estimate"] == pytest.approx(estimate, abs=1e-9)
        assert one["se"] == pytest.approx(se, abs=1e-8)


@pytest.mark.parametrize(("kind", "turn"), [("join", -1), ("part", 0), ("part", 1)])
@pytest.mark.parametrize("sent", [False, True], ids=["before it is sent", "after"])
def test_a_node_that_dies(
    network: Network, expected: Any, kind: str, turn: int, sent: bool
) -> None:
    task = network.analyst().send(asked("logistic", LOGISTIC))
    until(network, "holder_2", kind, turn)
    if sent:
        message, payload = network.due["holder_2"]
        Direct(network.hub).post(message, payload)
    network.kill("holder_2")
    network.turn(2)
    stored = network.store.task(task)
    assert stored is not None
    assert stored.ended is None
    network.start("holder_2")
    assert network.ended(task) == "done"
    answer = network.analyst().fetch(task, wait=0)
    same(answer.content["result"], expected)
    stored = network.store.task(task)
    assert stored is not None
    assert stored.attempt == 2
    parts = [strict_json(payload_of(one)) for one in record_of(answer)["parts"]]
    assert {one["attempt"] for one in parts} == {2}
    assert network.released() >= len(parts)
    for name in HOLDERS:
        assert not verify_ledger(network.place(name).ledger).broken
        joined = [line["content"] for line in network.ledger(name, "joined")]
        attempts = [one["attempt"] for one in joined if one["task"] == task]
        assert attempts == sorted(set(attempts)), "no attempt twice"


def record_of(answer: Any) -> Any:
    said = strict_json(payload_of(answer.content["certificate"]))
    return said["predicate"]["results"][0]


def test_masks_are_of_one_attempt(network: Network) -> None:
    """What left a holder twice for the same round is not the same bytes: keys are new."""
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    until(network, "holder_3", "part", 0)
    first = network.due["holder_3"][1]
    network.kill("holder_1")
    network.turn()
    network.start("holder_1")
    network.ended(task)
    second = [payload for by, _, payload in network.sent if by == "holder_3" and payload][-1]
    assert first is not None
    assert first != second
    a, b = (strict_json(one)["arrays"]["counts"]["words"] for one in (first, second))
    assert sum(x == y for x, y in zip(a, b, strict=True)) < 0.2 * len(a)


def restarted(network: Network, **options: Any) -> None:
    """Start another hub on the same database."""
    network.store.close()
    network.store = Store(f"sqlite:///{network.folder}/hub.db", network.clock)
    network.hub = Hub(network.world.keys["hub"], network.store, clock=network.clock, **options)
    network.hub.adopt(network.parties())


def test_of_two_nodes_of_a_holder_the_later_serves(network: Network, tmp_path: Path) -> None:
    """What the one released the other does not know."""
    first, before = network.nodes["holder_1"], network.due["holder_1"]
    Direct(network.hub).post(*before)
    second = Node(
        network.parties(), network.world.keys["holder_1"], network.world.data("holder_1"),
        Place(tmp_path / "second.node"), Direct(network.hub),
    )  # fmt: skip
    Direct(network.hub).post(second._poll())
    with pytest.raises(RefusedError, match="started after this one"):
        Direct(network.hub).post(first._poll())
    network.nodes["holder_1"], network.due["holder_1"] = second, (second._poll(), None)
    assert network.ask("crosstab", **CROSSTAB)
    first.close()


def test_a_refused_node_says_so_once(
    network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It tries again and again; started again once the later one is gone, it serves."""
    node, told, waits = network.nodes["holder_1"], [], []
    Direct(network.hub).post(node._poll())
    second = Node(
        network.parties(), network.world.keys["holder_1"], network.world.data("holder_1"),
        Place(tmp_path / "second.node"), Direct(network.hub),
    )  # fmt: skip
    Direct(network.hub).post(second._poll())
    second.stop()
    second.close()

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            node.stop()
        return False

    monkeypatch.setattr(node._stopping, "wait", wait)
    network.nodes.pop("holder_1").run(told.append)
    assert len(waits) == 3
    (why,) = told
    assert why.endswith("stop the one that is not to serve, then start the other again.")
    assert refusal(why, "fr").endswith("puis redémarrez l'autre.")
    network.start("holder_1")
    assert network.ask("crosstab", **CROSSTAB)


@pytest.mark.parametrize("turns", [0, 1, 2, 4])
def test_a_hub_that_starts_again(network: Network, expected: Any, turns: int) -> None:
    task = network.analyst().send(asked("logistic", LOGISTIC))
    network.turn(turns)
    restarted(network)
    assert network.ended(task) == "done"
    same(network.analyst().fetch(task, wait=0).content["result"], expected)
    assert [one.state for one in network.store.tasks()] == ["done"]
    assert network.refusals() == []


def test_tasks_of_before_are_answered_in_their_order(network: Network) -> None:
    questions = [asked("means", {"columns_of": [name]}) for name in ("age", "tsize", "pnodes")]
    tasks = [network.analyst().send(one) for one in questions]
    network.turn()
    restarted(network)
    assert [network.ended(task) for task in tasks] == ["done"] * 3
    ends = [network.store.task(task).ended for task in tasks]  # type: ignore[union-attr]
    assert ends == sorted(ends)  # type: ignore[type-var]
    for task, name in zip(tasks, ("age", "tsize", "pnodes"), strict=True):
        (row,) = network.analyst().fetch(task, wait=0).frame().to_dicts()
        assert row["mean"] == pytest.approx(network.world.pooled[name].mean(), abs=1e-9)


def test_a_node_that_is_down(connected: Callable[..., Network]) -> None:
    """After the hub's patience one sentence, with the name of the holder."""
    network = connected(patience=100.0, lease=20.0)
    network.start("holder_1", "holder_3")
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    network.turn(3)
    with pytest.raises(DataError, match=r"No node of Hospital 2 answers.*--task") as waits:
        network.analyst().fetch(task, wait=0)
    assert task in str(waits.value)
    for _ in range(12):
        network.clock.ahead += 10.0
        network.hub.expire()
        touch(network, "holder_1", "holder_3")
    stored = network.store.task(task)
    assert stored is not None
    assert stored.state == "failed"
    assert stored.why == "No node of Hospital 2 answers; nothing left. Ask its holder."
    assert network.released() == 0


def touch(network: Network, *holders: str) -> None:
    """Tell the hub that a node is up, whatever the hub's clock."""
    for name in holders:
        place = (network.parties().signed.sha256, name)
        network.hub._presence.of(*place).at = network.clock()  # type: ignore[union-attr]


def test_a_queue_is_no_node_that_is_down(connected: Callable[..., Network]) -> None:
    """Tasks that wait for those before them do not fail while holders answer."""
    network = connected(patience=100.0)
    network.start()
    tasks = [
        network.analyst().send(asked("means", {"columns_of": [name]}))
        for name in ("age", "tsize", "pnodes")
    ]
    for task in tasks:
        network.ended(task)
        network.clock.ahead += 70.0
        network.hub.expire()
    states = [one.state for one in network.store.tasks()]
    assert states == ["done"] * 3


def test_a_step_that_takes_too_long(connected: Callable[..., Network]) -> None:
    """The attempt is given up and begun again; what comes late is not used."""
    network = connected(lease=30.0, patience=1e6)
    network.start()
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    until(network, "holder_3", "part", 0)
    late = network.due["holder_3"]
    network.clock.ahead = 31.0
    network.hub.expire()
    stored = network.store.task(task)
    assert stored is not None
    assert (stored.attempt, stored.state) == (2, "running")
    network.due["holder_3"] = late
    assert network.ended(task) == "done"
    answer = network.analyst().fetch(task, wait=0)
    late_said = strict_json(payload_of(late[0]))
    assert late_said["payload_sha256"] not in [
        strict_json(payload_of(one))["payload_sha256"] for one in record_of(answer)["parts"]
    ]


def test_attempts_end(connected: Callable[..., Network]) -> None:
    network = connected(lease=30.0, patience=1e9)
    network.start()
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    network.turn()
    for _ in range(120):
        agreement = network.parties().signed.sha256
        running = network.hub._queue.running(agreement)
        if running is None:
            break
        network.hub._queue.again(running)
    stored = network.store.task(task)
    assert stored is not None
    assert stored.state == "failed"
    assert "ask again" in str(stored.why)


def test_a_paused_node(network: Network) -> None:
    network.place("holder_2").pause(on=True)
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    network.turn(6)
    assert network.released() == 0
    assert network.ledger("holder_2", "joined") == []
    with pytest.raises(DataError, match="Hospital 2 has paused its node"):
        network.analyst().fetch(task, wait=0)
    network.place("holder_2").pause(on=False)
    assert network.ended(task) == "done"
    events = [line["event"] for line in network.ledger("holder_2")]
    assert events == ["up", "paused", "resumed", "joined", "released"]


def test_pausing_finishes_what_runs_and_takes_nothing_new(network: Network) -> None:
    """The answer that ends one task may bring the next: a paused node does not take it."""
    first = network.analyst().send(asked("logistic", LOGISTIC))
    second = network.analyst().send(asked("crosstab", CROSSTAB))
    until(network, "holder_2", "part", 1)
    network.place("holder_2").pause(on=True)
    assert network.ended(first) == "done"
    network.turn(5)
    stored = network.store.task(second)
    assert stored is not None
    assert stored.ended is None
    assert [line["content"]["task"] for line in network.ledger("holder_2", "joined")] == [first]
    network.place("holder_2").pause(on=False)
    assert network.ended(second) == "done"


def test_a_holder_who_forgives(network: Network, world: World) -> None:
    """After too many refusals all is refused, until the holder says otherwise; once."""
    network.ask("crosstab", **CROSSTAB)
    node, place = network.nodes["holder_1"], network.place("holder_1")
    rows = len(world.parts[0])
    memory = Memory(rows, place.released, node.commitment)
    known = len(memory)
    for _ in range(MOST_REFUSALS):
        memory.refused()
    with pytest.raises(RefusedError):
        network.ask("crosstab", **CROSSTAB)
    assert network.refusals()[-1] == ["gate", "refusals"]
    with pytest.raises(DataError, match="is up"):
        place.forgive()
    network.kill("holder_1")
    place.forgive()
    network.start("holder_1")
    network.ask("crosstab", **CROSSTAB)
    assert len(Memory(rows, place.released, node.commitment)) == known > 0
    assert [line["event"] for line in network.ledger("holder_1")][-4:] == [
        "forgiven", "up", "joined", "released",
    ]  # fmt: skip
    assert not verify_ledger(place.ledger).broken


def test_a_key_that_expires_while_its_question_waits(network: Network) -> None:
    """The question ends, and those after it are answered."""
    before = network.analyst().send(asked("means", {"columns_of": ["tsize"]}))
    first = network.analyst("second").send(asked("means", {"columns_of": ["age"]}))
    other = network.analyst().send(asked("crosstab", CROSSTAB))
    parties = network.hub._queue.parties[network.parties().signed.sha256]
    del parties.keys["second"]
    assert [network.ended(one) for one in (before, other)] == ["done", "done"]
    stored = network.store.task(first)
    assert stored is not None
    assert stored.state == "failed"


def test_a_loop_with_a_hub_that_disagrees_is_slow(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that cannot be done, again and again: the node waits longer each time."""
    waits: list[float] = []
    node = network.nodes["holder_1"]

    class Way:
        def post(self, *_: Any, **__: Any) -> dict[str, Any]:
            if len(waits) > 8:
                node.stop()
            return {"work": {"stage": "join", "task": str(len(waits)), "attempt": 1, "ask": {}}}

        def close(self, last: object = None) -> None:
            pass

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    monkeypatch.setattr(node._stopping, "wait", wait)
    monkeypatch.setattr(node, "_way", Way())
    network.nodes.pop("holder_1").run()
    assert waits == sorted(waits)
    assert waits[0] <= 0.1
    assert waits[-1] == 10.0
