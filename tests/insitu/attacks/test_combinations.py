"""Attacks that combine answers of several kinds, or of sets chosen by different columns."""

import numpy as np
import pytest

from sosie.table import Column, Schema


def intercept_and_slope(answer):
    return [row["estimate"] for row in answer.tables["terms"]]


def mean_of(victim, column, **asked):
    answer = victim.ask({"id": "means", "columns_of": [column], **asked})
    return answer and {row.get("g", ""): row for row in answer.tables["means"]}


def cut(edges, name="g", column="age"):
    return {"rule": "cut", "name": name, "column": column, "edges": edges}


def pair_a_person_apart(frame, column):
    """Give two edges between which one person alone lies, about the middle."""
    values = np.sort(frame[column].to_numpy(float))
    return next(
        (values[i], values[i + 1])
        for i in range(len(values) // 2, len(values) - 1)
        if values[i - 1] < values[i] < values[i + 1]
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"id": "linear", "formula": "tsize ~ g"},
        {"id": "poisson", "formula": "tsize ~ g"},
        {"id": "linear", "formula": "tsize ~ g + age + horTh"},
    ],
)
def test_differencing_pair_of_two_models(victims, asked):
    """Two labels apart by a person: the size and the sum of each are in the coefficients."""
    open_, held = victims()
    low, high = pair_a_person_apart(open_.frame, "estrec")
    person = open_.frame.set_index("estrec").loc[low, "tsize"]

    def sums(victim, edge):
        answer = victim.ask(asked, [cut([edge], column="estrec")])
        return answer and intercept_and_slope(answer)

    if "age" not in asked["formula"]:
        mean, n = open_.frame["tsize"].mean(), len(open_.frame)
        found = []
        for edge in (low, high):
            first, slope = sums(open_, edge)
            second = first + slope
            if asked["id"] == "poisson":
                first, second = np.exp(first), np.exp(second)
            above = n * (mean - first) / (second - first)
            found.append((above, above * second))
        (n_low, sum_low), (n_high, sum_high) = found
        assert n_low - n_high == pytest.approx(1, abs=1e-6)
        assert sum_low - sum_high == pytest.approx(person, abs=1e-4)
    assert sums(held, low) is not None
    assert sums(held, high) is None


def test_a_covariate_that_is_0_for_a_few(victims):
    """The mean of a product is in the intercept: less the mean of its factor, it is of a few."""
    open_, _ = victims()
    frame = open_.frame.copy()
    few = frame.index[frame["age"] > 60][:6]
    frame["flag"] = 1.0
    frame.loc[few, "flag"] = 0.0
    schema = Schema(columns=[*open_.schema.columns, Column(name="flag", kind="number")])
    open_, held = victims(frame, schema)
    asked = {"id": "linear", "formula": "tsize ~ pnodes:flag"}
    first, slope = intercept_and_slope(open_.ask(asked))
    means = {one: mean_of(open_, one)[""]["mean"] for one in ("tsize", "pnodes")}
    product = (means["tsize"] - first) / slope
    assert len(frame) * (means["pnodes"] - product) == pytest.approx(
        frame.loc[few, "pnodes"].sum(), abs=1e-6
    )
    assert held.ask(asked) is None


