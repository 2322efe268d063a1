"""Margins of a model's variables: even between persons, spikes and ends as they are."""

import numpy as np
import pytest
from scipy import stats

from sosie.generators.artificial._scale import Scale


def test_many_draws_show_no_person():
    """Places of drawn values between neighbouring persons are those of an even law: no holes.

    Where values kept off persons, or lay between two of them alone, the ends of what is drawn
    told the persons' values, the exacter the more was drawn.
    """
    values = np.sort(np.random.default_rng(2).lognormal(size=150))
    scale = Scale(number=True).fit(values, np.zeros(150, np.int32), 1)
    drawn = scale.quantile((np.arange(150_000) + 0.5) / 150_000, np.zeros(150_000, np.int32))
    assert (np.diff(drawn) >= 0).all()
    assert drawn.mean() == pytest.approx(values.mean(), rel=1e-3)
    assert drawn.std() == pytest.approx(values.std(), rel=0.02)
    gap = np.searchsorted(values, drawn)
    inner = (gap > 3) & (gap < 147)
    low, high = values[gap[inner] - 1], values[gap[inner]]
    place = (drawn[inner] - low) / (high - low)
    assert stats.kstest(place, "uniform").statistic < 0.05
    # Each gap has its share, so that no clusters of pairs are told from the holes beside them.
    shares = np.bincount(gap[inner], minlength=147)[4:]
    assert shares.min() > 0
    assert np.median(shares) == pytest.approx(1000, rel=0.2)


def test_spikes_stay():
    values = np.r_[np.zeros(60), np.random.default_rng(2).lognormal(size=90) + 1]
    scale = Scale(number=True).fit(values, np.zeros(150, np.int32), 1)
    drawn = scale.quantile((np.arange(15_000) + 0.5) / 15_000, np.zeros(15_000, np.int32))
    assert (drawn == 0).mean() == pytest.approx(0.4, abs=1e-3)
    assert drawn[drawn > 0].min() >= values[values > 0].min()
    assert drawn.max() <= values.max()


def test_the_places_between_two_values_are_those_of_values_between_them():
    """Halfway between two persons too: nothing drawn there has to be moved to an end."""
    rng = np.random.default_rng(4)
    values, strata = np.r_[rng.normal(size=60), rng.normal(3, 1, 60)], np.repeat([0, 1], 60)
    values[:12] = 0.25  # a spike, all of it within
    scale = Scale(number=True).fit(values, strata.astype(np.int32), 2)
    for low, high in [(0.25, 0.3), (0.2, 0.7), (2.0, 2.1), (-np.inf, 0.25), (2.5, np.inf)]:
        a, b = scale.between(low, high)
        places = np.linspace(0.0005, 0.9995, 2000)
        for c in (0, 1):
            drawn = scale.quantile(places, np.full(2000, c, np.int32))
            inside = (drawn >= low) & (drawn <= high)
            assert (inside == ((places >= a[c] - 1e-9) & (places <= b[c] + 1e-9))).all()


def test_the_end_comes_before_the_beginning_where_nobody_comes_as_far():
    values, strata = np.arange(60.0), np.repeat([0, 1], 30).astype(np.int32)
    a, b = Scale(number=True).fit(values, strata, 2).between(40.0, 45.0)
    assert (a <= b).tolist() == [False, True]
