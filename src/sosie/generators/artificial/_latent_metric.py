"""The metric that the posteriors of persons make of the latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._metric import CentroidMetric

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["metric_of"]

_CENTROIDS = 128
"""Centroids at most, spread among the persons."""

_FLOOR = 0.01

_NEIGHBOUR = 5
"""Neighbours of a centroid that the temperature reaches."""


def metric_of(mean: ArrayLike, sigma: ArrayLike, most: int = _CENTROIDS) -> CentroidMetric:
    r"""Make the metric whose inverse is, about persons, the covariance of what is known of z.

    :math:`M_i = \mathrm{diag}(\sigma_i^2)` over the mean mass of the kernel, so that
    :math:`G^{-1}` at a person is about the posterior covariance there: a momentum then moves
    z as far as the posterior is wide, in every direction. T is the median distance of a
    centroid to its fifth neighbour, the floor a hundredth of the mean variance.

    - Under the full bound a network for M gets no signal; these matrices need none.

    Parameters
    ----------
    mean, sigma : array of shape (n, d)
        Normal posterior of each person.
    most : int
        Centroids at most; persons beyond are left out by steps, in their order.

    References
    ----------
    .. [1] C. Chadebec, S. Allassonnière, "A geometric perspective on variational
       autoencoders", NeurIPS 2022 (a metric from the encoder's covariances).

    Examples
    --------
    >>> metric = metric_of(np.array([[0.0], [1.0], [2.0]]), np.full((3, 1), 0.5))
    >>> round(float(metric.temperature), 3), metric.matrices.shape
    (2.0, (3, 1, 1))
    """
    at, spread = np.array(mean, np.float32), np.array(sigma, np.float32)
    if len(at) > most:
        rows = np.linspace(0, len(at) - 1, most).round().astype(int)
        at, spread = at[rows], spread[rows]
    square = (at**2).sum(1)
    apart = np.maximum(square[:, None] + square - 2 * at @ at.T, 0)
    np.fill_diagonal(apart, np.inf)
    if len(at) > 1:
        near = min(_NEIGHBOUR, len(at) - 1) - 1
        temperature = float(np.median(np.sqrt(np.partition(apart, near, axis=1)[:, near])))
    else:  # alone, a person is felt as far as the posterior is wide
        temperature = float(np.sqrt((spread**2).sum()))
    temperature = max(temperature, 1e-3)
    mass = 1 + float(np.exp(-apart / temperature**2).sum(1).mean())
    matrices = np.zeros((*at.shape, at.shape[1]), np.float32)
    diagonal = np.arange(at.shape[1])
    matrices[:, diagonal, diagonal] = spread**2 / mass
    floor = _FLOOR * float((spread**2).mean())
    return CentroidMetric(jnp.asarray(at), jnp.asarray(matrices), temperature, floor)
