"""In what the bonds between columns differ from one stratum to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.generators.artificial._factors import BLOCK, expected_factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._factors import Known

    Floats = NDArray[np.float64]

__all__ = ["stretches"]

_PRIOR = 8
"""Persons a factor that stand for bonds alike in all strata."""

_SWEEPS = 20


def stretches(
    Y: Floats, known: Known, strata: NDArray[np.int32], n_strata: int, W: Floats, unique: Floats
) -> Floats:
    """Give what factors are to be stretched by in each stratum, of shape (c, d, d), symmetric.

    Factors of a stratum have a covariance of their own, found by EM [1]_ with the loadings of
    all persons, and drawn to that of all, the unit matrix, as a prior of several persons a
    factor does: its root stretches them. Fewer numbers than loadings of their own take, and none
    where strata are small.

    Parameters
    ----------
    Y : ndarray of shape (n, v)
        Variables of about unit variance, 0 where missing.
    known : Known
    strata : ndarray of shape (n,)
    n_strata : int
    W, unique : ndarray of shape (v, d) and (v,)
        Loadings and unique variances of all persons.

    References
    ----------
    .. [1] D. B. Rubin, D. T. Thayer, "EM algorithms for ML factor analysis", Psychometrika 47
       (1982), with the covariance of the factors free.
    """
    d = W.shape[1]
    found = np.tile(np.eye(d), (n_strata, 1, 1))
    if n_strata == 1:
        return found
    for c in range(n_strata):
        rows = np.flatnonzero(strata == c)
        seen = known.seen[rows]
        middle = (Y[rows] * seen).sum(0) / np.maximum(seen.sum(0), 1)
        away = np.where(seen, Y[rows] - middle, 0)
        covariance = _covariance(away, seen & known.telling, W, unique)
        share = len(rows) / (len(rows) + _PRIOR * d)
        values, axes = np.linalg.eigh(share * covariance + (1 - share) * np.eye(d))
        found[c] = (axes * np.sqrt(values)) @ axes.T
    return found


def _covariance(away: Floats, seen: NDArray[np.bool_], W: Floats, unique: Floats) -> Floats:
    """Give the covariance of the factors of some rows under given loadings."""
    d = W.shape[1]
    covariance = np.eye(d)
    for _ in range(_SWEEPS):
        root = np.linalg.cholesky(covariance + 1e-9 * np.eye(d))
        spread = np.zeros((d, d))
        for first in range(0, len(away), BLOCK):
            rows = slice(first, first + BLOCK)
            left, told = expected_factors(away[rows], seen[rows], W @ root, unique)
            spread += left.sum(0) + told.T @ told
        covariance = root @ spread @ root.T / max(len(away), 1)
    return covariance
