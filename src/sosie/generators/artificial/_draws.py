"""Draws from a trained model: latents, scores, and scores back to places in the margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np
from scipy.special import log_ndtr

from sosie.generators.artificial._coding import FARTHEST
from sosie.generators.artificial._likelihoods import drawn_levels, drawn_scores
from sosie.generators.artificial._networks import decode, encode, sigmas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Coding
    from sosie.generators.artificial._networks import Params

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["RANKED", "Draws", "Limits", "Model", "Networks"]

_BLOCK = 1024
"""Latents decoded at once: one compiled shape for all."""

_GRID = 512
"""Places at which the margins of what the model draws are tabled."""

RANKED = 30
"""Rows of a stratum from which ranks give places better than the table does."""


@dataclass
class Draws:
    """Rows drawn, not yet values.

    Parameters
    ----------
    scores : ndarray of shape (m, p)
    levels : ndarray of shape (m, q), int32
    strata : ndarray of shape (m,), int32
    """

    scores: Floats
    levels: Codes
    strata: Codes

    def taken(self, rows: NDArray[np.intp]) -> Draws:
        """Take rows by their numbers."""
        return Draws(self.scores[rows], self.levels[rows], self.strata[rows])

    def replaced(self, rows: NDArray[np.intp], other: Draws) -> None:
        """Put the rows of another in the places of some."""
        self.scores[rows], self.levels[rows] = other.scores, other.levels
        self.strata[rows] = other.strata


@dataclass
class Limits:
    """What draws are kept to.

    Parameters
    ----------
    places : dict of int to tuple of (ndarray of shape (c,), ndarray of shape (c,))
        For a score, the two ends of its places in each stratum.
    levels : dict of int to int
        For a nominal column, its level.
    stratum : int or None
    """

    places: dict[int, tuple[Floats, Floats]]
    levels: dict[int, int]
    stratum: int | None

    def within(self, j: int, low: Floats, high: Floats) -> None:
        """Keep a score between two places in each stratum, and where it was kept before."""
        before = self.places.get(j, (low, high))
        self.places[j] = np.maximum(low, before[0]), np.minimum(high, before[1])

    def barred(self, n_strata: int) -> NDArray[np.bool_]:
        """Tell the strata of which no row is within the limits."""
        found = np.zeros(n_strata, bool)
        if self.stratum is not None:
            found[:] = np.arange(n_strata) != self.stratum
        for low, high in self.places.values():
            found |= high < low
        return found

    @property
    def inside(self) -> bool:
        """Tell whether anything but the stratum is limited."""
        return bool(self.places or self.levels)


class Networks:
    """An encoder and a decoder of a coding, for any number of rows.

    Parameters
    ----------
    params : dict of str to array
    coding : Coding
    """

    def __init__(self, params: Params, coding: Coding) -> None:
        self.params, self.coding = params, coding
        self.sigma = np.asarray(sigmas(params), np.float64)

    def posterior(self, coded: Coded) -> tuple[Floats, Floats]:
        """Give the means and standard deviations of the latents of persons."""
        found = []
        for first in range(0, len(coded), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(coded)))
            part = coded.taken(np.resize(rows, _BLOCK))
            mean, log_sigma = _encode(self.params, part.point, part.seen, part.level, part.stratum)
            found.append((mean[: len(rows)], log_sigma[: len(rows)]))
        mean, log_sigma = (
            np.concatenate(parts).astype(np.float64) for parts in zip(*found, strict=True)
        )
        return mean, np.exp(log_sigma)

    def outputs(self, z: Floats, strata: Codes) -> Floats:
        """Decode latents: means of scores, then logits, of shape (m, p + L)."""
        one_of = np.eye(self.coding.shape.n_strata, dtype=np.float32)
        found = np.empty((len(z), self.coding.shape.n_outputs))
        for first in range(0, len(z), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(z)))
            padded = np.resize(rows, _BLOCK)
            out = _decode(self.params, z[padded].astype(np.float32), one_of[strata[padded]])
            found[rows] = np.asarray(out)[: len(rows)]
        return found


class Model(Networks):
    """A trained model and the persons whose posteriors it is drawn from.

    Parameters
    ----------
    params : dict of str to array
    coding : Coding
    coded : Coded
        Of the persons.
    temper : float
        0 draws latents from the posteriors of persons, 1 from the prior, and between them
        a share of both that leaves the variance what it is.
    rng : Generator
        Of the draws that find the margins of what the model draws.
    """

    def __init__(
        self, params: Params, coding: Coding, coded: Coded, temper: float, rng: np.random.Generator
    ) -> None:
        super().__init__(params, coding)
        self.temper = temper
        self.mean, self.spread = self.posterior(coded)
        self.strata = coding.strata
        self._members = [np.flatnonzero(coding.strata == c) for c in range(coding.shape.n_strata)]
        self._middles = (np.arange(_GRID) + 0.5) / _GRID
        self._table_ends = np.r_[0.0, self._middles, 1.0]
        self._tables = [self._tabled(c, rng) for c in range(coding.shape.n_strata)]

    def drawn_strata(self, n: int, rng: np.random.Generator) -> Codes:
        """Draw the strata of n rows, in shares as near to those of the persons as n allows."""
        ends = (np.cumsum(self.coding.shares) * n + rng.random()).astype(int)
        ends[-1] = n
        ends = np.minimum(ends, n)
        strata = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)).astype(np.int32)
        return rng.permutation(strata)

    def strata_within(self, n: int, limits: Limits, rng: np.random.Generator) -> Codes:
        """Give the strata of n rows that are within limits."""
        if limits.stratum is None:
            return self.drawn_strata(n, rng)
        return np.full(n, limits.stratum, np.int32)

    def latents(self, strata: Codes, rng: np.random.Generator) -> Floats:
        """Draw a latent for a row of each stratum."""
        d: int = self.mean.shape[1]
        z = np.empty((len(strata), d))
        for c, members in enumerate(self._members):
            rows = np.flatnonzero(strata == c)
            persons = np.resize(rng.permutation(members), len(rows))
            noise = rng.standard_normal((len(rows), d))
            z[rows] = self.mean[persons] + self.spread[persons] * noise
        prior = rng.standard_normal(z.shape)
        return np.sqrt(1 - self.temper) * z + np.sqrt(self.temper) * prior

    def drawn(
        self, z: Floats, strata: Codes, rng: np.random.Generator, limits: Limits | None = None
    ) -> Draws:
        """Draw rows at latents, within limits if there are some."""
        output, p = self.outputs(z, strata), self.coding.shape.n_scores
        scores = drawn_scores(output[:, :p], self.sigma, rng)
        levels = np.empty((len(z), len(self.coding.nominal)), np.int32)
        first = p
        for i, k in enumerate(self.coding.shape.levels):
            levels[:, i] = drawn_levels(output[:, first : first + k], rng)
            first += k
        if limits is not None:
            for j in limits.places:
                low, high = self._ends(j, strata, limits)
                scores[:, j] = drawn_scores(output[:, j], self.sigma[j], rng, low, high)
            for i, code in limits.levels.items():
                levels[:, i] = code
        return Draws(scores, levels, strata)

    def conditioned(self, n: int, limits: Limits, rng: np.random.Generator) -> tuple[Floats, Codes]:
        """Draw n latents given what rows are limited to, by importance resampling.

        Returns
        -------
        z : ndarray of shape (n, d)
        strata : ndarray of shape (n,)
        """
        m = n
        if limits.inside:
            m = int(np.clip(20 * n, 4000, 60_000))
        strata = self.strata_within(m, limits, rng)
        z = self.latents(strata, rng)
        if not limits.inside:
            return z, strata
        weights = self.log_chance(z, strata, limits)
        weights = np.exp(weights - weights.max())
        weights /= weights.sum()
        at = (np.arange(n) + rng.random()) / n
        rows = np.minimum(np.searchsorted(np.cumsum(weights), at), m - 1)
        return z[rows], strata[rows]

    def log_chance(self, z: Floats, strata: Codes, limits: Limits) -> Floats:
        """Give the log probability that rows at latents are within limits."""
        output, p = self.outputs(z, strata), self.coding.shape.n_scores
        found = np.zeros(len(z))
        for j in limits.places:
            low, high = self._ends(j, strata, limits)
            a, b = (low - output[:, j]) / self.sigma[j], (high - output[:, j]) / self.sigma[j]
            flip = a + b > 0
            a, b = np.where(flip, -b, a), np.where(flip, -a, b)
            above = log_ndtr(b)
            found += above + np.log1p(-np.exp(np.minimum(log_ndtr(a) - above, -1e-12)))
        firsts = p + np.cumsum([0, *self.coding.shape.levels])
        for i, code in limits.levels.items():
            logits = output[:, firsts[i] : firsts[i + 1]]
            found += logits[:, code] - np.logaddexp.reduce(logits, axis=1)
        return np.where(limits.barred(self.coding.shape.n_strata)[strata], -np.inf, found)

    def places(self, drawn: Draws, rng: np.random.Generator, *, ranked: bool) -> Floats:
        """Give the places of scores in their margins, of shape (m, p).

        Parameters
        ----------
        drawn : Draws
        rng : Generator
        ranked : bool
            Whether the rows are a sample of all of their stratum: their ranks then are
            their places, and margins are as near as so many rows allow.
        """
        found = np.empty(drawn.scores.shape)
        # Masks first: the margin of a number is that of the cells which are not missing.
        self._place(self.coding.places_order, drawn, found, rng, ranked=ranked)
        return np.clip(found, 1e-7, 1 - 1e-7)

    def place_again(
        self, drawn: Draws, places: Floats, rng: np.random.Generator, *, ranked: bool
    ) -> None:
        """Give columns that miss cells their places anew, once others are missing."""
        coding = self.coding
        n, scored = len(coding.scored), coding.scored
        masked = [j for j in coding.places_order if j < n and scored[j] in coding.mask_of]
        self._place(masked, drawn, places, rng, ranked=ranked)
        np.clip(places, 1e-7, 1 - 1e-7, out=places)

    def _place(
        self,
        columns: list[int],
        drawn: Draws,
        found: Floats,
        rng: np.random.Generator,
        *,
        ranked: bool,
    ) -> None:
        for c in range(self.coding.shape.n_strata):
            rows = np.flatnonzero(drawn.strata == c)
            some, places = drawn.taken(rows), found[rows]
            for j in columns:
                read = np.flatnonzero(self._read(j, places, some))
                table = np.r_[-FARTHEST, self._tables[c][:, j], FARTHEST]
                places[:, j] = np.interp(some.scores[:, j], table, self._table_ends)
                if ranked and len(read) >= RANKED:
                    order = read[np.argsort(some.scores[read, j], kind="stable")]
                    places[order, j] = (np.arange(len(read)) + rng.random(len(read))) / len(read)
            found[rows] = places

    def _tabled(self, c: int, rng: np.random.Generator) -> Floats:
        """Give quantiles of the scores that the model draws in a stratum where a cell is read."""
        m, p = 8 * _GRID, self.coding.shape.n_scores
        strata = np.full(m, c, np.int32)
        drawn = self.drawn(self.latents(strata, rng), strata, rng)
        scores = drawn.scores
        places = (scores.argsort(0, kind="stable").argsort(0) + 0.5) / m
        table = np.empty((_GRID, p))  # of no columns where the table has labels only
        for j in self.coding.places_order:
            read = self._read(j, places, drawn)
            table[:, j] = np.quantile(scores[read, j], self._middles)
            if not read.all():
                places[read, j] = (scores[read, j].argsort().argsort() + 0.5) / read.sum()
        return table

    def _read(self, j: int, places: Floats, drawn: Draws) -> NDArray[np.bool_]:
        """Tell in which rows score ``j`` is not missing, from the places of the masks.

        A mask is not read where cells are missing whatever it says.
        """
        coding = self.coding
        first = len(coding.scored)
        read = np.ones(len(places), bool)
        if j >= first:
            read = ~coding.absent_in(j - first, places, drawn)
        elif coding.scored[j] in coding.mask_of:
            read = ~coding.missing(coding.mask_of[coding.scored[j]], places, drawn)
        return read if read.any() else ~read

    def _ends(self, j: int, strata: Codes, limits: Limits) -> tuple[Floats, Floats]:
        """Give the ends of the scores that stand for the ends of places."""
        found = []
        for places in limits.places[j]:
            ends = np.empty(len(places))
            for c, place in enumerate(places):
                table = np.r_[-FARTHEST, self._tables[c][:, j], FARTHEST]
                ends[c] = np.interp(place, self._table_ends, table)
            found.append(ends[strata])
        low, high = found
        return low, np.maximum(high, low + 1e-6)


@jax.jit
def _decode(params: Params, z: jax.Array, stratum: jax.Array) -> jax.Array:
    return decode(params, z, stratum)


@jax.jit
def _encode(
    params: Params, point: jax.Array, seen: jax.Array, level: jax.Array, stratum: jax.Array
) -> tuple[jax.Array, jax.Array]:
    return encode(params, point, seen, level, stratum)
