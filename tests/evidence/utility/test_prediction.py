"""Models learnt from either table against scikit-learn, and laws with a known answer."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score

from sosie.errors import DataError
from sosie.evidence import Verdict
from sosie.evidence._case import EFFORTS
from sosie.evidence._people import Layout, People
from sosie.evidence.utility import Prediction
from sosie.evidence.utility._prediction import _macro_auc, _r2, _ridge

REPEATED = replace(EFFORTS["quick"], resamples=40)


def run(case):
    found = Prediction().run(case)
    return found["tstr_auc"], found["trtr_auc"]


def normal(n, seed, classes=2, gap=1.0):
    """Classes whose means stand apart along the first number: the best area is known."""
    rng = np.random.default_rng([seed, classes])
    y = rng.integers(0, classes, n)
    x = rng.normal(size=(n, 3))
    x[:, 0] += gap * y
    names = ("x0", "x1", "x2", "y")
    levels = tuple("abcdefgh"[:classes])
    return People(Layout(names, names[:3], {"y": levels}), x, y[:, None].astype(np.int32))


def test_two_normal_classes_reach_the_best_area(case):
    tables = [normal(n, s) for s, n in enumerate((2_000, 2_000, 1_500))]
    tstr, trtr = run(case(*tables, "y", REPEATED))
    best = norm.cdf(1 / np.sqrt(2))
    assert tstr.value == pytest.approx(best, abs=0.03)
    assert trtr.value == pytest.approx(best, abs=0.03)
    assert tstr.verdict is Verdict.PASS
    assert trtr.verdict is Verdict.INFORMATION
    assert tstr.target == pytest.approx(trtr.value - 0.05)
    assert tstr.control == trtr.value
    assert tstr.value == pytest.approx(np.median(tstr.detail["tstr"]), abs=1e-6)
    # A resample of the test persons varies as Hanley and McNeil (1982) say.
    q1, q2, n = best / (2 - best), 2 * best**2 / (1 + best), 750
    variance = (best * (1 - best) + (n - 1) * (q1 + q2 - 2 * best**2)) / n**2
    assert tstr.ci[1] - tstr.ci[0] == pytest.approx(3.92 * np.sqrt(variance), rel=0.4)


def test_scores_are_those_of_scikit_learn(draw, case, frame):
    import pandas as pd

    original, synthetic, control = draw(1_500, 1), draw(1_500, 2), draw(1_000, 3)
    tstr, trtr = run(case(original, synthetic, control, "sex", REPEATED))
    tstr_dose, trtr_dose = run(case(original, synthetic, control, "score", REPEATED))
    frames = [frame(t) for t in (original, synthetic, control)]
    whole = pd.concat(frames, keys=range(3))
    for found, target, at in (
        (trtr, "sex", 0), (tstr, "sex", 1), (trtr_dose, "score", 0), (tstr_dose, "score", 1),
    ):  # fmt: skip
        table = whole[whole[target].notna()]
        others = table.drop(columns=target)
        if "score" in others:
            others["unknown"] = others["score"].isna().astype(float)
            others["score"] = others["score"].fillna(others["score"].mean())
        x = pd.get_dummies(others, drop_first=True, dtype=float)
        x = (x - x.mean()) / x.std()
        y = table[target] == "m" if target == "sex" else table[target]
        if target == "sex":
            model = LogisticRegression().fit(x.loc[at], y.loc[at])
            expected = roc_auc_score(y.loc[2], model.predict_proba(x.loc[2])[:, 1])
        else:
            expected = r2_score(y.loc[2], Ridge().fit(x.loc[at], y.loc[at]).predict(x.loc[2]))
        assert found.value == pytest.approx(expected, abs=0.03)
        assert found.ci[0] < expected < found.ci[1]
    assert tstr_dose.detail["score"] == "r2"


def test_the_share_of_variance_is_known(numbers, case):
    """y = x + e with equal variances: R2 is one half."""

    def made(seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(2_000, 1))
        return numbers(np.column_stack([x, 1e4 + x + rng.normal(size=(2_000, 1))]))

    tstr, trtr = run(case(made(0), made(1), made(2), "x1"))
    assert tstr.value == pytest.approx(0.5, abs=0.05)
    assert trtr.value == pytest.approx(0.5, abs=0.05)


def test_a_synthetic_table_without_the_relation_fails(case):
    original, synthetic, control = (normal(1_500, s) for s in range(3))
    rng = np.random.default_rng(0)
    broken = replace(synthetic, codes=rng.permutation(synthetic.codes))
    turned = replace(synthetic, codes=1 - synthetic.codes)
    for bad, score in ((broken, 0.5), (turned, 1 - norm.cdf(1 / np.sqrt(2)))):
        tstr, _ = run(case(original, bad, control, "y", EFFORTS["quick"]))
        assert tstr.value == pytest.approx(score, abs=0.25 if bad is broken else 0.05)
        assert tstr.verdict is Verdict.FAIL
    one_class = replace(synthetic, codes=0 * synthetic.codes)
    tstr, _ = run(case(original, one_class, control, "y"))
    assert tstr.value == 0.5


def test_more_classes_are_averaged_one_against_the_rest(case):
    tables = [normal(1_500, s, classes=3, gap=2.0) for s in range(3)]
    tstr, _ = run(case(*tables, "y"))
    assert tstr.detail["model"] == "ridge_classifier"
    # Ends: a normal against the mixture of one 2 and one 4 away; linear for the middle: 0.5.
    end = (norm.cdf(2 / np.sqrt(2)) + norm.cdf(4 / np.sqrt(2))) / 2
    assert tstr.value == pytest.approx((2 * end + 0.5) / 3, abs=0.05)


def test_scores_by_hand():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    guess = rng.dirichlet([1, 1, 1], 300) + 0.3 * np.eye(3)[truth]
    guess /= guess.sum(axis=1, keepdims=True)
    assert _macro_auc(guess, truth) == pytest.approx(
        roc_auc_score(truth, guess, multi_class="ovr", average="macro")
    )
    x, y = rng.normal(size=(100, 3)), 5 + rng.normal(size=100)
    model = Ridge(alpha=1).fit(x, y)
    beta = _ridge(np.column_stack([np.ones(100), x]).astype(np.float32), y)
    assert beta == pytest.approx([model.intercept_, *model.coef_], abs=1e-4)
    assert _r2(model.predict(x), y) == pytest.approx(r2_score(y, model.predict(x)))


def test_without_control_a_third_is_held_out(case):
    original, synthetic = normal(900, 0), normal(900, 1)
    tstr, trtr = run(case(original, synthetic, None, "y"))
    assert tstr.detail["tested_on"] == trtr.detail["tested_on"] == "held_out"
    assert tstr.value == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.08)
    with_control = run(case(original, synthetic, normal(300, 2), "y"))[0]
    assert with_control.detail["tested_on"] == "control"


def test_boosted_trees_see_what_lines_cannot(case):
    def made(seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(1_200, 2))
        y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
        names = ("a", "b", "y")
        return People(Layout(names, names[:2], {"y": ("no", "yes")}), x, y[:, None])

    effort = replace(EFFORTS["standard"], resamples=3)
    tstr, _ = run(case(made(0), made(1), made(2), "y", effort))
    assert tstr.value < 0.65
    assert tstr.detail["boosted"]["tstr"] > 0.95


def test_a_number_of_two_values_is_two_classes(numbers, case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 1))
    people = numbers(np.column_stack([x, 7 + 3 * (x[:, 0] > 0)]))
    tstr, _ = run(case(people, people, people, "x1"))
    assert (tstr.detail["score"], tstr.detail["model"]) == ("auc", "logistic")
    assert tstr.value > 0.99


def test_targets_that_cannot_be_predicted(draw, case):
    people = draw(200)
    assert {f.why_not for f in run(case(people, people))} == {"no_target"}
    with pytest.raises(DataError, match="'ward'"):
        run(case(people, people, target="ward"))
    constant = replace(people, codes=0 * people.codes)
    with pytest.raises(DataError, match="'sex' has one class"):
        run(case(constant, people, target="sex"))
    tstr, _ = run(case(people, people, constant, target="sex"))
    assert tstr.why_not == "too_few"  # no control person of the other class
