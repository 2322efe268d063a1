"""The metric that a decoder pulls back from what it says of persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from sosie.generators.artificial._metric import product

if TYPE_CHECKING:
    from collections.abc import Callable

    from jax import Array

__all__ = [
    "PullbackMetric",
    "bernoulli_root",
    "categorical_root",
    "gaussian_root",
    "probability_root",
]


@dataclass(frozen=True)
class PullbackMetric:
    r"""Fisher information of the decoder's law, as a metric of the latent space.

    .. math:: G(z) = J(z)' F(z) J(z) + \lambda I

    where J is the Jacobian of the decoder's parameters and F their Fisher information: a
    small move costs what it changes to the law of a person,
    :math:`KL(p_z \| p_{z + dz}) = \frac12 dz' (G - \lambda I) \, dz + o(|dz|^2)`.

    - F is given by a root: functions R of the parameters with
      :math:`R'^T R' = F`, so that G is the product of the Jacobian of :math:`R(z)` by
      itself. Each law of this module has one in closed form; roots of columns that are
      independent given z are concatenated.
    - G is large where the decoder changes fast; the sign is the opposite of
      :class:`CentroidMetric`'s, whose inverse is large near persons.

    Parameters
    ----------
    root : callable
        From one point (d,) to the roots of what the decoder says there, (m,).
    floor : float
        :math:`\lambda`, for directions that change nothing.

    References
    ----------
    .. [1] G. Arvanitidis, M. González-Duque, A. Pouplin, D. Kalatzis, S. Hauberg, "Pulling
       back information geometry", AISTATS 2022.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> metric = PullbackMetric(lambda z: gaussian_root(jnp.stack([z[0], 2 * z[1]]), 0.5))
    >>> metric.tensor(jnp.zeros((1, 2))).round(2).tolist()
    [[[4.0, 0.0], [0.0, 16.0]]]
    """

    root: Callable[[Array], Array]
    floor: float = 1e-4

    def tensor(self, z: Array) -> Array:
        """Compute G at points (b, d), of shape (b, d, d)."""
        # d forward derivatives: d is small, and m is not.
        jacobian = jax.vmap(jax.jacfwd(self.root))(z)
        d = z.shape[-1]
        return product(jacobian.mT, jacobian) + self.floor * jnp.eye(d, dtype=jacobian.dtype)

    def log_volume(self, z: Array) -> Array:
        """Compute log sqrt det G at points (b, d), of shape (b,): the volume element."""
        factor = jnp.linalg.cholesky(self.tensor(z))
        return jnp.log(jnp.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)


def gaussian_root(mean: Array, sigma: Array | float) -> Array:
    """Root of a normal law of known spread: its information is 1 / sigma^2."""
    return mean / sigma


def bernoulli_root(logit: Array) -> Array:
    """Root of a yes or no: of the logit, its information is p (1 - p).

    Examples
    --------
    >>> import jax
    >>> round(float(jax.grad(bernoulli_root)(0.0)) ** 2, 6)
    0.25
    """
    # 2 arcsin sqrt p; the arctangent of tanh keeps its slope at both ends.
    return 2 * jnp.arctan(jnp.tanh(logit / 4))


def categorical_root(logits: Array) -> Array:
    """Root of one of k levels: of the logits, its information is diag(p) - p p'."""
    return probability_root(jax.nn.log_softmax(logits))


def probability_root(log_probability: Array) -> Array:
    """Root of any law on levels, ordered or not, from their log probabilities.

    Twice the square root: the sum of the squares of its changes is the sum of dp^2 / p.
    """
    return 2 * jnp.exp(log_probability / 2)
