"""Means of groups may tell the contrary of what holds within them."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from sklearn.datasets import load_iris

from sosie.insitu import Gate, Question, run_in_place
from sosie.table import Column, Schema, Table


def ask(frame, groups, preset="snds-11"):
    columns = [Column(name="x", kind="number"), Column(name="y", kind="number")]
    schema = Schema(columns=[*columns, Column(name="area", kind="category", levels=groups)])
    site = np.arange(len(frame)) % 3
    tables = [Table.of(frame[site == s].reset_index(drop=True), schema) for s in range(3)]
    asked = Question.of({"analysis": {"id": "within_between", "x": "x", "y": "y", "by": "area"}})
    return run_in_place(tables, asked, [Gate(preset) for _ in tables], schema).values


def simulated():
    rng = np.random.default_rng(3)
    centre = np.repeat(rng.normal(0, 1, 20), 400)
    x = centre + rng.normal(0, 1, 8000)
    y = 1.2 * centre - 0.5 * (x - centre) + rng.normal(0, 1, 8000)
    area = np.repeat([f"a{i:02d}" for i in range(20)], 400)
    return pd.DataFrame({"x": x, "y": y, "area": area})


def iris():
    data = load_iris(as_frame=True)
    return pd.DataFrame(
        {
            "x": data.frame["sepal length (cm)"],
            "y": data.frame["sepal width (cm)"],
            "area": data.frame["target"].map(dict(enumerate(data.target_names))),
        }
    )


@pytest.mark.parametrize("frame", [simulated(), iris()], ids=["simulated", "iris"])
def test_within_and_between(frame):
    found = ask(frame, sorted(frame["area"].unique()))
    # The identity, against the correlation of the pooled rows.
    r = np.corrcoef(frame["x"], frame["y"])[0, 1]
    assert abs(found["kept_within"] + found["kept_between"] - r) < 1e-12
    assert abs(found["r"] - r) < 1e-12
    # Within: the model with a constant for each area. Means: what an area would have shared.
    within = smf.ols("y ~ x + C(area)", frame).fit().params["x"]
    means = smf.ols("y ~ x", frame.groupby("area")[["x", "y"]].mean()).fit().params["x"]
    np.testing.assert_allclose(found["slope_within"], within, rtol=1e-9)
    np.testing.assert_allclose(found["slope_of_means"], means, rtol=1e-9)
    assert found["sign_kept"] == (np.sign(within) == np.sign(found["slope_between"]))


def test_grouping_turns_the_sign():
    found = ask(simulated(), [f"a{i:02d}" for i in range(20)])
    assert found["slope_within"] < -0.45
    assert found["slope_of_means"] > 1.1
    assert found["sign_kept"] is False
    real = ask(iris(), ["setosa", "versicolor", "virginica"])
    assert real["slope_within"] > 0.3
    assert real["slope_of_means"] < 0
