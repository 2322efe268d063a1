"""Attacks by analyses that group persons, or draw noise, themselves."""

import numpy as np
import pytest

from sosie.insitu import Gate, HubTask, NodeTask, Question
from sosie.insitu._beside import Beside
from sosie.insitu.gate import added, total_of
from sosie.table import Column, Schema, Table
from sosie.trust import PRESETS


def cut(edges, column="estrec", name="g"):
    return {"rule": "cut", "name": name, "column": column, "edges": [float(e) for e in edges]}


def ratio(name, column, over):
    return {"rule": "ratio", "name": name, "column": column, "over": over}


def times(name, column, by):
    """A product, out of ratios alone."""
    return [ratio("one", by, by), ratio("inverse", "one", by), ratio(name, column, "inverse")]


def edges_between_which_one_is_treated(frame):
    """Give two edges with 11 persons or more between, one of them treated."""
    values, treated = frame["estrec"].to_numpy(float), (frame["horTh"] == "yes").to_numpy()
    edges = np.unique(values)
    for low in edges:
        for high in edges[edges > low]:
            between = (values >= low) & (values < high)
            if between.sum() >= 11:
                if (between & treated).sum() == 1:
                    return (low, high), between & treated
                break
    raise AssertionError("there are none")


def doses(gbsg2, rare, value=3.0):
    """Give a column of 1 and 2, and of another value for a few rows."""
    frame = gbsg2.pooled.copy()
    frame["doses"] = np.random.default_rng(5).choice([1.0, 2.0], len(frame))
    frame.loc[rare, "doses"] = value
    return frame, Schema(columns=[*gbsg2.schema.columns, Column(name="doses", kind="number")])


def test_intersections_of_two_labels(victims):
    """Odds of treatment by label: their numbers at two edges differ by one treated person."""
    open_, held = victims()
    edges, one = edges_between_which_one_is_treated(open_.frame)

    def treated_below(victim, edge):
        asked = {"id": "logistic", "formula": "horTh ~ g"}
        answer = victim.ask(asked, [cut([edge])])
        below = (victim.frame["estrec"] < edge).sum()
        first = answer and answer.tables["terms"][0]["estimate"]
        return answer and below / (1 + np.exp(-first))

    found = [treated_below(open_, edge) for edge in edges]
    assert found[1] - found[0] == pytest.approx(one.sum(), abs=1e-6) == 1
    assert treated_below(held, edges[0]) is not None
    assert treated_below(held, edges[1]) is None


@pytest.mark.parametrize("name", ["linear", "famd"])
def test_intersections_in_cross_products(victims, name):
    open_, held = victims()
    edges, _ = edges_between_which_one_is_treated(open_.frame)
    asked = {"id": "linear", "formula": "tsize ~ g + horTh"}
    if name == "famd":
        asked = {"id": "famd", "columns_of": ["tsize", "g", "horTh"]}
    for victim in (open_, held):
        answers = [victim.ask(asked, [cut([edge])]) for edge in edges]
        assert [one is not None for one in answers] == [True, victim is open_]


def test_a_column_of_two_values_by_two_groupings(victims, gbsg2):
    """The mean of 1 and 2 by group is a table: two of them differ by a person with a 2."""
    frame = gbsg2.pooled.assign(doses=np.where(gbsg2.pooled["horTh"] == "yes", 2.0, 1.0))
    schema = Schema(columns=[*gbsg2.schema.columns, Column(name="doses", kind="number")])
    edges, _ = edges_between_which_one_is_treated(frame)
    open_, held = victims(frame, schema)

    def twos_below(victim, edge):
        asked = {"id": "means", "columns_of": ["doses"], "by": "g"}
        answer = victim.ask(asked, [cut([edge])])
        row = answer and answer.tables["means"][0]
        return answer and row["n"] * (row["mean"] - 1)

    found = [twos_below(open_, edge) for edge in edges]
    assert found[1] - found[0] == pytest.approx(1)
    assert twos_below(held, edges[0]) is not None
    assert twos_below(held, edges[1]) is None


