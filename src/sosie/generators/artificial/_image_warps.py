"""How images of a label deform into each other, learnt by registering neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter1d

from sosie.generators.artificial._latent_neighbours import nearest_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Deformations", "warped"]

_NEIGHBOURS = 3
"""Neighbours of its label that each image is registered to."""

_ROUNDS = 3
"""Times that the images are linearised, each at the deformation found before."""

_SWEEPS = 20
"""Sweeps of EM in each round."""

_NUMBERS = 20_000_000
"""Numbers that the slopes of all pairs may have: of more pairs, as many as that are drawn."""

_LEAST_NOISE = 0.03

_BLOCK = 256
"""Images deformed at once."""


class Deformations:
    r"""The law of the smooth deformations of images, one for all labels.

    An image is thought to be a deformed neighbour plus noise,
    :math:`x_i(s) = x_j(s + \sum_k v_k b_k(s)) + e`, where the fields :math:`b_k` are a constant
    and the slowest cosines down and right: they shift, stretch, turn and shear. :math:`v` is
    normal with mean 0 and any covariance, and :math:`e` normal with a variance of each pixel.
    Both are found by EM, about the deformations found before.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, colours)
        From 0 to 1.
    label : ndarray of shape (n,)
    rng : Generator
        Of the pairs, where there are more than can be used.

    Attributes
    ----------
    covariance : ndarray of shape (6, 6)
        Of the deformation of an image into a neighbour, in pixels: those down (the constant, the
        cosine of the height, that of the width), then those right.

    References
    ----------
    .. [1] E. G. Miller, N. E. Matsakis, P. A. Viola, "Learning from one example through shared
       densities on transforms", CVPR 2000.
    .. [2] T. Hastie, P. Simard, "Metrics and models for handwritten character recognition",
       Statistical Science 13, 1998 (tangents of transformations, linear about an image).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> blob = np.exp(-((np.mgrid[:16, :16] - 7.5) ** 2).sum(0) / 9)
    >>> down = np.zeros((60, 2, 16, 16))
    >>> down[:, 0] = rng.normal(0, 0.8, (60, 1, 1))
    >>> images = warped(np.repeat(blob[None], 60, axis=0), down)
    >>> found = Deformations(images, np.zeros(60, int), rng).covariance
    >>> bool(found[0, 0] > 20 * found[3, 3])
    True
    """

    def __init__(
        self, images: NDArray[np.floating], label: NDArray[np.intp], rng: np.random.Generator
    ) -> None:
        stack = images.astype(np.float64).reshape(*images.shape[:3], -1)
        n, h, w, colours = stack.shape
        self._fields = _smooth(h, w)
        one, other = _neighbours(stack.reshape(n, -1), label)
        q = 2 * len(self._fields)
        most = max(_NUMBERS // (q * h * w * colours), 100)
        if len(one) > most:
            some = rng.choice(len(one), most, replace=False)
            one, other = one[some], other[some]
        self.covariance = np.zeros((q, q))
        if len(one):
            self.covariance = self._registered(stack[one], stack[other])

    def draw(self, images: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Deform every image by a deformation of its own."""
        root = np.linalg.cholesky(self.covariance + 1e-12 * np.eye(len(self.covariance)))
        v = rng.standard_normal((len(images), len(root))) @ root.T
        found = np.empty_like(images)
        for first in range(0, len(images), _BLOCK):
            part = slice(first, first + _BLOCK)
            found[part] = warped(images[part], self._moves(v[part]))
        return found

    def _moves(self, v: Floats) -> Floats:
        parts = np.split(v, 2, axis=1)
        return np.stack([np.tensordot(part, self._fields, 1) for part in parts], axis=1)

    def _registered(self, to: Floats, of: Floats) -> Floats:
        """Give the covariance of the deformations that make ``to`` of ``of``."""
        m, q = len(to), 2 * len(self._fields)
        v, law = np.zeros((m, q)), 0.1 * np.eye(q)
        noise = np.full(to[0].size, 0.05)
        for _ in range(_ROUNDS):
            now = warped(of, self._moves(v))
            slopes = _slopes(now, self._fields)
            gap = (to - now).reshape(m, -1) + np.einsum("mq,mqp->mp", v, slopes)
            for _ in range(_SWEEPS):
                seen = slopes / noise
                inner = seen @ slopes.transpose(0, 2, 1)
                spread = np.linalg.inv(np.linalg.inv(law) + inner)
                v = np.einsum("mqr,mr->mq", spread, (seen @ gap[:, :, None])[:, :, 0])
                law = (v.T @ v + spread.sum(0)) / m + 1e-6 * np.eye(q)
                left = gap - np.einsum("mq,mqp->mp", v, slopes)
                loose = ((spread @ slopes) * slopes).sum((0, 1))
                noise = np.maximum(((left**2).sum(0) + loose) / m, _LEAST_NOISE**2)
        return law


def warped(images: NDArray[np.floating], moves: Floats) -> Floats:
    """Give what images show at other places, on cubic splines; beyond, the edge goes on.

    Straight lines between pixels would blur what is moved by half a pixel.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, colours)
    moves : ndarray of shape (n, 2, h, w)
        Pixels down and right of its own place that each pixel is read at.

    Examples
    --------
    >>> images = np.tile(np.arange(16.0) ** 2, (1, 16, 1))
    >>> right = np.zeros((1, 2, 16, 16))
    >>> right[:, 1] = 0.5
    >>> warped(images, right)[0, 0, 7:10].round(2).tolist()
    [56.25, 72.25, 90.25]
    """
    n, h, w = images.shape[:3]
    stack = images.reshape(n, h, w, -1).astype(np.float64)
    for axis in (1, 2):
        stack = spline_filter1d(stack, 3, axis, mode="nearest")
    places = np.mgrid[:h, :w] + moves
    places[:, 0] = np.clip(places[:, 0], 0, h - 1)
    places[:, 1] = np.clip(places[:, 1], 0, w - 1)
    found = np.empty(stack.shape)
    for i in range(n):
        for colour in range(stack.shape[3]):
            found[i, :, :, colour] = map_coordinates(
                stack[i, :, :, colour], places[i], order=3, mode="nearest", prefilter=False
            )
    return found.reshape(images.shape)


def _smooth(h: int, w: int) -> Floats:
    """Give the three slowest cosines as fields (3, h, w), of mean square 1."""
    down, right = (np.cos(np.pi * (np.arange(side) + 0.5) / side) for side in (h, w))
    fields = np.stack([np.ones((h, w)), *np.broadcast_arrays(down[:, None], right)])
    return np.asarray(fields / np.sqrt((fields**2).mean((1, 2), keepdims=True)))


def _slopes(images: Floats, fields: Floats) -> Floats:
    """Give the change of pixels by each coefficient of a deformation, of shape (n, 6, p)."""
    slopes: list[Floats] = list(np.gradient(images, axis=(1, 2)))
    n, k = len(images), len(fields)
    both = [slope[:, None] * fields[:, :, :, None] for slope in slopes]
    return np.concatenate(both, axis=1).reshape(n, 2 * k, -1)


def _neighbours(x: Floats, label: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair every row with the nearest ones of its label."""
    one, other = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    for code in np.unique(label):
        rows = np.flatnonzero(label == code)
        near = nearest_others(x[rows], np.arange(len(rows)), _NEIGHBOURS)
        one.append(np.repeat(rows, near.shape[1]))
        other.append(rows[near].ravel())
    return np.concatenate(one), np.concatenate(other)
