"""What the agreement alone tells is told to the analyst, and nobody is asked."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.insitu.network.conftest import COX, CROSSTAB, Network

from sosie.errors import ParameterError
from sosie.insitu.analyst import Connection, asked
from sosie.insitu.exchange._raised import RefusedError
from sosie.insitu.node._received import DeclinedError, allowed_sites


class Nobody:
    """A way to no hub: whatever is sent is a failure."""

    def post(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("something was sent")

    def close(self) -> None: ...


def ask_nobody(
    network: Network, analysis: str, said: dict[str, Any], derive: Sequence[dict[str, Any]] = ()
) -> None:
    asker = Connection(network.parties(), network.world.keys["recipient"], Nobody())
    asker.send(asked(analysis, said, derive))


@pytest.mark.parametrize(
    ("analysis", "said", "error", "why"),
    [
        ("means", {"columns_of": ["agee"]}, RefusedError,
         r"Column 'agee' is not in the agreement; did you mean 'age'\?$"),
        ("means", {"columns_of": ["\x1b[2Jâge"]}, RefusedError,
         r"^Column '\\x1b\[2Jâge' is not in the agreement; it lists 'horTh', 'age'"),
        ("anova", {"column": "age", "by": "tgrade"}, RefusedError, "'anova' is not among those"),
        ("counts", {"column": "tgrade", "epsilon": 1.0}, RefusedError,
         "no budget of differential privacy; ask without --epsilon"),
        ("means", {"columns_of": ["tgrade"]}, ParameterError, "'tgrade' has no numbers"),
        ("linear", {"formula": "âge ~ #"}, ParameterError, "^The formula 'âge ~ #' cannot be read"),
        ("cox", {"formula": "Surv(time, cens) ~ 1"}, ParameterError, "names no column after ~"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be(
    connected: Callable[..., Network], analysis: str, said: dict[str, Any],
    error: type[Exception], why: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=why) as raised:
        ask_nobody(connected(), analysis, said)
    assert "--drop" not in str(raised.value)


def test_a_column_that_one_data_set_does_not_list(
    connected: Callable[..., Network], tmp_path: Path
) -> None:
    world = connected().world
    sets = [dict(one) for one in world.content["data_sets"]]
    sets[2]["columns"] = [one for one in sets[2]["columns"] if one["name"] != "tsize"]
    network = connected(world.signed(tmp_path / "narrow.json", data_sets=sets))
    for analysis, said in (("cox", COX), ("linear", {"formula": "pnodes ~ tsize"})):
        with pytest.raises(RefusedError, match="'tsize' is not among those that Hospital 3 agreed"):
            ask_nobody(network, analysis, said)
    with pytest.raises(AssertionError, match="something was sent"):
        ask_nobody(network, "crosstab", CROSSTAB)


def test_a_made_column_and_another_made_from_it(connected: Callable[..., Network]) -> None:
    rules = [
        {"rule": "ratio", "name": "rate", "column": "pnodes", "over": "tsize"},
        {"rule": "cut", "name": "many", "column": "rate", "edges": [0.1]},
    ]
    network = connected()
    asker = Connection(network.parties(), network.world.keys["recipient"], Nobody())
    with pytest.raises(AssertionError, match="something was sent"):
        asker.send(asked("linear", {"formula": "age ~ rate + many"}, rules))


def test_no_rule_takes_the_name_of_an_agreed_column(
    connected: Callable[..., Network], tmp_path: Path
) -> None:
    """Also of one that the question does not read, or that another holder alone has."""
    rate = {"rule": "ratio", "name": "age", "column": "pnodes", "over": "tsize"}
    network = connected()
    with pytest.raises(RefusedError, match="A column 'age' exists already; name the new one else"):
        ask_nobody(network, "means", {"columns_of": ["age"]}, [rate])
    sets = [dict(one) for one in network.world.content["data_sets"]]
    sets[2]["columns"] = [one for one in sets[2]["columns"] if one["name"] != "age"]
    network = connected(network.world.signed(tmp_path / "narrow.json", data_sets=sets))
    question = asked("means", {"columns_of": ["age"]}, [rate])
    with pytest.raises(DeclinedError, match="agreement") as raised:
        allowed_sites(question.outline, network.parties(), "holder_3", "recipient")
    assert raised.value.reasons == ["column"]


def test_a_budget_of_noise(connected: Callable[..., Network], tmp_path: Path) -> None:
    world = connected().world
    noisy = {"preset": "snds-11", "epsilon": 1.0}
    network = connected(world.signed(tmp_path / "noisy.json", disclosure=noisy))
    with pytest.raises(RefusedError, match="say with --epsilon how much of the budget of 1"):
        ask_nobody(network, "crosstab", CROSSTAB)
    with pytest.raises(RefusedError, match="--epsilon 2 is beyond the budget"):
        ask_nobody(network, "crosstab", CROSSTAB | {"epsilon": 2.0})
    with pytest.raises(ParameterError, match="no answer with differential privacy"):
        ask_nobody(network, "cox", COX | {"epsilon": 0.5})
    with pytest.raises(AssertionError, match="something was sent"):
        ask_nobody(network, "crosstab", CROSSTAB | {"epsilon": 0.5})
