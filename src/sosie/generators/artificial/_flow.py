"""Riemannian Hamiltonian flow in the encoder, and the bound that it gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

from sosie.generators.artificial._leapfrog import hamiltonian, start, tempering, trajectory

if TYPE_CHECKING:
    from collections.abc import Callable

    from jax import Array

    from sosie.generators.artificial._metric import CentroidMetric

__all__ = ["Flowed", "bound", "flow"]


class Flowed(NamedTuple):
    """Where a draw of the encoder went, and what it says of log p(x)."""

    z0: Array
    """Draws of the encoder, of shape (b, d)."""
    rho0: Array
    """Their momenta, of shape (b, d)."""
    z: Array
    """Where they arrived, of shape (b, d)."""
    rho: Array
    """With what momenta, of shape (b, d)."""
    bound: Array
    """Lower bound on log p(x), one draw of it, of shape (b,)."""
    residual: Array
    """What the implicit steps left unsolved, relative, of shape (b,): see ``State``."""


def flow(
    key: Array,
    log_joint: Callable[[Array], Array],
    metric: CentroidMetric,
    mu: Array,
    log_sigma: Array,
    *,
    steps: int = 3,
    step_size: Array | float = 0.01,
    beta: Array | float = 1.0,
    iterations: int = 3,
) -> Flowed:
    r"""Draw from the encoder and let a Hamiltonian flow take the draw towards p(z | x).

    :math:`z_0 = \mu + \sigma\epsilon`, :math:`\rho_0 \sim N(0, G(z_0) / \beta_0)`, then
    ``steps`` steps of :func:`leapfrog` on
    :math:`H = -\log p(x, z) + \frac12 \rho' G^{-1} \rho + \frac12 \log\det G`, with
    tempering. The flow changes volume by :math:`\beta_0^{d/2}`, hence the draw of the bound

    .. math::

        \log p(x, z_K) + \log N(\rho_K; 0, G(z_K)) - \log q(z_0 | x)
        - \log N(\rho_0; 0, G(z_0) / \beta_0) + \tfrac d2 \log \beta_0

    in which :math:`\beta_0` and the momenta's :math:`2\pi` cancel.

    - Its mean is at most log p(x), and the mean of its exponential is p(x), whatever the
      metric: to inflate the metric gains nothing, since :math:`\frac12 \log\det G(z_0)` is
      there (as far as the implicit steps are solved: ``residual``).
    - Without steps it is the plain bound of a variational auto-encoder.
    - Constants are all in, so that values compare between models if ``log_joint`` has its
      own.

    Parameters
    ----------
    key : Array
        Random key of JAX.
    log_joint : callable
        log p(x, z) of the b persons at their z, (b, d) -> (b,), each from its own row only.
    metric : CentroidMetric
    mu, log_sigma : Array of shape (b, d)
        What the encoder says of each person.
    steps : int
        K, fixed when compiled.
    step_size : float
    beta : float
        :math:`\beta_0`, in (0, 1]; 1 is without tempering. (Published settings of 0.3 are its
        square root: 0.09.)
    iterations : int
        Rounds of each implicit equation.

    Returns
    -------
    Flowed

    References
    ----------
    .. [1] A. L. Caterini, A. Doucet, D. Sejdinovic, "Hamiltonian variational auto-encoder",
       NeurIPS 2018.
    .. [2] C. Chadebec, C. Mantoux, S. Allassonnière, "Geometry-aware Hamiltonian
       variational auto-encoder", arXiv:2010.11518, 2020.

    Examples
    --------
    With p(z) and p(x | z) standard normal and x = 0, log p(x) is -1.266.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> from sosie.generators.artificial._metric import CentroidMetric
    >>> metric = CentroidMetric(jnp.zeros((1, 1)), jnp.ones((1, 1, 1)), 1.0, 0.1)
    >>> def log_joint(z):
    ...     return -(z**2).sum(1) - math.log(2 * math.pi)
    >>> def draw(key, mu):
    ...     return flow(key, log_joint, metric, mu, mu, step_size=0.3).bound
    >>> draws = jax.jit(draw)(jax.random.key(0), jnp.zeros((5_000, 1)))
    >>> round(float(draws.mean()), 1)
    -1.4
    """
    d = mu.shape[1]
    key_z, key_rho = jax.random.split(key)
    epsilon = jax.random.normal(key_z, mu.shape, mu.dtype)
    gamma = jax.random.normal(key_rho, mu.shape, mu.dtype)

    def slope(z: Array) -> Array:
        return jax.grad(lambda there: -log_joint(there).sum())(z)

    z0 = mu + jnp.exp(log_sigma) * epsilon
    first = metric.at(z0)
    rho0 = metric.momentum(first, gamma)
    log_q = -(epsilon**2).sum(1) / 2 - log_sigma.sum(1) - d / 2 * math.log(2 * math.pi)
    if steps == 0:  # no time to cool down: there is no tempering, and momenta cancel out
        return Flowed(z0, rho0, z0, rho0, log_joint(z0) - log_q, jnp.zeros_like(log_q))

    rho0 = rho0 / jnp.sqrt(beta)
    state = start(slope, metric, z0, rho0)
    state = trajectory(slope, metric, state, tempering(beta, steps), step_size, iterations)
    z, rho = state.local.position, state.rho
    log_momentum0 = -((gamma**2).sum(1) - first.log_det_inverse) / 2
    energy = hamiltonian(-log_joint(z), state.local, rho)
    return Flowed(z0, rho0, z, rho, -energy - log_q - log_momentum0, state.residual)


def bound(
    key: Array,
    log_joint: Callable[[Array], Array],
    metric: CentroidMetric,
    mu: Array,
    log_sigma: Array,
    *,
    steps: int = 3,
    step_size: Array | float = 0.01,
    beta: Array | float = 1.0,
    iterations: int = 3,
) -> Array:
    """Draw the lower bound on log p(x) that :func:`flow` gives, of shape (b,)."""
    return flow(
        key, log_joint, metric, mu, log_sigma,
        steps=steps, step_size=step_size, beta=beta, iterations=iterations,
    ).bound  # fmt: skip
