import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from sosie.evidence._intervals import (
    auc_interval,
    auc_of,
    clopper_pearson,
    difference_interval,
    wilson,
)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (3, 20), (50, 100), (99, 100), (100, 100)])
def test_proportions_as_statsmodels_has_them(k, n):
    assert wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    assert clopper_pearson(k, n) == pytest.approx(
        proportion_confint(k, n, method="beta"), abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize(
    "counts", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 20, 0, 10), (10, 10, 0, 20)]
)
def test_difference_as_newcombe_published_it(counts):
    # Newcombe 1998, table II, method 10; statsmodels implements it independently.
    theirs = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert difference_interval(*counts) == pytest.approx(theirs, abs=1e-10)


def test_area_as_scikit_learn_has_it(rng):
    ours, theirs = rng.integers(0, 9, 40).astype(float), rng.integers(0, 7, 60).astype(float)
    labels, scores = np.r_[np.ones(40), np.zeros(60)], np.r_[ours, theirs]
    assert auc_of(ours, theirs) == pytest.approx(roc_auc_score(labels, scores))


def test_area_interval_is_delongs(rng):
    ours, theirs = rng.normal(1, 1, 30), rng.normal(0, 1, 50)
    above = (ours[:, None] > theirs).astype(float)
    variance = above.mean(axis=1).var(ddof=1) / 30 + above.mean(axis=0).var(ddof=1) / 50
    half = stats.norm.ppf(0.975) * np.sqrt(variance)
    assert auc_interval(ours, theirs) == pytest.approx((above.mean() - half, above.mean() + half))


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_intervals_cover(share, rng):
    n, m, runs = 150, 100, 1500
    one, other = rng.binomial(n, share, runs), rng.binomial(m, share, runs)
    exact = [clopper_pearson(int(k), n) for k in one]
    assert np.mean([low <= share <= high for low, high in exact]) > 0.94
    pairs = zip(one, other, strict=True)
    apart = [difference_interval(int(k), n, int(j), m) for k, j in pairs]
    assert np.mean([low <= 0 <= high for low, high in apart]) > 0.93


def test_area_intervals_cover(rng):
    truth = stats.norm.cdf(1 / np.sqrt(2))
    pairs = [auc_interval(rng.normal(1, 1, 60), rng.normal(0, 1, 40)) for _ in range(600)]
    assert 0.92 < np.mean([low <= truth <= high for low, high in pairs]) < 0.98
