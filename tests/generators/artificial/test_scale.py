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
