"""Where nothing leaks the battery is silent as often as it says: 99 in 100, an attack."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.evidence.conftest import case_of, people, population

from sosie.evidence._case import EFFORTS
from sosie.evidence._criteria import judge
from sosie.evidence._finding import SURE, Verdict
from sosie.evidence.privacy import (
    AttributeInference,
    Copies,
    Linkability,
    Membership,
    SinglingOut,
)

RUNS = 200
FEW = replace(EFFORTS["quick"], attacks=40, splits=2)


@pytest.fixture(scope="module")
def failed():
    """How often each finding failed a table that is a third sample of the same population."""
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        case = case_of(*(population(110, rng, numbers=2, labels=2) for _ in range(3)), seed=seed)
        case = replace(case, effort=FEW)
        findings = {}
        for attack in (Copies, SinglingOut, Linkability, AttributeInference, Membership):
            findings |= attack().run(case)
        found.update(name for name, one in findings.items() if one.verdict is Verdict.FAIL)
        found["the battery"] += judge(findings, control=True)[1] is Verdict.FAIL
    return found


def test_an_attack_is_wrong_as_rarely_as_stated(failed):
    # More would happen by chance once in a thousand times, at the stated rate.
    most = stats.binom.ppf(0.999, RUNS, SURE)
    assert {name: n for name, n in failed.items() if name != "the battery" and n > most} == {}


@pytest.mark.parametrize("lost", [0, 0.7])
def test_copies_are_silent_where_rows_are_equal_by_chance(lost):
    failed = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        numbers = 2 if lost else 1
        tables = [population(500, rng, numbers=numbers, labels=2) for _ in range(3)]
        tables = [people(blurred(one.numbers, rng, lost), one.codes) for one in tables]
        found = Copies().run(case_of(*tables, seed=seed))
        failed.update(name for name, one in found.items() if one.verdict is Verdict.FAIL)
    assert not {name: n for name, n in failed.items() if n > stats.binom.ppf(0.999, RUNS, SURE)}


def blurred(numbers, rng, lost):
    return np.where(rng.random(numbers.shape) < lost, np.nan, numbers.round(1))


def test_the_battery_is_wrong_in_at_most_five_of_a_hundred_tables(failed):
    assert failed["the battery"] <= stats.binom.ppf(0.999, RUNS, 0.05)
