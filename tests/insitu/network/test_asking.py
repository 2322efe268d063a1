"""Who may ask what: roles, tokens, rates; what the agreement lets nobody ask; questions twice."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from tests.insitu.network.conftest import CROSSTAB, HOLDERS, LOGISTIC, Network

from sosie.errors import DataError, ParameterError, TrustError
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import RefusedError, TooManyError, verify_in_place
from sosie.insitu.exchange._messages import (
    Ask,
    Certify,
    Listing,
    Login,
    Poll,
    Wait,
    new_nonce,
    sealed,
    time_now,
)
from sosie.insitu.hub import NotAllowedError
from sosie.trust import sha256


def message_of(network: Network, kind: type[Any], by: str = "recipient", **said: Any) -> Any:
    of = {"agreement": network.parties().signed.sha256, "by": by, "at": time_now()}
    return kind(**{**of, **said})


def told(network: Network, message: Any, token: str | None = None) -> Any:
    envelope = sealed(message, network.world.keys[message.by])
    return network.hub.take(envelope, token=token).said


def ask_of(network: Network, by: str = "recipient", nonce: str | None = None) -> Ask:
    question = asked("crosstab", CROSSTAB).model_dump(mode="json")
    made: Ask = message_of(network, Ask, by, question=question, nonce=nonce or new_nonce())
    return made


def test_the_same_question_is_one_task(network: Network) -> None:
    """A message that is sent again, or kept and replayed, is not run again."""
    ask = ask_of(network)
    first = told(network, ask)["task"]
    assert told(network, ask)["task"] == first
    network.ended(first)
    left, answer = network.released(), network.analyst().fetch(first, wait=0)
    assert told(network, ask)["task"] == first
    network.turn(4)
    assert network.released() == left == 3
    assert network.analyst().fetch(first, wait=0).content == answer.content
    other = told(network, ask_of(network))["task"]
    assert other != first
    network.ended(other)
    assert network.released() == 2 * left
    assert network.analyst().fetch(other, wait=0).content["result"] == answer.content["result"]


@pytest.mark.parametrize(
    ("analysis", "said", "error", "why"),
    [
        ("anova", {"column": "age", "by": "tgrade"}, NotAllowedError, "Analysis 'anova' is not"),
        ("means", {"columns_of": ["estrec"]}, NotAllowedError, "Column 'estrec'"),
        ("means", {"columns_of": ["nowhere"]}, NotAllowedError, "Column 'nowhere'"),
        ("means", {"columns_of": ["tgrade"]}, ParameterError, "'tgrade' has no numbers"),
        ("crosstab", {"row": "age", "column": "horTh"}, ParameterError, "'age' does not have"),
        ("logistic", {"formula": "big ~ age +"}, ParameterError, "formula"),
    ],
)
@pytest.mark.usefixtures("careless")
def test_what_the_agreement_does_not_allow(
    network: Network, analysis: str, said: dict[str, Any], error: type[Exception], why: str
) -> None:
    """The hub says so at once, in one sentence, and no holder is asked."""
    with pytest.raises(error, match=why) as raised:
        network.analyst().send(asked(analysis, said))
    assert str(raised.value).count("\n") == 0
    network.turn(2)
    assert network.store.tasks() == []
    assert network.refusals() == []


@pytest.mark.parametrize("by", ["auditor", "holder_1", "hub"])
def test_who_is_no_recipient_may_not_ask(network: Network, by: str) -> None:
    with pytest.raises(NotAllowedError, match="not a recipient"):
        told(network, ask_of(network, by))
    assert network.store.tasks() == []


def test_an_auditor_sees_states_and_no_result(network: Network) -> None:
    mine, theirs = told(network, ask_of(network))["task"], told(network, ask_of(network, "second"))
    network.ended(theirs["task"])
    seen = told(network, message_of(network, Listing, "auditor"))["tasks"]
    assert [(one["task"], one["by"], one["state"]) for one in seen] == [
        (mine, "recipient", "done"),
        (theirs["task"], "second", "done"),
    ]
    assert set(seen[0]) == {"task", "by", "state", "analysis", "created", "ended", "attempt"}
    with pytest.raises(TrustError, match="Only who asked"):
        told(network, message_of(network, Wait, "auditor", task=mine))
    with pytest.raises(TrustError, match="Only who received"):
        told(network, message_of(network, Certify, "auditor", tasks=[mine]))
    own = network.analyst().tasks()
    assert [one["task"] for one in own] == [mine]


def test_one_certificate_of_several_answers(network: Network) -> None:
    tasks = [
        network.ask("crosstab", **CROSSTAB).task,
        network.ask("means", columns_of=["age"]).task,
    ]
    certificate = network.analyst().certificate(tasks)
    answers = [network.analyst().fetch(task, wait=0).content for task in tasks]
    trusted = {key.id: key for key in network.parties().keys.values()}
    items, record = verify_in_place(certificate, trusted, answers=answers)
    assert record is not None
    assert len(record.results) == 2
    assert all(item.ok for item in items)
    result = answers[0]["result"] | {"n": 1}
    for forged in (
        {"result": result},
        {"question": answers[1]["question"]},
        {"analysis": "means"},
        {"agreement": "0" * 64},
        {"sites": answers[0]["sites"][:2]},
        {"gate": []},
        {"gate": [answers[0]["gate"][0] | {"verdict": "fail"}, *answers[0]["gate"][1:]]},
        {"note": "checked"},
    ):
        items, _ = verify_in_place(certificate, trusted, answers=[answers[0] | forged])
        assert [item.kind for item in items if item.ok is False] == ["result"], forged
    for tasks_of_others in ([tasks[0], "0" * 64], ["0" * 64]):
        with pytest.raises(ParameterError, match="not answered, or not yours"):
            network.analyst().certificate(tasks_of_others)
    with pytest.raises(ParameterError, match="not answered, or not yours"):
        network.analyst("second").certificate(tasks)


def test_tokens(network: Network) -> None:
    said = told(network, message_of(network, Login, nonce=new_nonce()))
    assert said["role"] == "analyst"
    token = said["token"]
    assert "task" in told(network, ask_of(network), token)
    other = told(network, message_of(network, Login, "second", nonce=new_nonce()))["token"]
    for wrong in ("", "x", token + "x", other):
        with pytest.raises(TrustError, match="The token has ended or is of somebody else"):
            told(network, ask_of(network), wrong)
    assert network.store.token(token) is None, "the hub keeps the hash of a token alone"
    network.clock.ahead = said["seconds"] - 1
    assert network.store.token(sha256(token.encode()))
    network.clock.ahead = said["seconds"] + 1
    with pytest.raises(TrustError, match="The clock"):
        told(network, ask_of(network), token)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=network.clock.ahead)
    ask = ask_of(network).model_copy(update={"at": later.strftime("%Y-%m-%dT%H:%M:%SZ")})
    with pytest.raises(TrustError, match="token has ended"):
        told(network, ask, token)


def test_a_token_of_an_auditor_does_not_ask(network: Network) -> None:
    said = told(network, message_of(network, Login, "auditor", nonce=new_nonce()))
    assert said["role"] == "auditor"
    with pytest.raises(NotAllowedError):
        told(network, ask_of(network, "auditor"), said["token"])


def test_rates(connected: Callable[..., Network]) -> None:
    """Of one party; another is not held up, nor is a question that was taken before."""
    network = connected(asks_a_minute=3)
    first = ask_of(network)
    for ask in (first, ask_of(network), ask_of(network)):
        told(network, ask)
    with pytest.raises(TooManyError, match="3 questions a minute"):
        told(network, ask_of(network))
    told(network, first)
    told(network, ask_of(network, "second"))
    for _ in range(3):
        told(network, message_of(network, Login, nonce=new_nonce()))
    with pytest.raises(TooManyError):
        told(network, message_of(network, Login, nonce=new_nonce()))
    assert len(network.store.tasks()) == 4
    network.clock.ahead = 61
    told(network, ask_of(network))


def test_who_holds_nothing_gets_no_work(network: Network) -> None:
    told(network, ask_of(network))
    for by in ("recipient", "hub", "auditor"):
        with pytest.raises(TrustError, match="holds no data"):
            told(network, message_of(network, Poll, by, instance="0" * 64))


def test_a_refusal_of_the_gate(network: Network) -> None:
    """In the same words whatever the reason; the holder's ledger has it."""
    with pytest.raises(RefusedError, match="nothing left") as cells:
        network.ask("crosstab", row="tgrade", column="horTh")
    with pytest.raises(RefusedError) as rows:
        network.ask("logistic", formula="age ~ big")
    assert str(cells.value) == str(rows.value)
    reasons = [one for name in HOLDERS for one in network.refusals(name)]
    assert {"small_cells", "rows"} <= {reason for one in reasons for reason in one}