def test_a_tracker_of_sets_chosen_by_different_columns(victims):
    """A ratio of a column to itself is 1: it makes the same classes seem chosen by another."""
    open_, held = victims()
    values = np.sort(open_.frame["estrec"].to_numpy(float))
    low, high = pair_a_person_apart(open_.frame, "estrec")
    edges = [values[len(values) // 4], low]
    assert edges[0] < edges[1]

    def derive(edges, other):
        ratio = {"rule": "ratio", "name": "one", "column": other, "over": other}
        same = {"rule": "ratio", "name": "same", "column": "estrec", "over": "one"}
        return [ratio, same, cut(edges, column="same")]

    def sums(victim, edges, other):
        asked = {"id": "means", "columns_of": ["tsize"], "by": "g"}
        answer = victim.ask(asked, derive(edges, other))
        return answer and {row["g"]: row["mean"] * row["n"] for row in answer.tables["means"]}

    three, two = sums(open_, edges, "age"), sums(open_, [high], "pnodes")
    below = three[f"< {edges[0]:g}"] + three[f"{edges[0]:g} to < {edges[1]:g}"]
    person = open_.frame.set_index("estrec").loc[low, "tsize"]
    assert two[f"< {high:g}"] - below == pytest.approx(person, abs=1e-6)
    assert sums(held, edges, "age") is not None
    assert sums(held, [high], "pnodes") is None


def test_powers_of_a_column_of_three_values(victims):
    """As many powers as values: the sums of each value are what is unknown."""
    open_, _ = victims()
    frame = open_.frame.copy()
    rng = np.random.default_rng(5)
    frame["doses"] = rng.choice([0.0, 1.0], len(frame))
    frame.loc[40, "doses"] = 2.0
    schema = Schema(columns=[*open_.schema.columns, Column(name="doses", kind="number")])
    open_, held = victims(frame, schema)
    n, y = len(frame), frame["estrec"]

    def moments(victim, formula):
        """Sum and cross-product with the outcome, of a covariate, from slope and error alone."""
        answer = victim.ask({"id": "linear", "formula": formula})
        if answer is None:
            return None
        first, slope = intercept_and_slope(answer)
        total = n * (y.mean() - first) / slope
        error = answer.tables["terms"][1]["se"]
        spread = answer.values["sigma"] ** 2 / error**2
        return total, slope * spread + total * y.mean()

    (x, xy), (xx, xxy) = (moments(open_, f"estrec ~ {one}") for one in ("doses", "I(doses ** 2)"))
    assert (xx - x) / 2 == pytest.approx(1, abs=1e-6)
    assert (xxy - xy) / 2 == pytest.approx(frame.loc[40, "estrec"], abs=1e-3)
    assert moments(held, "estrec ~ doses") is not None
    assert moments(held, "estrec ~ I(doses ** 2)") is None


def test_powers_made_by_ratios(victims):
    """A number over one over another is their product: the same by means, without a model."""
    open_, _ = victims()
    frame = open_.frame.copy()
    frame["doses"] = np.random.default_rng(5).choice([1.0, 2.0], len(frame))
    frame.loc[40, "doses"] = 3.0
    schema = Schema(columns=[*open_.schema.columns, Column(name="doses", kind="number")])
    open_, held = victims(frame, schema)

    def ratio(name, column, over):
        return {"rule": "ratio", "name": name, "column": column, "over": over}

    derive = [
        ratio("one", "doses", "doses"), ratio("inverse", "one", "doses"),
        ratio("yx", "tsize", "inverse"), ratio("yxx", "yx", "inverse"),
    ]  # fmt: skip

    def sums(victim):
        found = []
        for k, name in enumerate(("tsize", "yx", "yxx")):
            rules = derive if k else []
            answer = victim.ask({"id": "means", "columns_of": [name]}, rules[: 2 + k])
            found.append(answer and len(frame) * answer.tables["means"][0]["mean"])
        return found

    y, yx, yxx = sums(open_)
    assert (yxx - 3 * yx + 2 * y) / 2 == pytest.approx(frame.loc[40, "tsize"], abs=1e-6)
    y, yx, yxx = sums(held)
    assert None not in (y, yx)
    assert yxx is None


def test_products_of_some_of_three_factors(victims):
    """Who is in the one and not in the other is told by the product with both."""
    open_, _ = victims()
    frame = open_.frame.copy()
    frame["first"] = (np.arange(len(frame)) % 2).astype(float)
    frame["second"] = frame["first"]
    frame.loc[41, "second"] = 0.0
    more = [Column(name=name, kind="number") for name in ("first", "second")]
    open_, held = victims(frame, Schema(columns=[*open_.schema.columns, *more]))
    asked = [
        {"id": "linear", "formula": f"pnodes ~ {one}"} for one in ("first", "first:second:tsize")
    ]
    assert [victim.ask(one) is not None for victim in (open_, held) for one in asked] == [
        True, True, True, False,
    ]  # fmt: skip


def test_plain_questions_are_answered_one_after_the_other(victims):
    """What combines to nothing about a few is let out, however many kinds there are."""
    _, held = victims()
    for asked in (
        {"id": "means", "columns_of": ["age", "tsize", "estrec"]},
        {"id": "means", "columns_of": ["tsize"], "by": "horTh"},
        {"id": "linear", "formula": "tsize ~ age + horTh"},
        {"id": "linear", "formula": "tsize ~ age + horTh + tgrade + pnodes"},
        {"id": "linear", "formula": "tsize ~ age * horTh"},
        {"id": "linear", "formula": "estrec ~ age + I(age ** 2)"},
        {"id": "poisson", "formula": "pnodes ~ age + tgrade"},
        {"id": "logistic", "formula": "cens ~ age + tgrade + tsize"},
        {"id": "correlation", "columns_of": ["age", "tsize", "pnodes", "estrec"]},
        {"id": "crosstab", "row": "horTh", "column": "tgrade"},
        {"id": "famd", "columns_of": ["age", "tsize", "horTh", "tgrade"]},
        {"id": "cox", "duration": "time", "event": "cens", "formula": "age + tgrade + horTh"},
    ):
        assert held.ask(asked) is not None, asked
