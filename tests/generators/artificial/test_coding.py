"""What a decoder sees of columns, and that values come back exactly."""

import numpy as np
import polars as pl
import pytest

from sosie.generators.artificial._coding import FARTHEST, Coding
from sosie.generators.artificial._telling import telling_stratum
from sosie.space import Columns
from sosie.table import Table


@pytest.fixture(scope="module")
def columns():
    rng = np.random.default_rng(0)
    n = 120
    arm = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < 0.2, np.nan, rng.normal(60 + 30 * arm, 5, n).round(3))
    frame = pl.DataFrame(
        {
            "arm": pl.Series(np.array(["a", "b"])[arm]),
            "height": rng.normal(100 + 40 * arm, 5, n).round(3),
            "weight": pl.Series(weight, nan_to_null=True),
            "cost": np.where(rng.random(n) < 0.4, 0.0, rng.lognormal(3, 1, n).round(2)),
            "town": rng.choice(["x", "y", "z"], n),
        }
    )
    return Columns.of(Table.of(frame))


@pytest.fixture(scope="module")
def coding(columns):
    return Coding(columns, set(), "arm")


def test_columns_become_scores_masks_levels_and_strata(coding, columns):
    assert coding.shape.n_scores == 4  # three numbers and a mask
    assert coding.shape.levels == (3,)
    assert coding.shape.n_strata == 2
    coded = coding.coded(columns)
    assert [array.shape[1] for array in coded.arrays()] == [4, 4, 4, 4, 3, 2]
    weight = coding.scored.index("weight")
    missing = columns.masks[columns.mask_of["weight"]]
    np.testing.assert_array_equal(coded.seen[:, weight] == 0, missing)
    assert (coded.point[missing, weight] == 0).all()


def test_scores_are_normal_in_every_stratum(coding, columns):
    coded = coding.coded(columns)
    height = coding.scored.index("height")
    for c in range(2):
        scores = coded.point[coding.strata == c, height]
        assert abs(scores.mean()) < 0.05
        assert abs(scores.std() - 1) < 0.1


def test_a_spike_is_an_interval_and_a_value_of_one_person_a_point(coding, columns):
    coded = coding.coded(columns)
    cost = coding.scored.index("cost")
    zero = columns.numbers["cost"] == 0
    assert (coded.low[zero, cost] == -FARTHEST).all()
    assert (coded.high[zero, cost] > coded.low[zero, cost]).all()
    values, counts = np.unique(columns.numbers["cost"], return_counts=True)
    alone = np.isin(columns.numbers["cost"], values[counts == 1])
    np.testing.assert_array_equal(coded.low[alone, cost], coded.high[alone, cost])


def test_places_give_back_range_and_spike(coding, columns):
    cost = coding.scored.index("cost")
    places = (np.arange(2000) + 0.5) / 2000
    for c in range(2):
        strata = np.full(2000, c, np.int32)
        values = coding.values(cost, places, strata)
        own = columns.numbers["cost"][coding.strata == c]
        assert values.min() == 0
        assert values.max() <= own.max()
        assert abs((values == 0).mean() - (own == 0).mean()) < 0.005
    mask = coding.values(3, places, np.zeros(2000, np.int32))
    assert set(mask) == {0.0, 1.0}


def test_the_ends_of_a_range_are_the_places_of_its_persons(coding, columns):
    height = coding.scored.index("height")
    low, high = coding.ends(height, 95.0, 105.0)
    own = columns.numbers["height"][coding.strata == 0]
    inside = ((own >= 95) & (own <= 105)).mean()
    assert high[0] - low[0] == pytest.approx(inside, abs=2 / len(own))


def test_the_column_that_tells_margins_is_found_and_no_other(columns):
    assert telling_stratum(columns) == "arm"
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"x": rng.normal(size=100), "town": rng.choice(["x", "y"], 100)})
    assert telling_stratum(Columns.of(Table.of(frame))) is None


@pytest.mark.parametrize("seed", range(5))
def test_where_no_margin_is_told_the_column_that_turns_a_slope_is_found(seed):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, 200))
    group, town = rng.choice(["a", "b", "c"], (2, 200))
    turned = np.where(group == "a", -x, x) + 0.8 * rng.normal(size=200)
    frame = pl.DataFrame({"x": x, "y": turned, "z": z, "town": town, "group": group})
    assert telling_stratum(Columns.of(Table.of(frame))) == "group"
    straight = frame.with_columns(y=pl.Series(x + 0.8 * rng.normal(size=200)))
    assert telling_stratum(Columns.of(Table.of(straight))) is None
