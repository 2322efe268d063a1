"""Differential privacy: noise of the right law, a budget that is spent and kept."""

import numpy as np
import pytest

from sosie.errors import ParameterError
from sosie.insitu import Gate, HubTask, Memory, NodeTask, Question, Refused, run_in_place
from sosie.insitu._aggregate import counts, sums
from sosie.insitu.gate import total_of
from sosie.trust import PRESETS, Disclosure

pytest.importorskip("opendp")

FLOORS = PRESETS["datashield-3"]


def asked(epsilon=1.0, **analysis):
    return Question.of({"analysis": analysis, "epsilon": epsilon})


def gates(budget, memories=None):
    return [Gate(FLOORS, epsilon=budget, memory=m) for m in memories or [None] * 3]


def ask(holders, question, at, schema=None):
    return run_in_place(holders.tables, question, at, schema or holders.schema)


def bounded(schema):
    columns = [
        c.model_copy(update={"lower": 20, "upper": 90}) if c.name == "age" else c
        for c in schema.columns
    ]
    return schema.model_copy(update={"columns": columns})


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_noise_on_counts_is_discrete_laplace(epsilon):
    from sosie.insitu.gate._private import noised_privately

    n = 6000
    cells = counts(np.repeat(np.arange(n), 2), n, np.ones(2 * n, bool))
    noise = noised_privately(cells, epsilon) - 2
    q = np.exp(-epsilon)
    variance = 2 * q / (1 - q) ** 2
    assert (noise == np.rint(noise)).all()
    assert abs(noise.mean()) < 4 * np.sqrt(variance / n)
    assert noise.var() == pytest.approx(variance, rel=0.2)
    for size in (0, 1, 2):
        chance = (1 - q) / (1 + q) * q**size
        found = (noise == size).mean()
        assert abs(found - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n)


def test_noise_on_sums_has_the_scale_of_what_one_person_can_change(gbsg2):
    schema = bounded(gbsg2.schema)
    question = asked(4.0, id="means", columns_of=["age"])
    off = []
    for _ in range(25):
        node = NodeTask(question, gbsg2.tables[0], schema, Gate(FLOORS, epsilon=4), holders=1)
        total = total_of(node.part().payload, question.sha256, 0)
        off.append(total.number("sum_0") - gbsg2.parts[0]["age"].sum())
    # Two rounds, two arrays in the first: epsilon is 4 / 2 / 2; nobody is above 90.
    assert 0.35 * 90 < np.mean(np.abs(off)) < 2.2 * 90
    assert len(set(off)) == 25
    assert sums(np.ones((3, 1))).sensitivity is None


def test_answers_are_near_and_the_same_again(gbsg2, tmp_path):
    memories = [Memory(len(t), tmp_path / f"m{i}") for i, t in enumerate(gbsg2.tables)]
    at = gates(0.75, memories)
    question = asked(0.5, id="crosstab", row="tgrade", column="horTh")
    first = ask(gbsg2, question, at)
    assert not first.exact
    assert "epsilon 0.5" in first.bound
    assert first.values["p"] is None
    truth = gbsg2.pooled.groupby(["tgrade", "horTh"]).size()
    off = [r["count"] - truth[r["tgrade"], r["horTh"]] for r in first.tables["cells"]]
    assert 0 < np.abs(off).max() < 60
    assert [m.epsilon for m in memories] == [0.5] * 3
    # The same question costs nothing and has the same noise, here and after a restart.
    again = [Memory(len(t), tmp_path / f"m{i}") for i, t in enumerate(gbsg2.tables)]
    assert [m.epsilon for m in again] == [0.5] * 3
    for other in (at, gates(0.75, again)):
        assert ask(gbsg2, question, other).tables == first.tables
    assert [m.epsilon for m in again] == [0.5] * 3
    # What is left is less than another question of the kind would cost.
    with pytest.raises(Refused) as caught:
        ask(gbsg2, asked(0.5, id="counts", column="tgrade"), at)
    assert caught.value.reasons == ("epsilon",)
    assert ask(gbsg2, asked(0.25, id="counts", column="tgrade"), at).values["n"] > 500
    assert [m.epsilon for m in memories] == [0.75] * 3
    with pytest.raises(Refused):
        ask(gbsg2, asked(0.001, id="counts", column="horTh"), at)


