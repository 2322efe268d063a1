"""pMSE against scikit-learn and its law under chance (Snoke et al. 2018)."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sosie.evidence import Verdict
from sosie.evidence.utility import Propensity


def run(case):
    return Propensity().run(case)["pmse"]


def test_it_is_the_error_of_scikit_learns_model(draw, case, frame):
    original, synthetic = draw(700, 1), draw(500, 2)
    synthetic.numbers[:, 0] += 4
    both = pd.concat([frame(original), frame(synthetic)], ignore_index=True)
    both["unknown"] = both["score"].isna().astype(float)
    both["score"] = both["score"].fillna(both["score"].mean())
    x = StandardScaler().fit_transform(pd.get_dummies(both, drop_first=True, dtype=float))
    made = np.repeat([0, 1], [700, 500])
    model = LogisticRegression(C=1e6, max_iter=5_000, tol=1e-8).fit(x, made)
    share = 500 / 1_200
    error = ((model.predict_proba(x)[:, 1] - share) ** 2).mean()
    found = run(case(original, synthetic))
    assert found.detail["pmse"] == pytest.approx(error, rel=1e-3)
    assert found.detail["terms"] == x.shape[1]
    expected = x.shape[1] * (1 - share) ** 2 * share / 1_200
    assert found.detail["expected"] == pytest.approx(expected)
    assert found.value == pytest.approx(error / expected, rel=1e-3)
    assert found.verdict is Verdict.INFORMATION


def test_chance_gives_one_and_fresh_persons_two(numbers, case):
    rng = np.random.default_rng(0)
    drawn, fresh, covered = [], [], []
    for _ in range(80):
        x = rng.normal(size=(400, 5))
        again = run(case(numbers(x), numbers(x[rng.integers(0, 400, 400)])))
        drawn.append(again.value)
        covered.append(again.ci[0] <= 1 <= again.ci[1])
        fresh.append(run(case(numbers(x), numbers(rng.normal(size=(400, 5))))).value)
    assert np.mean(drawn) == pytest.approx(1, abs=0.2)  # four standard errors
    assert np.mean(fresh) == pytest.approx(2, abs=0.4)
    assert np.mean(covered) > 0.85


def test_columns_that_say_the_same_are_one_term(numbers, case):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 500, 2))
    twice = [numbers(np.column_stack([t, t[:, :1] * 3 - 1])) for t in (x, y)]
    one, other = run(case(numbers(x), numbers(y))), run(case(*twice))
    assert one.detail["terms"] == other.detail["terms"] == 2
    assert other.value == pytest.approx(one.value, rel=1e-3)


def test_tables_fully_apart_reach_the_largest_error(numbers, case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    assert run(case(numbers(x), numbers(x + 50))).detail["pmse"] == pytest.approx(0.25, abs=0.01)
