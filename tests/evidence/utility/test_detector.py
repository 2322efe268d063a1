"""A learner that tells tables apart, against scikit-learn's own pooling and closed forms."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from sosie.evidence import Verdict
from sosie.evidence.utility import Detector


def run(case):
    return Detector().run(case)["detector_auc"]


def test_new_persons_cannot_be_told_and_copies_are_told_backwards(draw, case):
    original, fresh, control = draw(600, 1), draw(500, 2), draw(200, 3)
    found = run(case(original, fresh, control))
    assert found.value == pytest.approx(0.5, abs=0.06)
    assert found.verdict is Verdict.PASS
    assert found.detail["against_control"] == pytest.approx(0.5, abs=0.1)
    assert found.detail["of_control"]["ci"][0] < 0.5 < found.detail["of_control"]["ci"][1]
    assert found.detail["of_control"]["alike"]
    assert found.n == 1_000
    copies = run(case(original, original, control))
    assert copies.value < 0.1
    assert copies.detail["against_control"] == pytest.approx(0.5, abs=0.1)


def test_control_persons_of_another_population_are_told(numbers, case):
    """As the best rule would: two normal laws a deviation apart."""
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(3, 1_000, 1))
    found = run(case(numbers(x), numbers(y), numbers(z + 1)))
    best = norm.cdf(1 / np.sqrt(2))
    assert best - 0.05 < found.detail["of_control"]["value"] < best + 0.02
    assert not found.detail["of_control"]["alike"]


def test_it_finds_nearly_what_the_best_rule_finds(numbers, case):
    """Two normal laws d apart: the best area is Phi(d / sqrt(2))."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 1_200, 1))
    found = run(case(numbers(x), numbers(y + 1)))
    best = norm.cdf(1 / np.sqrt(2))
    assert best - 0.05 < found.value < best + 0.02
    assert found.verdict is (Verdict.FAIL if found.value > 0.75 else Verdict.ATTENTION)


def test_it_is_what_scikit_learn_finds(draw, shuffled, case, frame):
    original = draw(700)
    synthetic = shuffled(draw(700, 1))
    found = run(case(original, synthetic))
    x = np.concatenate([np.column_stack([t.numbers, t.codes]) for t in (original, synthetic)])
    y = np.repeat([1, 0], 700)
    order = np.random.default_rng(0).permutation(1_400)
    model = HistGradientBoostingClassifier(early_stopping=False)
    with threadpool_limits(1):
        guess = cross_val_predict(model, x[order], y[order], cv=5, method="predict_proba")[:, 1]
    assert found.value == pytest.approx(roc_auc_score(y[order], guess), abs=0.03)
    assert found.value > 0.7


def test_curve_has_the_area(draw, shuffled, case):
    found = run(case(draw(300), shuffled(draw(300, 1))))
    fpr, tpr = found.detail["roc"]["fpr"], found.detail["roc"]["tpr"]
    assert np.trapezoid(tpr, fpr) == pytest.approx(found.value, abs=0.01)
    assert (np.diff(tpr) >= 0).all()
    assert fpr[0] == 0
    assert tpr[-1] == 1
