"""What holds for every measure."""

import math
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from sosie.evidence import Finding, Verdict
from sosie.evidence.utility import MEASURES, Detector, Hellinger, Prediction

NAMES = {
    "hellinger_mean", "univariate_distance", "association_difference", "three_way_difference",
    "projection_difference", "missing_difference", "detector_auc", "pmse", "tstr_auc", "trtr_auc",
    "sd_ratio", "rare_levels_kept",
}  # fmt: skip
KNOWN_REASONS = {"no_control", "no_target", "no_linked", "no_number", "no_label", "too_few"}


def everything(case, measures=MEASURES):
    return {name: f for measure in measures for name, f in measure().run(case).items()}


def odd(kind, draw, numbers, labels):
    """Original and synthetic tables at the edge of what may come."""
    rng = np.random.default_rng(3)
    if kind == "no numbers":
        return [labels(rng.integers(-1, 3, (150, 4)), [3, 3, 3, 3]) for _ in range(2)]
    if kind == "no labels":
        return [numbers(rng.normal(size=(150, 4))) for _ in range(2)]
    if kind == "one number":
        return [numbers(rng.normal(size=(150, 1))) for _ in range(2)]
    if kind == "one column of labels":
        return [labels(rng.integers(0, 3, (150, 1)), [3]) for _ in range(2)]
    if kind == "100 rows":
        return [draw(100, seed) for seed in (1, 2)]
    original, synthetic = draw(150, 1), draw(120, 2)
    if kind == "all missing in the synthetic":
        synthetic.numbers[:, 2] = np.nan
        synthetic.codes[:, 1] = -1
    if kind == "all missing in the original":
        original.numbers[:, 2] = np.nan
        original.codes[:, 1] = -1
    if kind == "constant in the synthetic":
        synthetic.numbers[:] = 5.0
        synthetic.codes[:] = 1
    if kind == "constant in the original":
        original.numbers[:, :3] = 1e9 + 0.1
        original.codes[:, :2] = 0
    if kind == "far away":
        synthetic.numbers[0] = 1e15
    return original, synthetic


@pytest.mark.parametrize("with_control", [False, True])
@pytest.mark.parametrize(
    "kind",
    [
        "no numbers", "no labels", "one number", "one column of labels", "100 rows",
        "all missing in the synthetic", "all missing in the original",
        "constant in the synthetic", "constant in the original", "far away",
    ],
)  # fmt: skip
def test_tables_at_the_edge_are_measured_or_named_unmeasurable(
    kind, with_control, draw, numbers, labels, case
):
    original, synthetic = odd(kind, draw, numbers, labels)
    target = original.layout.names[-1]
    control = original.taken(np.arange(0, len(original), 2)) if with_control else None
    measures = [m for m in MEASURES if with_control or m is not Detector]  # it takes long
    found = everything(case(original, synthetic, control, target), measures)
    assert set(found) == NAMES - (set() if with_control else {"detector_auc"})
    for finding in found.values():
        assert (finding.value is None) == (finding.why_not is not None)
        assert finding.why_not is None or finding.why_not in KNOWN_REASONS
        assert (finding.verdict is Verdict.NOT_MEASURED) == (finding.value is None)
        if finding.ci is not None:
            assert finding.ci[0] <= finding.value <= finding.ci[1]
            assert all(map(math.isfinite, finding.ci))
        assert Finding.model_validate_json(finding.model_dump_json()) == finding


def test_the_same_seed_gives_the_same_whatever_the_threads(draw, case):
    judged = case(draw(200, 1), draw(200, 2), draw(100, 3), "job")
    with threadpool_limits(2):
        one = everything(judged)
    with threadpool_limits(1):
        assert everything(judged) == one
    other = Hellinger().run(replace(judged, seed=1))
    assert other["hellinger_mean"].ci != one["hellinger_mean"].ci


def test_fresh_persons_pass_and_shuffled_columns_are_worse(draw, shuffled, case):
    original, fresh, control = draw(1_500, 1), draw(1_500, 2), draw(1_500, 3)
    good = everything(case(original, fresh, control, "job"))
    assert not [n for n, f in good.items() if f.verdict is Verdict.FAIL]
    others = [m for m in MEASURES if m is not Detector]
    bad = everything(case(original, shuffled(original), control, "job"), others)
    assert bad["hellinger_mean"].value == bad["univariate_distance"].value == 0
    for name in ("association_difference", "three_way_difference", "projection_difference"):
        assert good[name].value < 1.5 * good[name].control
        assert bad[name].ci[0] > good[name].ci[1]
    for name in ("association_difference", "three_way_difference", "tstr_auc"):
        assert bad[name].verdict is Verdict.FAIL


def test_the_original_itself_is_at_no_distance(draw, case):
    original = draw(300)
    found = everything(case(original, original, None, None))
    for name in ("hellinger", "univariate", "association", "three_way", "projection", "missing"):
        (value,) = [f.value for n, f in found.items() if n.startswith(name)]
        assert value == pytest.approx(0, abs=1e-6)
    assert found["sd_ratio"].value == found["rare_levels_kept"].value == 1
    assert found["pmse"].value == pytest.approx(0, abs=1e-9)
    assert found["detector_auc"].value < 0.1


def test_order_of_rows_and_columns_of_the_synthetic_does_not_count(draw, case):
    original, synthetic = draw(400, 1), draw(400, 2)
    turned = synthetic.taken(np.arange(400)[::-1])
    for measure in MEASURES:
        if measure not in (Detector, Prediction):
            one, other = (measure().run(case(original, s)) for s in (synthetic, turned))
            for name, finding in one.items():
                assert other[name].value == pytest.approx(finding.value, rel=1e-6), name