def test_a_column_of_two_values_within_groups(victims, gbsg2):
    """Sums of x and of xy by group (the hub's) are number and sum of y of those with a 2."""
    frame = gbsg2.pooled.assign(doses=np.where(gbsg2.pooled["horTh"] == "yes", 2.0, 1.0))
    schema = Schema(columns=[*gbsg2.schema.columns, Column(name="doses", kind="number")])
    edges = np.unique(np.quantile(frame["estrec"], np.linspace(0.15, 0.9, 17)).round())
    asked = {"id": "within_between", "x": "doses", "y": "tsize", "by": "g"}
    open_, held = victims(frame, schema)
    assert open_.ask(asked, [cut(edges)]) is not None
    first, second = open_.seen
    n, (x, y), xy = first["sizes"], first["sums"].T, second["products"][:, 1]
    number, summed = x - n, xy + x * y / n - y  # of those with a 2, in each group
    group = np.searchsorted(edges, frame["estrec"], side="right")
    two = (frame["doses"] == 2).to_numpy()
    truth = [frame["tsize"][(group == g) & two].sum() for g in range(len(n))]
    np.testing.assert_allclose(summed, truth, atol=1e-6)
    assert ((number > 0.5) & (number < 10.5)).any()
    assert held.ask(asked, [cut(edges)]) is None


def test_the_centre_of_a_column_of_two_values(victims, gbsg2):
    """The centre of a cluster tells how many of it have each value."""
    frame = gbsg2.pooled.assign(doses=np.where(gbsg2.pooled["horTh"] == "yes", 2.0, 1.0))
    schema = Schema(columns=[*gbsg2.schema.columns, Column(name="doses", kind="number")])
    asked = {"id": "k_means", "columns_of": ["age", "tsize", "doses", "z"], "clusters": 5}
    open_, held = victims(frame, schema)
    product = times("z", "tsize", "doses")
    rows = open_.ask(asked, product).tables["clusters"]
    found = [row["size"] * (row["doses"] - 1) for row in rows]
    few = [one for one in found if 0.5 < one < 10.5]
    assert few
    np.testing.assert_allclose(few, np.rint(few), atol=1e-6)
    assert held.ask(asked, product) is None
    assert held.ask({"id": "k_means", "columns_of": ["age", "tsize"], "clusters": 3})


def test_squares_of_a_product(victims, gbsg2):
    """Sums of y^2, x y^2 and (xy)^2 tell the y of the one person whose x is 3."""
    frame, schema = doses(gbsg2, [40])
    open_, held = victims(frame, schema)
    product = times("xy", "tsize", "doses")
    more = [*product, ratio("same", "tsize", "tsize"), ratio("under", "same", "tsize"),
            ratio("xyy", "xy", "under")]  # fmt: skip

    def of(victim, column, rules):
        answer = victim.ask({"id": "means", "columns_of": [column]}, rules)
        return answer and answer.tables["means"][0]

    n = len(frame)
    asked = [("tsize", []), ("xy", product), ("xyy", more)]
    first, second, third = (of(open_, *one) for one in asked)
    squares = [(n - 1) * row["sd"] ** 2 + n * row["mean"] ** 2 for row in (first, second)]
    found = np.sqrt((squares[1] - 3 * n * third["mean"] + 2 * squares[0]) / 2)
    assert found == pytest.approx(frame["tsize"][40], abs=1e-4)
    assert any(of(held, *one) is None for one in asked)


