"""Encoder and decoder: a factor model that is exact at the start, and what it leaves out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._factors import Known, factors
from sosie.generators.artificial._likelihoods import SIGMA_FLOOR
from sosie.generators.artificial._strata_bonds import stretches

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape

    Floats = NDArray[np.float64]
    Params = dict[str, Array]

__all__ = [
    "decode",
    "encode",
    "inputs",
    "known_cells",
    "linear",
    "sigmas",
    "start",
]

_MOST_COMMON = 0.98
"""Most of the variance of a score told by intervals that factors may share."""

_OWN = 0.01
"""Squared loadings of all other scores below which a factor is one score's own."""


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
    W, ties = W / kept[:, None], kept < 1
    told = (W**2).sum(1)
    for j in np.flatnonzero(ties & (told > total)):
        # More than there is: a factor of its own grew too. What bonds need of it is left.
        others = np.delete(W, j, axis=0)
        gram = others.T @ others + _OWN * np.eye(W.shape[1])
        W[j] = np.linalg.solve(gram, others.T @ (others @ W[j]))
    told = (W**2).sum(1)
    W *= np.sqrt(np.minimum(1, _MOST_COMMON * total / np.maximum(told, 1e-12)))[:, None]
    return W, np.where(ties, total - (W**2).sum(1), unique), mean / kept


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