def test_rounds_add_up(gbsg2):
    schema = bounded(gbsg2.schema)
    memories = [Memory(len(table)) for table in gbsg2.tables]
    question = asked(8.0, id="means", columns_of=["age"], by="horTh")
    found = ask(gbsg2, question, gates(8.0, memories), schema)
    assert [m.epsilon for m in memories] == [8.0] * 3
    for row in found.tables["means"]:
        true = gbsg2.pooled.loc[gbsg2.pooled["horTh"] == row["horTh"], "age"]
        assert row["mean"] == pytest.approx(true.mean(), abs=3)
        assert row["sd"] == pytest.approx(true.std(), rel=0.4)
    assert ask(gbsg2, question, gates(8.0, memories), schema).tables == found.tables


def test_quantiles_are_of_bins_that_no_person_chose(gbsg2):
    question = asked(5.0, id="quantiles", column="age", lower=20, upper=84)
    node = NodeTask(question, gbsg2.tables[0], gbsg2.schema, Gate(FLOORS, epsilon=5), holders=1)
    hub = HubTask(question, gbsg2.schema, 1)
    # Ends of the range hold fewer than three persons: the floors hold besides the noise.
    with pytest.raises(Refused):
        node.part()
    question = asked(5.0, id="quantiles", column="age", lower=44, upper=60)
    node = NodeTask(question, gbsg2.tables[0], gbsg2.schema, Gate(FLOORS, epsilon=5), holders=1)
    hub = HubTask(question, gbsg2.schema, 1)
    found = hub.add([node.part().payload]).tables["quantiles"]
    true = gbsg2.parts[0]["age"].median()
    assert found[1]["value"] == pytest.approx(true, abs=3)


def test_who_says_nothing_of_epsilon_gets_nothing_and_the_other_way_round(gbsg2):
    plain = Question.of({"analysis": {"id": "counts", "column": "tgrade"}})
    with pytest.raises(Refused) as caught:
        ask(gbsg2, plain, gates(1.0))
    assert caught.value.reasons == ("epsilon",)
    with pytest.raises(Refused) as caught:
        ask(gbsg2, asked(1.0, id="counts", column="tgrade"), gates(None))
    assert caught.value.reasons == ("epsilon",)
    with pytest.raises(ParameterError, match="no answer with differential privacy"):
        ask(gbsg2, asked(1.0, id="linear", formula="age ~ tsize"), gates(1.0))
    with pytest.raises(ParameterError, match="lowest and highest"):
        ask(gbsg2, asked(1.0, id="means", columns_of=["age"]), gates(1.0))
    with pytest.raises(ParameterError):
        asked(0.0, id="counts", column="tgrade")


def test_what_was_signed_before_keeps_its_hash():
    old = {
        "preset": "snds-11", "min_cell": None, "zero_discloses": None, "round_to": None,
        "max_share": None, "max_share_of_two": None, "min_degrees": None,
        "max_parameters": None, "max_leverage": None, "min_holders": None,
    }  # fmt: skip
    assert Disclosure.model_validate(old).model_dump(mode="json") == old
    assert Disclosure(preset="snds-11", epsilon=3).model_dump(mode="json") == old | {"epsilon": 3.0}
    assert Disclosure(preset="snds-11", epsilon=3).floors == PRESETS["snds-11"]
    question = Question.of({"analysis": {"id": "counts", "column": "sex"}})
    assert question.sha256 != asked(1.0, id="counts", column="sex").sha256