def test_a_duration_of_few_values(victims, gbsg2):
    """The deviance of three times is a sum of logarithms of factorials: it has one solution."""
    person = int(np.flatnonzero(gbsg2.pooled["cens"] == 1)[7])
    frame, schema = doses(gbsg2, [person])
    asked = {"id": "cox", "duration": "doses", "event": "cens", "formula": "tsize"}
    open_, held = victims(frame, schema)
    assert open_.ask(asked) is not None
    from scipy.special import gammaln

    events = [int(((frame["doses"] == d) & (frame["cens"] == 1)).sum()) for d in (1, 2, 3)]
    at_risk = [int((frame["doses"] >= d).sum()) for d in (1, 2, 3)]
    told = 2 * sum(
        gammaln(m + 1) - gammaln(m - d + 1) for m, d in zip(at_risk, events, strict=True)
    )
    assert open_.seen[0].number("deviance") == pytest.approx(told, abs=1e-8)
    assert (events[2], at_risk[2]) == (1, 1)
    assert held.ask(asked) is None


def test_time_at_risk_until_two_horizons(victims):
    """Sums of min(t, h) at two horizons: how many are beyond, and the sum of their values."""
    open_, held = victims()
    values = open_.frame["tsize"].to_numpy(float)
    last, before = np.sort(values)[[-1, -2]]
    edge = float(np.quantile(values, 0.3)) + 0.5
    labels = {"late": [f">= {edge:g}"], "early": [f"< {edge:g}"]}
    rules = [
        cut([edge], "tsize", "c"),
        {"rule": "recode", "name": "ev", "column": "c", "groups": labels},
    ]

    def at_risk(victim, horizon):
        asked = {"id": "cox_grid", "duration": "tsize", "event": "ev", "formula": "age"}
        answer = victim.ask(asked | {"horizon": horizon}, rules)
        if answer is None:
            return None
        bins = answer.tables["bins"]
        edges = np.array([*(one["from"] for one in bins), bins[-1]["to"]])
        risk = next(one["risk"] for one in victim.seen if "risk" in one.arrays)
        return float(risk[::-1].cumsum()[::-1] @ np.diff(edges))

    horizons = (before + last) / 2, (before + last) / 2 + 0.001
    found = [at_risk(open_, one) for one in horizons]
    count = (found[1] - found[0]) / 0.001
    assert count == pytest.approx(1, abs=1e-3)
    beyond = values.sum() - found[0] + count * horizons[0]
    assert beyond == pytest.approx(last, abs=1e-2)
    assert any(at_risk(held, one) is None for one in horizons)


def test_a_number_and_its_logarithm(victims):
    """Means and spreads of both by classes of four years tell how many are of each single age."""
    edges = list(range(36, 69, 4))
    rules = [cut(edges, "age"), {"rule": "log", "name": "l", "column": "age"}]
    asked = {"id": "means", "columns_of": ["age", "l"], "by": "g"}
    open_, held = victims()
    rows = {(row["g"], row["column"]): row for row in open_.ask(asked, rules).tables["means"]}
    counted = open_.frame["age"].value_counts()
    few = 0
    for low in edges[:-1]:
        ages = np.arange(low, low + 4.0)
        own, logs = (rows[f"{low} to < {low + 4}", name] for name in ("age", "l"))
        told, law = [own["n"]], [np.ones(4)]
        for row, values in ((own, ages), (logs, np.log(ages))):
            told += [row["n"] * row["mean"], (row["n"] - 1) * row["sd"] ** 2]
            law += [values, (values - row["mean"]) ** 2]
        found = np.rint(np.linalg.lstsq(np.array(law), np.array(told), rcond=None)[0])
        truth = [counted.get(age, 0) for age in ages]
        assert found.tolist() == truth
        few += sum(0 < one < 11 for one in truth)
    assert few > 0
    assert held.ask(asked, rules) is None


def asked_of_ways(seed=0, noise=1e-3):
    of = {"id": "linear", "formula": "tsize ~ horTh"}
    return {"id": "compare_ways", "of": of, "term": "horTh[T.yes]", "area": "tgrade",
            "seed": seed, "noise": noise}  # fmt: skip


