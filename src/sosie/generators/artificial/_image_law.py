"""Likelihood of pixels: normal with a spread of their own, and cut to 0 and 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
from jax.scipy.special import log_ndtr

from sosie.generators.artificial._image_networks import decode, encode, noise, prior

if TYPE_CHECKING:
    from jax import Array

    Params = dict[str, Array]

__all__ = ["ImageLaw", "log_normal", "log_pixels"]

_LOG_2PI = math.log(2 * math.pi)


class ImageLaw(NamedTuple):
    """Images given their labels: data are pixels and indicators of the label."""

    def encode(self, params: Params, data: tuple[Array, ...]) -> tuple[Array, Array]:
        """Give the mean and log standard deviation of q(z | x, y)."""
        return encode(params, *data)

    def log_joint(self, params: Params, data: tuple[Array, ...], z: Array) -> Array:
        """Give log p(x, z | y), of shape (b,)."""
        x, label = data
        said = log_pixels(x, decode(params, z, label), noise(params))
        return said + log_normal(z, *prior(params, label))


def log_normal(z: Array, mean: Array, log_sigma: Array) -> Array:
    """Give the log density of a product of normal laws, of shape (b,)."""
    square = ((z - mean) * jnp.exp(-log_sigma)) ** 2
    return (-0.5 * square - log_sigma - 0.5 * _LOG_2PI).sum(-1)


def log_pixels(x: Array, mean: Array, sigma: Array) -> Array:
    r"""Give the log likelihood of images, of shape (b,).

    A pixel is :math:`\min(\max(\mu + \sigma\epsilon, 0), 1)`: at 0 and 1 it stands for all
    that lies beyond (a Tobit model), so that black borders cost no noise and are drawn black.

    Parameters
    ----------
    x, mean : array of shape (b, p)
    sigma : array of shape (p,)

    References
    ----------
    .. [1] J. Tobin, "Estimation of relationships for limited dependent variables",
       Econometrica 26(1), 1958.

    Examples
    --------
    >>> half = log_pixels(jnp.zeros((1, 1)), jnp.zeros((1, 1)), jnp.ones(1))
    >>> round(float(jnp.exp(half[0])), 3)
    0.5
    """
    low, high = x <= 0, x >= 1
    density = -0.5 * ((x - mean) / sigma) ** 2 - jnp.log(sigma) - 0.5 * _LOG_2PI
    # Where the pixel is not cut the place is any: a constant keeps its gradient finite.
    beyond = jnp.where(low, -mean, jnp.where(high, mean - 1, 0.0)) / sigma
    return jnp.where(low | high, log_ndtr(beyond), density).sum(-1)
