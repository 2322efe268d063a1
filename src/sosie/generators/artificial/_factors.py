"""Factor analysis by EM, of cells that are known, and what it tells of persons held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["BLOCK", "Known", "expected_factors", "factors", "log_held_out"]

_UNIQUE = 0.003
"""Least unique variance of a score when factors are found."""

BLOCK = 256
"""Persons whose known cells are looked at at once."""

_OUTER, _INNER = 12, 20
"""Times that missing cells are expected anew, and sweeps of the factors after each."""


class Known(NamedTuple):
    """Which cells of (n, v) are known, and which of the v variables tell of missing cells."""

    seen: Bools
    telling: Bools

    def taken(self, rows: Bools) -> Known:
        """Take some rows."""
        return Known(self.seen[rows], self.telling)


def factors(
    Y: Floats, d: int, sweeps: int = 200, known: Known | None = None
) -> tuple[Floats, Floats, Floats]:
    """Find d factors of variables of about unit variance, by EM from principal components.

    Parameters
    ----------
    Y : ndarray of shape (n, v)
    d : int
    sweeps : int
    known : Known, optional
        Which cells are known; all by default.

    Returns
    -------
    loadings : ndarray of shape (v, d)
        Turned so that the posterior of the factors is a product.
    unique : ndarray of shape (v,)
        Unique variances.
    mean : ndarray of shape (v,)
        Of everybody, were no cell missing; 0 where none is.
    """
    v = Y.shape[1]
    mean = np.zeros(v)
    S = Y.T @ Y / len(Y) + 1e-6 * np.eye(v)
    if known is None or known.seen.all():
        W, unique = _factored(S, d, sweeps)
    else:
        both = known.seen.astype(float).T @ known.seen
        W, unique = _factored(_positive(Y.T @ Y / np.maximum(both, 1)), d, _INNER)
        for _ in range(_OUTER):
            mean, S = _expected(Y, known, mean, W, unique)
            W, unique = _factored(S, d, _INNER, (W, unique))
    _, turn = np.linalg.eigh(W.T @ (W / unique[:, None]))
    return W @ turn[:, ::-1], unique, mean


def _factored(
    S: Floats, d: int, sweeps: int, begun: tuple[Floats, Floats] | None = None
) -> tuple[Floats, Floats]:
    """Find d factors of a covariance."""
    if begun is None:
        values, axes = np.linalg.eigh(S)
        rest = max(float(values[:-d].mean()) if d < len(values) else 0.0, 0.05)
        W = axes[:, -d:] * np.sqrt(np.maximum(values[-d:] - rest, 0.01))
        unique = np.maximum(S.diagonal() - (W**2).sum(1), 0.05)
    else:
        W, unique = begun
    for _ in range(sweeps):
        weight = W / unique[:, None]
        B = np.linalg.solve(np.eye(d) + W.T @ weight, weight.T)
        SB = S @ B.T
        W = np.linalg.solve(np.eye(d) - B @ W + B @ SB, SB.T).T
        unique = np.maximum(S.diagonal() - (SB * W).sum(1), _UNIQUE)
    return W, unique


def _expected(
    Y: Floats, known: Known, mean: Floats, W: Floats, unique: Floats
) -> tuple[Floats, Floats]:
    """Give the mean and covariance that are expected given the cells that are known.

    Whether a cell is missing does not tell its value beyond what other cells tell: nothing
    in the data could say otherwise.
    """
    n, v = Y.shape
    seen = known.seen
    holes = np.flatnonzero(~seen.all(axis=0))
    filled, rest = np.where(seen, Y - mean, 0), np.zeros((v, v))
    for first in range(0, n, BLOCK):
        rows = slice(first, first + BLOCK)
        covariance, told = expected_factors(filled[rows], seen[rows] & known.telling, W, unique)
        filled[rows] = np.where(seen[rows], filled[rows], told @ W.T)
        gone = (~seen[rows][:, holes]).astype(float)
        spread = (gone[:, :, None] * W[holes]) @ np.linalg.cholesky(covariance)
        flat = spread.transpose(1, 0, 2).reshape(len(holes), -1)
        rest[np.ix_(holes, holes)] += flat @ flat.T + np.diag(gone.sum(0) * unique[holes])
    moved = filled.mean(0)
    filled -= moved
    return mean + moved, _positive((filled.T @ filled + rest) / n)


def _positive(S: Floats) -> Floats:
    values, axes = np.linalg.eigh(S)
    return (axes * np.maximum(values, 1e-4)) @ axes.T


def log_held_out(
    train: Floats, test: Floats, d: int, known: tuple[Known, Known] | None = None
) -> Floats:
    """Give the log likelihood of every row of ``test`` under the d factors of others.

    Parameters
    ----------
    train, test : ndarray of shape (n, v) and (m, v)
    d : int
    known : tuple of Known, optional
        Which of their cells are known.
    """
    W, unique, mean = factors(train, d, 60, known[0] if known else None)
    S = W @ W.T + np.diag(unique)
    if known is None or known[1].seen.all():
        L = np.linalg.cholesky(S)
        away = (test - mean).T
        return -0.5 * (np.linalg.solve(L, away) ** 2).sum(0) - float(np.log(L.diagonal()).sum())
    found = np.empty(len(test))
    for first in range(0, len(test), BLOCK):
        rows = slice(first, first + BLOCK)
        seen = known[1].seen[rows]
        away = np.where(seen, test[rows] - mean, 0)
        covariance, told = expected_factors(away, seen, W, unique)
        # Woodbury: of the whole distance, what the factors explain; and likewise of the volume.
        explained = ((away * (seen / unique)) @ W * told).sum(1)
        distance = ((away**2) / unique).sum(1) - explained
        volume = (seen * np.log(unique)).sum(1) - np.linalg.slogdet(covariance)[1]
        found[rows] = -0.5 * (volume + distance)
    return found


def expected_factors(
    away: Floats, seen: NDArray[np.bool_], W: Floats, unique: Floats
) -> tuple[Floats, Floats]:
    """Give, of every row, the covariance and the mean of the factors given its known cells."""
    alike = bool((seen == seen[:1]).all())  # then one inverse is that of all
    weight = (seen[:1] if alike else seen) / unique
    v, d = W.shape
    outer = (W[:, :, None] * W[:, None, :]).reshape(v, d * d)
    precision = np.eye(d) + (weight @ outer).reshape(-1, d, d)
    covariance = np.broadcast_to(np.linalg.inv(precision), (len(away), d, d))
    return covariance, np.einsum("nde,ne->nd", covariance, (away * weight) @ W)
