"""Encoder and decoder: a factor model that is exact at the start, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._likelihoods import SIGMA_FLOOR

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape

    Floats = NDArray[np.float64]
    Params = dict[str, Array]

__all__ = ["decode", "encode", "factors", "inputs", "linear", "log_held_out", "sigmas", "start"]

_UNIQUE = 0.003
"""Least unique variance of a score when factors are found."""


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
    likelihood itself, for persons without missing cells, ties or levels.

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
    W, unique = factors(linear(coded), d)
    spread = np.sqrt(np.maximum(shares * (1 - shares), 1e-3))
    W[p:] *= spread[:, None]
    unique[p:] *= spread**2
    weight = W / unique[:, None]
    precision = 1 + (W * weight).sum(0)
    to_logit = np.ones(p + len(shares))
    to_logit[p:] = 1 / np.maximum(shares, 1e-2)
    level = np.tile(np.r_[np.zeros(p), np.log(np.maximum(shares, 1e-3))], (c, 1))
    noise = np.maximum(np.sqrt(unique[:p]) - SIGMA_FLOOR, 1e-3)
    n_in = 2 * p + len(shares) + c

    def layer(rows: int, columns: int) -> Floats:
        return rng.standard_normal((rows, columns)) / np.sqrt(rows)

    found = {
        "shares": shares,
        "enc_mean": weight / precision,
        "enc_tilt": np.zeros((c, p + len(shares), d)),
        "enc_spread": -0.5 * np.log(precision),
        "enc_in": layer(n_in, hidden),
        "enc_at": np.zeros(hidden),
        "enc_out": np.zeros((hidden, 2 * d)),
        "dec_mean": (W * to_logit[:, None]).T,
        "dec_tilt": np.zeros((c, d, shape.n_outputs)),
        "dec_level": level,
        "dec_in": layer(d + c, hidden),
        "dec_at": rng.standard_normal(hidden) * 0.5,
        "dec_out": np.zeros((hidden, shape.n_outputs)),
        "dec_noise": np.log(np.expm1(noise)),
    }
    return {name: jnp.asarray(values, jnp.float32) for name, values in found.items()}


def factors(Y: Floats, d: int, sweeps: int = 200) -> tuple[Floats, Floats]:
    """Find d factors of variables of about unit variance, by EM from principal components.

    Parameters
    ----------
    Y : ndarray of shape (n, v)
    d : int
    sweeps : int

    Returns
    -------
    loadings : ndarray of shape (v, d)
        Turned so that the posterior of the factors is a product.
    unique : ndarray of shape (v,)
        Unique variances.
    """
    n = len(Y)
    S = Y.T @ Y / n + 1e-6 * np.eye(Y.shape[1])
    values, axes = np.linalg.eigh(S)
    rest = max(float(values[:-d].mean()) if d < len(values) else 0.0, 0.05)
    W = axes[:, -d:] * np.sqrt(np.maximum(values[-d:] - rest, 0.01))
    unique = np.maximum(S.diagonal() - (W**2).sum(1), 0.05)
    for _ in range(sweeps):
        weight = W / unique[:, None]
        B = np.linalg.solve(np.eye(d) + W.T @ weight, weight.T)
        SB = S @ B.T
        W = np.linalg.solve(np.eye(d) - B @ W + B @ SB, SB.T).T
        unique = np.maximum(S.diagonal() - (SB * W).sum(1), _UNIQUE)
    _, turn = np.linalg.eigh(W.T @ (W / unique[:, None]))
    return W @ turn[:, ::-1], unique


def log_held_out(train: Floats, test: Floats, d: int) -> Floats:
    """Give the log likelihood of every row of ``test`` under the d factors of others."""
    W, unique = factors(train, d, 60)
    L = np.linalg.cholesky(W @ W.T + np.diag(unique))
    return -0.5 * (np.linalg.solve(L, test.T) ** 2).sum(0) - float(np.log(L.diagonal()).sum())


def linear(coded: Coded) -> Floats:
    """Give scores and standardised indicators, 0 where missing, of shape (n, p + L)."""
    shares = coded.level.mean(0)
    spread = np.sqrt(np.maximum(shares * (1 - shares), 1e-3))
    known = (coded.level.astype(np.float64) - shares) / spread
    return np.hstack([coded.point * coded.seen, known]).astype(np.float64)
