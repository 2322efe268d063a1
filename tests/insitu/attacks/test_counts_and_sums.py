"""Attacks by counts and means: differencing, tracker, one-hot, bisection, averaging, oracle."""

import numpy as np
import pandas as pd
import pytest

from sosie.insitu import REFUSED, Gate, Question, Refused, run_in_place
from sosie.insitu.gate._gate import MOST_REFUSALS
from sosie.insitu.gate._softened import Softening
from sosie.table import Column, Schema, Table


def cut(name, column, *edges):
    return {"rule": "cut", "name": name, "column": column, "edges": list(edges)}


def the_youngest(victim):
    """The adversary knows that one person alone is younger than all others."""
    ages = victim.frame["age"].sort_values()
    assert ages.iloc[0] < ages.iloc[1]
    return ages.iloc[0] + 0.5, victim.frame.loc[victim.frame["age"].idxmin()]


def difference(victim):
    """Subtract from the sum of all that of those above an edge."""
    edge, _ = the_youngest(victim)
    everyone = victim.ask({"id": "means", "columns_of": ["progrec"]})
    rest = victim.ask(
        {"id": "means", "columns_of": ["progrec"], "by": "old"}, [cut("old", "age", edge)]
    )
    if everyone is None or rest is None:
        return None
    whole, above = everyone.tables["means"][0], rest.tables["means"][-1]
    return whole["n"] * whole["mean"] - above["n"] * above["mean"]


def test_differencing_pair(victims):
    open_, held = victims()
    _, person = the_youngest(open_)
    assert difference(open_) == pytest.approx(person["progrec"])
    assert difference(held) is None


def test_differencing_pair_by_two_filters_that_are_large(victims):
    """Neither group is small: only what was released before tells that their difference is."""

    def attack(victim):
        sums = []
        for edge in (one - 0.5, one + 0.5):
            found = victim.ask(
                {"id": "means", "columns_of": ["estrec"], "by": "older"},
                [cut("older", "age", edge)],
            )
            if found is None:
                return None
            row = found.tables["means"][0]
            sums.append((row["n"], row["n"] * row["mean"]))
        return sums[1][0] - sums[0][0], sums[1][1] - sums[0][1]

    # Ages are whole: thin the frame so that one person alone is between the edges.
    open_, _ = victims()
    ages = open_.frame["age"]
    one = int(np.median(ages)) + 1
    target = open_.frame[ages == one].head(1)
    thinned = pd.concat([open_.frame[ages != one], target], ignore_index=True)
    open_, held = victims(thinned)
    n, total = attack(open_)
    assert (n, total) == (1, pytest.approx(target["estrec"].item()))
    assert attack(held) is None


def test_tracker(victims):
    """Denning, Schlörer: the target is in no small set, only in a combination of large ones."""

    def attack(victim):
        """With C the target: sum(C or A) + sum(C or B) - sum(C or A or B), of A and B apart."""
        found = []
        for groups in (
            {"in": ["Post|I", "Post|III"], "out": ["Pre|I", "Pre|II", "Pre|III", "Post|II"]},
            {"in": ["Pre|I", "Pre|II", "Pre|III", "Post|I"], "out": ["Post|II", "Post|III"]},
        ):
            answer = victim.ask(
                {"id": "means", "columns_of": ["progrec"], "by": "set"},
                [{"rule": "recode", "name": "set", "column": "kind", "groups": groups}],
            )
            if answer is None:
                return None
            row = next(r for r in answer.tables["means"] if r["set"] == "in")
            found.append(row["n"] * row["mean"])
        whole = victim.ask(
            {"id": "means", "columns_of": ["progrec"], "by": "set"},
            [{"rule": "recode", "name": "set", "column": "kind",
              "groups": {"in": ["Post|III", "Pre|I", "Pre|II", "Pre|III", "Post|I"],
                         "out": ["Post|II"]}}],
        )  # fmt: skip
        if whole is None:
            return None
        row = next(r for r in whole.tables["means"] if r["set"] == "in")
        return found[0] + found[1] - row["n"] * row["mean"]

    open_, _ = victims()
    frame = open_.frame.copy()
    frame["kind"] = frame["menostat"] + "|" + frame["tgrade"]
    rare = frame.index[frame["kind"] == "Post|I"]
    frame = frame.drop(rare[3:]).reset_index(drop=True)  # three persons, the target group
    levels = [f"{a}|{b}" for a in ("Post", "Pre") for b in ("I", "II", "III")]
    column = Column(name="kind", kind="category", levels=levels)
    schema = Schema(columns=[*open_.schema.columns, column])
    open_, held = victims(frame, schema)
    truth = frame.loc[frame["kind"] == "Post|I", "progrec"].sum()
    assert (frame["kind"] == "Post|I").sum() == 3
    assert attack(open_) == pytest.approx(truth)
    assert attack(held) is None
    assert held.refusals == 1


def test_one_hot_mean(victims):
    """dsBase issue 250: the sum of a column that is 0 for all but one is that one's value."""
    open_, _ = victims()
    frame = open_.frame.assign(wealth=0.0)
    frame.loc[17, "wealth"] = 123_456.0
    schema = Schema(columns=[*open_.schema.columns, Column(name="wealth", kind="number")])
    open_, held = victims(frame, schema)
    row = open_.ask({"id": "means", "columns_of": ["wealth"]}).tables["means"][0]
    assert row["n"] * row["mean"] == pytest.approx(123_456)
    assert held.ask({"id": "means", "columns_of": ["wealth"]}) is None


