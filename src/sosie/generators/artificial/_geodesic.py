"""Shortest paths of a metric between two points."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.sparse.csgraph import dijkstra

from sosie.generators.artificial._metric import product

if TYPE_CHECKING:
    from collections.abc import Callable

    from jax import Array

__all__ = ["Geodesic", "geodesic", "length", "stepping_stones"]


class Geodesic(NamedTuple):
    """A path between two points."""

    points: Array
    """The points of the path, ends included, of shape (segments + 1, d)."""
    length: Array
    """Its length."""
    straight: Array
    """The length of the straight line, for comparison."""


def geodesic(
    tensor: Callable[[Array], Array],
    a: Array,
    b: Array,
    *,
    first: Array | None = None,
    segments: int = 32,
    iterations: int = 200,
    tolerance: float = 1e-5,
) -> Geodesic:
    r"""Find the path of least energy between two points.

    The energy of a polygon, :math:`\frac n2 \sum_j \delta_j' G(m_j) \delta_j` with
    :math:`m_j` the middle of its side :math:`\delta_j`, is minimised by L-BFGS from the
    straight line. The least energy is that of the shortest path run at constant speed.

    - The unknowns are sines over the straight line, divided by their frequency: the
      Hessian of a constant metric is then the identity, and the number of iterations does
      not grow with that of the points.
    - The length is that of the polygon, measured finer than it is minimised: it is, up to
      that quadrature, an upper bound on the distance, and never above the straight line's.
    - It finds a local minimum, and from the straight line no way round a hole so wide that
      the metric is constant in it: begin then with :func:`stepping_stones`.
    - Not compiled: call it within ``jax.jit``, with the metric as an argument, for many
      pairs; ``jax.vmap`` over the ends.

    Parameters
    ----------
    tensor : callable
        G at points, (m, d) -> (m, d, d): ``CentroidMetric.tensor`` or
        ``PullbackMetric.tensor``.
    a, b : Array of shape (d,)
    first : Array of shape (segments + 1, d), optional
        Where to begin; the straight line by default.
    segments : int
        Sides of the polygon.
    iterations : int
        Steps at most.
    tolerance : float
        Norm of the gradient of the energy, relative to the straight line's energy, at which
        to stop.

    Returns
    -------
    Geodesic

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> flat = lambda z: jnp.broadcast_to(jnp.eye(2), (len(z), 2, 2))
    >>> path = geodesic(flat, jnp.zeros(2), jnp.array([3.0, 4.0]), segments=4)
    >>> round(float(path.length), 3)
    5.0
    """
    line = a + jnp.linspace(0, 1, segments + 1, dtype=a.dtype)[:, None] * (b - a)
    frequencies = np.arange(1, segments)
    angles = np.pi * np.outer(np.arange(segments + 1), frequencies) / segments
    sines = jnp.asarray(np.sqrt(2) * np.sin(angles) / (np.pi * frequencies), a.dtype)
    sines = sines.at[-1].set(0)  # the ends stay where they are, to the last digit

    def points(bends: Array) -> Array:
        return line + product(sines, bends)

    flat = jnp.maximum(_squared(tensor, line).sum(), float(np.finfo(np.float32).tiny))

    def energy(bends: Array) -> Array:
        return _squared(tensor, points(bends)).sum() / flat

    begun = line if first is None else first
    bends = product(jnp.asarray(_unbent(segments), a.dtype), (begun - line)[1:-1])
    best = points(_minimised(energy, bends, iterations, tolerance))
    bent, straight = length(tensor, best), length(tensor, line)
    shorter = bent < straight
    return Geodesic(jnp.where(shorter, best, line), jnp.where(shorter, bent, straight), straight)


def stepping_stones(
    tensor: Callable[[Array], Array],
    a: Array,
    b: Array,
    stones: Array,
    *,
    neighbours: int = 8,
    segments: int = 32,
) -> Array:
    """Find a path to begin with: the shortest from stone to stone, each to its neighbours.

    Parameters
    ----------
    tensor : callable
        G at points, (m, d) -> (m, d, d).
    a, b : Array of shape (d,)
    stones : Array of shape (k, d)
        The metric's centroids, say; a few hundred at most.
    neighbours : int
        Stones that each one leads to, the nearest in plain distance.
    segments : int

    Returns
    -------
    Array of shape (segments + 1, d)
        At equal distances by the metric.
    """
    nodes = np.concatenate([np.asarray(a)[None], np.asarray(b)[None], np.asarray(stones)])
    plain = ((nodes[:, None] - nodes) ** 2).sum(-1)
    near = np.argsort(plain, axis=1, kind="stable")[:, 1 : neighbours + 1]
    linked = np.zeros(plain.shape, bool)
    linked[np.arange(len(nodes))[:, None], near] = True
    linked[0, 1] = True  # there is always a way
    tails, heads = np.nonzero(np.triu(linked | linked.T, 1))
    pairs = jnp.asarray(np.stack([nodes[tails], nodes[heads]], 1))
    costs = np.zeros(plain.shape)
    # A cost of 0 would be no link, for who reads a dense matrix as a graph.
    costs[tails, heads] = np.maximum(jax.jit(partial(_sides, tensor))(pairs), 1e-12)
    costs += costs.T
    before = dijkstra(costs, directed=False, indices=0, return_predecessors=True)[1]
    way = [1]
    while way[-1] != 0:
        way.append(int(before[way[-1]]))
    way.reverse()
    path, steps = nodes[way], costs[way[:-1], way[1:]]
    along = np.concatenate([[0], np.cumsum(steps)])
    ticks = np.linspace(0, along[-1], segments + 1)
    placed = np.stack([np.interp(ticks, along, column) for column in path.T], 1)
    placed[[0, -1]] = path[[0, -1]]
    return jnp.asarray(placed, path.dtype)


def _sides(tensor: Callable[[Array], Array], pairs: Array) -> Array:
    """Measure straight lines between pairs of points (m, 2, d), by four parts each."""
    m, _, d = pairs.shape
    middles = (np.arange(4, dtype=np.float32)[:, None] + 0.5) / 4
    inner = pairs[:, None, 0] + middles * (pairs[:, 1] - pairs[:, 0])[:, None]
    metric = tensor(inner.reshape(-1, d)).reshape(m, 4, d, d)
    side = pairs[:, 1] - pairs[:, 0]
    squared = ((metric * side[:, None, None, :]).sum(-1) * side[:, None, :]).sum(-1)
    return jnp.sqrt(jnp.maximum(squared, 0)).mean(1)


def _unbent(segments: int) -> Any:
    """Give the matrix that finds the bends of the inner points: sines are their own inverse."""
    frequencies = np.arange(1, segments)
    sines = np.sin(np.pi * np.outer(frequencies, frequencies) / segments)
    return np.sqrt(2) / segments * np.pi * frequencies[:, None] * sines


def length(tensor: Callable[[Array], Array], points: Array, parts: int = 4) -> Array:
    """Measure a polygon (n, d), each side in ``parts``."""
    share = (jnp.arange(parts, dtype=points.dtype) / parts)[:, None]
    inner = points[:-1, None] + share * jnp.diff(points, axis=0)[:, None]
    fine = jnp.concatenate([inner.reshape(-1, points.shape[1]), points[-1:]])
    return jnp.sqrt(_squared(tensor, fine)).sum()


def _squared(tensor: Callable[[Array], Array], points: Array) -> Array:
    """Square the length of each side, by the metric of its middle."""
    sides = jnp.diff(points, axis=0)
    metric = tensor((points[1:] + points[:-1]) / 2)
    return ((metric * sides[:, None, :]).sum(-1) * sides).sum(-1)


def _minimised(
    energy: Callable[[Array], Array], first: Array, iterations: int, tolerance: float
) -> Array:
    """Minimise by L-BFGS until the gradient is within the tolerance."""
    solver = optax.lbfgs(linesearch=optax.scale_by_backtracking_linesearch(20, store_grad=True))
    value_and_grad = optax.value_and_grad_from_state(energy)

    def step(carry: tuple[Array, Any, Array, int]) -> tuple[Array, Any, Array, int]:
        bends, state, _, done = carry
        value, slope = value_and_grad(bends, state=state)
        updates, state = solver.update(
            slope, state, bends, value=value, grad=slope, value_fn=energy
        )
        moved = optax.apply_updates(bends, updates)
        return moved, state, jnp.linalg.norm(slope), done + 1

    def going(carry: tuple[Array, Any, Array, int]) -> Array:
        return (carry[3] < iterations) & (carry[2] > tolerance)

    carry = (first, solver.init(first), jnp.asarray(jnp.inf, first.dtype), 0)
    return jax.lax.while_loop(going, step, carry)[0]
