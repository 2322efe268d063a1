"""Shortest paths between two persons in the latent space of a model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._geodesic import Geodesic, geodesic, stepping_stones

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import ArrayLike

    from sosie.generators.artificial._metric import CentroidMetric

__all__ = ["path_between"]

_FINE = 32
"""Sides of the polygon at least: one compiled shape for all paths."""


def path_between(
    metric: CentroidMetric, a: ArrayLike, b: ArrayLike, segments: int = 32
) -> Geodesic:
    """Find the geodesic between two points, from the better of two first guesses.

    Those are the straight line, and the way from person to person, which alone can go round
    a hole where nobody is.

    Parameters
    ----------
    metric : CentroidMetric
    a, b : array of shape (d,)
    segments : int

    Returns
    -------
    Geodesic

    Examples
    --------
    >>> from sosie.generators.artificial._latent_metric import metric_of
    >>> metric = metric_of(np.array([[0.0, 0.0], [1.0, 0.0]]), np.ones((2, 2)))
    >>> path_between(metric, [0.0, 0.0], [1.0, 0.0], 4).points.shape
    (5, 2)
    """
    ends = (jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32))
    fine = max(segments, _FINE)
    stones = stepping_stones(metric.tensor, *ends, metric.centroids, segments=fine)
    line = ends[0] + jnp.linspace(0, 1, fine + 1)[:, None] * (ends[1] - ends[0])
    found = [_bent(metric, *ends, first, segments=fine) for first in (stones, line)]
    best = min(found, key=lambda path: float(path.length))
    if fine == segments:
        return best
    points = np.asarray(best.points)
    ticks = np.linspace(0, fine, segments + 1)
    thinned = np.stack([np.interp(ticks, np.arange(fine + 1), column) for column in points.T], 1)
    return best._replace(points=jnp.asarray(thinned))


@partial(jax.jit, static_argnames="segments")
def _bent(metric: CentroidMetric, a: Array, b: Array, first: Array, segments: int) -> Geodesic:
    return geodesic(metric.tensor, a, b, first=first, segments=segments)
