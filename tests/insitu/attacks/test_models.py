"""Attacks by models: constructed vectors, leverage, saturation, score replay."""

import numpy as np
import pytest

from sosie.errors import ParameterError
from sosie.insitu import Gate, NodeTask, Refused
from sosie.insitu.gate._secure_sum import as_words
from sosie.insitu.gate._wire import read, spelt
from sosie.table import Column, Schema, Table
from sosie.trust import PRESETS


def cuts_of_one(frame, column, value):
    """Derive a column that tells one person from all others, by the declared rules alone."""
    return {"rule": "cut", "name": "one", "column": column, "edges": [value - 0.5, value + 0.5]}


def alone(frame, column):
    """Give the values of a column that one person alone has."""
    counted = frame[column].value_counts()
    return sorted(counted.index[counted == 1])


def test_covariances_with_constructed_vectors(victims):
    """Huth et al. 2023: as many sums of products with independent vectors as persons.

    Vectors of the analyst's own making cannot be sent; the nearest are indicators of intervals.
    A regression on them gives each person of a value that nobody else has.
    """
    open_, held = victims()
    values = alone(open_.frame, "pnodes")[1:6]
    assert len(values) == 5

    def column_of(victim):
        found = []
        for value in values:
            one = cuts_of_one(victim.frame, "pnodes", value)
            answer = victim.ask({"id": "linear", "formula": "estrec ~ one"}, [one])
            if answer is None:
                found.append(np.nan)
                continue
            terms = {row["term"]: row["estimate"] for row in answer.tables["terms"]}
            middle = next(name for name in terms if " to < " in name)
            found.append(terms["Intercept"] + terms[middle])
        return np.array(found)

    persons = open_.frame.set_index("pnodes").loc[values, "estrec"].to_numpy(float)
    np.testing.assert_allclose(column_of(open_), persons, atol=1e-6)
    assert np.isnan(column_of(held)).all()
    assert held.refusals == len(values)
    for bad in (
        {"rule": "vector", "name": "v", "values": [1.0, 0.0]},
        {"rule": "log", "name": "v", "column": "age", "expression": "age == 41"},
    ):
        with pytest.raises(ParameterError):
            held.question({"id": "means", "columns_of": ["v"]}, [bad])


def test_three_valued_leverage_column(victims):
    """A column of three values, one of them a single extreme row: its slope is that row's value.

    Checks that look at columns of two values let it pass.
    """
    open_, _ = victims()
    frame = open_.frame.copy()
    rng = np.random.default_rng(2)
    frame["dose"] = rng.choice([0.0, 1e-3], len(frame))
    frame.loc[40, "dose"] = 1e6
    schema = Schema(columns=[*open_.schema.columns, Column(name="dose", kind="number")])
    open_, held = victims(frame, schema)
    assert frame["dose"].nunique() == 3
    asked = {"id": "linear", "formula": "estrec ~ dose"}
    terms = [row["estimate"] for row in open_.ask(asked).tables["terms"]]
    assert terms[0] + 1e6 * terms[1] == pytest.approx(frame.loc[40, "estrec"], abs=1e-3)
    assert held.ask(asked) is None
    # So does one extreme among many values, in any model.
    for asked in (
        {"id": "logistic", "formula": "big ~ dose"},
        {"id": "correlation", "columns_of": ["dose", "estrec"]},
        {"id": "pca", "columns_of": ["dose", "estrec", "age"]},
    ):
        assert held.ask(asked) is None, asked["id"]


