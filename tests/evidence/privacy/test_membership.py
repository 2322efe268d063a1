import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from tests.evidence.conftest import case_of, population

from sosie.evidence._finding import Verdict
from sosie.evidence.privacy import Membership


def run(original, synthetic, control, effort="quick", seed=0):
    return Membership().run(case_of(original, synthetic, control, effort, seed=seed))


def test_nearest_attack_is_the_area_of_distances(rng):
    original, control, synthetic = (population(n, rng) for n in (150, 120, 200))
    found = run(original, synthetic, control)["membership_auc"]
    case = case_of(original, synthetic, control)
    rows = case.space.points(synthetic)
    near = [-cdist(case.space.points(p), rows).min(axis=1) for p in (original, control)]
    labels = np.r_[np.ones(150), np.zeros(120)]
    area = roc_auc_score(labels, np.concatenate(near))
    assert found.detail["attacks"]["nearest"]["auc"] == pytest.approx(area, abs=2e-3)


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_copies_of_everybody_are_found(effort, rng):
    original, control = population(300, rng), population(300, rng)
    found = run(original, original, control, effort)
    assert found["membership_auc"].value > 0.99
    assert found["membership_auc"].verdict is Verdict.FAIL
    assert found["membership_tpr_at_1"].value > 0.95
    assert found["membership_tpr_at_1"].verdict is Verdict.FAIL
    assert found["membership_auc_isolated"].verdict is Verdict.FAIL


def test_a_leak_of_isolated_persons_shows_among_them_only(rng):
    original, control, synthetic = (population(1000, rng) for _ in range(3))
    case = case_of(original, synthetic, control)
    points = case.space.points(original)
    distance = np.sort(cdist(points, points), axis=1)[:, 1:6].mean(axis=1)
    copied = np.argsort(-distance)[:30]  # 3 %
    leaky = synthetic.taken(slice(30, None)).with_(original.taken(copied))
    found = run(original, leaky, control)
    assert found["membership_auc_isolated"].verdict is Verdict.FAIL
    assert found["membership_auc"].verdict is not Verdict.FAIL
    clean = run(original, synthetic, control)
    assert clean["membership_auc_isolated"].verdict is not Verdict.FAIL


def test_silent_without_a_leak_at_the_stated_rate():
    fails, p_values = 0, []
    for seed in range(200):
        rng = np.random.default_rng([1, seed])
        found = run(*(population(120, rng) for _ in range(3)), seed=seed)
        p_values.append(found["membership_auc"].p_value)
        fails += any(one.verdict is Verdict.FAIL for one in found.values())
    # Each of four verdicts is wrong once in a hundred at most.
    assert fails <= 14
    # A p-value is uniform: the maximum over attacks is accounted for.
    assert 0.35 < np.mean(p_values) < 0.65
    assert np.mean(np.array(p_values) <= 0.1) < 0.17


def test_the_same_seed_gives_the_same(rng):
    tables = [population(200, rng) for _ in range(3)]
    one, other = (run(*tables, effort="standard") for _ in range(2))
    assert one == other


def test_without_control_it_is_not_measured(rng):
    original = population(150, rng)
    found = Membership().run(case_of(original, original, None))
    assert {one.why_not for one in found.values()} == {"no_control"}


def test_no_small_count_is_told(rng):
    original, control, synthetic = (population(200, rng) for _ in range(3))
    told = run(original, synthetic, control)["membership_auc"].detail["distances"]
    counts = np.array([s for s in told["original"] if s is not None]) * 200
    assert ((counts == 0) | (counts >= 4.99)).all()
