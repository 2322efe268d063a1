"""Likelihoods against SciPy, and draws against likelihoods."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import kstest, norm, truncnorm

from sosie.generators.artificial._likelihoods import (
    drawn_levels,
    drawn_scores,
    log_levels,
    log_scores,
)


def _one(mean, sigma, low, high):
    arrays = (jnp.full((1, 1), v, jnp.float32) for v in (low, high))
    return log_scores(jnp.full((1, 1), mean, jnp.float32), jnp.array([sigma]), *arrays)[0, 0]


def test_a_point_has_a_density():
    assert _one(0.3, 0.5, 1.1, 1.1) == pytest.approx(norm.logpdf(1.1, 0.3, 0.5), rel=1e-5)


@pytest.mark.parametrize(
    ("mean", "low", "high"), [(0, -1, 1), (0, -6, -2), (0, 2, 6), (1, 0.9, 1.0), (-2, 1, 6)]
)
def test_an_interval_has_a_probability(mean, low, high):
    exact = np.log(norm.sf((low - mean) / 0.7) - norm.sf((high - mean) / 0.7))
    assert _one(mean, 0.7, low, high) == pytest.approx(exact, rel=2e-3, abs=2e-4)


def test_far_tails_have_finite_slopes():
    for low, high in ((5, 6), (-6, -5), (-6, 6), (2, 2)):
        slope = jax.grad(_one)(0.0, 0.05, float(low), float(high))
        assert np.isfinite(slope)
    assert _one(0.0, 0.05, 5.0, 6.0) < _one(4.0, 0.05, 5.0, 6.0) < _one(5.5, 0.05, 5.0, 6.0)


def test_levels_of_several_columns_and_missing_ones():
    logits = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    level = np.array([[1, 0, 0, 1, 0], [0, 0, 0, 0, 1]], np.float32)  # the second misses one
    found = log_levels(jnp.asarray(logits), jnp.asarray(level), (2, 3))
    first = log_softmax(logits[0, :2])[0] + log_softmax(logits[0, 2:])[1]
    second = log_softmax(logits[1, 2:])[2]
    np.testing.assert_allclose(found, [first, second], rtol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (3.0, 9.0), (-9.0, -2.0)])
def test_scores_between_ends_are_truncated_normal(low, high):
    rng, m = np.random.default_rng(0), 4000
    drawn = drawn_scores(np.zeros(m), 0.8, rng, np.full(m, low), np.full(m, high))
    assert drawn.min() >= low
    assert drawn.max() <= high
    assert kstest(drawn, truncnorm(low / 0.8, high / 0.8, scale=0.8).cdf).pvalue > 0.001


def test_levels_are_drawn_as_often_as_said():
    share = np.array([0.2, 0.5, 0.3])
    drawn = drawn_levels(np.tile(np.log(share), (5000, 1)), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(drawn) / 5000, share, atol=0.02)
