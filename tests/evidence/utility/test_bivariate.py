"""Associations against scipy, one pair at a time."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import association

from sosie.evidence.utility import AssociationDifference
from sosie.evidence.utility._associations import Sums, association_matrix


def run(case):
    return AssociationDifference().run(case)["association_difference"]


def pair(x, y):
    """The association of two columns, by scipy."""
    if x.dtype == object and y.dtype == object:
        return association(pd.crosstab(x, y).to_numpy(), method="cramer")
    if x.dtype != object and y.dtype != object:
        known = x.notna() & y.notna()
        return stats.pearsonr(x[known], y[known]).statistic
    number, label = (y, x) if x.dtype == object else (x, y)
    groups = [g.dropna().to_numpy() for _, g in number.groupby(label)]
    groups = [g for g in groups if len(g)]
    f = stats.f_oneway(*groups).statistic
    between, within = len(groups) - 1, sum(map(len, groups)) - len(groups)
    return np.sqrt(f * between / (f * between + within))


def test_matrices_are_what_scipy_finds_pair_by_pair(draw, case, frame):
    original, synthetic, control = draw(700, 1), draw(500, 2), draw(300, 3)
    found = run(case(original, synthetic, control))
    names = found.detail["names"]
    assert names == list(original.layout.names)
    expected = {}
    for role, people in (("original", original), ("synthetic", synthetic), ("control", control)):
        table = frame(people)
        expected[role] = np.array([pair(table[a], table[b]) for a, b in combinations(names, 2)])
        if role != "control":
            shown = np.array(found.detail[role])
            assert shown[np.triu_indices(7, 1)] == pytest.approx(expected[role], abs=1e-4)
            assert np.array_equal(shown, shown.T)
    gap = np.abs(expected["original"] - expected["synthetic"]).mean()
    assert found.value == pytest.approx(gap)
    ceiling = np.abs(expected["original"] - expected["control"]).mean()
    assert found.control == found.detail["control"] == pytest.approx(ceiling)


def test_spearman_is_that_of_scipy(numbers, case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3))
    y = rng.normal(size=(200, 3))
    found = run(case(numbers(x), numbers(y)))
    gap = np.abs(stats.spearmanr(x).statistic - stats.spearmanr(y).statistic)
    assert found.detail["spearman"] == pytest.approx(gap[np.triu_indices(3, 1)].mean())


def whole(people):
    p = people.numbers.shape[1]
    return association_matrix(Sums.of(people, np.zeros(p), np.ones(p)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_units_and_names_of_levels_do_not_count(seed):
    from sosie.evidence._people import Layout, People

    rng = np.random.default_rng(seed)
    x, c = rng.normal(size=(60, 2)), rng.integers(-1, 3, (60, 2)).astype(np.int32)
    x[rng.random(x.shape) < 0.1] = np.nan
    layout = Layout(tuple("abcd"), ("a", "b"), {"c": tuple("xyz"), "d": tuple("xyz")})
    people = People(layout, x, c)
    turned = People(layout, 1e3 + 5 * x, np.array([2, 0, 1, -1], np.int32)[c])
    one, other = whole(people), whole(turned)
    assert other == pytest.approx(one, abs=1e-6)
    assert (np.abs(one) <= 1).all()
    mirrored = whole(replace(people, numbers=x * [1, -1]))
    assert mirrored[0, 1] == pytest.approx(-one[0, 1])
    assert mirrored[2:] == pytest.approx(one[2:])


def test_perfect_and_absent_associations(labels):
    codes = np.arange(120) % 6
    people = labels(np.column_stack([codes, codes // 2, codes % 2, 0 * codes]), [6, 3, 2, 1])
    found = whole(people)
    assert found[0, 1:3] == pytest.approx(1)  # each is told by the first
    assert found[1, 2] == pytest.approx(0, abs=1e-7)
    assert (found[3, :3] == 0).all()


def test_sums_without_a_part_are_the_sums_of_the_rest(draw):
    people = draw(300)
    centre, scale = np.array([50.0, 1, 0, 2]), np.array([12.0, 1, 3, 5])
    total = Sums.of(people, centre, scale)
    part = Sums.of(people.taken(slice(0, 100)), centre, scale)
    rest = Sums.of(people.taken(slice(100, 300)), centre, scale)
    assert association_matrix(total - part) == pytest.approx(association_matrix(rest), abs=1e-6)


def test_interval_is_as_wide_as_values_of_new_samples_spread(draw, case):
    found = [run(case(draw(400, 2 * s), shifted(draw(400, 2 * s + 1), s))) for s in range(30)]
    width = np.mean([f.ci[1] - f.ci[0] for f in found])
    assert width == pytest.approx(4.05 * np.std([f.value for f in found], ddof=1), rel=0.4)


def shifted(people, seed):
    """Half of the relation between the numbers broken."""
    values = people.numbers.copy()
    rng = np.random.default_rng(seed)
    values[: len(values) // 2] = rng.permuted(values[: len(values) // 2], axis=0)
    return replace(people, numbers=values)


def test_a_hundred_columns_take_no_time():
    import time

    from sosie.evidence._case import EFFORTS, Case
    from sosie.evidence._people import Layout, People

    rng = np.random.default_rng(0)
    names = tuple(f"c{j}" for j in range(100))
    layout = Layout(names, names[:50], {n: tuple("abcdefgh") for n in names[50:]})
    tables = [
        People(layout, rng.normal(size=(10_000, 50)), rng.integers(0, 8, (10_000, 50), np.int32))
        for _ in range(2)
    ]
    case = Case(*tables, None, None, (), (), effort=EFFORTS["standard"])
    start = time.process_time()
    found = run(case)
    assert time.process_time() - start < 6  # about 1 on an idle machine
    assert found.value < 0.02
