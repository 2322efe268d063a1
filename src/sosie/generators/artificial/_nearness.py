"""How strict the filter has to be: rows must be no nearer to persons learnt than to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.generators.artificial._coding import Coding
from sosie.generators.artificial._draws import Model
from sosie.generators.artificial._filter import TOO_NEAR, Filter, nearest, within
from sosie.generators.artificial._networks import start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._cohort import Cohort

    Floats = NDArray[np.float64]

__all__ = ["strictness"]

_QUANTILES = ((TOO_NEAR, 0.53), (0.1, 0.53), (0.15, 0.53), (0.2, 0.6), (0.3, 0.6), (0.4, 1.0))
"""Quantiles, and up to which share of the rows of half the persons that are nearer to these each
does. What a half of the persons learns too well, all learn half as much or less: the strictest
are for where it is far too much, for they cost bonds of columns."""

_HALVINGS = 3
_ROWS = 8
"""Rows drawn for a person learnt."""

_FEWEST = 10
"""Known cells of a number that either half needs."""


def strictness(cohort: Cohort, latent_dim: int, temper: float, rng: np.random.Generator) -> float:
    """Choose the quantile of distances between persons that draws keep from every person.

    Factors of one half of the persons draw rows: one half of these would be nearer to that
    half of the persons than to the other if they knew a population and no person. The least
    quantile is taken that comes near enough to that on average over halvings.

    Parameters
    ----------
    cohort : Cohort
    latent_dim : int
    temper : float
        As :class:`RHVAE` takes them.
    rng : Generator

    Returns
    -------
    float
        Of those tried.
    """
    tried = tuple(q for q, _ in _QUANTILES)
    shares = []
    n = len(cohort.coded)
    for _ in range(_HALVINGS):
        order = rng.permutation(n)
        halves = order[: n // 2], order[n // 2 : 2 * (n // 2)]
        if all(_known(cohort, half) for half in halves):
            for learnt, others in (halves, halves[::-1]):
                shares.append(_nearer(cohort, learnt, others, latent_dim, temper, tried, rng))
    if not shares:
        return TOO_NEAR
    mean = np.mean(shares, axis=0)
    return next(q for (q, most), share in zip(_QUANTILES, mean, strict=True) if share <= most)


def _known(cohort: Cohort, rows: NDArray[np.intp]) -> bool:
    """Tell whether persons have known cells enough of every ordered column for a margin."""
    coding = cohort.coding
    known = coding.ordered(cohort.columns.taken(rows))[: len(coding.scored)]
    return all((~np.isnan(values)).sum() >= _FEWEST for values in known)


def _nearer(
    cohort: Cohort,
    learnt: NDArray[np.intp],
    others: NDArray[np.intp],
    latent_dim: int,
    temper: float,
    tried: tuple[float, ...],
    rng: np.random.Generator,
) -> Floats:
    """Give the share of rows nearer to persons learnt than to others, for every quantile."""
    mine, theirs = cohort.columns.taken(learnt), cohort.columns.taken(others)
    coding = Coding(mine, set(cohort.coding.scored), cohort.coding.stratum, cohort.parted)
    coded = coding.coded(mine)
    params = start(coded, coding.shape, min(latent_dim, len(learnt) - 1), 64, rng)
    model = Model(params, coding, coded, temper, rng)
    similar = Filter(coding, coded, mine)
    strata = model.drawn_strata(_ROWS * len(learnt), rng)
    drawn = model.drawn(model.latents(strata, rng), strata, rng)
    rows = similar.seen(drawn, model.places(drawn, rng, ranked=True))
    distances = similar.nearest(rows)
    unseen = similar.told(theirs)
    beside = [nearest(a, b) for a, b in zip(rows.spaces, unseen.spaces, strict=True)]
    found = []
    for q in tried:
        near = within(rows, distances, similar.reach(q))
        nearer = [(d.min(1) < e)[~near] for d, e in zip(distances, beside, strict=True)]
        found.append(0.0 if near.all() else max(each.mean() for each in nearer))
    return np.array(found)
