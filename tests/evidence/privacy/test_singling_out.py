import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.conftest import case_of, people, population

from sosie.evidence._finding import Verdict
from sosie.evidence.privacy import SinglingOut
from sosie.evidence.privacy._singling_out import _found, _Index, _middle, _outliers, _Test, _turns


def brute(table, predicate):
    """Count rows in the plainest way."""
    fits = np.ones(len(table), bool)
    for test in predicate:
        values, missing = table.column(test.name), table.missing(test.name)
        if test.sign == "missing":
            fits &= missing
        elif test.sign == "==":
            fits &= ~missing & (values == test.value)
        elif test.sign == "<=":
            fits &= ~missing & (values <= test.value)
        else:
            fits &= ~missing & (values >= test.value)
    return int(fits.sum())


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_counting_by_sorted_columns_is_counting(seed):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 5, (30, 2)).astype(float)
    numbers[rng.random((30, 2)) < 0.2] = np.nan
    table = people(numbers, rng.integers(-1, 3, (30, 2)))
    signs = {"x0": ["<=", ">=", "==", "missing"], "c1": ["==", "missing"], "x1": [">="]}
    predicate = tuple(
        _Test(name, str(rng.choice(choice)), float(rng.integers(0, 5)))
        for name, choice in signs.items()
    )
    assert len(_Index(table).rows(predicate)) == brute(table, predicate)


def test_predicates_single_out_one_synthetic_row_and_share_columns(rng):
    synthetic = population(400, rng)
    case = case_of(synthetic, synthetic, synthetic)
    names = synthetic.layout.names
    used = dict.fromkeys(names, 0)
    found = _found(_Index(synthetic), 3, 60, _middle(synthetic), _outliers(case, synthetic), rng)
    assert len(found) > 30
    for predicate in found:
        assert len({test.name for test in predicate}) == 3
        assert brute(synthetic, predicate) == 1
        for test in predicate:
            used[test.name] += 1
    assert max(used.values()) <= 3 * 60 * 3 / len(names) + 1


@given(st.integers(1, 4), st.integers(0, 99))
def test_columns_are_dealt_evenly(size, seed):
    names = [f"x{i}" for i in range(7)]
    hands = _turns(names, size, np.random.default_rng(seed))
    assert all(len(set(hand)) == len(hand) == size for hand in hands)
    assert set().union(*hands) == set(names)


def test_copies_are_singled_out_and_strangers_are_not(rng):
    original, control, fresh = (population(600, rng) for _ in range(3))
    leaky = SinglingOut().run(case_of(original, original, control))
    clean = SinglingOut().run(case_of(original, fresh, control))
    # What is true of one row only is true of one person only.
    assert leaky["singling_out_multivariate"].value == 1.0
    assert leaky["singling_out_multivariate"].verdict is Verdict.FAIL
    assert leaky["singling_out_univariate"].value == 1.0
    assert clean["singling_out_multivariate"].verdict is not Verdict.FAIL


@pytest.mark.parametrize("columns", [2, 4])
def test_clean_tables_are_silent_at_the_stated_rate(columns):
    fails, covered = 0, 0
    for seed in range(40):
        rng = np.random.default_rng([2, seed])
        tables = (population(200, rng, columns, columns - 1) for _ in range(3))
        case = case_of(*tables, seed=seed)
        found = SinglingOut().run(case)["singling_out_multivariate"]
        fails += found.verdict is Verdict.FAIL
        covered += found.difference_ci[0] <= 0 <= found.difference_ci[1]
    assert fails <= 2
    assert covered >= 35


def test_one_column_has_no_predicates_of_several(rng):
    table = people(rng.normal(size=(150, 1)), np.empty((150, 0), int))
    found = SinglingOut().run(case_of(table, table, table))
    assert found["singling_out_multivariate"].why_not == "too_few"
    assert found["singling_out_univariate"].value == pytest.approx(1.0)
