"""In whatever unit a column is, an answer is that of the pooled rows."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from statsmodels.stats.meta_analysis import combine_effects
from tests.insitu.conftest import split
from tests.insitu.test_catalogue import close

from sosie.errors import DataError
from sosie.table import Column, Schema

UNITS = [1e-18, 1e-12, 1e-9, 1e-7, 1.0, 1e9, 1e13]
SCHEMA = Schema(
    columns=[
        *(Column(name=one, kind="number") for one in ("age", "level", "ill", "same")),
        Column(name="sex", kind="category", levels=["f", "m"]),
    ]
)


@pytest.fixture(params=UNITS)
def unit(request):
    """A unit, the rows of all, and three holders of them."""
    rng = np.random.default_rng(3)
    age = rng.normal(60, 10, 600)
    level = 1 + 0.01 * age + rng.normal(0, 0.3, 600)
    ill = (rng.random(600) < 1 / (1 + np.exp(1.6 - level))).astype(float)
    sex = np.where(rng.random(600) < 0.5, "f", "m")
    frame = pd.DataFrame(
        {"age": age, "level": level * request.param, "ill": ill, "same": 0.3 * request.param}
    ).assign(sex=sex)
    return request.param, frame, split(frame, SCHEMA)


def test_means_and_tests(unit):
    _, frame, holders = unit
    (row,) = holders.ask({"id": "means", "columns_of": ["level"]}).tables["means"]
    close([row["mean"], row["sd"]], [frame["level"].mean(), frame["level"].std()])
    found = holders.ask({"id": "t_test", "column": "level", "by": "sex"})
    groups = [frame["level"][frame["sex"] == one] for one in "fm"]
    close(found.values["p"], scipy.stats.ttest_ind(*groups, equal_var=False).pvalue)
    found = holders.ask({"id": "correlation", "columns_of": ["age", "level"]})
    close(found.tables["pairs"][0]["r"], frame["age"].corr(frame["level"]))


def test_regressions(unit):
    size, frame, holders = unit
    plain = frame.assign(level=frame["level"] / size)
    for question, fit, scale in (
        ({"id": "linear", "formula": "level ~ age"}, smf.ols("level ~ age", plain), (size, size)),
        ({"id": "linear", "formula": "age ~ level"}, smf.ols("age ~ level", plain), (1, 1 / size)),
        ({"id": "logistic", "formula": "ill ~ level"}, smf.logit("ill ~ level", plain),
         (1, 1 / size)),
    ):  # fmt: skip
        found = holders.ask(question)
        expected = fit.fit(**({} if question["id"] == "linear" else {"disp": 0, "tol": 1e-14}))
        assert found.exact
        terms = found.tables["terms"]
        close([row["estimate"] for row in terms], expected.params * scale)
        close([row["se"] for row in terms], expected.bse * scale)


def test_what_is_constant_stays_so(unit):
    """No rounding of the centre makes a spread, a correlation or a slope."""
    _, _, holders = unit
    (row,) = holders.ask({"id": "means", "columns_of": ["same"]}).tables["means"]
    assert row["sd"] == 0
    with pytest.raises(DataError, match="constant"):
        holders.ask({"id": "correlation", "columns_of": ["same", "age"]})


def test_meta_analysis(unit):
    """Weights squared have the fourth power of a unit: no digit of them may be lost."""
    size, frame, holders = unit
    plain = frame.assign(level=frame["level"] / size, site=np.arange(len(frame)) // 200)
    plain["age"] += 30 * plain["site"] * (plain["level"] - plain["level"].mean())
    moved = plain.assign(level=plain["level"] * size).drop(columns="site")
    parts = [moved[plain["site"] == one].reset_index(drop=True) for one in range(3)]
    found = type(holders)(moved, parts, holders.schema).ask(
        {"id": "meta_analysis", "formula": "age ~ level", "model": "linear"}
    )
    fits = [smf.ols("age ~ level", part).fit() for _, part in plain.groupby("site")]
    effects, errors = np.array([[one.params["level"], one.bse["level"]] for one in fits]).T
    expected = combine_effects(effects, errors**2, method_re="dl")
    (row,) = [one for one in found.tables["terms"] if one["term"] == "level"]
    assert expected.tau2 > 1
    np.testing.assert_allclose(row["tau2"] * size**2, expected.tau2, rtol=0.0501)
    error = expected.sd_eff_w_re
    np.testing.assert_allclose(row["estimate"] * size, expected.mean_effect_re, atol=0.0051 * error)
    np.testing.assert_allclose(row["se"] * size, error, rtol=0.0051)


@pytest.mark.parametrize("far", [0.0, 1e6, 1.7e12, 1e13])
def test_numbers_far_from_zero_keep_their_spread(far):
    """Times in milliseconds, and numbers that differ by one at the end of what may be asked."""
    rng = np.random.default_rng(5)
    near = pd.DataFrame({"age": rng.integers(0, 2, 900), "level": rng.integers(0, 21, 900)})
    near = near.astype(float)
    schema = Schema(columns=[Column(name=one, kind="number") for one in near.columns])
    holders = split(near + far, schema)
    rows = holders.ask({"id": "means", "columns_of": ["age", "level"]}).tables["means"]
    np.testing.assert_allclose([row["sd"] for row in rows], near.std(), rtol=1e-5)
    (pair,) = holders.ask({"id": "correlation", "columns_of": ["age", "level"]}).tables["pairs"]
    np.testing.assert_allclose(pair["r"], near.corr().iloc[0, 1], rtol=1e-3)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 1e13 / 3])
def test_a_long_column_that_is_constant_stays_so(value):
    """A long sum loses digits, and what it loses is no spread."""
    n = 200_000
    frame = pd.DataFrame({"age": np.arange(n) % 90.0, "same": value})
    schema = Schema(columns=[Column(name=one, kind="number") for one in frame.columns])
    (row,) = split(frame, schema).ask({"id": "means", "columns_of": ["same"]}).tables["means"]
    assert row["sd"] == 0
    np.testing.assert_allclose(row["mean"], value, rtol=1e-14)
