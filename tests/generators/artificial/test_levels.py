"""Levels without an order find the one that other columns tell, and come back as they were."""

import numpy as np
import polars as pl
import pytest

from sosie.generators.artificial import RHVAE
from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._levels import Levels
from sosie.space import Columns
from sosie.table import Table

N = 400


@pytest.fixture(scope="module")
def persons():
    """Stages cut from a score, named against its order; towns that differ in two directions."""
    rng = np.random.default_rng(0)
    score = rng.normal(size=N)
    stage = np.array(["none", "mild", "severe", "deadly"])[np.digitize(score, [-1, 0, 1])]
    town = rng.integers(0, 3, N)
    return pl.DataFrame(
        {
            "marker": (score + 0.5 * rng.normal(size=N)).round(4),
            "age": (50 - 4 * score + 5 * rng.normal(size=N)).round(3),
            "stage": stage,
            "north": (2.0 * (town == 0) + rng.normal(size=N)).round(4),
            "south": (2.0 * (town == 1) + rng.normal(size=N)).round(4),
            "town": np.array(["x", "y", "z"])[town],
        }
    )


def test_the_order_of_stages_is_found_and_towns_have_none(persons):
    table = Table.of(persons)
    levels = Levels(Columns.of(table), set())
    assert levels.found == {"stage"}
    names = table.schema["stage"].levels
    places = [levels.place("stage", names.index(n)) for n in ("none", "mild", "severe", "deadly")]
    assert places in ([0, 1, 2, 3], [3, 2, 1, 0])


def test_places_are_undone(persons):
    columns = Columns.of(Table.of(persons))
    levels = Levels(columns, set())
    codes = levels.taken(columns).codes
    back = levels.undone(codes)["stage"]
    np.testing.assert_array_equal(back, columns.codes["stage"])
    assert levels.undone(codes | {"stage": np.array([-1], np.int32)})["stage"].tolist() == [-1]


def test_thirds_of_bonded_numbers_do_not_hide_the_order_of_each_other():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(300, 1)) + 0.1 * rng.normal(size=(300, 4))
    thirds = (base.argsort(0).argsort(0) * 3 // 300).astype(np.int32)
    numbers = {f"n{j}": base[:, j] for j in range(4)}
    codes = {f"t{j}": np.array([1, 2, 0], np.int32)[thirds[:, j]] for j in range(4)}
    columns = Columns(numbers, codes, dict.fromkeys(codes, 3), (), {})
    assert Levels(columns, set()).found == set(codes)


def test_the_stratum_stays_as_it_is(persons):
    cohort = Cohort(Table.of(persons), "stage")
    assert cohort.coding.stratum == "stage"
    assert cohort.coding.nominal == ["town"]


def test_rows_on_a_level_have_it_and_what_goes_with_it(persons):
    model = RHVAE(latent_dim=2, seed=0, epochs=0, stratum=None).fit(persons)
    drawn = model.sample(200, where={"stage": "severe"})
    assert set(drawn["stage"]) == {"severe"}
    real = persons.filter(pl.col("stage") == "severe")["marker"].mean()
    assert drawn["marker"].mean() == pytest.approx(real, abs=0.25)
    means = model.sample(600).group_by("stage").agg(pl.col("marker").mean())
    ordered = [means.filter(pl.col("stage") == s)["marker"][0] for s in ("none", "mild", "severe")]
    assert ordered == sorted(ordered)
