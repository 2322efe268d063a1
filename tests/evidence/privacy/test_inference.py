import numpy as np
import pytest
from tests.evidence.conftest import case_of, people, population

from sosie.evidence._finding import Verdict
from sosie.evidence.privacy import AttributeInference
from sosie.evidence.privacy._inference import _constant, _near


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_copies_tell_every_secret(effort, rng):
    original, control = population(250, rng), population(250, rng)
    found = AttributeInference().run(case_of(original, original, control, effort))
    worst = found["attribute_inference_max"]
    assert worst.value > 0.95
    assert worst.verdict is Verdict.FAIL
    assert len(worst.detail["by_secret"]) == 7


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_what_the_population_teaches_is_no_leak(effort, rng):
    def lawful(n):
        x = rng.normal(size=(n, 2))
        x[:, 1] = 2 * x[:, 0]  # anybody's x1 follows from the x0
        return people(x, rng.integers(0, 2, (n, 1)))

    original, control, synthetic = lawful(500), lawful(500), lawful(500)
    found = AttributeInference().run(case_of(original, synthetic, control, effort))[
        "attribute_inference_max"
    ]
    secret = next(one for one in found.detail["by_secret"] if one["column"] == "x1")
    assert secret["value"] > 0.7
    assert secret["population"] > 0.7
    assert secret["naive"] < 0.3
    assert found.verdict is not Verdict.FAIL


def test_a_leak_in_one_secret_names_it(rng):
    original, control = population(400, rng), population(400, rng)
    # x3 is independent of the rest but is told by rows that are else the persons'.
    moved = original.numbers + np.array([0.01, 0.01, 0.01, 0])
    leaky = type(original)(original.layout, moved, original.codes)
    found = AttributeInference().run(case_of(original, leaky, control))["attribute_inference_max"]
    assert "x3" in [one["column"] for one in found.detail["by_secret"] if one["difference"] > 0.5]


def test_negative_numbers_must_be_near_too():
    # anonymeter divides by the signed guess: -5 for 100 counts as right there.
    assert not _near(np.array([-5.0]), np.array([100.0]), 0.1)[0]
    assert _near(np.array([-5.0]), np.array([-5.05]), 0.1)[0]


def test_the_naive_guess_is_the_best_constant(rng):
    values = np.r_[np.zeros(30), rng.normal(5, 0.01, 50), rng.normal(9, 3, 20)]
    guess = _constant(values, 0.1, number=True)
    right = _near(np.full(100, guess), values, 0.1).mean()
    tried = [_near(np.full(100, c), values, 0.1).mean() for c in np.linspace(-2, 15, 4000)]
    assert right >= max(tried) - 1e-12
    assert _constant(np.array([0, 2, 2, 1]), 0.0, number=False) == 2


def test_missing_secrets_are_not_attacked(rng):
    original, control = population(300, rng), population(300, rng)
    original.numbers[:280, 1] = np.nan
    found = AttributeInference().run(case_of(original, original, control))
    told = {one["column"]: one["n"] for one in found["attribute_inference_max"].detail["by_secret"]}
    assert told["x1"] == 20
    assert told["x0"] == 300
