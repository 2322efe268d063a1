"""Encoder, prior and decoder of images with labels: a factor model of pixels at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import log_ndtr

from sosie.generators.artificial._person_rows import rows_of

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Params = dict[str, Array]

__all__ = [
    "LINEAR_PIXELS",
    "NOISE_FLOOR",
    "Start",
    "decode",
    "encode",
    "factors",
    "log_held_out",
    "most_factors",
    "noise",
    "prior",
    "start",
    "uncut",
]

NOISE_FLOOR = 0.05
"""Least standard deviation of a pixel about its mean, of a range of 1: 13 grey levels of 255."""

_BEYOND = 0.3
"""How far a pixel that was cut is thought to have gone beyond, in the linear model."""

_LEAST_SEEN = 0.1
"""Least precision that pixels are thought to give to a factor, where its prior gives 1."""

_ROUGH = 8
"""Factors that tell how far below black a pixel was."""

_SHARED = 10.0
"""Images that the mean of all counts for beside those of one label."""


def encode(params: Params, x: Array, label: Array) -> tuple[Array, Array]:
    """Give the mean and the log standard deviation of q(z | x, y), each of shape (b, d).

    Parameters
    ----------
    params : dict of str to array
    x : array of shape (b, p)
        Pixels, from 0 to 1.
    label : array of shape (b, c)
        Indicators.
    """
    hidden = jax.nn.gelu((x - 0.5) @ params["enc_in"] + label @ params["enc_at"])
    out = hidden @ params["enc_out"]
    d = params["enc_mean"].shape[1]
    mean = x @ params["enc_mean"] + label @ params["enc_level"] + out[:, :d]
    return mean, params["enc_spread"] + jnp.clip(out[:, d:], -4, 4)


def prior(params: Params, label: Array) -> tuple[Array, Array]:
    """Give the mean and the log standard deviation of p(z | y), each of shape (b, d)."""
    return label @ params["pri_mean"], label @ params["pri_spread"]


def decode(params: Params, z: Array, label: Array) -> Array:
    """Give the means of the pixels before they are cut to 0 and 1, of shape (b, p)."""
    hidden = jax.nn.gelu(z @ params["dec_in"] + label @ params["dec_at"])
    linear = z @ params["dec_mean"] + label @ params["dec_level"]
    return linear + hidden @ params["dec_out"]


def noise(params: Params) -> Array:
    """Give the standard deviation of every pixel about its mean, of shape (p,)."""
    return NOISE_FLOOR + jax.nn.softplus(params["dec_noise"])


_CANDIDATES = (2, 4, 8, 12, 16, 32, 48)
"""Latent dimensions tried."""

_COMPARED = 600
"""Images on which latent dimensions are compared, at most."""

_COMPARED_ROWS = 2_400
"""The same with their copies."""

LINEAR_PIXELS = 4_000_000
"""Pixels that what is linear is learnt from, about: of wide images, fewer copies are used."""

_FOLDS = 3


class Start(NamedTuple):
    """The linear model that training begins with.

    x = at + level of the label + W z + noise, z normal about the mean of the label.
    """

    loadings: Floats
    """W, of shape (p, d), turned so that the posterior of z is a product."""
    unique: Floats
    """Variance of the noise, of shape (p,)."""
    level: Floats
    """Mean pixels of a label where z is 0, of shape (c, p)."""
    mean: Floats
    """Mean of z of each label, of shape (c, d)."""
    variance: Floats
    """Variance of z within a label, of shape (d,)."""


def factors(
    x: Floats,
    label: NDArray[np.intp],
    n_labels: int,
    d: int,
    sweeps: int = 30,
    *,
    pixels: int | None = None,
    axes: tuple[Floats, Floats] | None = None,
) -> Start:
    """Find the d factors of images, by EM from principal components.

    Parameters
    ----------
    x : ndarray of shape (n, p)
    label : ndarray of shape (n,)
    n_labels, d, sweeps : int
    pixels : int, optional
        How many of the first variables are pixels, which were cut to 0 and 1; all by default.
    axes : tuple of ndarray, optional
        Principal axes of x, where they are known.
    """
    n, p = x.shape
    least = NOISE_FLOOR**2
    Y = x - x.mean(0)
    spectrum, principal = _axes(x) if axes is None else axes
    rest = max(float(spectrum[d:].sum() / max(p - d, 1)), least)
    W = principal[:d].T * np.sqrt(np.maximum(spectrum[:d] - rest, least))
    unique = np.maximum((Y**2).mean(0) - (W**2).sum(1), least)
    filled, at, loose = x, x.mean(0), np.zeros(p)
    for _ in range(sweeps):
        weight = W / unique[:, None]
        B = np.linalg.solve(np.eye(d) + W.T @ weight, weight.T)
        Z = Y @ B.T
        filled, loose = _uncut(x, at + Z @ W.T, np.sqrt(unique), pixels)
        at = filled.mean(0)
        Y = filled - at
        Z = Y @ B.T
        cross = Y.T @ Z / n
        W = np.linalg.solve(np.eye(d) - B @ W + Z.T @ Z / n, cross.T).T
        unique = np.maximum((Y**2).mean(0) + loose - (cross * W).sum(1), least)
    _, turn = np.linalg.eigh(W.T @ (W / unique[:, None]))
    W = W @ turn[:, ::-1]
    weight = W / unique[:, None]
    gain = 1 + (W * weight).sum(0)
    Z = Y @ weight / gain
    counts = np.bincount(label, minlength=n_labels)[:, None]
    one_of = np.eye(n_labels)[label]
    share = counts / (counts + _SHARED)
    # What is seen of z is shrunk to 0 by the gain: a mean over images is not, unless a factor
    # shows in hardly anything, where it would be a multiple of noise.
    seen = np.maximum(gain - 1, _LEAST_SEEN)
    mean = share * (one_of.T @ (Y @ weight / seen)) / np.maximum(counts, 1)
    level = share * (one_of.T @ Y) / np.maximum(counts, 1) - mean @ W.T
    within = Y @ weight / seen - mean[label]
    variance = np.maximum(within.var(0) * n / max(n - n_labels, 1) - 1 / seen, 0.02)
    return Start(W, unique, at + share * level, mean, variance)


def uncut(x: Floats, label: NDArray[np.intp], n_labels: int) -> Floats:
    """Give images with what black and white pixels are expected to have been before they were cut.

    Parameters
    ----------
    x : ndarray of shape (n, p)
    label : ndarray of shape (n,)
    n_labels : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.clip(rng.normal(0.2, 0.3, (200, 1)) + rng.normal(0, 0.05, (200, 6)), 0, 1)
    >>> whole = uncut(x, np.zeros(200, int), 1)
    >>> bool(whole[x == 0].max() < 0), bool((whole == x)[(x > 0) & (x < 1)].all())
    (True, True)
    """
    found = factors(x, label, n_labels, max(min(_ROUGH, len(x) // 4, x.shape[1] - 1), 1))
    weight = found.loadings / found.unique[:, None]
    precision = np.diag(1 / found.variance) + found.loadings.T @ weight
    seen = (x - found.level[label]) @ weight + (found.mean / found.variance)[label]
    mean = found.level[label] + np.linalg.solve(precision, seen.T).T @ found.loadings.T
    return _uncut(x, mean, np.sqrt(found.unique), None)[0]


def _axes(x: Floats) -> tuple[Floats, Floats]:
    """Give the variances along the principal axes, and the axes as rows."""
    _, singular, axes = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return singular**2 / len(x), axes


def _uncut(x: Floats, mean: Floats, sigma: Floats, pixels: int | None) -> tuple[Floats, Floats]:
    """Give what pixels cut to 0 and 1 are expected to have been, and their mean variance."""
    low, high = x <= 0, x >= 1
    cut = low | high
    cut[:, x.shape[1] if pixels is None else pixels :] = False
    sign = np.where(low, 1.0, -1.0)
    # Of a standard normal below t: mean -r and variance 1 - r (r + t), r the inverse Mills ratio.
    t = (sign * (np.where(low, 0.0, 1.0) - mean) / sigma)[cut]
    ratio = np.exp(-(t**2) / 2 - 0.5 * np.log(2 * np.pi) - log_ndtr(t))
    filled, variance = x.copy(), np.zeros(x.shape)
    filled[cut] = np.clip((mean - sign * sigma * _spread(ratio, cut))[cut], -_BEYOND, 1 + _BEYOND)
    variance[cut] = (np.broadcast_to(sigma**2, x.shape))[cut] * np.maximum(
        1 - ratio * (ratio + t), 0
    )
    return filled, variance.mean(0)


def _spread(values: Floats, cut: NDArray[np.bool_]) -> Floats:
    found = np.zeros(cut.shape)
    found[cut] = values
    return found


def log_held_out(found: Start, x: Floats, label: NDArray[np.intp]) -> Floats:
    """Give the log likelihood of every image under a linear model that cuts no pixel, (n,)."""
    gap = x - found.level[label] - found.mean[label] @ found.loadings.T
    W = found.loadings * np.sqrt(found.variance)
    weight = W / found.unique[:, None]
    inner = np.eye(W.shape[1]) + W.T @ weight
    seen = gap @ weight
    square = (gap**2 / found.unique).sum(1) - (seen * np.linalg.solve(inner, seen.T).T).sum(1)
    return -0.5 * (square + np.linalg.slogdet(inner)[1] + np.log(found.unique).sum())


def most_factors(
    x: NDArray[np.floating],
    label: NDArray[np.intp],
    n_labels: int,
    rng: np.random.Generator,
    each: int = 1,
    most: int = _CANDIDATES[-1],
) -> int:
    """Give the latent dimensions with which the linear model tells images held out best.

    Its bound is its likelihood, in closed form.

    Parameters
    ----------
    x : ndarray of shape (n x each, p)
    label : ndarray of shape (n x each,)
    n_labels : int
    rng : Generator
    each : int
        Rows of each image, which are held out together: those of all, then again those of all.
    most : int
        Latent dimensions tried at most.
    """
    n = len(x) // each
    some = rng.permutation(n)[:_COMPARED]
    rows = rows_of(some, n, each, min(_COMPARED_ROWS, LINEAR_PIXELS // x.shape[1]))
    x, label = x[rows].astype(np.float64), label[rows]
    fold = np.tile(np.arange(len(some)) % _FOLDS, len(rows) // len(some))
    most = max(min(x.shape[1] - 1, int(0.6 * len(some)) - 1, most), 1)
    said = dict.fromkeys(sorted({min(d, most) for d in _CANDIDATES}), 0.0)
    for k in range(_FOLDS):
        seen, held = fold != k, fold == k
        axes = _axes(x[seen])
        for d in said:
            found = factors(x[seen], label[seen], n_labels, d, 10, pixels=0, axes=axes)
            said[d] += float(log_held_out(found, x[held], label[held]).sum())
    return max(said, key=lambda d: said[d])


def start(found: Start, hidden: int, rng: np.random.Generator) -> Params:
    """Give the parameters at which the networks are that linear model.

    Its posterior is a product, and its bound the likelihood itself where no pixel is cut.

    Parameters
    ----------
    found : Start
    hidden : int
    rng : Generator
        Of the first layers; the last ones are zero.
    """
    W, (p, d), c = found.loadings, found.loadings.shape, len(found.level)
    weight = W / found.unique[:, None]
    precision = 1 / found.variance + (W * weight).sum(0)

    def layer(rows: int, columns: int) -> Floats:
        return rng.standard_normal((rows, columns)) / np.sqrt(rows)

    params = {
        "enc_mean": weight / precision,
        "enc_level": (found.mean / found.variance - found.level @ weight) / precision,
        "enc_spread": -0.5 * np.log(precision),
        "enc_in": layer(p, hidden) * 2,
        "enc_at": rng.standard_normal((c, hidden)) * 0.5,
        "enc_out": np.zeros((hidden, 2 * d)),
        "pri_mean": found.mean,
        "pri_spread": np.tile(0.5 * np.log(found.variance), (c, 1)),
        "dec_mean": W.T,
        "dec_level": found.level,
        "dec_in": layer(d, hidden),
        "dec_at": rng.standard_normal((c, hidden)) * 0.5,
        "dec_out": np.zeros((hidden, p)),
        "dec_noise": np.log(np.expm1(np.maximum(np.sqrt(found.unique) - NOISE_FLOOR, 1e-3))),
    }
    return {name: jnp.asarray(values, jnp.float32) for name, values in params.items()}
