"""The metric by its formula, and its gradients by finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sosie.generators.artificial._metric import CentroidMetric


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def invented(k=7, d=3, seed=0):
    rng = np.random.default_rng(seed)
    factors = np.tril(rng.normal(0, 0.5, (k, d, d))) + np.eye(d)
    matrices = jnp.asarray(factors @ factors.transpose(0, 2, 1))
    return CentroidMetric(jnp.asarray(rng.normal(size=(k, d))), matrices, 1.3, 0.02)


def energy(metric, z, rho):
    """1/2 rho' G^-1 rho - 1/2 log det G^-1 of one point, by the formula."""
    weights = np.exp(-((z - metric.centroids) ** 2).sum(1) / metric.temperature**2)
    inverse = np.tensordot(weights, metric.matrices, 1) + metric.floor * np.eye(len(z))
    return rho @ inverse @ rho / 2 - np.linalg.slogdet(inverse)[1] / 2


def test_metric_and_gradients_agree_with_the_formula_and_finite_differences():
    metric = invented()
    rng = np.random.default_rng(1)
    z, rho = rng.normal(size=(2, 5, 3))

    @jax.jit
    def everything(metric, z, rho):
        local = metric.at(z)
        return local, metric.gradient(local, rho), metric.grad_log_det(z)

    local, gradient, slope = everything(metric, z, rho)
    no = np.zeros(3)
    for i in range(5):
        inverse = np.linalg.inv(local.tensor[i])
        assert inverse == pytest.approx(np.asarray(local.inverse[i]))
        assert energy(metric, z[i], rho[i]) == pytest.approx(
            float(rho[i] @ local.inverse[i] @ rho[i] - local.log_det_inverse[i]) / 2
        )
        for j, move in enumerate(1e-5 * np.eye(3)):
            up, down = energy(metric, z[i] + move, rho[i]), energy(metric, z[i] - move, rho[i])
            assert (up - down) / 2e-5 == pytest.approx(float(gradient[i, j]), rel=1e-6, abs=1e-8)
            up, down = energy(metric, z[i] + move, no), energy(metric, z[i] - move, no)
            assert -(up - down) / 1e-5 == pytest.approx(float(slope[i, j]), rel=1e-6, abs=1e-8)


def test_derivatives_through_the_inverse_are_those_of_autodiff():
    """The hand-written rule, first and second order, in the points and in the matrices."""
    metric = invented(k=4, d=2)
    z = jnp.asarray(np.random.default_rng(2).normal(size=(2, 2)))

    def by_hand(matrices, z):
        local = metric._replace(matrices=matrices).at(z)
        return (local.log_det_inverse + local.tensor.sum((1, 2))).sum()

    def by_jax(matrices, z):
        inverse = metric._replace(matrices=matrices).inverse(z)
        return (jnp.linalg.slogdet(inverse)[1] + jnp.linalg.inv(inverse).sum((1, 2))).sum()

    def derivatives(f):
        return jax.jit(lambda m, z: (jax.grad(f)(m, z), jax.hessian(f, 1)(m, z)))

    found = derivatives(by_hand)(metric.matrices, z)
    expected = derivatives(by_jax)(metric.matrices, z)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("d", [1, 32])
def test_inverse_is_positive_definite_and_far_away_is_the_floor(d):
    with jax.enable_x64(False):
        metric = invented(k=50, d=d)
        z = np.concatenate([metric.centroids[:4] + 0.1, np.full((1, d), 1e3)])
        both = jax.jit(CentroidMetric.at)(metric, z.astype(np.float32))
        assert np.array_equal(both.inverse[-1], np.float32(0.02) * np.eye(d, dtype=np.float32))
        assert float(both.log_det_inverse[-1]) == pytest.approx(d * np.log(0.02), rel=1e-5)
    inverse = np.asarray(both.inverse, np.float64)
    np.testing.assert_allclose(inverse, inverse.transpose(0, 2, 1), rtol=1e-5, atol=1e-5)
    assert np.linalg.eigvalsh(inverse).min() > 0.019
    assert np.linalg.slogdet(inverse)[1] == pytest.approx(
        np.asarray(both.log_det_inverse), rel=1e-4, abs=1e-4
    )


def test_momenta_have_the_covariance_of_the_metric_at_the_point():
    metric = invented(d=2)
    gamma = np.random.default_rng(0).normal(size=(40_000, 2))

    @jax.jit
    def drawn(metric, z, gamma):
        local = metric.at(z)
        return local.tensor, metric.momentum(local, gamma)

    tensors, rho = drawn(metric, np.full((40_000, 2), 0.3), gamma)
    tensor = np.asarray(tensors[0])
    assert np.cov(rho.T) == pytest.approx(tensor, abs=0.02 * np.trace(tensor))
