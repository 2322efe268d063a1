"""A hub that lies in every way that it can: nothing leaves, and the holder's ledger says why."""

import base64
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.insitu.network.conftest import CROSSTAB, HOLDERS, LOGISTIC, Network

from sosie.errors import DataError, TrustError
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import RefusedError
from sosie.insitu.exchange._messages import (
    Ask,
    Join,
    Part,
    new_nonce,
    read_message,
    sealed,
    task_of,
    time_now,
)
from sosie.insitu.gate import added, total_of
from sosie.insitu.gate._secure_sum import WORDS
from sosie.insitu.hub._ticket import Ticket
from sosie.trust import PAYLOAD_TYPE, Key, canonical, payload_of, seal, sha256, strict_json

Work = dict[str, Any]
Lie = Callable[[Network, Work], Any]


def begun(network: Network, analysis: str = "logistic", **said: Any) -> str:
    """Ask a question, and let all holders join; give the name of the task."""
    task = network.analyst().send(asked(analysis, said or LOGISTIC))
    network.turn()
    return task


def to_first_round(network: Network) -> str:
    """Go on until the first parts are with the hub, and holder_1 is told of them next."""
    task = begun(network)
    network.turn(2)
    assert network.released() == 3
    return task


def told(network: Network, lie: Lie, stage: str, holder: str = "holder_1") -> None:
    """Have the hub lie once to one holder, and go on."""

    def tamper(to: str, reply: Work) -> Work:
        work = reply.get("work")
        if to != holder or not work or work["stage"] != stage:
            return reply
        changed = copy.deepcopy(work)
        found = lie(network, changed)
        return {"work": changed if found is None else found}

    network.tamper = tamper


def ends(network: Network, task: str, *reasons: str, leaves: int) -> None:
    """Check that the task ends without an answer, what left, and what the ledger says."""
    before = network.released()
    assert network.ended(task) in ("failed", "refused")
    assert network.released() - before <= leaves
    (refused,) = network.refusals("holder_1")
    assert refused == list(reasons)
    with pytest.raises((DataError, RefusedError)):
        network.analyst().fetch(task, wait=0)


def said_in(envelope: dict[str, Any]) -> Any:
    return strict_json(payload_of(envelope))


def forged(network: Network, envelope: dict[str, Any], key: str = "hub", **changed: Any) -> Work:
    """Make a message of other content, signed by somebody who may not."""
    kinds = {"join": Join, "part": Part, "ask": Ask}
    said = said_in(envelope) | changed
    return sealed(kinds[said["kind"]].model_validate(said), network.world.keys[key])


# -- the question


def own_question(network: Network, work: Work) -> None:
    """Nobody asked it."""
    del work["ask"]


def of_hub(network: Network, work: Work) -> None:
    work["ask"] = forged(network, work["ask"], by="hub")
    work["task"] = sha256(payload_of(work["ask"]))


def in_analysts_name(network: Network, work: Work) -> None:
    work["ask"] = forged(network, work["ask"])
    work["task"] = sha256(payload_of(work["ask"]))


def of_stranger(network: Network, work: Work) -> None:
    work["ask"] = forged(network, work["ask"], key="stranger")


def changed_after(network: Network, work: Work) -> None:
    said = said_in(work["ask"])
    said["question"]["analysis"]["formula"] = "big ~ age + pnodes"
    work["ask"]["payload"] = base64.b64encode(canonical(said)).decode()
    work["task"] = sha256(canonical(said))


def other_task(network: Network, work: Work) -> None:
    work["task"] = "0" * 64


def other_agreement(network: Network, work: Work) -> None:
    ask = forged(network, work["ask"], key="recipient", agreement="0" * 64)
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def no_recipient(network: Network, work: Work) -> None:
    ask = forged(network, work["ask"], key="auditor", by="auditor")
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def not_allowed(network: Network, work: Work) -> None:
    question = asked("anova", {"column": "age", "by": "tgrade"}).model_dump(mode="json")
    ask = forged(network, work["ask"], key="recipient", question=question)
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def other_column(network: Network, work: Work) -> None:
    question = asked("means", {"columns_of": ["estrec"]}).model_dump(mode="json")
    ask = forged(network, work["ask"], key="recipient", question=question)
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def no_question(network: Network, work: Work) -> None:
    ask = forged(network, work["ask"], key="recipient", question={"analysis": {"id": "exec"}})
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def long_ago(network: Network, work: Work) -> None:
    ask = forged(network, work["ask"], key="recipient", at="2026-01-01T00:00:00Z")
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def no_such_day(network: Network, work: Work) -> None:
    ask = forged(network, work["ask"], key="recipient", at="2026-99-99T00:00:00Z")
    work |= {"ask": ask, "task": sha256(payload_of(ask))}


