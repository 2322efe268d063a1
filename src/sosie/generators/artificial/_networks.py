"""Encoder and decoder: a factor model that is exact at the start, and what it leaves out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._likelihoods import SIGMA_FLOOR
from sosie.generators.artificial._strata_bonds import expected_factors, stretches

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Params = dict[str, Array]

__all__ = [
    "Known",
    "decode",
    "encode",
    "factors",
    "inputs",
    "known_cells",
    "linear",
    "log_held_out",
    "sigmas",
    "start",
]

_UNIQUE = 0.003
"""Least unique variance of a score when factors are found."""

_MOST_COMMON = 0.98
"""Most of the variance of a score told by intervals that factors may share."""

_BLOCK = 256
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


def inputs(point: Array, seen: Array, level: Array, stratum: Array) -> Array:
    """Give what an encoder reads: scores, 0 where missing; levels; what is missing."""
    return jnp.concatenate([point * seen, level, 1 - seen, stratum], axis=1)


def encode(
    params: Params, point: Array, seen: Array, level: Array, stratum: Array
) -> tuple[Array, Array]:
    """Give the mean and the log standard deviation of q(z | x), each of shape (b, d)."""
    linear = jnp.concatenate([point * seen, level - params["shares"]], axis=1)
    tilt = jnp.einsum("bi,bc,cid->bd", linear, stratum, params["enc_tilt"])
    hidden = jax.nn.gelu(inputs(point, seen, level, stratum) @ params["enc_in"] + params["enc_at"])
    out = hidden @ params["enc_out"]
    d = params["enc_mean"].shape[1]
    mean = linear @ params["enc_mean"] + tilt + out[:, :d]
    return mean, params["enc_spread"] + jnp.clip(out[:, d:], -4, 4)


def decode(params: Params, z: Array, stratum: Array) -> Array:
    """Give the means of the scores, then the logits of the levels, of shape (b, p + L)."""
    hidden = jnp.concatenate([z, stratum], axis=1) @ params["dec_in"] + params["dec_at"]
    tilt = jnp.einsum("bd,bc,cdo->bo", z, stratum, params["dec_tilt"])
    linear = z @ params["dec_mean"] + stratum @ params["dec_level"]
    return linear + tilt + jax.nn.gelu(hidden) @ params["dec_out"]


def sigmas(params: Params) -> Array:
    """Give the standard deviation of every score about its mean, of shape (p,)."""
    return SIGMA_FLOOR + jax.nn.softplus(params["dec_noise"])


def start(
    coded: Coded, shape: Shape, latent_dim: int, hidden: int, rng: np.random.Generator
) -> Params:
    """Give the parameters at which the model is a Gaussian copula of few factors.

    Factors are turned so that their posterior is a product: the bound is then the
    likelihood itself, for persons without missing cells, ties or levels. Of several strata, in
    each of which factors are stretched as its bonds ask, it is somewhat less.

    Parameters
    ----------
    coded : Coded
        Of n persons.
    shape : Shape
    latent_dim, hidden : int
    rng : Generator
        Of the first layers; the last ones are zero.
    """
    p, d, c = shape.n_scores, latent_dim, shape.n_strata
    shares = coded.level.mean(0)
    Y, known = linear(coded), known_cells(coded, shape)
    W, unique, mean = factors(Y, d, known=known)
    weight = W / unique[:, None]
    precision = 1 + (W * weight).sum(0)
    stretch = stretches(Y, known, coded.stratum.argmax(1), c, W, unique)
    told = np.linalg.inv(np.eye(d) + stretch * (precision - 1) @ stretch)
    W[:p], unique[:p], mean[:p] = _behind_intervals(coded, W[:p], unique[:p], mean[:p])
    spread = np.sqrt(np.maximum(shares * (1 - shares), 1e-3))
    W[p:] *= spread[:, None]
    weight[p:] /= spread[:, None]
    to_logit = np.ones(p + len(shares))
    to_logit[p:] = 1 / np.maximum(shares, 1e-2)
    level = np.tile(np.r_[mean[:p], np.log(np.maximum(shares, 1e-3))], (c, 1))
    noise = np.maximum(np.sqrt(unique[:p]) - SIGMA_FLOOR, 1e-3)
    n_in = 2 * p + len(shares) + c

    def layer(rows: int, columns: int) -> Floats:
        return rng.standard_normal((rows, columns)) / np.sqrt(rows)

    found = {
        "shares": shares,
        "enc_mean": weight / precision,
        "enc_tilt": weight @ (stretch @ told - np.diag(1 / precision)),
        "enc_spread": -0.5 * np.log(precision),
        "enc_in": layer(n_in, hidden),
        "enc_at": np.zeros(hidden),
        "enc_out": np.zeros((hidden, 2 * d)),
        "dec_mean": (W * to_logit[:, None]).T,
        "dec_tilt": (stretch - np.eye(d)) @ (W * to_logit[:, None]).T,
        "dec_level": level,
        "dec_in": layer(d + c, hidden),
        "dec_at": rng.standard_normal(hidden) * 0.5,
        "dec_out": np.zeros((hidden, shape.n_outputs)),
        "dec_noise": np.log(np.expm1(noise)),
    }
    return {name: jnp.asarray(values, jnp.float32) for name, values in found.items()}


def _behind_intervals(
    coded: Coded, W: Floats, unique: Floats, mean: Floats
) -> tuple[Floats, Floats, Floats]:
    """Give factors of scores from factors of the points that stand for their intervals.

    A point is the mean of the score in its interval: its bond to anything is that of the score
    times the variance of the point, as of normal variables.
    """
    n, shared = coded.seen.sum(0), ((coded.high > coded.low) * coded.seen).sum(0)
    kept = ((coded.point**2) * coded.seen).sum(0) / np.maximum(n, 1)
    kept = np.where(shared > 0.5 * n, np.clip(kept, 0.1, 1), 1).astype(np.float64)
    total = ((W**2).sum(1) + unique) / kept
    W = W / kept[:, None]
    told = (W**2).sum(1)
    W *= np.sqrt(np.minimum(1, _MOST_COMMON * total / np.maximum(told, 1e-12)))[:, None]
    ties = kept < 1
    return W, np.where(ties, total - (W**2).sum(1), unique), mean / kept


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
    for first in range(0, n, _BLOCK):
        rows = slice(first, first + _BLOCK)
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
    for first in range(0, len(test), _BLOCK):
        rows = slice(first, first + _BLOCK)
        seen = known[1].seen[rows]
        away = np.where(seen, test[rows] - mean, 0)
        covariance, told = expected_factors(away, seen, W, unique)
        # Woodbury: of the whole distance, what the factors explain; and likewise of the volume.
        explained = ((away * (seen / unique)) @ W * told).sum(1)
        distance = ((away**2) / unique).sum(1) - explained
        volume = (seen * np.log(unique)).sum(1) - np.linalg.slogdet(covariance)[1]
        found[rows] = -0.5 * (volume + distance)
    return found


def linear(coded: Coded) -> Floats:
    """Give scores and standardised indicators, 0 where missing, of shape (n, p + L)."""
    shares = coded.level.mean(0)
    spread = np.sqrt(np.maximum(shares * (1 - shares), 1e-3))
    known = (coded.level.astype(np.float64) - shares) / spread
    return np.hstack([coded.point * coded.seen, known]).astype(np.float64)


def known_cells(coded: Coded, shape: Shape) -> Known:
    """Tell which cells of :func:`linear` are known, and that masks tell no values."""
    firsts = np.cumsum([0, *shape.levels])
    levels = [
        np.repeat(coded.level[:, a:b].any(axis=1, keepdims=True), b - a, axis=1)
        for a, b in pairwise(firsts)
    ]
    telling = np.ones(shape.n_outputs, bool)
    telling[shape.n_scores - shape.n_masks : shape.n_scores] = False
    return Known(np.hstack([coded.seen > 0, *levels]), telling)
