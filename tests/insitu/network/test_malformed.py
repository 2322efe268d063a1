"""Messages that are none, over HTTPS: each is refused, and the hub goes on."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.insitu.network.conftest import CROSSTAB, LOGISTIC, Network, Serving

from sosie.errors import SosieError
from sosie.insitu.analyst import asked
from sosie.insitu.exchange._messages import (
    Ask,
    Login,
    Part,
    Poll,
    new_nonce,
    sealed,
    time_now,
)
from sosie.insitu.exchange._raised import AbsentError, raised
from sosie.insitu.exchange._tls import client_context
from sosie.insitu.hub._hub import LARGEST
from sosie.trust import canonical, seal, sha256


@dataclass
class Got:
    """A reply."""

    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Sends whatever bytes, by a connection of a party."""

    def __init__(self, network: Network, url: str) -> None:
        world = network.world
        self._to = HTTPSConnection(
            url.removeprefix("https://"), timeout=20,
            context=client_context(world.keys["recipient"], world.keys["hub"].public),
        )  # fmt: skip

    def post(self, body: Any, token: str | None = None) -> Got:
        headers = {} if token is None else {"Authorization": token}
        return self.request(
            "POST", "/v1/message", body if type(body) is bytes else canonical(body), headers
        )

    def request(self, method: str, path: str, body: Any = None, headers: Any = None) -> Got:
        self._to.request(method, path, body, headers or {})
        got = self._to.getresponse()
        return Got(got.status, got.read().decode())

    def close(self) -> None:
        self._to.close()


@pytest.fixture
def client(network: Network, serving: Serving) -> Iterator[Client]:
    made = Client(network, serving.url)
    yield made
    made.close()


def login(network: Network) -> dict[str, Any]:
    return sealed(
        Login(agreement=network.parties().signed.sha256, by="recipient", at=time_now(),
              nonce=new_nonce()),
        network.world.keys["recipient"],
    )  # fmt: skip


def poll(network: Network, **said: Any) -> dict[str, Any]:
    of = {"agreement": network.parties().signed.sha256, "by": "holder_1", "at": time_now()}
    return sealed(Poll(**{**of, "instance": "0" * 64, **said}), network.world.keys["holder_1"])


def goes_on(network: Network, client: Client) -> None:
    """The hub still takes a question, and gives a token for it."""
    got = client.post({"message": login(network)})
    assert got.status == 200
    assert got.json()["role"] == "analyst"


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_bodies_that_are_no_message(network: Network, client: Client) -> None:
    envelope = login(network)
    bodies = [
        b"", b"null", b"[]", b"{}", b"\xff\xfe", b"{", b'{"message": NaN}', b'{"message": 1e999}',
        b'{"message": {}, "message": {}}', b'{"message": null, "wait": 1}',
        b'{"message": ' + deep(100).encode() + b"}", deep(100_000).encode(),
        b'{"message": "\\ud800"}', b'{"wait": 99999999999999999999}',
        canonical({"message": envelope, "wait": "nan"}),
        canonical({"message": envelope, "wait": True}),
        canonical({"message": envelope, "payload": "é"}),
        canonical({"message": envelope, "payload": "AAA"}),
        canonical({"message": envelope, "payload": 7}),
        canonical({"message": envelope | {"payload": "%%%%"}}),
        canonical({"message": envelope | {"payloadType": "text/plain"}}),
        canonical({"message": envelope | {"signatures": []}}),
        canonical({"message": envelope | {"signatures": [envelope["signatures"][0]] * 2}}),
        canonical({"message": envelope | {"more": 1}}),
        canonical({"message": [envelope]}),
    ]  # fmt: skip
    for body in bodies:
        got = client.post(body)
        assert got.status == 403, body[:80]
        assert set(got.json()) == {"error", "sort"}
        assert "Traceback" not in got.text
    goes_on(network, client)


def test_a_body_that_is_too_large(network: Network, client: Client) -> None:
    body = canonical({"message": login(network), "payload": "A" * (LARGEST + 4)})
    got = client.post(body)
    assert (got.status, got.json()["sort"]) == (403, "trust")
    assert "too large" in got.json()["error"]
    goes_on(network, client)


def test_envelopes_that_hold_something_else(network: Network, client: Client) -> None:
    """Signed by a party, and no message: of unknown kind, of wrong types, of another time."""
    key = network.world.keys["holder_1"]
    agreement = network.parties().signed.sha256
    good = {"kind": "poll", "agreement": agreement, "by": "holder_1", "at": time_now(),
            "instance": "0" * 64, "paused": False}  # fmt: skip
    kind = "application/vnd.sosie.in-place+json"
    for said in (
        {}, [], 1, None, "poll", good | {"kind": "exec"}, good | {"more": 1},
        good | {"paused": "no"}, good | {"instance": "x"}, good | {"by": "../../etc"},
        good | {"by": "holder_2"}, good | {"agreement": "0" * 64}, good | {"agreement": 1},
        good | {"at": "2026-99-99T99:99:99Z"}, good | {"at": "2020-01-01T00:00:00Z"},
        good | {"kind": ["poll"]}, good | {"kind": "part"},
    ):  # fmt: skip
        envelope = seal(canonical(said), kind, [key])
        got = client.post({"message": envelope})
        assert got.status == 403, said
        with pytest.raises(SosieError):
            network.hub.take(envelope)
    envelope = seal(canonical(good), "application/json", [key])
    assert client.post({"message": envelope}).status == 403
    goes_on(network, client)


