"""How near drawn rows may come to persons of whom little is known, and to all others."""

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import NearestNeighbors

from sosie import RHVAE
from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._filter import Filter, Stands
from sosie.table import Table


def _persons(seed):
    """200 persons of whom two fifths miss seven of ten numbers; a tenth are of arm b."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 1)) + rng.normal(size=(200, 10))
    rare, gone = np.arange(200) % 10 == 0, np.arange(200) // 10 % 5 < 2
    columns = {f"x{j}": np.where(gone & (j < 7), np.nan, x[:, j]) for j in range(10)}
    return pl.DataFrame(columns | {"arm": np.where(rare, "b", "a")}).fill_nan(None)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_who_misses_cells_is_as_others_are_in_what_is_known(seed):
    """Whether cells are missing has nothing to do with the arm.

    Were how near rows may come told for all persons at once, the filter would refuse most rows
    with missing cells that are of the arm of many: 14 to 18 % of those left were of b, and 5 to
    7 % of the others.
    """
    model = RHVAE(seed=0, epochs=0, latent_dim=2, stratum=None).fit(_persons(seed))
    drawn = model.sample(6000)
    missing = drawn["x0"].is_null().to_numpy()
    b = (drawn["arm"] == "b").to_numpy()
    assert 0.35 < missing.mean() < 0.45
    assert b[missing].mean() == pytest.approx(b[~missing].mean(), abs=0.04)


@pytest.mark.parametrize("known", [3, 5])
def test_a_panel_that_many_miss_leaves_what_they_have_as_it_is(known):
    """Who misses the panel stands in the middle of those who do not, and is not near to them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, known + 20))
    gone = np.arange(500) % 5 < 2
    columns = {f"x{j}": np.where(gone & (j >= known), np.nan, x[:, j]) for j in range(known + 20)}
    persons = pl.DataFrame(columns).fill_nan(None)
    drawn = RHVAE(seed=0, epochs=0, latent_dim=1, stratum=None).fit(persons).sample(3000)
    missing = drawn[f"x{known}"].is_null().to_numpy()
    assert missing.mean() == pytest.approx(0.4, abs=0.05)
    spread = drawn.select([f"x{j}" for j in range(known)]).to_numpy()
    assert spread[missing].std() == pytest.approx(spread[~missing].std(), rel=0.1)


def test_the_quantile_holds_in_every_group_of_persons():
    cohort = Cohort(Table.of(_persons(3)), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns, 0.25)
    gone = cohort.columns.masks[0]
    for at, least in zip(similar.persons[:2], similar.least, strict=True):
        apart = NearestNeighbors(n_neighbors=2).fit(at).kneighbors(at)[0][:, 1]
        expected = [np.quantile(apart[gone], 0.25), np.quantile(apart[~gone], 0.25)]
        assert sorted(least) == pytest.approx(sorted(expected))


def test_a_row_is_near_within_the_end_of_its_group_and_not_beyond():
    """Rows that stand off one person alone, along an axis of their own, by the end or so."""
    cohort = Cohort(Table.of(_persons(3)), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns, 0.25)
    apart = [np.hstack([at, np.zeros((200, 1))]) for at in similar.persons[:2]]
    similar.persons = Stands(*apart, similar.persons.group)
    group = similar.persons.group
    for share, expected in ((0, True), (0.99, True), (1.01, False)):
        off = [at.copy() for at in apart]
        for at, least in zip(off, similar.least, strict=True):
            at[:, -1] = share * least[group]
        assert (similar.too_near(Stands(*off, group)) == expected).mean() > (
            0.7 if share > 1 else 0.99
        )


def test_groups_too_small_for_a_quantile_are_one_with_others():
    persons = _persons(3)
    few = pl.Series([*[None] * 5, *np.arange(195.0)])  # five persons miss what nobody else does
    cohort = Cohort(Table.of(persons.with_columns(few=few)), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns)
    assert np.bincount(similar.persons.group).tolist() in ([125, 75], [75, 125])


def test_rare_patterns_of_many_make_a_group():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 8))
    x[:60][rng.random((60, 8)) < 0.5] = np.nan
    persons = pl.DataFrame({f"x{j}": x[:, j] for j in range(8)}).fill_nan(None)
    cohort = Cohort(Table.of(persons), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns)
    counts = np.bincount(similar.persons.group)
    assert len(counts) == 2
    assert counts[similar.persons.group[100]] == (~np.isnan(x).any(1)).sum()
