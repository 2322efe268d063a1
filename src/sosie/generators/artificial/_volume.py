"""The volume element of the metric, in float64 and without a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sosie.generators.artificial._metric import CentroidMetric

    Floats = NDArray[np.float64]

__all__ = ["Volume"]

_CELLS = 2_000_000
"""Points times centroids worked on at once: 16 MB."""


class Volume:
    r"""What is asked of the metric to draw from it: how much room there is at a point.

    Parameters
    ----------
    metric : CentroidMetric

    Examples
    --------
    >>> from sosie.generators.artificial._metric import CentroidMetric
    >>> metric = CentroidMetric(np.zeros((1, 2)), np.eye(2)[None], 1.0, 0.01)
    >>> volume = Volume(metric)
    >>> volume.log_volume(np.zeros((1, 2)))[0].round(3)
    array([0.01])
    """

    def __init__(self, metric: CentroidMetric) -> None:
        self.centroids = np.asarray(metric.centroids, np.float64)
        k, d = self.centroids.shape
        self._matrices = np.asarray(metric.matrices, np.float64).reshape(k, d * d)
        self.temperature, self.floor = float(metric.temperature), float(metric.floor)
        self._middle = self.centroids.mean(0)
        self._centred = self.centroids - self._middle

    def log_volume(self, z: Floats) -> tuple[Floats, Floats]:
        r"""Compute :math:`\log\sqrt{\det G^{-1}}` and the log of the kernel's mass.

        Parameters
        ----------
        z : ndarray of shape (m, d)

        Returns
        -------
        log_volume : ndarray of shape (m,)
        log_mass : ndarray of shape (m,)
            Log of the sum over centroids of exp(-|z - c|^2 / T^2): how near persons are.
        """
        volumes, masses = [], []
        for _, logs in self._blocks(z):
            top = logs.max(1)
            kernel = np.exp(logs - top[:, None])
            masses.append(top + np.log(kernel.sum(1)))
            factor = np.linalg.cholesky(self._inverse(kernel * np.exp(top)[:, None]))
            volumes.append(np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(1))
        return np.concatenate(volumes), np.concatenate(masses)

    def gradient(self, z: Floats) -> Floats:
        r"""Compute the gradient of :math:`\log\sqrt{\det G^{-1}}`, of shape (m, d).

        :math:`\frac{1}{T^2} \sum_i w_i \, \mathrm{tr}(G M_i) \, (c_i - z)`
        """
        slopes = []
        for rows, logs in self._blocks(z):
            kernel = np.exp(logs)
            tensor = np.linalg.inv(self._inverse(kernel))
            pull = kernel * (tensor.reshape(len(rows), -1) @ self._matrices.T)
            slopes.append(pull @ self._centred - pull.sum(1, keepdims=True) * rows)
        return np.concatenate(slopes) / self.temperature**2

    def _inverse(self, kernel: Floats) -> Floats:
        d = self.centroids.shape[1]
        return (kernel @ self._matrices).reshape(-1, d, d) + self.floor * np.eye(d)

    def _blocks(self, z: Floats) -> Iterator[tuple[Floats, Floats]]:
        """Give centred points by blocks, with the logs of the kernel."""
        size = max(_CELLS // len(self.centroids), 1)
        for start in range(0, max(len(z), 1), size):
            rows = z[start : start + size] - self._middle
            squared = (rows**2).sum(1)[:, None] + (self._centred**2).sum(1)
            squared -= 2 * rows @ self._centred.T
            yield rows, -np.maximum(squared, 0) / self.temperature**2
