"""Draws of the latent law, against integrals of its density."""

import numpy as np
import pytest
from scipy.stats import kstest

from sosie.generators.artificial._hmc import hmc
from sosie.generators.artificial._metric import CentroidMetric
from sosie.generators.artificial._mixture import Mixture
from sosie.generators.artificial._sampling import Latents
from sosie.generators.artificial._volume import Volume


def invented(d, k=12, seed=0):
    """A few persons in two groups, and a metric on them."""
    rng = np.random.default_rng(seed)
    mu = rng.normal(size=(k, d)) + 2.5 * (np.arange(k) % 3 == 0)[:, None]
    factors = np.tril(rng.normal(0, 0.2, (k, d, d))) + 0.6 * np.eye(d)
    metric = CentroidMetric(mu, factors @ factors.transpose(0, 2, 1), 0.9, 0.01)
    return Latents(mu, rng.uniform(0.2, 0.5, (k, d)), rng.uniform(0.5, 2, k)), metric


def density(latents, metric, z, alpha, threshold):
    """The target by its definition, one point at a time."""
    out = np.empty(len(z))
    for i, point in enumerate(z):
        gaps = (point - latents.mu) / latents.sigma
        laws = np.exp(-(gaps**2).sum(1) / 2) / (latents.sigma * np.sqrt(2 * np.pi)).prod(1)
        aggregate = latents.weights @ laws
        kernel = np.exp(-((point - metric.centroids) ** 2).sum(1) / metric.temperature**2)
        inverse = np.tensordot(kernel, metric.matrices, 1) + metric.floor * np.eye(z.shape[1])
        out[i] = aggregate ** (1 - alpha) * np.sqrt(np.linalg.det(inverse)) ** alpha
        out[i] *= np.log(kernel.sum()) >= threshold
    return out


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_draws_on_a_line_follow_the_density(alpha):
    latents, metric = invented(1)
    draws = latents.resampled(np.random.default_rng(1), 4000, alpha, metric)
    assert draws.z.shape == (4000, 1)
    assert 0.5 < draws.ess <= 1
    assert 0 < draws.heaviest < 0.01
    line = np.linspace(-6, 9, 6001)
    threshold = latents.target(alpha, metric).threshold
    cdf = np.cumsum(density(latents, metric, line[:, None], alpha, threshold))
    test = kstest(draws.z[:, 0], lambda x: np.interp(x, line, cdf / cdf[-1]))
    assert test.pvalue > 0.001


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_draws_in_a_plane_and_chains_agree_with_the_integral(alpha):
    latents, metric = invented(2)
    target = latents.target(alpha, metric)
    axis = np.arange(-6, 9, 0.12)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    mass = density(latents, metric, grid, alpha, target.threshold)
    mass /= mass.sum()
    mean = mass @ grid
    covariance = (grid - mean).T @ ((grid - mean) * mass[:, None])
    size = np.trace(covariance) ** 0.5

    draws = latents.resampled(np.random.default_rng(2), 4000, alpha, metric)
    chains = hmc(target, np.random.default_rng(3), 500, warmup=40, moves=50)
    assert 0.3 < draws.ess <= 1
    assert 0.65 < chains.acceptance < 0.95
    for z in (draws.z, chains.z):
        error = 4 * size / len(z) ** 0.5
        assert np.isfinite(target.log_density(z)).all()
        assert np.abs(z.mean(0) - mean).max() < error
        assert np.abs(np.cov(z.T) - covariance).max() < 1.5 * size * error


def test_alpha_zero_is_the_aggregate_and_spread_widens_it():
    latents, _ = invented(2)
    draws = latents.resampled(np.random.default_rng(4), 1000, 0.0)
    assert np.array_equal(draws.z, latents.aggregate(np.random.default_rng(4), 1000))
    assert draws.ess == 1
    weights, mu = latents.weights, latents.mu
    between = np.cov(mu.T, aweights=weights, bias=True).diagonal()
    for spread in (1.0, 3.0):
        z = latents.aggregate(np.random.default_rng(5), 40_000, spread)
        np.testing.assert_allclose(z.mean(0), weights @ mu, atol=0.05)
        expected = between + spread**2 * weights @ latents.sigma**2
        np.testing.assert_allclose(z.var(0), expected, rtol=0.05)


@pytest.mark.parametrize(("alpha", "d"), [(0.5, 3), (1.0, 8)])
def test_gradient_is_that_of_the_density(alpha, d):
    """The published sampler's is too small by about d."""
    latents, metric = invented(d)
    target = latents.target(alpha, metric)
    z = latents.mu[:4] + 0.1
    found = target.gradient(z)
    for j, move in enumerate(1e-5 * np.eye(d)):
        slope = (target.log_density(z + move) - target.log_density(z - move)) / 2e-5
        np.testing.assert_allclose(found[:, j], slope, rtol=1e-5, atol=1e-6)


def test_draws_stay_near_persons_and_are_worth_something_in_ten_dimensions():
    rng = np.random.default_rng(6)
    mu = rng.normal(size=(200, 10))
    metric = CentroidMetric(mu, np.tile(np.eye(10) / 4, (200, 1, 1)), 1.5, 0.01)
    latents = Latents(mu, np.full((200, 10), 0.3))
    draws = latents.resampled(np.random.default_rng(7), 500, 1.0, metric)
    assert 0.1 < draws.ess <= 1
    near = Volume(metric).log_volume(draws.z)[1]
    assert (near >= latents.target(1.0, metric).threshold).all()
    again = latents.resampled(np.random.default_rng(7), 500, 1.0, metric)
    assert np.array_equal(draws.z, again.z)


def test_mixture_is_exact_by_blocks(monkeypatch):
    latents, _ = invented(3)
    z = latents.aggregate(np.random.default_rng(8), 50)
    law = latents.law()
    whole, slope = law.gradient(z)
    monkeypatch.setattr("sosie.generators.artificial._mixture._CELLS", 100)
    np.testing.assert_allclose(law.log_density(z), whole)
    np.testing.assert_allclose(law.gradient(z)[1], slope)
    assert law.shares(z, np.full(50, 0.02)).sum() == pytest.approx(1)
    far = Mixture(np.zeros((1, 2)), np.ones((1, 2)), np.ones(1)).log_density(np.full((1, 2), 1e3))
    assert far[0] == pytest.approx(-1e6 - np.log(2 * np.pi))


def test_what_cannot_be_is_refused():
    latents, metric = invented(2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        latents.target(1.2, metric)
    with pytest.raises(ValueError, match="a metric is needed"):
        latents.target(0.5)
