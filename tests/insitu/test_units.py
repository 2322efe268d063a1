"""In whatever unit a column is, an answer is that of the pooled rows."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
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
