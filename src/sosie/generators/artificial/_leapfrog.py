"""The generalised leapfrog: Hamiltonian steps that keep volume where the metric varies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from collections.abc import Callable

    from jax import Array

    from sosie.generators.artificial._metric import CentroidMetric, Local

__all__ = ["State", "hamiltonian", "leapfrog", "start", "tempering", "trajectory"]


class State(NamedTuple):
    """Where b trajectories are."""

    local: Local
    """The metric at their positions."""
    slope: Array
    """Gradient of the potential energy there, of shape (b, d)."""
    rho: Array
    """Momenta, of shape (b, d)."""
    residual: Array
    """Largest change in the last round of a fixed point so far, relative, of shape (b,).

    What is left to solve is less; a value that is not small says that the step is too long
    for the metric, so that volume is not kept.
    """


def start(slope: Callable[[Array], Array], metric: CentroidMetric, z: Array, rho: Array) -> State:
    """Place trajectories at ``z`` with momenta ``rho``, both of shape (b, d)."""
    return State(metric.at(z), slope(z), rho, jnp.zeros_like(z[:, 0]))


def hamiltonian(potential: Array, local: Local, rho: Array) -> Array:
    r"""Compute the energy :math:`U + \frac12 \rho' G^{-1} \rho + \frac12 \log\det G`.

    Parameters
    ----------
    potential : Array of shape (b,)
        U(z), minus a log density.
    local : Local
        The metric at z.
    rho : Array of shape (b, d)

    Returns
    -------
    Array of shape (b,)
    """
    kinetic = (rho * _moved(local.inverse, rho)).sum(-1)
    return potential + (kinetic - local.log_det_inverse) / 2


def leapfrog(
    slope: Callable[[Array], Array],
    metric: CentroidMetric,
    state: State,
    step_size: Array | float,
    iterations: int = 3,
) -> State:
    r"""Make one step of the generalised leapfrog.

    With :math:`H = U(z) + \frac12 \rho' G^{-1} \rho + \frac12 \log\det G`,

    .. math::

        \rho' &= \rho - \tfrac\epsilon2 \partial_z H(z, \rho') \\
        z^* &= z + \tfrac\epsilon2 [G^{-1}(z) + G^{-1}(z^*)] \rho' \\
        \rho^* &= \rho' - \tfrac\epsilon2 \partial_z H(z^*, \rho')

    - The first two equations are implicit and solved by fixed point; the metric of the
      second is that of the new point in every round, without which the step is an explicit
      Euler step that keeps neither volume nor time's symmetry.
    - Solved exactly, the step is symplectic, reversible, and its energy error over a fixed
      time is :math:`O(\epsilon^2)`. Rounds divide what is left by about
      :math:`\epsilon`: three leave :math:`O(\epsilon^4)`, which ``State.residual`` bounds.
    - One gradient of the potential and one factorisation of the metric a step.

    Parameters
    ----------
    slope : callable
        Gradient of U, (b, d) -> (b, d).
    metric : CentroidMetric
    state : State
    step_size : float
        :math:`\epsilon`.
    iterations : int
        Rounds of each fixed point.

    Returns
    -------
    State

    References
    ----------
    .. [1] B. Leimkuhler, S. Reich, "Simulating Hamiltonian dynamics", Cambridge, 2004.
    .. [2] M. Girolami, B. Calderhead, "Riemann manifold Langevin and Hamiltonian Monte
       Carlo methods", JRSS B 73(2), 2011.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from sosie.generators.artificial._metric import CentroidMetric
    >>> metric = CentroidMetric(jnp.zeros((1, 1)), jnp.zeros((1, 1, 1)), 1.0, 1.0)
    >>> spring = lambda z: z
    >>> state = start(spring, metric, jnp.ones((1, 1)), jnp.zeros((1, 1)))
    >>> state = leapfrog(spring, metric, state, 0.1)
    >>> round(float(state.local.position[0, 0]), 3), round(float(state.rho[0, 0]), 5)
    (0.995, -0.09975)
    """
    half_step = step_size / 2
    z, rho = state.local.position, state.rho

    def kick(now: Array) -> Array:
        return rho - half_step * (state.slope + metric.gradient(state.local, now))

    half, left = _solved(kick, rho, iterations)
    velocity = _moved(state.local.inverse, half)

    def drift(there: Array) -> Array:
        return z + half_step * (velocity + _moved(metric.inverse(there), half))

    arrived, left_there = _solved(drift, z + step_size * velocity, iterations)
    local = metric.at(arrived)
    pull = slope(arrived)
    end = half - half_step * (pull + metric.gradient(local, half))
    residual = jnp.maximum(state.residual, jnp.maximum(left, left_there))
    return State(local, pull, end, residual)


def tempering(beta: Array | float, steps: int) -> Array:
    r"""Give the factor of the momentum after each step, of shape (steps,).

    :math:`\sqrt{\beta_{k-1} / \beta_k}` with :math:`1/\sqrt{\beta_k}` going from
    :math:`1/\sqrt{\beta_0}` to 1 as the square of k. Their product is
    :math:`\sqrt{\beta_0}`, so that a trajectory multiplies volume by
    :math:`\beta_0^{d/2}` and by nothing else.

    Examples
    --------
    >>> [round(float(x), 3) for x in tempering(0.25, 2)]
    [0.875, 0.571]
    """
    hot = 1 / jnp.sqrt(beta)
    heat = (1 - hot) * (jnp.arange(steps + 1) / steps) ** 2 + hot
    return heat[1:] / heat[:-1]


def trajectory(
    slope: Callable[[Array], Array],
    metric: CentroidMetric,
    state: State,
    factors: Array,
    step_size: Array | float,
    iterations: int = 3,
) -> State:
    """Make one step for each of ``factors``, which multiply the momentum after it."""

    def step(state: State, factor: Array) -> tuple[State, None]:
        state = leapfrog(slope, metric, state, step_size, iterations)
        return state._replace(rho=factor * state.rho), None

    return jax.lax.scan(step, state, factors.astype(state.rho.dtype))[0]


def _solved(step: Callable[[Array], Array], first: Array, rounds: int) -> tuple[Array, Array]:
    """Find a fixed point of ``step``, and how much its last round changed."""

    def body(_: int, pair: tuple[Array, Array]) -> tuple[Array, Array]:
        return step(pair[0]), pair[0]

    found, before = jax.lax.fori_loop(0, rounds, body, (first, first), unroll=rounds <= 4)
    change = jnp.abs(found - before).max(-1) / (1 + jnp.abs(found).max(-1))
    return found, jax.lax.stop_gradient(change)


def _moved(matrices: Array, vectors: Array) -> Array:
    """Apply matrices (b, d, d) to vectors (b, d): a sum, exact on any device."""
    return (matrices * vectors[:, None, :]).sum(-1)