def test_questions_that_are_none(network: Network, client: Client) -> None:
    """Of the right analyst, with a token: 422 and a sentence."""
    token = client.post({"message": login(network)}).json()["token"]
    good = asked("logistic", LOGISTIC).model_dump(mode="json")
    cut = {"rule": "cut", "name": "old", "column": "age", "edges": [1.0]}
    for question in (
        {}, {"analysis": 1}, {"analysis": {"id": "exec"}}, {"analysis": {"id": "logistic"}},
        good | {"derive": 1}, good | {"derive": [{"rule": "eval"}]}, good | {"derive": [cut] * 51},
        good | {"more": 1}, good | {"epsilon": -1}, good | {"epsilon": 0.0},
        {"analysis": {"id": "logistic", "formula": "~" * 10_000}},
        {"analysis": {"id": "logistic", "formula": "big ~ " + " + ".join(["age"] * 5_000)}},
        {"analysis": {"id": "logistic", "formula": "big ~ __import__('os')"}},
        {"analysis": {"id": "logistic", "formula": ""}},
        {"analysis": {"id": "means", "columns_of": []}},
        {"analysis": {"id": "means", "columns_of": ["\x00"]}},
    ):  # fmt: skip
        message = Ask(
            agreement=network.parties().signed.sha256, by="recipient", at=time_now(),
            question=question, nonce=new_nonce(),
        )  # fmt: skip
        envelope = sealed(message, network.world.keys["recipient"])
        got = client.post({"message": envelope}, f"Bearer {token}")
        assert got.status in (403, 422), (question, got.text)
        assert "\n" not in got.json()["error"]
    assert network.store.tasks() == []
    goes_on(network, client)


def test_no_token_no_answer(network: Network, client: Client) -> None:
    message = Ask(
        agreement=network.parties().signed.sha256, by="recipient", at=time_now(),
        question=asked("crosstab", CROSSTAB).model_dump(mode="json"), nonce=new_nonce(),
    )  # fmt: skip
    body = {"message": sealed(message, network.world.keys["recipient"])}
    for header in (None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer " + "x" * 43):
        got = client.post(body, header)
        assert (got.status, got.json()["sort"]) == (403, "trust")
    assert network.store.tasks() == []


def test_a_poll_comes_back_when_there_is_work(network: Network, client: Client) -> None:
    """At once where there is some; in the time that was asked for where there is none."""
    got = client.post({"message": poll(network), "wait": 0.05})
    assert got.json() == {"work": None}
    network.analyst().send(asked("crosstab", CROSSTAB))
    got = client.post({"message": poll(network), "wait": 30})
    assert got.json()["work"]["stage"] == "join"
    assert client.request("GET", "/v1/health").json() == {"status": "up"}
    for path in ("/", "/docs", "/openapi.json", "/v1"):
        assert client.request("GET", path).status == 404


def test_a_part_whose_bytes_are_others(network: Network) -> None:
    """The task ends: what was signed is not what came."""
    for payload in (None, b"", b"{}", b"\xff" * 10):
        task = network.analyst().send(asked("crosstab", CROSSTAB))
        network.turn(2)
        message, own = network.due["holder_3"]
        assert own is not None
        network.due["holder_3"] = message, payload
        assert network.ended(task) == "failed"


def test_a_part_that_is_no_part(network: Network) -> None:
    """A holder that signs nonsense: large shapes, other arrays, no JSON; the hub goes on."""
    for arrays in (
        {}, 1, None, {"counts": 1},
        {"counts": {"shape": [2**53 - 1], "words": ""}}, {"counts": {"shape": [-1], "words": ""}},
        {"counts": {"shape": [2, 2], "words": "AAAA"}},
        {"counts": {"shape": [2.5], "words": ""}}, {"counts": {"shape": [0], "words": ""}},
    ):  # fmt: skip
        task = network.analyst().send(asked("crosstab", CROSSTAB))
        network.turn(2)
        message, own = network.due["holder_3"]
        assert own is not None
        payload = canonical(json.loads(own) | {"arrays": arrays})
        said = json.loads(base64.b64decode(message["payload"]))
        part = Part.model_validate(said | {"payload_sha256": sha256(payload)})
        network.due["holder_3"] = sealed(part, network.world.keys["holder_3"]), payload
        assert network.ended(task) == "failed"
    assert network.ask("crosstab", **CROSSTAB)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner,
                                                                max_size=4),
    max_leaves=12,
)  # fmt: skip
MANY = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@MANY
@given(JSON)
def test_whatever_is_sent_to_a_hub(network: Network, said: Any) -> None:
    with pytest.raises(SosieError):
        network.hub.take(said)


@MANY
@given(st.dictionaries(st.sampled_from(["stage", "task", "attempt", "ask", "round", "parts",
                                        "joins"]), JSON))  # fmt: skip
def test_whatever_is_sent_to_a_node(network: Network, work: dict[str, Any]) -> None:
    message, payload = network.nodes["holder_1"].step({"work": work})
    assert payload is None
    assert message["payloadType"] == "application/vnd.sosie.in-place+json"


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"<html>", b'{"a": NaN}', deep(100_000).encode(), b'"\\ud800"']
)
def test_what_answers_is_no_hub(data: bytes) -> None:
    with pytest.raises(AbsentError, match="no hub of sosie"):
        raised(200, data, "hub.example.org")
