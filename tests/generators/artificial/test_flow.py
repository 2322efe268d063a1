"""The bound is a bound, with every constant: against models whose log p(x) is known."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sosie.generators.artificial._flow import bound, flow
from sosie.generators.artificial._metric import CentroidMetric

# x = W z + noise: log p(x) is that of a normal law.
W = np.array([[1.0, 0.5], [-0.3, 0.8], [0.4, -1.0]])
NOISE = 0.7
X = np.array([0.9, -0.6, 1.1])
EVIDENCE = multivariate_normal(np.zeros(3), W @ W.T + NOISE**2 * np.eye(3)).logpdf(X)
PRECISION = np.eye(2) + W.T @ W / NOISE**2
MEAN = np.linalg.solve(PRECISION, W.T @ X / NOISE**2)
MU = np.array([MEAN[0] + 0.2, MEAN[1] - 0.1])
LOG_SIGMA = np.log([0.5, 0.4])


def log_joint(z):
    prior = -(z**2).sum(1) / 2 - math.log(2 * math.pi)
    gap = (X.astype(z.dtype) - z @ W.T.astype(z.dtype)) / NOISE
    return prior - (gap**2).sum(1) / 2 - 3 * math.log(NOISE * (2 * math.pi) ** 0.5)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def metric_of(scale=1.0, temperature=1.0):
    rng = np.random.default_rng(0)
    factors = np.tril(rng.normal(0, 0.2, (5, 2, 2))) + 0.5 * np.eye(2)
    return CentroidMetric.of_factors(
        jnp.asarray(MEAN + rng.normal(size=(5, 2))),
        jnp.asarray(scale**0.5 * factors), temperature, 0.05,
    )  # fmt: skip


N = 20_000


@jax.jit
def drawn(key, metric, step_size, beta, mu, log_sigma):
    """Bounds of the same person, from N draws, with implicit steps solved."""
    mu, log_sigma = jnp.broadcast_to(mu, (N, 2)), jnp.broadcast_to(log_sigma, (N, 2))
    return flow(
        key, log_joint, metric, mu, log_sigma,
        steps=3, step_size=step_size, beta=beta, iterations=12,
    )  # fmt: skip


def plain_bound():
    """E log p(x, z) - E log q(z), in closed form."""
    sigma2 = np.exp(2 * LOG_SIGMA)
    fit = -((X - W @ MU) ** 2).sum() / (2 * NOISE**2) - (W**2 @ sigma2).sum() / (2 * NOISE**2)
    fit -= 3 * np.log(NOISE * np.sqrt(2 * np.pi))
    return fit + (0.5 + LOG_SIGMA - (MU**2 + sigma2) / 2).sum()


def test_without_steps_it_is_the_plain_bound():
    @jax.jit
    def plain(mu, log_sigma):
        return bound(jax.random.key(0), log_joint, metric_of(), mu, log_sigma, steps=0, beta=0.3)

    values = plain(np.tile(MU, (200_000, 1)), np.tile(LOG_SIGMA, (200_000, 1)))
    assert values.mean() == pytest.approx(plain_bound(), abs=4 * float(values.std()) / 200_000**0.5)


@pytest.mark.parametrize(
    ("scale", "temperature", "step_size", "beta"),
    [
        (1, 1.0, 0.01, 1.0),
        (1, 1.0, 0.1, 1.0),
        (1, 0.7, 0.08, 0.3),  # tempered
        (0.05, 2.0, 0.2, 0.5),
        (1000, 1.0, 0.003, 1.0),  # inflated, which the published loss is paid for
        (1000, 1.0, 0.002, 0.5),
    ],
)
def test_it_is_a_bound_and_its_exponential_is_unbiased(scale, temperature, step_size, beta):
    """Mean of bounds <= log p(x); log-mean-exp of them -> log p(x), from below."""
    draws = drawn(jax.random.key(1), metric_of(scale, temperature), step_size, beta, MU, LOG_SIGMA)
    values = np.asarray(draws.bound)
    assert draws.residual.max() < 1e-4
    assert np.abs(draws.z - draws.z0).max() > 0.005
    assert values.mean() + 4 * values.std() / N**0.5 < EVIDENCE

    ratios = np.exp(values - EVIDENCE)
    error = ratios.std() / N**0.5
    assert error < 0.05
    assert ratios.mean() == pytest.approx(1, abs=4 * error)
    # Averages of more draws are nearer, from below.
    by = [np.log(ratios.reshape(-1, k).mean(1)).mean() for k in (1, 10, 100)]
    assert by[0] < by[1] < by[2] < 4 * error


def test_the_flow_tightens_the_bound_of_a_poor_encoder():
    """Tempered, it takes draws of the prior towards the posterior."""
    flat = CentroidMetric(jnp.zeros((5, 2)), jnp.zeros((5, 2, 2)), 1.0, 1.0)
    prior = np.zeros(2)
    still, moved = (
        drawn(jax.random.key(2), flat, size, 0.4, prior, prior).bound.mean() for size in (0.0, 0.3)
    )
    assert still + 1 < moved < EVIDENCE


def test_first_momenta_follow_the_metric_where_the_draw_stands():
    metric = metric_of()
    draws = drawn(jax.random.key(3), metric, 0.01, 0.25, MU, LOG_SIGMA)
    moved = np.einsum("bij,bj->bi", metric.inverse(draws.z0), draws.rho0)
    # rho' G^-1 rho is chi-squared, divided by beta, whatever the point.
    assert 0.25 * (moved * draws.rho0).sum(1).mean() == pytest.approx(2, abs=4 * 2 / N**0.5)


def test_gradients_go_through_the_flow_in_float32():
    """A finite derivative in the matrices, the encoder and the decoder, as trained."""
    with jax.enable_x64(False):
        metric = jax.tree.map(jnp.float32, metric_of())

        def loss(mu, matrices, scale):
            return -bound(
                jax.random.key(0), lambda z: log_joint(scale * z),
                metric._replace(matrices=matrices), mu, jnp.full_like(mu, -1.0),
            ).mean()  # fmt: skip

        arguments = jnp.zeros((4, 2)), metric.matrices, jnp.float32(1.1)
        value, slopes = jax.jit(jax.value_and_grad(loss, (0, 1, 2)))(*arguments)
    assert np.isfinite(value)
    assert all(np.isfinite(slope).all() and np.abs(slope).max() > 0 for slope in slopes)
