"""How near drawn rows may come to persons of whom little is known, and to all others."""

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import NearestNeighbors

from sosie import RHVAE
from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._filter import Filter
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


def test_the_quantile_holds_in_every_group_of_persons():
    cohort = Cohort(Table.of(_persons(3)), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns, 0.25)
    gone = cohort.columns.masks[0]
    for at, least in zip(similar.persons, similar.least, strict=True):
        apart = NearestNeighbors(n_neighbors=2).fit(at).kneighbors(at)[0][:, 1]
        expected = [np.quantile(apart[gone], 0.25), np.quantile(apart[~gone], 0.25)]
        assert sorted(least) == pytest.approx(sorted(expected))


def test_rows_are_near_to_the_group_of_the_person_they_are_near_to():
    """A copy is told in either group, and a row just beyond the end of the group is not."""
    cohort = Cohort(Table.of(_persons(3)), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns, 0.25)
    at = similar.persons[0]
    assert similar.near(similar.persons).all()
    beyond = at.copy()
    beyond[:, 0] += 50
    assert not similar.near((beyond, similar.persons[1] + 50)).any()


def test_groups_too_small_for_a_quantile_are_one_with_others():
    persons = _persons(3)
    few = pl.Series([*[None] * 5, *np.arange(195.0)])  # five persons miss what nobody else does
    cohort = Cohort(Table.of(persons.with_columns(few=few)), None)
    similar = Filter(cohort.coding, cohort.coded, cohort.columns)
    assert [len(least) for least in similar.least] == [2, 2]
