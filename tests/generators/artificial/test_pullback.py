"""The pull-back metric is the second order of the divergence between decoded laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sosie.generators.artificial._pullback import (
    PullbackMetric,
    bernoulli_root,
    categorical_root,
    gaussian_root,
    probability_root,
)  # fmt: skip

rng = np.random.default_rng(0)
IN, OUT = rng.normal(size=(6, 3)), 0.7 * rng.normal(size=(10, 6))
SIGMA = np.array([0.3, 1.5])


def parameters(z):
    """Two numbers, two yes or no, a category of three, an ordered one of four."""
    out = OUT @ jnp.tanh(IN @ z)
    cuts = jnp.array([-1.0, 0.2, 1.5])
    below = jnp.concatenate([jnp.zeros(1), jax.nn.sigmoid(cuts - out[7]), jnp.ones(1)])
    return out[:2], out[2:4], out[4:7], jnp.log(jnp.diff(below))


def root(z):
    mean, logit, logits, log_p = parameters(z)
    parts = [
        gaussian_root(mean, SIGMA), bernoulli_root(logit),
        categorical_root(logits), probability_root(log_p),
    ]  # fmt: skip
    return jnp.concatenate(parts)


def divergence(a, b):
    """KL between the laws decoded at two points."""
    (mean, logit, logits, log_p), (mean_b, logit_b, logits_b, log_p_b) = (
        parameters(a),
        parameters(b),
    )
    p = jax.nn.sigmoid(logit)
    same, other = jax.nn.log_softmax(logits), jax.nn.log_softmax(logits_b)
    return (
        (((mean - mean_b) / SIGMA) ** 2).sum() / 2
        + (p * (jax.nn.log_sigmoid(logit) - jax.nn.log_sigmoid(logit_b))).sum()
        + ((1 - p) * (jax.nn.log_sigmoid(-logit) - jax.nn.log_sigmoid(-logit_b))).sum()
        + (jnp.exp(same) * (same - other)).sum()
        + (jnp.exp(log_p) * (log_p - log_p_b)).sum()
    )


def test_metric_is_the_divergence_of_a_small_move():
    with jax.enable_x64(True):
        metric = PullbackMetric(root, floor=0.01)
        z = np.random.default_rng(1).normal(size=(4, 3))
        G = np.asarray(jax.jit(metric.tensor)(z)) - 0.01 * np.eye(3)
        kl = jax.jit(jax.vmap(divergence))
        for move in np.random.default_rng(2).normal(size=(5, 3)):
            quadratic = move @ G @ move / 2
            # Both ways at once: terms of odd order cancel, and what is left is O(h^2).
            gaps = [
                (kl(z, z + h * move) + kl(z, z - h * move)) / (2 * h**2) / quadratic - 1
                for h in (2e-2, 1e-2)
            ]
            np.testing.assert_allclose(gaps[1], 0, atol=2e-3)
            np.testing.assert_allclose(gaps[0], 4 * np.asarray(gaps[1]), rtol=0.05, atol=1e-6)


def test_roots_are_roots_of_the_known_information():
    logits = np.array([0.3, -1.0, 2.0], np.float32)
    J = np.asarray(jax.jit(jax.jacfwd(categorical_root))(logits))
    p = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(J.T @ J, np.diag(p) - np.outer(p, p), atol=1e-6)
    x = np.array([-60.0, -8.0, 0.4, 8.0, 60.0], np.float32)
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(bernoulli_root)))(x))
    p = 1 / (1 + np.exp(-x.astype(np.float64)))
    # Information itself, not its root, is what must be right to the last digits.
    np.testing.assert_allclose(slopes**2, p * (1 - p), rtol=1e-3, atol=1e-7)


def test_volume_is_that_of_the_tensor_and_flat_directions_have_the_floor():
    metric = PullbackMetric(lambda z: jnp.stack([3 * z[0], jnp.zeros(())]), floor=0.01)
    volume = metric.log_volume(jnp.zeros((1, 2)))
    assert float(volume[0]) == pytest.approx(np.log(9.01 * 0.01) / 2, rel=1e-5)
