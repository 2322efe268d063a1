"""Likelihoods of what a decoder says: scores and intervals of scores, and levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Shape

    Floats = NDArray[np.float64]

__all__ = ["SIGMA_FLOOR", "drawn_levels", "drawn_scores", "log_levels", "log_prob", "log_scores"]

SIGMA_FLOOR = 0.03
"""Least standard deviation of a score about its mean: a spike of density would copy persons."""

_TAIL = -8.0
"""From here on a probability is told by the density at its nearer end."""

_HALF = float(np.sqrt(0.5))
_LOG_2PI = float(np.log(2 * np.pi))


def log_scores(mean: Array, sigma: Array, low: Array, high: Array) -> Array:
    """Give the log density of a score, or log probability of an interval of scores.

    Parameters
    ----------
    mean, low, high : array of shape (b, p)
    sigma : array of shape (p,)

    Returns
    -------
    array of shape (b, p)
    """
    shared = high > low
    point = (low - mean) / sigma
    density = -0.5 * point**2 - jnp.log(sigma) - 0.5 * _LOG_2PI
    a, b = (low - mean) / sigma, (high - mean) / sigma
    # In the upper tail both probabilities round to 1: look at it from the other side.
    flip = a + b > 0
    a, b = jnp.where(flip, -b, a), jnp.where(flip, -a, b)
    a, b = jnp.where(shared, a, -1.0), jnp.where(shared, b, 1.0)
    far = b < _TAIL
    a, near = jnp.where(far, -1.0, a), jnp.where(far, 1.0, b)
    chance = 0.5 * (erfc(-near * _HALF) - erfc(-a * _HALF))
    tail = jnp.minimum(b, _TAIL)
    beyond = -0.5 * tail**2 - jnp.log(-tail) - 0.5 * _LOG_2PI
    inside = jnp.where(far, beyond, jnp.log(jnp.maximum(chance, 1e-30)))
    return jnp.where(shared, inside, density)


def log_levels(logits: Array, level: Array, levels: tuple[int, ...]) -> Array:
    """Give the log probability of the levels seen, summed over the columns.

    Parameters
    ----------
    logits, level : array of shape (b, L)
        Those of one column stand side by side; a missing cell is all zeros.
    levels : tuple of int
        Number of levels of each column.

    Returns
    -------
    array of shape (b,)
    """
    total = jnp.zeros(logits.shape[0])
    first = 0
    for k in levels:
        part = slice(first, first + k)
        total += (jax.nn.log_softmax(logits[:, part]) * level[:, part]).sum(1)
        first += k
    return total


def log_prob(
    output: Array, sigma: Array, shape: Shape, low: Array, high: Array, seen: Array, level: Array
) -> Array:
    """Give the log probability of the cells seen, of shape (b,)."""
    p = shape.n_scores
    scores = (log_scores(output[:, :p], sigma, low, high) * seen).sum(1)
    return scores + log_levels(output[:, p:], level, shape.levels)


def drawn_scores(
    mean: Floats,
    sigma: Floats,
    rng: np.random.Generator,
    low: Floats | None = None,
    high: Floats | None = None,
) -> Floats:
    """Draw scores about their means, between two ends where they are given.

    Parameters
    ----------
    mean, low, high : ndarray of shape (m, p) or (m,)
    sigma : ndarray of shape (p,) or float
    """
    if low is None or high is None:
        return mean + sigma * rng.standard_normal(mean.shape)
    a, b = (low - mean) / sigma, (high - mean) / sigma
    flip = a > 0  # far up, places round to 1
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    place = ndtr(a) + rng.random(mean.shape) * (ndtr(b) - ndtr(a))
    drawn = np.clip(ndtri(np.clip(place, 1e-300, 1 - 1e-16)), a, b)
    return mean + sigma * np.where(flip, -drawn, drawn)


def drawn_levels(logits: Floats, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draw one level a row from logits of shape (m, k)."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(1).astype(np.int32)
