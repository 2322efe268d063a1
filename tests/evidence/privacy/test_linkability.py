import numpy as np
import pytest
from tests.evidence.conftest import case_of, people, population

from sosie.evidence._finding import Verdict
from sosie.evidence.privacy import Linkability
from sosie.evidence.privacy._linkability import _mean_interval, _splits


def independent(n, rng):
    return people(rng.normal(size=(n, 6)), np.empty((n, 0), int))


def test_copies_link_every_person(rng):
    original, control = population(300, rng, numbers=6), population(300, rng, numbers=6)
    found = Linkability().run(case_of(original, original, control))
    # Each half of the columns leads to the person's own copy.
    assert found["linkability_nearest"].value > 0.9
    assert found["linkability_nearest"].verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["linkability", "linkability_nearest"])
def test_independent_columns_link_by_chance_alone(name, rng):
    original, control, synthetic = (independent(600, rng) for _ in range(3))
    found = Linkability().run(case_of(original, synthetic, control))[name]
    k = 10 if name == "linkability" else 1
    chance = 1 - np.prod([(600 - k - i) / (600 - i) for i in range(k)])
    assert found.naive == pytest.approx(chance)
    assert found.ci[0] <= chance * 1.3 + 0.002
    assert found.value == pytest.approx(chance, abs=0.03)
    assert found.verdict is Verdict.PASS


def test_each_way_of_parting_comes_once():
    splits = _splits(list("abcd"), 10, np.random.default_rng(0))
    halves = {frozenset(map(frozenset, split)) for split in splits}
    assert len(splits) == len(halves) == 3  # {ab|cd}, {ac|bd}, {ad|bc}
    assert all(sorted(left + right) == list("abcd") for left, right in splits)


def test_interval_of_shares_covers():
    rng = np.random.default_rng(3)
    hit = 0
    for _ in range(400):
        shares = rng.binomial(4, 0.1, 200) / 4
        low, high = _mean_interval(shares)
        hit += low <= 0.1 <= high
    assert 0.92 < hit / 400 < 0.98
