"""Newton's method and designs against scikit-learn and pandas."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from sosie.evidence.utility._design import Design, as_codes
from sosie.evidence.utility._logistic import logistic


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_coefficients_are_those_of_scikit_learn(penalty):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6))
    y = (x[:, 0] + rng.logistic(size=400) > 1).astype(int)
    model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(x, y)
    found = logistic(np.column_stack([np.ones(400), x]), y, penalty)
    assert found[1:] == pytest.approx(model.coef_[0], abs=1e-4)
    assert found[0] == pytest.approx(model.intercept_[0], abs=1e-4)
    start = found + rng.normal(size=7)
    assert logistic(np.column_stack([np.ones(400), x]), y, penalty, start) == pytest.approx(
        found, abs=1e-4
    )


def test_separated_classes_end_too():
    x = np.column_stack([np.ones(100), np.linspace(-1, 1, 100)])
    found = logistic(x, (x[:, 1] > 0).astype(int), 1e-4)
    assert np.isfinite(found).all()
    assert found[1] > 20


def test_design_spans_what_pandas_dummies_span(draw, frame):
    people = draw(300)
    x = Design().fit(people, people.layout.names).matrix(people)
    table = frame(people)
    table["unknown"] = table["score"].isna().astype(float)
    table["score"] = table["score"].fillna(table["score"].mean())
    dummies = pd.get_dummies(table, drop_first=True, dtype=float).to_numpy()
    other = np.column_stack([np.ones(300), dummies])
    assert x.shape == other.shape
    fitted = other @ np.linalg.lstsq(other, x, rcond=None)[0]
    assert fitted == pytest.approx(x, abs=1e-8)
    assert np.linalg.matrix_rank(x) == np.linalg.matrix_rank(other)


def test_codes_are_numbers_and_places_of_levels(draw):
    people = draw(50)
    found = as_codes(people, ("job", "score"))
    assert np.isnan(found[:, 0]).tolist() == (people.column("job") < 0).tolist()
    known = people.column("job") >= 0
    assert found[known, 0].tolist() == people.column("job")[known].tolist()
    assert found[:, 1] == pytest.approx(people.column("score"), nan_ok=True, rel=1e-6)