def endless(network: Network, work: Work) -> None:
    work["attempt"] = 101


def not_begun(network: Network, work: Work) -> None:
    work["attempt"] = 0


def half(network: Network, work: Work) -> None:
    work["attempt"] = 1.5


@pytest.mark.parametrize(
    ("lie", "reasons"),
    [
        (own_question, ["exchange", "signature"]),
        (of_hub, ["agreement", "recipient"]),
        (in_analysts_name, ["exchange", "signature"]),
        (of_stranger, ["exchange", "signature"]),
        (changed_after, ["exchange", "signature"]),
        (other_task, ["exchange", "task"]),
        (other_agreement, ["agreement", "another"]),
        (no_recipient, ["agreement", "recipient"]),
        (not_allowed, ["agreement", "analysis"]),
        (other_column, ["agreement", "question"]),
        (no_question, ["agreement", "question"]),
        (long_ago, ["exchange", "stale"]),
        (no_such_day, ["exchange", "stale"]),
        (endless, ["exchange", "attempt"]),
        (not_begun, ["exchange", "attempt"]),
        (half, ["exchange", "attempt"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_question_that_nobody_asked(network: Network, lie: Lie, reasons: list[str]) -> None:
    network.analyst().send(asked("logistic", LOGISTIC))
    told(network, lie, "join")
    network.turn(5)
    # Work that has no attempt cannot be declined: the hub sends it again, and the holder waits.
    found = network.refusals()
    assert found == [reasons] * (len(found) if lie is half else 1)
    assert network.ledger("holder_1", "joined") == []
    assert network.released() == 0


# -- who takes part


def joins(work: Work) -> dict[str, Any]:
    return {said_in(one)["by"]: one for one in work["joins"]}


def one_dropped(network: Network, work: Work) -> None:
    work["joins"] = [one for one in work["joins"] if said_in(one)["by"] != "holder_3"]


def one_twice(network: Network, work: Work) -> None:
    one_dropped(network, work)
    work["joins"].append(work["joins"][0])


def own_dropped(network: Network, work: Work) -> None:
    work["joins"] = [one for one in work["joins"] if said_in(one)["by"] != "holder_1"]


def key_replaced(network: Network, work: Work) -> None:
    """The key with which the hub would take the masks off."""
    one = joins(work)["holder_2"]
    said = said_in(one) | {"public": base64.b64encode(bytes(31) + b"\x09").decode()}
    one["payload"] = base64.b64encode(canonical(said)).decode()


def key_of_hub(network: Network, work: Work) -> None:
    """As before, signed by the hub itself."""
    one = joins(work)["holder_2"]
    public = base64.b64encode(bytes(31) + b"\x09").decode()
    work["joins"] = [*(o for o in work["joins"] if o is not one),
                     forged(network, one, public=public)]  # fmt: skip


def hub_takes_part(network: Network, work: Work) -> None:
    work["joins"].append(forged(network, work["joins"][0], by="hub"))


def unmasked(network: Network, work: Work) -> None:
    """As if holder_2 had said that nothing is masked."""
    one = joins(work)["holder_2"]
    work["joins"] = [*(o for o in work["joins"] if o is not one),
                     forged(network, one, key="holder_2", public=None)]  # fmt: skip


def of_attempt_before(network: Network, work: Work) -> None:
    one = joins(work)["holder_2"]
    work["joins"] = [*(o for o in work["joins"] if o is not one),
                     forged(network, one, key="holder_2", attempt=0)]  # fmt: skip


def of_other_task(network: Network, work: Work) -> None:
    one = joins(work)["holder_2"]
    work["joins"] = [*(o for o in work["joins"] if o is not one),
                     forged(network, one, key="holder_2", task="0" * 64)]  # fmt: skip


def no_list(network: Network, work: Work) -> None:
    work["joins"] = {"holder_2": 1}


@pytest.mark.parametrize(
    ("lie", "reasons"),
    [
        (one_dropped, ["exchange", "holders"]),
        (one_twice, ["exchange", "holders"]),
        (own_dropped, ["exchange", "holders"]),
        (key_replaced, ["exchange", "signature"]),
        (key_of_hub, ["exchange", "signature"]),
        (hub_takes_part, ["exchange", "holders"]),
        (unmasked, ["exchange", "holders"]),
        (of_attempt_before, ["exchange", "join"]),
        (of_other_task, ["exchange", "join"]),
        (no_list, ["exchange", "joins"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_who_takes_part(network: Network, lie: Lie, reasons: list[str]) -> None:
    """Of holder_1 nothing leaves; what left the others is masked with keys that it never used."""
    task = begun(network)
    told(network, lie, "part")
    ends(network, task, *reasons, leaves=2)
    assert network.ledger("holder_1", "released") == []


# -- the parts of a round


def parts(work: Work) -> dict[str, Any]:
    return {said_in(one["message"])["by"]: one for one in work["parts"]}


def part_dropped(network: Network, work: Work) -> None:
    work["parts"] = [one for one in work["parts"] if said_in(one["message"])["by"] != "holder_3"]


def payload_altered(network: Network, work: Work) -> None:
    one = parts(work)["holder_2"]
    payload = base64.b64decode(one["payload"])
    one["payload"] = base64.b64encode(payload + b" ").decode()


def own_altered(network: Network, work: Work) -> None:
    one = parts(work)["holder_1"]
    payload = base64.b64decode(one["payload"]) + b" "
    one["payload"] = base64.b64encode(payload).decode()
    one["message"] = forged(network, one["message"], payload_sha256=sha256(payload))


def of_no_round(network: Network, work: Work) -> None:
    one = parts(work)["holder_2"]
    one["message"] = forged(network, one["message"], key="holder_2", round=7)


def of_old_attempt(network: Network, work: Work) -> None:
    one = parts(work)["holder_2"]
    one["message"] = forged(network, one["message"], key="holder_2", attempt=0)


def no_base64(network: Network, work: Work) -> None:
    parts(work)["holder_2"]["payload"] = "é" * 8


def a_join_as_part(network: Network, work: Work) -> None:
    old = next(m for by, m, _ in network.sent if by == "holder_2" and said_in(m)["kind"] == "join")
    parts(work)["holder_2"]["message"] = old


def next_round(network: Network, work: Work) -> None:
    work["round"] += 1


def first_round_again(network: Network, work: Work) -> None:
    work["round"] = -1


@pytest.mark.parametrize(
    ("lie", "reasons"),
    [
        (part_dropped, ["exchange", "holders"]),
        (payload_altered, ["exchange", "hash"]),
        (own_altered, ["exchange", "signature"]),
        (of_no_round, ["exchange", "part"]),
        (of_old_attempt, ["exchange", "part"]),
        (no_base64, ["exchange", "part"]),
        (a_join_as_part, ["exchange", "part"]),
        (next_round, ["exchange", "round"]),
        (first_round_again, ["exchange", "round"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_parts_of_a_round(network: Network, lie: Lie, reasons: list[str]) -> None:
    task = to_first_round(network)
    told(network, lie, "part")
    ends(network, task, *reasons, leaves=2)
    assert len(network.ledger("holder_1", "released")) == 1


def test_holders_that_are_told_different_parts(network: Network) -> None:
    """A holder that helps the hub signs two parts: what leaves next adds up to noise."""
    task = to_first_round(network)
    other = network.world.keys["holder_3"]

    def tamper(to: str, reply: Work) -> Work:
        work = reply.get("work")
        if to == "holder_1" and work and work["stage"] == "part" and work["round"] == 1:
            one = parts(work)["holder_3"]
            said = strict_json(base64.b64decode(one["payload"]))
            array = next(iter(said["arrays"].values()))
            raw = bytearray(base64.b64decode(array["words"]))
            raw[len(raw) // WORDS] ^= 1  # by one: what is far off would not be believed
            array["words"] = base64.b64encode(bytes(raw)).decode()
            payload = canonical(said)
            message = said_in(one["message"]) | {"payload_sha256": sha256(payload)}
            one["payload"] = base64.b64encode(payload).decode()
            one["message"] = sealed(Part.model_validate(message), other)
        return reply

    network.tamper = tamper
    assert network.ended(task) != "done"
    left = {
        holder: payload
        for holder, message, payload in network.sent
        if payload and said_in(message)["round"] == 1
    }
    assert set(left) == set(HOLDERS)
    question = strict_json(left["holder_1"])["question"]
    total = total_of(added(list(left.values()), question, 1), question, 1)
    # True sums are below 1e7; masks that do not cancel are of the order of 2**63.
    assert all(np.abs(values).max() > 1e12 for values in total.arrays.values())


def test_an_attempt_is_never_repeated(network: Network) -> None:
    """Nor one before it: whatever was signed for it cannot be asked for again."""
    task = begun(network)
    network.turn(2)
    first = network.store.task(task)
    assert first is not None
    work = {"task": task, "attempt": first.attempt, "ask": first.ask, "stage": "join"}
    network.ended(task)
    released = network.released()
    node = network.nodes["holder_1"]
    message, payload = node.step({"work": work})
    assert payload is None
    assert said_in(message)["why"] == "exchange"
    assert network.refusals()[-1] == ["exchange", "attempt"]
    # And one that started again remembers it.
    network.kill("holder_1")
    network.start("holder_1")
    message, _ = network.nodes["holder_1"].step({"work": work})
    assert said_in(message)["kind"] == "decline"
    assert network.released() == released


def test_a_step_that_is_asked_for_again_gives_the_same_bytes(network: Network) -> None:
    begun(network)
    network.turn()
    first = network.due["holder_3"]
    assert first[1] is not None
    work = network.hub.reply(Ticket("work", network.parties().signed.sha256, "holder_3"))
    assert work is not None
    assert network.nodes["holder_3"].step(work) == first
    assert len(network.ledger("holder_3", "released")) == 1


def test_work_that_is_nothing(network: Network) -> None:
    """A node outlives it, and does not sign it."""
    node = network.nodes["holder_1"]
    deep: Any = []
    for _ in range(50):
        deep = [deep]
    for work in (
        {}, {"stage": "join"}, {"stage": "part"}, {"stage": []}, {"task": None}, {"task": deep},
        {"stage": "join", "task": "0" * 64, "attempt": 1, "ask": deep},
        {"stage": "join", "task": "0" * 64, "attempt": float("inf"), "ask": {}},
        {"stage": "join", "task": "\ud800", "attempt": 1, "ask": {}},
        {"stage": "part", "task": "0" * 64, "attempt": 10**30, "round": "x", "parts": deep},
    ):  # fmt: skip
        message, payload = node.step({"work": work})
        assert payload is None
        assert said_in(message)["kind"] in ("poll", "decline")
    for reply in ({"work": 1}, {"work": [1]}, {"works": {}}, {}):
        assert said_in(node.step(reply)[0])["kind"] == "poll"
    assert network.released() == 0


def test_a_hub_cannot_answer_with_something_else(network: Network) -> None:
    """Another number, another question's answer, or a certificate that it made up."""
    first = network.ask("crosstab", **CROSSTAB)
    other = network.ask("means", columns_of=["age"])
    analyst = network.analyst()
    assert analyst.fetch(first.task, wait=0).content == first.content

    def lies(content: dict[str, Any]) -> None:
        class Way:
            def post(self, *_: Any, **__: Any) -> dict[str, Any]:
                return {"state": "done", "answer": content}

        analyst._way = Way()  # type: ignore[assignment]
        with pytest.raises(TrustError, match="not the certified answer"):
            analyst.fetch(first.task, wait=0)

    changed = copy.deepcopy(first.content)
    changed["result"]["cells"][0]["count"] += 1
    lies(changed)
    lies(other.content)
    lies(first.content | {"question": other.content["question"]})
    lies(first.content | {"sites": ["Hospital 1"]})
    lies(first.content | {"certificate": {}})
    stranger = Key.new("Third party")
    payload = payload_of(first.content["certificate"])
    lies(first.content | {"certificate": seal(payload, PAYLOAD_TYPE, [stranger])})


def test_another_analyst_signed_it(network: Network) -> None:
    """The hub cannot give one team's question as that of another, nor its answer."""
    task = network.analyst("second").send(asked("crosstab", CROSSTAB))
    network.ended(task)
    with pytest.raises(TrustError, match="Only who asked"):
        network.analyst("recipient").fetch(task, wait=0)
    stored = network.store.task(task)
    assert stored is not None
    ask = read_message(stored.ask, network.parties().keys)
    assert ask.by == "second"
    assert task_of(ask.model_copy(update={"by": "recipient"})) != task
    own = Ask(
        agreement=ask.agreement, by="second", at=time_now(), question=ask.question,
        nonce=new_nonce(),
    )  # fmt: skip
    with pytest.raises(TrustError, match="not signed by the party"):
        network.hub.take(sealed(own, network.world.keys["recipient"]))