def test_an_error_of_the_rows_is_a_refusal(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it went wrong would tell of the rows: it is told, and counted, as the gate's word."""
    from sosie.insitu.catalogue import Logistic

    def fails(*_: Any) -> None:
        raise ZeroDivisionError("the person of 93 years")

    monkeypatch.setattr(Logistic, "local", fails)
    with pytest.raises(RefusedError) as raised:
        network.ask("logistic", **LOGISTIC)
    assert "93" not in str(raised.value)
    assert network.released() == 0
    found = [line for name in HOLDERS for line in network.refusals(name)]
    assert ["gate", "ZeroDivisionError"] in found
    assert "93" not in str(found)


def test_numbers_of_which_nothing_can_be_made(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sosie.insitu.catalogue import Crosstab

    def fails(*_: Any) -> None:
        raise OverflowError("12345")

    monkeypatch.setattr(Crosstab, "combine", fails)
    with pytest.raises(DataError, match="make no result") as raised:
        network.ask("crosstab", **CROSSTAB)
    assert "12345" not in str(raised.value)
    monkeypatch.undo()


@pytest.mark.usefixtures("careless")
def test_a_budget_of_noise_holds_at_the_node(
    connected: Callable[..., Network], tmp_path: Any
) -> None:
    """Under an agreement with differential privacy no question goes without it, or beyond it."""
    template = connected()
    path = template.world.signed(
        tmp_path / "noisy.json", disclosure={"preset": "snds-11", "epsilon": 1.0}
    )
    template.store.close()
    network = connected(path)
    network.start()
    with pytest.raises(RefusedError):
        network.ask("crosstab", **CROSSTAB)
    assert ["gate", "epsilon"] in [one for name in HOLDERS for one in network.refusals(name)]
    assert network.released() == 0
    question = asked("crosstab", CROSSTAB).model_copy(update={"epsilon": 0.6})
    states = []
    for _ in range(2):
        task = network.analyst().send(question)
        states.append(network.ended(task))
    assert states == ["done", "done"], "the same question again costs nothing: it has left before"
    other = asked("counts", {"column": "tgrade"}).model_copy(update={"epsilon": 0.6})
    assert network.ended(network.analyst().send(other)) == "refused"
