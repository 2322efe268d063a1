"""Missing cells from their law given the cells that are known."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import numpy as np

from sosie.generators.artificial._likelihoods import drawn_levels, drawn_scores, log_prob

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape
    from sosie.generators.artificial._draws import Model

    Floats = NDArray[np.float64]

__all__ = ["completed"]

_SWEEPS = 8
"""Times that missing cells are filled and the latent looked at again, to propose well."""

_PROPOSALS = 64
"""Latents weighed against the known cells in every sweep."""


def completed(
    model: Model, coded: Coded, cells: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int32]]:
    """Draw the missing cells of persons once.

    Latents are proposed from the posterior of the person as filled so far, weighed by the
    known cells alone (sampling, importance resampling), and the missing cells are drawn
    from the likelihood at the one chosen: nothing is put in its mean.

    Parameters
    ----------
    model : Model
    coded : Coded
        Of the n persons.
    cells : ndarray of shape (p,), bool
        Scores that may be filled: not those that say whether a cell is missing.
    rng : Generator

    Returns
    -------
    scores : ndarray of shape (n, p)
        Drawn for every cell: to be taken where it is missing.
    levels : ndarray of shape (n, q)
    """
    shape, n = model.coding.shape, len(coded)
    p = shape.n_scores
    firsts = np.cumsum([0, *shape.levels])
    missing = (coded.seen == 0) & cells
    gone = [coded.level[:, a:b].sum(1) == 0 for a, b in pairwise(firsts)]
    # Of what is known: whether other cells are missing says nothing of this one's value.
    seen = coded.seen * cells.astype(np.float32)
    known = (coded.low, coded.high, seen, coded.level)
    filled, scores, levels = coded, np.zeros((n, p)), np.zeros((n, len(gone)), np.int32)
    strata = coded.stratum.argmax(1).astype(np.int32)
    for _ in range(_SWEEPS):
        mean, spread = model.posterior(filled)
        draws = rng.standard_normal((_PROPOSALS, *mean.shape))
        z = mean + 1.2 * spread * draws
        log_q = (-0.5 * draws**2 - np.log(1.2 * spread)).sum(2)
        output = model.outputs(z.reshape(-1, z.shape[2]), np.tile(strata, _PROPOSALS))
        output = output.reshape(_PROPOSALS, n, -1)
        said = _said(output.astype(np.float32), model.sigma.astype(np.float32), shape, *known)
        weight = np.asarray(said, np.float64) - 0.5 * (z**2).sum(2) - log_q
        chosen = (weight + rng.gumbel(size=weight.shape)).argmax(0)
        output = output[chosen, np.arange(n)]
        scores = drawn_scores(output[:, :p], model.sigma, rng)
        level = coded.level.copy()
        for i, absent in enumerate(gone):
            part = slice(firsts[i], firsts[i + 1])
            levels[:, i] = drawn_levels(output[:, p:][:, part], rng)
            level[absent, part] = np.eye(shape.levels[i], dtype=np.float32)[levels[absent, i]]
        filled = replace(
            coded,
            point=np.where(missing, scores, coded.point).astype(np.float32),
            seen=np.where(missing, 1, coded.seen).astype(np.float32),
            level=level,
        )
    return scores, levels


@partial(jax.jit, static_argnames="shape")
def _said(
    output: Array, sigma: Array, shape: Shape, low: Array, high: Array, seen: Array, level: Array
) -> Array:
    """Give the log probability of the known cells under every proposal, of shape (k, n)."""
    return jax.lax.map(lambda out: log_prob(out, sigma, shape, low, high, seen, level), output)
