"""Latents drawn about persons, and moved among those of their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Neighbourhoods", "nearest_others"]

_NEIGHBOURS = 10
_LEAST_TAKEN = 0.5
"""Share of its deviation from the place's middle that a draw has from others at least."""

_BLOCK = 512


class Neighbourhoods:
    r"""The aggregate posterior, each posterior moved among the latents of other persons nearby.

    :math:`z = \nu_i + \sqrt{1 - a_i^2} (\mu_i - \nu_i) + \frac{a_i}{\sqrt k}\sum_j g_j (\mu_j -
    \nu_i) + \sigma_i \epsilon`, where :math:`\nu_i` is the mean of the k nearest rows j of the same
    label and of other persons, and :math:`g` and :math:`\epsilon` are standard normal: a smoothed
    bootstrap whose kernel has the covariance of the place, and that leaves the whole about as wide
    as it was, or up to a quarter narrower in variance where :math:`a_i` is near 1.

    Where posteriors are narrow they alone would draw little else than the persons. So posterior
    and kernel together are as wide as the place, :math:`a_i^2 S_i + |\sigma_i|^2 = S_i` for
    neighbours with a variance of :math:`S_i`, and :math:`a_i` is a half at least.

    Parameters
    ----------
    mean, sigma : ndarray of shape (m, d)
        Normal posteriors.
    label : ndarray of shape (m,)
    person : ndarray of shape (m,)
        Whose row each is.

    References
    ----------
    .. [1] B. W. Silverman, G. A. Young, "The bootstrap: to smooth or not to smooth?",
       Biometrika 74, 1987 (a bootstrap smoothed and shrunk).
    .. [2] P. Vincent, Y. Bengio, "Manifold Parzen windows", NIPS 2002.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> line = np.linspace(0, 1, 50)[:, None] * [1.0, 1.0]
    >>> law = Neighbourhoods(line, np.zeros((50, 2)), np.zeros(50, int), np.arange(50))
    >>> z = law.draw(0, 500, rng)
    >>> bool(np.allclose(z[:, 0], z[:, 1]) and z.std() > 0.2)
    True
    """

    def __init__(
        self,
        mean: Floats,
        sigma: Floats,
        label: NDArray[np.intp],
        person: NDArray[np.intp],
    ) -> None:
        self.mean, self.sigma, self.label = mean, sigma, label
        self._near: dict[int, NDArray[np.intp]] = {}
        self._taken: dict[int, Floats] = {}
        for code in map(int, np.unique(label)):
            rows = np.flatnonzero(label == code)
            near = rows[nearest_others(mean[rows], person[rows], _NEIGHBOURS)]
            self._near[code], self._taken[code] = near, self._share(rows, near)

    def draw(self, label: int, n: int, rng: np.random.Generator) -> Floats:
        """Draw n latents of a label, of shape (n, d)."""
        rows, near = np.flatnonzero(self.label == label), self._near[label]
        chosen = rng.integers(len(rows), size=n)
        at, others = rows[chosen], near[chosen].T
        z, k = self.mean[at], len(others)
        if k:
            taken = self._taken[label][chosen, None]
            middle = np.mean([self.mean[one] for one in others], axis=0)
            z = middle + np.sqrt(1 - taken**2) * (z - middle)
            for one in others:
                share = rng.standard_normal((n, 1)) * (taken / np.sqrt(k))
                z += share * (self.mean[one] - middle)
        return z + self.sigma[at] * rng.standard_normal(z.shape)

    def _share(self, rows: NDArray[np.intp], near: NDArray[np.intp]) -> Floats:
        """Give the share of its deviation that each row has from others."""
        if not near.size:
            return np.full(len(rows), _LEAST_TAKEN)
        place = np.var([self.mean[one] for one in near.T], axis=0).sum(axis=1)
        own = (self.sigma[rows] ** 2).sum(axis=1)
        left = np.divide(place - own, place, out=np.zeros(len(rows)), where=place > 0)
        return np.sqrt(np.maximum(left, _LEAST_TAKEN**2))


def nearest_others(x: Floats, person: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Give the nearest rows of other persons, of shape (m, k), or fewer where there are fewer.

    Parameters
    ----------
    x : ndarray of shape (m, d)
    person : ndarray of shape (m,)
        Whose row each is.
    k : int

    Examples
    --------
    >>> nearest_others(np.array([[0.0], [0.1], [1.0]]), np.array([0, 0, 1]), 5).tolist()
    [[2], [2], [1]]
    """
    m = len(x)
    k = min(k, m - int(np.bincount(person).max()))
    found = np.empty((m, k), np.intp)
    square = (x**2).sum(1)
    for first in range(0, m if k else 0, _BLOCK):
        part = slice(first, first + _BLOCK)
        apart = square[part, None] + square - 2 * x[part] @ x.T
        apart[person[part, None] == person] = np.inf
        found[part] = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return found
