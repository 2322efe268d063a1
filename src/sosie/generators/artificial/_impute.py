"""Missing cells from their law given the cells that are known."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import numpy as np
from scipy.special import softmax

from sosie.generators.artificial._likelihoods import log_prob

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape
    from sosie.generators.artificial._draws import Networks

    Floats = NDArray[np.float64]

__all__ = ["completed"]

_SWEEPS = 6
"""Times that the latent of a person is chosen anew among proposals and itself."""

_PROPOSALS = 64
"""Latents weighed against the known cells in every sweep, half of either kind."""

_WIDER = 1.2
"""Proposals spread wider than what they come from, so that no weight is large."""


def completed(
    model: Networks,
    coded: Coded,
    cells: NDArray[np.bool_],
    rng: np.random.Generator,
    sign: int = 1,
) -> tuple[Floats, NDArray[np.int32]]:
    """Draw the missing cells of persons once.

    Latents are proposed from two laws given the known cells, that of the encoder and that of
    the linear part of the decoder, which is exact where training changed nothing, and weighed
    by their likelihood. The one chosen competes in the next sweep (iterated sampling,
    importance resampling [1]_). Missing cells are drawn from the likelihood at the last one:
    nothing is put in its mean.

    Two calls alike but for ``sign`` draw from the same law, each on the other side of its middle
    (antithetic draws [2]_): what noise there is in the one the other takes away from their mean.

    Parameters
    ----------
    model : Networks
    coded : Coded
        Of the n persons.
    cells : ndarray of shape (p,), bool
        Scores that may be filled: not those that say whether a cell is missing.
    rng : Generator
    sign : {1, -1}
        Of the noise.

    Returns
    -------
    scores : ndarray of shape (n, p)
        Drawn for every cell: to be taken where it is missing.
    levels : ndarray of shape (n, q)

    References
    ----------
    .. [1] C. Andrieu, A. Lee, M. Vihola, "Uniform ergodicity of the iterated conditional SMC
       and geometric ergodicity of particle Gibbs samplers", Bernoulli 24 (2018), section 2.
    .. [2] J. M. Hammersley, K. W. Morton, "A new Monte Carlo technique: antithetic variates",
       Math. Proc. Camb. Phil. Soc. 52 (1956).
    """
    shape, n = model.coding.shape, len(coded)
    p = shape.n_scores
    # Of what is known: whether other cells are missing says nothing of this one's value.
    seen = coded.seen * cells.astype(np.float32)
    known = (coded.low, coded.high, seen, coded.level)
    sigma = model.sigma.astype(np.float32)
    strata = np.tile(coded.stratum.argmax(1).astype(np.int32), _PROPOSALS)
    told, spread = model.posterior(coded)
    half = _PROPOSALS // 2
    of_encoder = _Normal(told, np.eye(told.shape[1]) * (_WIDER * spread)[:, None, :])
    of_factors = _linear(model, coded, seen)
    best: Floats = np.empty((n, 0))
    for sweep in range(_SWEEPS):
        noise = sign * rng.standard_normal((2, half, *told.shape))
        z = np.concatenate([of_encoder.at(noise[0]), of_factors.at(noise[1])])
        if sweep:
            z[0] = best
        log_q = np.logaddexp(of_encoder.log_density(z), of_factors.log_density(z))
        output = model.outputs(z.reshape(-1, z.shape[2]), strata)
        output = output.reshape(_PROPOSALS, n, -1)
        said = _said(output.astype(np.float32), sigma, shape, *known)
        weight = np.asarray(said, np.float64) - 0.5 * (z**2).sum(2) - log_q
        chosen = (weight + rng.gumbel(size=weight.shape)).argmax(0)
        best = z[chosen, np.arange(n)]
    output = output[chosen, np.arange(n)]
    scores = output[:, :p] + model.sigma * sign * rng.standard_normal((n, p))
    ends = p + np.cumsum([0, *shape.levels])
    levels = [_levels(output[:, a:b], sign, rng) for a, b in pairwise(ends)]
    return scores, np.stack(levels, axis=1) if levels else np.zeros((n, 0), np.int32)


class _Normal:
    """A normal law for every person: mean of shape (n, d), root of its covariance (n, d, d)."""

    def __init__(self, mean: Floats, root: Floats) -> None:
        self.mean, self.root = mean, root
        self._inverse = np.linalg.inv(root)
        self._log_det = np.log(np.abs(np.linalg.det(root)))

    def at(self, noise: Floats) -> Floats:
        return self.mean + np.einsum("nij,knj->kni", self.root, noise)

    def log_density(self, z: Floats) -> Floats:
        away = np.einsum("nij,knj->kni", self._inverse, z - self.mean)
        return -0.5 * (away**2).sum(2) - self._log_det


def _linear(model: Networks, coded: Coded, seen: NDArray[np.float32]) -> _Normal:
    """Give the posterior of latents given the known scores under the decoder's linear part."""
    p = model.coding.shape.n_scores
    named = ("dec_mean", "dec_level", "dec_tilt")
    mean, level, tilt = (np.asarray(model.params[name], np.float64) for name in named)
    low, high = np.clip(coded.low, -3, 3), np.clip(coded.high, -3, 3)
    trust = seen / (model.sigma**2 + (high - low).astype(np.float64) ** 2 / 12)
    middle, root = np.empty((len(coded), len(mean))), np.empty((len(coded), *mean.shape[:1] * 2))
    strata = coded.stratum.argmax(1)
    for c in np.unique(strata):
        rows = np.flatnonzero(strata == c)
        W = (mean + tilt[c])[:, :p]
        precision = np.eye(len(W)) + np.einsum("dp,np,ep->nde", W, trust[rows], W)
        away = (coded.point[rows] - level[c, :p]) * trust[rows]
        covariance = np.linalg.inv(precision)
        middle[rows] = np.einsum("nde,ne->nd", covariance, away @ W.T)
        root[rows] = _WIDER * np.linalg.cholesky(covariance)
    return _Normal(middle, root)


def _levels(logits: Floats, sign: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draw a level a row, by its place among the levels or by that from the other end."""
    place = rng.random((len(logits), 1))
    below = softmax(logits, axis=1).cumsum(1)[:, :-1]
    return (below < (place if sign > 0 else 1 - place)).sum(1).astype(np.int32)


@partial(jax.jit, static_argnames="shape")
def _said(
    output: Array, sigma: Array, shape: Shape, low: Array, high: Array, seen: Array, level: Array
) -> Array:
    """Give the log probability of the known cells under every proposal, of shape (k, n)."""
    return jax.lax.map(lambda out: log_prob(out, sigma, shape, low, high, seen, level), output)
