"""A node that is told to stop: it says what it has to say, takes nothing new, and the hub knows."""

from typing import Any

import pytest
from tests.insitu.network.conftest import CROSSTAB, LOGISTIC, Network
from tests.insitu.network.test_restarts import until

from sosie.errors import DataError
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import Direct
from sosie.trust import payload_of, strict_json


def kind_of(message: dict[str, Any]) -> str:
    return str(strict_json(payload_of(message))["kind"])


class Watched(Direct):
    """Keeps what a node says, and tells it to stop while a message of one kind is under way."""

    def __init__(self, network: Network, holder: str, stops_at: str = "") -> None:
        super().__init__(network.hub)
        self.sent: list[str] = []
        self._stops_at = stops_at
        self._node = network.nodes[holder]
        self._node._way = self

    def post(
        self, message: dict[str, Any], payload: bytes | None = None, wait: float = 0.0
    ) -> dict[str, Any]:
        self.sent.append(kind_of(message))
        if len(self.sent) > 20:
            pytest.fail("the node does not stop")
        said = super().post(message, payload, wait)
        if self.sent[-1] == self._stops_at:
            self._node.stop()
        return said


def test_what_comes_once_it_was_told_to_stop_is_not_taken(network: Network) -> None:
    network.turn()
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    way = Watched(network, "holder_2", "poll")
    network.nodes.pop("holder_2").run()
    assert way.sent == ["poll", "leave"]
    assert network.ledger("holder_2", "joined") == []
    with pytest.raises(DataError, match="No node of Hospital 2 answers"):
        network.analyst().fetch(task, wait=0)
    network.start("holder_2")
    assert network.ended(task) == "done"


def test_what_it_computes_is_said(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last part of a task: the question is answered although its holder has left."""
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    until(network, "holder_2", "part", 0)
    for other in ("holder_1", "holder_3"):
        network.step(other)
    way, node = Watched(network, "holder_2"), network.nodes.pop("holder_2")
    step = node.step

    def stopped_meanwhile(reply: dict[str, Any]) -> Any:
        node.stop()
        return step(reply)

    monkeypatch.setattr(node, "step", stopped_meanwhile)
    node.run()
    assert way.sent == ["poll", "part", "leave"]
    assert network.analyst().fetch(task, wait=0).values["n"] == len(network.world.pooled)


@pytest.mark.parametrize(("kind", "turn"), [("join", -1), ("part", 0), ("part", 1)])
def test_who_leaves_in_the_middle_is_not_waited_for(network: Network, kind: str, turn: int) -> None:
    """No lease has to end: no time passes here."""
    task = network.analyst().send(asked("logistic", LOGISTIC))
    until(network, "holder_2", kind, turn)
    late, node = network.due["holder_2"], network.nodes["holder_2"]
    node.stop()
    network.kill("holder_2")
    Direct(network.hub).post(*late)  # what was under way when it left does not bring it back
    with pytest.raises(DataError, match="No node of Hospital 2 answers"):
        network.analyst().fetch(task, wait=0)
    network.start("holder_2")
    assert network.ended(task) == "done"
    stored = network.store.task(task)
    assert stored is not None
    assert stored.attempt == 2


def test_one_that_gave_its_part_is_missed_in_the_next_round(network: Network) -> None:
    """It may have given all that was wanted; the attempt ends once more is."""
    task = network.analyst().send(asked("logistic", LOGISTIC))
    until(network, "holder_2", "part", 0)
    network.step("holder_2")
    network.nodes["holder_2"].stop()
    network.kill("holder_2")
    for expected in (1, 2):
        stored = network.store.task(task)
        assert stored is not None
        assert stored.attempt == expected
        network.turn()
    network.start("holder_2")
    assert network.ended(task) == "done"