def estimates_of(gbsg2, asked, own):
    """Ask a holder that has a number of its own; give what leaves of each way's coefficient."""
    question = Question.of({"analysis": asked})
    table, gate = Table.of(gbsg2.pooled, gbsg2.schema), Gate(PRESETS["snds-11"])
    node = NodeTask(question, table, gbsg2.schema, gate, holders=1, beside=Beside(seed=own))
    payload = node.part().payload
    told = total_of(payload, question.sha256, 0)["answers"]
    hub = HubTask(question, gbsg2.schema, 1).add([payload])
    noise = next(row for row in hub.tables["ways"] if row["way"] == "noise")
    return noise["estimate"], told[:, 1] / np.where(told[:, 0] > 0, told[:, 0], 1), told[:, 0]


def test_noise_is_not_drawn_by_who_asks(gbsg2):
    """Who knows the noise solves for the rows: a holder draws it by a number of its own."""
    asked = asked_of_ways(noise=2.0)
    first, _, _ = estimates_of(gbsg2, asked, own=1)
    assert estimates_of(gbsg2, asked, own=1)[0] == first
    others = [estimates_of(gbsg2, asked, own=own)[0] for own in (2, 3, 4)]
    others += [estimates_of(gbsg2, asked_of_ways(seed, 2.0), own=1)[0] for seed in (1, 2)]
    assert len({first, *others}) == 6
    frame, rng = gbsg2.pooled, np.random.default_rng([0, 3, 0, 0])  # what it was drawn by
    y, x = frame["tsize"].to_numpy(float), (frame["horTh"] == "yes").to_numpy()
    noisy = np.abs(y + 2.0 * y.std() * rng.standard_normal(len(y)))
    again = rng.integers(len(y), size=len(y)), rng.random(len(y)) < 0.8
    label = np.where(again[1], x[again[0]], x)
    known = noisy[label].mean() - noisy[~label].mean()
    assert min(abs(one - known) for one in (first, *others)) > 0.05


def test_what_a_hub_adds_up_is_rounded(gbsg2):
    """Of each holder, not only of the average that an analyst sees."""
    _, told, weight = estimates_of(gbsg2, asked_of_ways(), own=1)
    errors = 1 / np.sqrt(weight[weight > 0])
    digits = np.floor(np.log10(errors / 10)) - 1
    for value, digit in zip(told[weight > 0], digits, strict=True):
        assert value == pytest.approx(round(value, -int(digit)), abs=1e-12)
    question = Question.of(
        {"analysis": {"id": "meta_analysis", "formula": "tsize ~ age", "model": "linear"}}
    )
    table, gate = Table.of(gbsg2.pooled, gbsg2.schema), Gate(PRESETS["snds-11"])
    node = NodeTask(question, table, gbsg2.schema, gate, holders=1)
    node.advance(added([node.part().payload], question.sha256, 0))
    w, wb, *_ = total_of(node.part().payload, question.sha256, 1)["weighted"]
    for value, error in zip(wb / w, 1 / np.sqrt(w), strict=True):
        digit = int(np.floor(np.log10(error / 10)) - 1)
        assert value == pytest.approx(round(value, -digit), abs=1e-9)


def test_columns_that_say_the_same(victims, gbsg2):
    """Those under 68, and those born before, leave those who are 68."""
    frame = gbsg2.pooled.assign(born=1990 - gbsg2.pooled["age"])
    schema = Schema(columns=[*gbsg2.schema.columns, Column(name="born", kind="integer")])
    open_, held = victims(frame, schema)

    def first(victim, column, edge):
        answer = victim.ask({"id": "counts", "column": "g"}, [cut([edge], column)])
        return answer and answer.tables["counts"][0]["count"]

    found = len(frame) - first(open_, "age", 68) - first(open_, "born", 1922)
    assert found == (frame["age"] == 68).sum() == 7
    assert first(held, "age", 68) is not None
    assert first(held, "born", 1922) is None
    assert first(held, "tsize", 25) is not None
