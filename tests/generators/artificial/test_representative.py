"""Rows chosen of many: nearer to all of them than chance brings any."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from sosie import RHVAE
from sosie.generators.artificial._representative import representative


def _energy(points, chosen):
    """The energy distance, less what no choice changes."""
    some = points[list(chosen)]
    return 2 * cdist(some, points).mean() - cdist(some, some).mean()


@given(n=st.integers(1, 12), half=st.integers(0, 5), scale=st.floats(0.1, 100))
@settings(max_examples=30, deadline=None)
def test_points_on_a_line_stand_in_the_middle_of_equal_parts(n, half, scale):
    """In one dimension energy distance is that of Cramér and von Mises: quantiles are best."""
    each = 2 * half + 1
    points = np.random.default_rng(0).permutation(n * each) * scale
    chosen = np.sort(points[representative(points[:, None], n)])
    assert chosen == pytest.approx((np.arange(n) * each + half) * scale)


@pytest.mark.parametrize("seed", range(5))
def test_little_is_lost_to_the_best_of_all_choices(seed):
    points = np.random.default_rng(seed).normal(size=(14, 2))
    every = [_energy(points, chosen) for chosen in combinations(range(14), 5)]
    found = _energy(points, representative(points, 5))
    assert found - min(every) < 0.05 * (np.mean(every) - min(every))


def test_every_point_is_chosen_once():
    points = np.repeat(np.arange(4.0), 5)[:, None]  # and those that are alike share alike
    chosen = representative(points, 8)
    assert len(set(chosen.tolist())) == 8
    assert np.bincount(points[chosen, 0].astype(int)).tolist() == [2, 2, 2, 2]
    assert sorted(representative(points, 20).tolist()) == list(range(20))


def test_tables_differ_less_than_by_chance_and_mean_the_same():
    """Bonds of 40 small tables, beside those of as many rows that were drawn one by one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    ill = x[:, 0] + rng.normal(size=300) > 1
    persons = pl.DataFrame({"a": x[:, 0], "b": x[:, 0] + x[:, 1], "c": x[:, 2], "ill": ill})
    model = RHVAE(seed=0, epochs=0, latent_dim=2).fit(persons)

    def bonds(table):
        ranks = table.select(pl.all().cast(float).rank()).to_numpy()
        return np.corrcoef(ranks, rowvar=False)[np.triu_indices(4, 1)]

    one_by_one = model.sample(12_000).to_numpy()
    one_by_one = pl.DataFrame(one_by_one[rng.permutation(12_000)], schema=persons.columns)
    by_chance = np.array([bonds(one_by_one[k * 200 :][:200]) for k in range(40)])
    chosen = []
    for k in range(40):
        model._draw_seed = np.random.SeedSequence(k)
        chosen.append(bonds(model.sample(200)))
    chosen = np.array(chosen)
    assert (chosen.std(0) < 0.6 * by_chance.std(0)).mean() > 0.6
    assert chosen.std(0).mean() < 0.6 * by_chance.std(0).mean()
    error = by_chance.std(0) / np.sqrt(40)
    assert (abs(chosen.mean(0) - by_chance.mean(0)) < 4 * error).all()


def test_those_chosen_stand_for_those_that_may_not_be():
    """Of 27 points the third next to the middle is not allowed: its neighbours are chosen."""
    points = np.arange(27.0)[:, None]
    allowed = abs(points[:, 0] - 13) > 4
    chosen = representative(points, 6, allowed)
    assert allowed[chosen].all()
    others = np.flatnonzero(allowed)
    alone = others[representative(points[allowed], 6)]
    assert _energy(points, chosen) < _energy(points, alone)
    assert {8, 18} <= set(chosen.tolist())


def test_few_rows_are_not_all_in_the_middle():
    """Of a class of one row, sixteen times as many have one that stands for them: the mean."""
    x = np.random.default_rng(0).normal(size=(200, 2))
    model = RHVAE(seed=0, epochs=0, latent_dim=1).fit(pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}))
    rows = []
    for k in range(200):
        model._draw_seed = np.random.SeedSequence(k)
        rows.append(model.sample(1).to_numpy()[0])
    assert np.std(rows, axis=0) == pytest.approx(x.std(0), rel=0.15)
