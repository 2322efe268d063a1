"""Groups of an age go with the age in every row, and what is no band of a number is none."""

import numpy as np
import polars as pl
import pytest

from sosie.generators.artificial import RHVAE
from sosie.generators.artificial._bands import Bands
from sosie.generators.artificial._cohort import Cohort
from sosie.space import Columns
from sosie.table import Table

N = 240
GROUPS = np.array(["young", "middle", "old"])


@pytest.fixture(scope="module")
def persons():
    """Ages with gaps at the cuts, their groups, a rate with its stage, both missing at times."""
    rng = np.random.default_rng(0)
    age = rng.integers(20, 90, N)
    age = np.where((age >= 38) & (age < 43), 37, age)
    rate = (90 - 0.6 * age + 8 * rng.normal(size=N)).round(1)
    stage = np.where(rate < 45, "low", "high")
    table = pl.DataFrame(
        {
            "age": age,
            "group": GROUPS[np.digitize(age, [40, 65])],
            "rate": rate,
            "stage": stage,
            "sex": rng.choice(["f", "m"], N),
            "ill": rng.random(N) < age / 120,
        }
    )
    missing = pl.Series(rng.random(N) < 0.2)
    return table.with_columns(
        pl.when(missing).then(None).otherwise(pl.col(c)).alias(c) for c in ("rate", "stage")
    )


def holds(rows, persons):
    """Tell whether a level goes with a value as it does among the persons."""
    ends = persons.group_by("group").agg(
        pl.col("age").min().alias("low"), pl.col("age").max().alias("high")
    )
    cuts = sorted(ends["low"])[1:], sorted(ends["high"])[:-1]
    for row in rows.select("age", "group").iter_rows():
        lowest = sum(row[0] >= low for low in cuts[0])
        highest = sum(row[0] > high for high in cuts[1])
        assert list(GROUPS).index(row[1]) in (lowest, highest)
    # No value stands in two groups.
    assert rows.group_by("age").agg(pl.col("group").n_unique())["group"].max() == 1
    rate = rows.drop_nulls("rate")
    low = persons.filter(pl.col("stage") == "low")["rate"].max()
    high = persons.filter(pl.col("stage") == "high")["rate"].min()
    assert (rate.filter(pl.col("stage") == "low")["rate"] < high).all()
    assert (rate.filter(pl.col("stage") == "high")["rate"] > low).all()
    assert (rows["rate"].is_null() == rows["stage"].is_null()).all()


def test_bands_are_found_and_nothing_else(persons):
    bands = Bands(Columns.of(Table.of(persons)))
    assert bands.found == {"group": "age", "stage": "rate"}
    assert Bands(Columns.of(Table.of(persons)), "group").found == {"stage": "rate"}


def test_a_cell_out_of_its_band_undoes_it(persons):
    spoilt = persons.with_columns(
        pl.when(pl.int_range(N) == int(persons["age"].arg_max()))
        .then(pl.lit("young"))
        .otherwise("group")
        .alias("group")
    )
    assert "group" not in Bands(Columns.of(Table.of(spoilt))).found


def test_bands_by_chance_are_none():
    # The three largest of 60 numbers, and 20 columns to be told: chance does that.
    rng = np.random.default_rng(0)
    numbers = {f"x{j}": rng.normal(size=60) for j in range(20)}
    codes = {"rare": (numbers["x3"] > np.sort(numbers["x3"])[-4]).astype(np.int32)}
    assert Bands(Columns(numbers, codes, {"rare": 2}, (), {})).found == {}


def test_what_is_told_of_the_persons_is_what_they_have(persons):
    columns = Columns.of(Table.of(persons))
    told = Bands(columns).told(columns.known_numbers())
    known = columns.arrays()
    for name, codes in told.items():
        np.testing.assert_array_equal(codes, known[name])


def test_drawn_rows_hold_to_the_bands(persons):
    model = RHVAE(latent_dim=2, seed=0, epochs=0).fit(persons)
    rows = model.sample(1000)
    assert rows.schema == persons.schema
    holds(rows, persons)
    share = rows["stage"].is_null().mean()
    assert share == pytest.approx(persons["stage"].is_null().mean(), abs=0.05)
    asked = model.sample(60, where={"group": "old", "age": (60, 70)})
    assert set(asked["group"]) == {"old"}
    assert asked["age"].max() <= 70
    balanced = model.sample(90, balance="group")
    assert balanced["group"].value_counts()["count"].to_list() == [30, 30, 30]


def test_filled_cells_hold_to_the_bands(persons):
    filled = RHVAE(latent_dim=2, seed=0, epochs=0).fit(persons).impute(1)[0]
    assert filled["stage"].null_count() == 0
    holds(filled, persons)


def test_two_columns_are_left_to_learn():
    age = np.arange(60.0)
    group = np.array(["a", "b"])[(age > 30).astype(int)]
    cohort = Cohort(Table.of(pl.DataFrame({"age": age, "group": group})), None)
    assert set(cohort.columns.numbers) | set(cohort.columns.codes) == {"age", "group"}