def test_dominated_mean(victims):
    """All contribute, one nearly everything: the mean tells that one within a few percent."""
    open_, _ = victims()
    frame = open_.frame.assign(cost=np.arange(len(open_.frame)) % 7 + 1.0)
    frame.loc[17, "cost"] = 1e6
    schema = Schema(columns=[*open_.schema.columns, Column(name="cost", kind="number")])
    open_, held = victims(frame, schema)
    row = open_.ask({"id": "means", "columns_of": ["cost"]}).tables["means"][0]
    assert row["n"] * row["mean"] == pytest.approx(1e6, rel=0.01)
    assert held.ask({"id": "means", "columns_of": ["cost"]}) is None


def bisect(victim, rank, steps=30):
    """Find the value of the person of a rank by halving, one count a step."""
    low, high = 0.0, 50.0
    for step in range(steps):
        middle = (low + high) / 2
        found = victim.ask({"id": "counts", "column": "over"}, [cut("over", "mean_radius", middle)])
        if found is None:
            return high - low, (low + high) / 2, step
        below = found.tables["counts"][0]["count"]
        low, high = (low, middle) if below >= rank else (middle, high)
    return high - low, (low + high) / 2, steps


def test_quantile_bisection(tumours, victims):
    open_, held = victims(tumours.pooled, tumours.schema)
    radii = np.sort(open_.frame["mean_radius"].to_numpy())
    for rank in (1, 284):
        width, value, _ = bisect(open_, rank)
        assert width < 1e-6
        assert value == pytest.approx(radii[rank - 1], abs=1e-6)
        width, value, steps = bisect(held, rank)
        assert steps < 10
        inside = (radii >= value - width / 2) & (radii < value + width / 2)
        assert inside.sum() >= 11
    # The quantiles of the catalogue are no step of a bisection: bins hold 11 persons or more.
    found = held.ask({"id": "quantiles", "column": "mean_area", "lower": 100, "upper": 2500})
    areas = held.frame["mean_area"]
    for row in found.tables["quantiles"]:
        assert ((areas >= row["at_least"]) & (areas < row["at_most"])).sum() >= 11


class FreshNoise(Softening):
    """Draws new noise at each request, as systems without a memory do."""

    rng = np.random.default_rng(5)

    def values(self, one):
        return one.values + self.rng.normal(0, 2, one.values.shape)


def test_repeated_query_averaging(victims):
    open_, held = victims(secret=b"s" * 32)
    open_.gate = Gate()
    open_.gate._softening = FreshNoise(1)
    asked = {"id": "counts", "column": "tgrade"}
    truth = open_.frame["tgrade"].value_counts()

    def averaged(victim, times=150):
        answers = [victim.ask(asked).tables["counts"] for _ in range(times)]
        means = np.mean([[row["count"] for row in one] for one in answers], axis=0)
        return means - [truth[row["label"]] for row in answers[0]], answers

    off, answers = averaged(open_)
    assert np.abs(off).max() < 0.7
    assert len({str(one) for one in answers}) > 100
    off, answers = averaged(held, 40)
    assert len({str(one) for one in answers}) == 1
    assert np.abs(off).max() >= 1
    # Nor does asking in other words: a recoding of the same persons has the same noise.
    groups = {"one": ["I"], "two": ["II"], "three": ["III"]}
    rule = {"rule": "recode", "name": "grade", "column": "tgrade", "groups": groups}
    again = held.ask({"id": "counts", "column": "grade"}, [rule]).tables["counts"]
    assert [row["count"] for row in again] == [row["count"] for row in answers[0]]


def test_refusal_oracle(victims):
    """Learn whether a group is small from what the refusal says, or from many refusals."""
    open_, held = victims()
    small = {"id": "counts", "column": "old"}
    texts = set()
    for rule in (cut("old", "age", 78.5), cut("old", "age", 24.5)):
        node, _ = held.node(small, [rule])
        with pytest.raises(Refused) as caught:
            node.part()
        texts.add(str(caught.value))
    node, _ = held.node({"id": "linear", "formula": "age ~ old"}, [cut("old", "age", 78.5)])
    with pytest.raises(Refused) as caught:
        node.part()
    texts.add(str(caught.value))
    assert texts == {REFUSED}
    # With an oracle, an order statistic costs 10 questions; the gate closes after 50 refusals.
    asked = 0
    while held.gate._memory.refusals < MOST_REFUSALS:
        held.ask(small, [cut("old", "age", 78.5 + asked / 1000)])
        asked += 1
    assert held.ask({"id": "counts", "column": "tgrade"}) is None
    assert open_.ask({"id": "counts", "column": "tgrade"}) is not None


def test_two_holder_subtraction(gbsg2, no_gate):
    """One of two holders receives the pooled table and takes its own away."""
    halves = [gbsg2.parts[0], pd.concat(gbsg2.parts[1:], ignore_index=True)]
    tables = [Table.of(part, gbsg2.schema) for part in halves]
    asked = Question.of({"analysis": {"id": "crosstab", "row": "tgrade", "column": "horTh"}})
    pooled = run_in_place(tables, asked, [no_gate(), no_gate()], gbsg2.schema)
    other = [row["count"] for row in pooled.tables["cells"]]
    own = pd.crosstab(halves[0]["tgrade"], halves[0]["horTh"]).to_numpy().ravel()
    truth = pd.crosstab(halves[1]["tgrade"], halves[1]["horTh"]).to_numpy().ravel()
    np.testing.assert_array_equal(np.array(other) - own, truth)
    with pytest.raises(Refused) as caught:
        run_in_place(tables, asked, [Gate(), Gate()], gbsg2.schema)
    assert "holders" in caught.value.reasons
