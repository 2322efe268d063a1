"""Attacks by what models tell of those with several labels at once, who are few."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sosie.table import Column, Schema


def cut(edges, column, name):
    return {"rule": "cut", "name": name, "column": column, "edges": [float(e) for e in edges]}


def ratio(name, column, over):
    return {"rule": "ratio", "name": name, "column": column, "over": over}


def indicator(name, column, level):
    return {"rule": "indicator", "name": name, "column": column, "level": level}


FACTORS = [
    indicator("a", "horTh", "yes"),
    indicator("b", "menostat", "Pre"),
    cut([26.5], "progrec", "c"),
    cut([61], "estrec", "d"),
]


def of_cells(victim):
    """Solve models with main effects for the number and the sum of tsize in all 16 cells."""
    cells = np.array(list(product([0.0, 1.0], repeat=4)))
    rows = []
    for size in (1, 2, 4):
        for some in combinations(range(4), size):
            formula = "tsize ~ " + " + ".join("abcd"[i] for i in some)
            X = np.column_stack([np.ones(16), cells[:, some]])
            for kind in ("gamma", "poisson"):
                asked = {"id": kind, "formula": formula}
                answer = victim.ask(asked, [FACTORS[i] for i in some])
                if answer is None:
                    continue
                beta = [term["estimate"] for term in answer.tables["terms"]]
                mean = np.exp(X @ np.array(beta))
                power = mean if kind == "gamma" else np.ones(16)
                # The score is zero: sums of y and numbers, weighed by 1 / mean, or by 1.
                scaled = 30 / power.mean()
                rows += [np.r_[one / power * 30, -one * mean / power] / scaled for one in X.T]
    n = answer.values["n"] if answer else len(victim.frame)
    A = np.vstack([rows, np.r_[np.zeros(16), np.ones(16)]])
    solved = np.linalg.lstsq(A, np.r_[np.zeros(len(rows)), n], rcond=1e-15)[0]
    return solved[16:], 30 * solved[:16]


def test_models_of_some_labels_tell_the_cells_of_all(victims):
    """Weights are a product over the labels: coefficients of 22 models tell 16 cells."""
    open_, held = victims()
    f = open_.frame
    labels = [f["horTh"] == "yes", f["menostat"] == "Pre", f["progrec"] >= 26.5, f["estrec"] >= 61]
    cell = np.column_stack(labels) @ [8, 4, 2, 1]
    number = np.bincount(cell, minlength=16)
    summed = np.bincount(cell, f["tsize"], minlength=16)
    assert number.min() < 11
    found, sums = of_cells(open_)
    np.testing.assert_allclose(found, number, atol=0.3)
    few = number < 11
    np.testing.assert_allclose(sums[few], summed[few], rtol=0.05)
    found, _ = of_cells(held)
    assert held.refusals == 2  # the models of all four
    assert not np.allclose(found[few], number[few], atol=0.5)


def test_areas_tell_labels_by_area(victims):
    """The slope over areas has one solution in whole numbers: the table of label by area."""
    open_, held = victims()
    f, edges = open_.frame, [1240, 1598]
    derive = [indicator("early", "tgrade", "I"), cut(edges, "time", "area")]
    area = np.searchsorted(edges, f["time"], side="right")
    early = (f["tgrade"] == "I").to_numpy()
    truth = np.bincount(area[early], minlength=3)
    assert 0 < truth.min() < 11
    asked = {
        "id": "compare_ways", "of": {"id": "linear", "formula": "tsize ~ early"},
        "term": "early[T.yes]", "area": "area",
    }  # fmt: skip
    said = open_.ask(asked, derive).tables["ways"]
    way = next(one for one in said if one["way"] == "area_means")
    means = f.groupby(area)["tsize"].mean().to_numpy()
    n = np.bincount(area)
    grid = np.array(list(product(range(n[0] + 1), range(n[1] + 1))))
    tables = np.column_stack([grid, early.sum() - grid.sum(1)])
    tables = tables[(tables[:, 2] >= 0) & (tables[:, 2] <= n[2])]
    share = tables / n
    off = share - (share @ n / n.sum())[:, None]
    y = means - means @ n / n.sum()
    spread = (off**2) @ n
    with np.errstate(all="ignore"):
        slope = (off * y) @ n / spread
        left = ((y - slope[:, None] * off) ** 2) @ n
        error = np.sqrt(left / spread) * stats.t.ppf(0.975, 1) / stats.norm.ppf(0.975)
        gap = np.maximum(abs(slope / way["estimate"] - 1), abs(error / way["se"] - 1))
    assert tables[np.nanargmin(gap)].tolist() == truth.tolist()
    assert held.ask(asked, derive) is None


def test_products_within_and_between(victims, gbsg2):
    """Slopes of y, y d and y d^2 tell the y of who alone has a d of 3, as means would."""
    who = 17
    frame = gbsg2.pooled.copy()
    frame["doses"] = np.random.default_rng(5).choice([1.0, 2.0], len(frame))
    frame.loc[who, "doses"] = 3.0
    schema = Schema(columns=[*gbsg2.schema.columns, Column(name="doses", kind="number")])
    chain = [
        ratio("one", "doses", "doses"), ratio("inverse", "one", "doses"),
        ratio("y1", "tsize", "inverse"), ratio("y2", "y1", "inverse"),
    ]  # fmt: skip
    open_, held = victims(frame, schema)

    def moments(victim):
        x = frame["age"]
        for column, rules in (("tsize", 0), ("y1", 3), ("y2", 4)):
            asked = {"id": "within_between", "x": "age", "y": column, "by": "tgrade"}
            answer = victim.ask(asked, chain[:rules])
            yield answer and answer.values["slope"] * ((x - x.mean()) ** 2).sum()

    first, second, third = moments(open_)
    said = (third - 3 * second + 2 * first) / 2 / (frame["age"][who] - frame["age"].mean())
    assert said == pytest.approx(frame["tsize"][who], abs=0.01)
    assert None in list(moments(held))


def test_cross_products_of_a_number_in_one_label_and_another(victims):
    """Sums over A and B, for B of two classes of three each: half of them is of A and one class."""
    open_, held = victims()
    f = open_.frame
    grade = (f["tgrade"] == "I").to_numpy()
    values = f["age"].to_numpy(float)
    low, high = next(
        (one, other)
        for one, other in combinations(np.unique(values)[20:-20], 2)
        if ((values >= one) & (values < other)).sum() >= 11
        and (grade & (values >= one) & (values < other)).sum() == 1
    )
    labels = [f"< {low:g}", f"{low:g} to < {high:g}", f">= {high:g}"]

    def summed(victim, some):
        rules = [
            indicator("grade", "tgrade", "I"),
            cut([low, high], "age", "class"),
            {
                "rule": "recode", "name": "b", "column": "class",
                "groups": {
                    "no": [labels[i] for i in range(3) if i not in some],
                    "yes": [labels[i] for i in some],
                },
            },
        ]  # fmt: skip
        answer = victim.ask({"id": "linear", "formula": "pnodes ~ grade:tsize + b"}, rules)
        if answer is None:
            return None
        names = [term["term"] for term in answer.tables["terms"]]
        i, j = names.index("b[T.yes]") - 1, names.index("grade[yes]:tsize") - 1
        first, second = victim.seen
        return second["products"][i, j] + first["sum"][i] * first["sum"][j] / first.number("n")

    found = [summed(open_, some) for some in ((0, 1), (1, 2), (0, 2))]
    between = grade & (values >= low) & (values < high)
    assert (found[0] + found[1] - found[2]) / 2 == pytest.approx(f["tsize"][between].sum())
    assert None in [summed(held, some) for some in ((0, 1), (1, 2), (0, 2))]


def test_models_of_large_cells_are_answered(victims):
    """Three labels of which every cell has eleven, and a number among the columns of a model."""
    _, held = victims()
    rules = [FACTORS[0], FACTORS[1], cut([30], "tsize", "e")]
    counts = pd.crosstab(
        [held.frame["horTh"], held.frame["menostat"]], held.frame["tsize"] >= 30
    ).to_numpy()
    assert counts.min() >= 11
    assert held.ask({"id": "poisson", "formula": "pnodes ~ a + b + e"}, rules) is not None
    _, held = victims()
    asked = {"id": "poisson", "formula": "tsize ~ age + a + b + c + d"}
    assert held.ask(asked, FACTORS) is not None