def test_saturated_model(victims):
    """Nearly as many parameters as persons: what is fitted are the values themselves."""
    open_, _ = victims()
    frame = open_.frame.drop_duplicates("age").sort_values("age").tail(8).reset_index(drop=True)
    open_, held = victims(frame)
    edges = [age - 0.5 for age in frame["age"][1:7]]  # the two oldest share a class
    rule = {"rule": "cut", "name": "one", "column": "age", "edges": edges}
    asked = {"id": "linear", "formula": "estrec ~ one"}
    b = np.array([row["estimate"] for row in open_.ask(asked, [rule]).tables["terms"]])
    np.testing.assert_allclose(b[0] + np.append(0, b[1:6]), frame["estrec"][:6], atol=1e-6)
    assert held.ask(asked, [rule]) is None
    # With every person in it, too many parameters for the persons are refused by themselves.
    small = Gate(PRESETS["snds-11"])
    few = open_.frame.assign(tsize=np.arange(8))
    node = NodeTask(
        open_.question({"id": "linear", "formula": "estrec ~ tsize"}),
        Table.of(few, open_.schema), open_.schema, small, holders=1,
    )  # fmt: skip
    with pytest.raises(Refused) as caught:
        node.part()
    assert {"parameters", "degrees"} <= set(caught.value.reasons)


class Obedient(NodeTask):
    """Computes at whatever coefficients it is told, as systems with a free `beta` do."""

    def score_at(self, beta):
        self._state = self._state | {"beta": np.asarray(beta, float), "centre": 0.5}
        return self._analysis.local(self._rows, self._state).arrays["score"].values


def test_score_replay_at_chosen_coefficients(victims):
    """Steep coefficients make each chance 0 or 1: scores count the persons beyond a place."""
    open_, held = victims()
    asked = {"id": "logistic", "formula": "big ~ age"}
    node = Obedient(open_.question(asked), open_.table, open_.schema, open_.gate, holders=1)
    places = np.arange(19.5, 82)
    scores = np.array([node.score_at([-60 * place, 60])[0] for place in places])
    found = np.repeat(np.arange(20, 82), np.rint(np.diff(scores)).astype(int))
    np.testing.assert_array_equal(found, np.sort(open_.frame["age"]))  # everybody's age
    # Sosie's holder takes no coefficients: neither in the question nor from a forged total.
    with pytest.raises(ParameterError):
        held.question(asked | {"beta": [0.0, 1.0]})
    node, hub = held.node(asked)
    node.advance(hub.add([node.part().payload]))
    told = node.part().payload
    question = held.question(asked).sha256
    arrays, *_ = read(told, question, 1)
    arrays["score"] = (arrays["score"][0], as_words(np.array([-1170.0, 60.0])))
    with pytest.raises(Refused):
        node.advance(spelt(arrays, question, 1, 1))
    # What it computes at are Newton's own points, and asking again adds no equation.
    for one, other in zip(seen(held, asked), seen(held, asked), strict=True):
        np.testing.assert_array_equal(one["score"], other["score"])


def seen(victim, asked):
    victim.ask(asked)
    return [one for one in victim.seen if "score" in one.arrays]


def test_models_of_nested_subsets(victims):
    """Two regressions, the second on all but one person: their cross-products differ by hers.

    No filter can be sent, but a recoding that leaves a label out drops those who have it.
    """
    open_, held = victims()
    place = next(age for age in alone(open_.frame, "age") if age < 30)
    person = open_.frame.set_index("age").loc[place]

    def products(victim, edge):
        rules = [
            {"rule": "cut", "name": "c", "column": "age", "edges": [edge, 60]},
            {"rule": "recode", "name": "kept", "column": "c",
             "groups": {"middle": [f"{edge:g} to < 60"], "old": [">= 60"]}},
        ]  # fmt: skip
        answer = victim.ask({"id": "linear", "formula": "estrec ~ pnodes + kept"}, rules)
        if answer is None:
            return None
        n, centre = victim.seen[0].number("n"), victim.seen[0]["sum"] / victim.seen[0].number("n")
        return victim.seen[1]["products"] + n * np.outer(centre, centre)

    less = products(open_, place - 0.5) - products(open_, place + 0.5)
    np.testing.assert_allclose(
        [less[0, 0], less[0, -1], less[-1, -1]],
        [person["pnodes"] ** 2, person["pnodes"] * person["estrec"], person["estrec"] ** 2],
        atol=1e-5,
    )
    assert products(held, place - 0.5) is not None
    assert products(held, place + 0.5) is None
