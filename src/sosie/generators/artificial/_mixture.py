"""A mixture of normal laws with diagonal covariances, in as many rows as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Mixture", "log_sum_exp"]

_CELLS = 4_000_000
"""Points times components worked on at once: 32 MB."""


class Mixture:
    """The law with density sum_i w_i N(z; mean_i, diag variance_i).

    Parameters
    ----------
    mean, variance : ndarray of shape (k, d)
    weights : ndarray of shape (k,)
        Not negative; made to sum to 1. Components of weight 0 are left out.

    Examples
    --------
    >>> mixture = Mixture(np.zeros((1, 2)), np.ones((1, 2)), np.ones(1))
    >>> mixture.log_density(np.zeros((1, 2))).round(3)
    array([-1.838])
    """

    def __init__(self, mean: Floats, variance: Floats, weights: Floats) -> None:
        held = weights > 0
        self.mean, self.variance = mean[held], variance[held]
        self.weights = weights[held] / weights[held].sum()
        self._precision = 1 / self.variance
        self._slope = self.mean * self._precision
        d = mean.shape[1]
        self._constant = (
            np.log(self.weights)
            - (np.log(self.variance).sum(1) + d * np.log(2 * np.pi)) / 2
            - (self.mean * self._slope).sum(1) / 2
        )

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw n points, of shape (n, d)."""
        which = rng.choice(len(self.weights), n, p=self.weights)
        noise = rng.standard_normal((n, self.mean.shape[1]))
        return self.mean[which] + np.sqrt(self.variance[which]) * noise

    def log_density(self, z: Floats) -> Floats:
        """Compute the log density at points (m, d), of shape (m,)."""
        return np.concatenate([log_sum_exp(terms)[0] for _, terms in self._blocks(z)])

    def gradient(self, z: Floats) -> tuple[Floats, Floats]:
        """Compute the log density at points (m, d), and its gradient (m, d)."""
        values, slopes = [], []
        for rows, terms in self._blocks(z):
            value, shares = log_sum_exp(terms)
            values.append(value)
            slopes.append(shares @ self._slope - (shares @ self._precision) * rows)
        return np.concatenate(values), np.concatenate(slopes)

    def shares(self, z: Floats, weights: Floats) -> Floats:
        """Sum over weighted points the probability that each component made them, (k,)."""
        total = np.zeros(len(self.weights))
        start = 0
        for rows, terms in self._blocks(z):
            total += weights[start : start + len(rows)] @ log_sum_exp(terms)[1]
            start += len(rows)
        return total

    def _blocks(self, z: Floats) -> Iterator[tuple[Floats, Floats]]:
        """Give points by blocks, with the log of each component's part of the density."""
        size = max(_CELLS // len(self.weights), 1)
        for start in range(0, max(len(z), 1), size):
            rows = z[start : start + size]
            terms = rows @ self._slope.T
            terms -= (rows**2 / 2) @ self._precision.T
            terms += self._constant
            yield rows, terms


def log_sum_exp(terms: Floats) -> tuple[Floats, Floats]:
    """Compute the log of the sum of exponentials of each row, and each term's share of it.

    Works in place: the shares take the place of ``terms``.
    """
    top = terms.max(1)
    terms -= top[:, None]
    np.exp(terms, out=terms)
    total = terms.sum(1)
    terms /= total[:, None]
    return top + np.log(total), terms
