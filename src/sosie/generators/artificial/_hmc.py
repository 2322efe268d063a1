"""Hamiltonian Monte Carlo on a law of the latent variable: a check of the resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._sampling import Target

    Floats = NDArray[np.float64]

__all__ = ["Chains", "hmc"]

_ACCEPTANCE = 0.8
"""Acceptance that the step is tuned to."""


class Chains(NamedTuple):
    """Where n chains arrived."""

    z: Floats
    """One draw a chain, of shape (n, d)."""
    acceptance: float
    """Mean probability of acceptance once the step was tuned."""
    step_size: float
    """The step, in standard deviations of the aggregate posterior."""


def hmc(
    target: Target,
    rng: np.random.Generator,
    n: int,
    *,
    warmup: int = 60,
    moves: int = 60,
    leaps: int = 8,
) -> Chains:
    r"""Run n chains side by side from draws of the aggregate posterior.

    - The gradient is that of the target itself, traces of :math:`G M_i` and all, and the
      test of Metropolis is made on logarithms: neither under- nor overflows at any d.
    - Momenta are scaled by the standard deviations of the aggregate; the number of leaps is
      drawn at each move, so that no chain can turn in circles; the step is tuned to an
      acceptance of 0.8 by dual averaging during ``warmup``, then frozen.
    - Chains do not cross from person to person where posteriors are narrow and far apart:
      there the resampling is right and the chains keep the aggregate's proportions.
    - Outside of the support the density is 0, and moves that end there are refused.

    Parameters
    ----------
    target : Target
    rng : Generator
    n : int
    warmup, moves : int
        Moves of each chain, while the step is tuned and after.
    leaps : int
        Leapfrog steps in a move, at most.

    Returns
    -------
    Chains

    References
    ----------
    .. [1] M. D. Hoffman, A. Gelman, "The No-U-Turn sampler", JMLR 15, 2014 (dual averaging).

    Examples
    --------
    >>> from sosie.generators.artificial._sampling import Latents
    >>> target = Latents(np.zeros((1, 1)), np.ones((1, 1))).target(0.0)
    >>> chains = hmc(target, np.random.default_rng(0), 500)
    >>> chains.z.std().round(1), 0.7 < chains.acceptance < 0.95
    (np.float64(1.0), True)
    """
    z = _started(target, rng, n)
    scale = np.maximum(z.std(axis=0), 1e-12)
    level, slope = target.log_density(z), target.gradient(z)
    tuning = _DualAveraging(0.5)
    accepted = 0.0
    for move in range(warmup + moves):
        step = tuning.step if move < warmup else tuning.settled
        velocity = rng.standard_normal(z.shape)
        there, pull, now = z, slope, velocity
        for _ in range(int(rng.integers(1, leaps + 1))):
            half = now + step / 2 * scale * pull
            there = there + step * scale * half
            pull = target.gradient(there)
            now = half + step / 2 * scale * pull
        reached = target.log_density(there)
        gain = reached - level - ((now**2).sum(1) - (velocity**2).sum(1)) / 2
        gain = np.where(np.isnan(gain), -np.inf, gain)
        probability = np.exp(np.minimum(gain, 0))
        taken = rng.random(n) < probability
        z = np.where(taken[:, None], there, z)
        slope = np.where(taken[:, None], pull, slope)
        level = np.where(taken, reached, level)
        if move < warmup:
            tuning.learn(float(probability.mean()))
        else:
            accepted += float(probability.mean()) / moves
    return Chains(z, accepted, tuning.settled)


def _started(target: Target, rng: np.random.Generator, n: int) -> Floats:
    """Draw n starts from the aggregate, within the support."""
    found = np.empty((0, target.aggregate.mean.shape[1]))
    while len(found) < n:  # all but 0.1 % are within it
        z = target.aggregate.draw(rng, n)
        found = np.concatenate([found, z[np.isfinite(target.log_density(z))]])
    return found[:n]


class _DualAveraging:
    """Tune the logarithm of the step until acceptance is what is wanted."""

    def __init__(self, step: float) -> None:
        self.step = self.settled = step
        self._centre = np.log(10 * step)
        self._error, self._seen, self._mean = 0.0, 0, 0.0

    def learn(self, acceptance: float) -> None:
        self._seen += 1
        weight = 1 / (self._seen + 10)
        self._error += weight * (_ACCEPTANCE - acceptance - self._error)
        # Far fewer moves than in the paper, each over n chains: hence less noise, and a
        # smaller shrinkage to the first guess.
        log_step = self._centre - self._seen**0.5 / 0.05 * self._error
        share = self._seen**-0.75
        self._mean += share * (log_step - self._mean)
        self.step, self.settled = float(np.exp(log_step)), float(np.exp(self._mean))
