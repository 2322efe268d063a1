"""The generalised leapfrog keeps volume, time's symmetry, and energy to second order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sosie.generators.artificial._leapfrog import (
    hamiltonian,
    leapfrog,
    start,
    tempering,
    trajectory,
)  # fmt: skip
from sosie.generators.artificial._metric import CentroidMetric


def slope(z):
    return z + 0.3 * jnp.cos(3 * z)


def potential(z):
    return (z**2 / 2 + 0.1 * jnp.sin(3 * z)).sum(1)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def metric():
    rng = np.random.default_rng(0)
    factors = np.tril(rng.normal(0, 0.5, (6, 2, 2))) + np.eye(2)
    return CentroidMetric.of_factors(
        jnp.asarray(rng.normal(size=(6, 2))), jnp.asarray(factors), 1.2, 0.1
    )


@jax.jit
def exact_step(metric, z, rho, step_size):
    state = leapfrog(slope, metric, start(slope, metric, z, rho), step_size, iterations=40)
    return state.local.position, state.rho, state.residual


Z = np.array([[0.4, -0.2], [-0.7, 0.5]])
RHO = np.array([[0.5, -0.3], [0.2, 0.8]])


def test_step_is_reversible(metric):
    z, rho, residual = exact_step(metric, Z, RHO, 0.1)
    assert residual.max() < 1e-12
    assert np.abs(z - Z).max() > 0.02
    back, turned, _ = exact_step(metric, z, -rho, 0.1)
    np.testing.assert_allclose(back, Z, rtol=1e-9)
    np.testing.assert_allclose(-turned, RHO, rtol=1e-9)


def test_three_rounds_are_reversible_in_float32(metric):
    """What training runs: the default rounds, at the step of the published settings."""
    with jax.enable_x64(False):
        metric = jax.tree.map(lambda leaf: jnp.float32(leaf), metric)
        step = jax.jit(lambda z, rho: leapfrog(slope, metric, start(slope, metric, z, rho), 0.01))
        there = step(jnp.float32(Z), jnp.float32(RHO))
        back = step(there.local.position, -there.rho)
    assert np.abs(back.local.position - Z).max() < 1e-6
    assert np.abs(-back.rho - RHO).max() < 1e-6
    assert there.residual.max() < 1e-5


def jacobian(step, metric, step_size):
    def flat(x):
        z, rho = step(metric, x[None, :2], x[None, 2:], step_size)[:2]
        return jnp.concatenate([z[0], rho[0]])

    return np.asarray(jax.jit(jax.jacfwd(flat))(np.concatenate([Z[0], RHO[0]])))


def test_step_is_symplectic_hence_keeps_volume(metric):
    J = jacobian(exact_step, metric, 0.15)
    form = np.block([[np.zeros((2, 2)), np.eye(2)], [-np.eye(2), np.zeros((2, 2))]])
    assert np.linalg.det(J) == pytest.approx(1, abs=1e-10)
    np.testing.assert_allclose(J.T @ form @ J, form, atol=1e-10)
    # The step did curve: with the metric of the old point alone volume would change.
    assert np.abs(J - np.eye(4)).max() > 0.1


def test_position_is_implicit_in_the_new_metric(metric):
    """The published code keeps the old point's metric: an explicit Euler step."""

    @jax.jit
    def velocities(metric, z, rho):
        end = metric.at(z)

        def kick(_, half):
            return rho + 0.05 * (slope(z) + metric.gradient(end, half))

        half = jax.lax.fori_loop(0, 60, kick, rho)  # of the half step, from the end
        return [jnp.einsum("bij,bj->bi", metric.inverse(where), half) for where in (Z, z)]

    z, rho, _ = exact_step(metric, Z, RHO, 0.1)
    moved = velocities(metric, z, rho)
    np.testing.assert_allclose(z - Z, 0.05 * (moved[0] + moved[1]), rtol=1e-9)
    assert np.abs(z - Z - 0.1 * moved[0]).max() > 1e-4


def test_energy_error_is_of_second_order(metric):
    sizes = np.array([0.1, 0.05, 0.025, 0.0125])

    @jax.jit
    def worst(step_size, steps):
        def body(_, carry):
            state, error = carry
            state = leapfrog(slope, metric, state, step_size, iterations=6)
            gap = jnp.abs(energy(state) - energy(first)).max()
            return state, jnp.maximum(error, gap)

        def energy(state):
            return hamiltonian(potential(state.local.position), state.local, state.rho)

        first = start(slope, metric, jnp.asarray(Z), jnp.asarray(RHO))
        return jax.lax.fori_loop(0, steps, body, (first, jnp.zeros(())))[1]

    errors = [float(worst(size, round(1 / size))) for size in sizes]
    order = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert 1.8 < order < 2.3


def test_tempering_cools_to_one_and_changes_volume_by_its_constant(metric):
    factors = tempering(0.2, 4)
    assert float(jnp.prod(factors)) == pytest.approx(0.2**0.5)
    heat = np.concatenate([[1], np.cumprod(factors)]) / 0.2**0.5
    expected = (1 - 0.2**-0.5) * (np.arange(5) / 4) ** 2 + 0.2**-0.5
    np.testing.assert_allclose(heat, expected)
    assert tempering(1.0, 3).tolist() == [1, 1, 1]

    def run(metric, z, rho, step_size):
        state = start(slope, metric, z, rho)
        state = trajectory(slope, metric, state, factors, step_size, iterations=40)
        return state.local.position, state.rho

    assert np.linalg.det(jacobian(run, metric, 0.1)) == pytest.approx(0.2, rel=1e-8)
