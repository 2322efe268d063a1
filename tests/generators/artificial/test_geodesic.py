"""Shortest paths, against geometries where they are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sosie.generators.artificial._geodesic import geodesic, length, stepping_stones
from sosie.generators.artificial._metric import CentroidMetric


def half_plane(z):
    """Poincare's: the Euclidean metric over the square of the height."""
    return jnp.eye(2) / z[:, 1, None, None] ** 2


def test_euclidean_geodesics_are_straight():
    flat = jnp.array([[2.0, 0.5], [0.5, 1.0]])
    a, b = jnp.array([-1.0, 2.0]), jnp.array([2.0, 0.0])
    path = jax.jit(
        lambda a, b: geodesic(lambda z: jnp.broadcast_to(flat, (len(z), 2, 2)), a, b, segments=8)
    )(a, b)
    expected = a + np.linspace(0, 1, 9)[:, None] * (b - a)
    np.testing.assert_allclose(path.points, expected, atol=1e-4)
    assert float(path.length) == pytest.approx(float(jnp.sqrt((b - a) @ flat @ (b - a))), rel=1e-5)


def test_half_plane_geodesics_are_circles_of_known_length():
    find = jax.jit(jax.vmap(lambda a, b: geodesic(half_plane, a, b)))
    a = np.array([[0.0, 1.0], [0.0, 1.0], [-2.0, 0.5], [0.0, 1.0]], np.float32)
    b = np.array([[3.0, 1.5], [0.0, 4.0], [2.0, 0.5], [0.0, 1.0]], np.float32)
    path = find(a, b)
    known = np.arccosh(1 + ((a - b) ** 2).sum(1) / (2 * a[:, 1] * b[:, 1]))
    np.testing.assert_allclose(path.length, known, rtol=0.01, atol=1e-6)
    assert (np.asarray(path.length) <= np.asarray(path.straight)).all()
    assert np.array_equal(path.points[:, 0], a)
    assert np.array_equal(path.points[:, -1], b)
    # A half circle with its centre on the edge, run at constant speed.
    radii = np.linalg.norm(path.points[2], axis=1)
    np.testing.assert_allclose(radii, radii[0], rtol=0.01)


def test_path_follows_the_persons_and_is_never_longer_than_the_straight_line():
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, np.pi, 150)
    ring = np.c_[3 * np.cos(angles), 3 * np.sin(angles)] + rng.normal(0, 0.1, (150, 2))
    metric = CentroidMetric(jnp.float32(ring), jnp.broadcast_to(jnp.eye(2), (150, 2, 2)), 0.6, 0.01)
    a, b = (np.float32([3 * np.cos(t), 3 * np.sin(t)]) for t in (0.3, 2.9))
    stones = stepping_stones(metric.tensor, a, b, metric.centroids, segments=24)
    assert stones.shape == (25, 2)
    assert np.array_equal(np.asarray(stones)[[0, -1]], [a, b])

    @jax.jit
    @jax.vmap
    def find(first):
        path = geodesic(metric.tensor, a, b, first=first, segments=24)
        return path, length(metric.tensor, first)

    line = np.linspace(a, b, 25)
    path, before = find(np.stack([stones, line]))
    assert (np.asarray(path.length) <= np.asarray(path.straight)).all()
    assert path.length[0] < 0.3 * path.straight[0]
    assert path.length[0] < before[0]
    assert np.linalg.norm(path.points[0], axis=1).min() > 2.5


def test_length_of_a_polygon():
    corner = jnp.array([[0.0, 1.0], [0.0, 2.0], [0.0, 4.0]])
    assert float(length(half_plane, corner, parts=64)) == pytest.approx(np.log(4), rel=1e-4)
