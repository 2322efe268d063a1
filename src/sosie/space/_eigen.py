"""Leading eigenpairs of a symmetric positive semi-definite matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["leading_eigenpairs"]

_DENSE = 800
"""Below this order LAPACK's full decomposition is as fast."""

_TOLERANCE = 1e-10
"""Largest residual ``|A v - t v|``, relative to the first eigenvalue."""


def leading_eigenpairs(A: Floats, k: int) -> tuple[Floats, Floats]:
    """Compute the ``k`` largest eigenvalues, decreasing, and their eigenvectors.

    A full decomposition when the matrix is small or most of its pairs are asked for,
    else :func:`_block_davidson`. The sign of each eigenvector makes its entry of
    largest absolute value positive (the first such entry, ties within 1e-6).

    Parameters
    ----------
    A : ndarray of shape (d, d)
        Symmetric positive semi-definite matrix.
    k : int
        Number of pairs, at most d.

    Returns
    -------
    values : ndarray of shape (k,)
    vectors : ndarray of shape (d, k)

    Examples
    --------
    >>> leading_eigenpairs(np.diag([1.0, 3.0, 2.0]), 2)[0]
    array([3., 2.])
    """
    if len(A) <= _DENSE or k > len(A) // 10:
        values, vectors = np.linalg.eigh(A)
        values, vectors = values[: -k - 1 : -1], vectors[:, : -k - 1 : -1]
    else:
        values, vectors = _block_davidson(A, k)
    size = np.abs(vectors)
    largest = (size >= (1 - 1e-6) * size.max(axis=0)).argmax(axis=0)
    return np.maximum(values, 0), vectors * np.sign(vectors[largest, np.arange(k)])


def _block_davidson(A: Floats, k: int) -> tuple[Floats, Floats]:
    """Rayleigh-Ritz on a subspace grown by the residuals of its own leading pairs.

    Without preconditioner this is block Lanczos with full orthogonalisation and thick
    restarts: the block copes with multiple eigenvalues, the growth with close ones.
    """
    width = k + 5
    start = np.random.default_rng(0).standard_normal((len(A), width))
    Q = np.linalg.qr(A @ start)[0]
    AQ = A @ Q
    while True:
        values, S = np.linalg.eigh(Q.T @ AQ)
        values, S = values[::-1], S[:, ::-1]
        X, AX = Q @ S[:, :width], AQ @ S[:, :width]
        R = AX - X * values[:width]
        residuals = np.linalg.norm(R[:, :k], axis=0)
        if (residuals <= _TOLERANCE * values[0]).all():
            return values[:k], X[:, :k]
        if Q.shape[1] + width > 20 * width:
            kept = S[:, : 3 * width]
            Q, AQ = Q @ kept, AQ @ kept
        for _ in range(2):  # twice is enough (Kahan)
            R -= Q @ (Q.T @ R)
            R = np.linalg.qr(R)[0]
        Q, AQ = np.hstack([Q, R]), np.hstack([AQ, A @ R])
