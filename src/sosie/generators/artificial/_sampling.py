"""The law of the latent variable from which artificial persons are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sosie.generators.artificial._mixture import Mixture, log_sum_exp
from sosie.generators.artificial._volume import Volume

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sosie.generators.artificial._metric import CentroidMetric

    Floats = NDArray[np.float64]

__all__ = ["Draws", "Latents", "Target"]

_ROUND = 4_096
"""Proposals in a round, or as many as draws asked for."""

_ROUNDS = 25
"""Rounds at most, when they are worth too few draws."""

_PILOT = 2_048
"""Proposals in a round that tunes the proposal."""

_PILOTS = 4

_OUTSIDE = 0.001
"""Share of the aggregate's draws, those farthest from persons, that stand outside."""

_CENTROIDS = 512
"""Centroids that carry proposals, at most."""


class Draws(NamedTuple):
    """Points drawn, and how good the drawing was."""

    z: Floats
    """Of shape (n, d)."""
    ess: float
    """Effective sample size of the proposals, as a share of them: 1 is a perfect proposal."""
    heaviest: float
    """Share of the proposals' weight that the heaviest one has; above 1 / n it is repeated."""


@dataclass(frozen=True)
class Target:
    r"""The density proportional to aggregate\ :sup:`1 - alpha` x volume\ :sup:`alpha`.

    On the support, which is everything when alpha is 0 and else what lies as near to the
    centroids as all but 0.1 % of the aggregate's draws: the volume alone has a floor
    everywhere, and no finite integral.

    Parameters
    ----------
    aggregate : Mixture
    volume : Volume or None
        None only when alpha is 0.
    alpha : float
    threshold : float
        Least log mass of the kernel within the support.
    """

    aggregate: Mixture
    volume: Volume | None
    alpha: float
    threshold: float

    def log_density(self, z: Floats) -> Floats:
        """Compute the log density, up to a constant, at points (m, d): -inf outside."""
        out = np.zeros(len(z))
        if self.alpha < 1:
            out += (1 - self.alpha) * self.aggregate.log_density(z)
        if self.volume is not None:
            log_volume, log_mass = self.volume.log_volume(z)
            out += self.alpha * log_volume
            out[log_mass < self.threshold] = -np.inf
        return out

    def gradient(self, z: Floats) -> Floats:
        """Compute the gradient of the log density within the support, of shape (m, d)."""
        out = np.zeros_like(z)
        if self.alpha < 1:
            out += (1 - self.alpha) * self.aggregate.gradient(z)[1]
        if self.volume is not None:
            out += self.alpha * self.volume.gradient(z)
        return out


class Latents:
    r"""The persons of a model in its latent space, and the laws they make there.

    Parameters
    ----------
    mu, sigma : ndarray of shape (n, d)
        Normal posterior of each person.
    weights : ndarray of shape (n,), optional
        How much each person counts (to balance classes, say); the same by default.

    References
    ----------
    .. [1] M. D. Hoffman, M. J. Johnson, "ELBO surgery", NIPS workshop, 2016 (the aggregate
       posterior).
    .. [2] C. Chadebec, S. Allassonnière, "A geometric perspective on variational
       autoencoders", NeurIPS 2022 (the uniform law of the manifold).
    .. [3] O. Cappé, R. Douc, A. Guillin, J.-M. Marin, C. P. Robert, "Adaptive importance
       sampling in general mixture classes", Statistics and Computing 18, 2008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> latents = Latents(np.array([[-1.0], [1.0]]), np.full((2, 1), 0.1), [0.0, 1.0])
    >>> latents.aggregate(rng, 1000).mean().round(1)
    np.float64(1.0)
    """

    def __init__(self, mu: ArrayLike, sigma: ArrayLike, weights: ArrayLike | None = None) -> None:
        self.mu = np.asarray(mu, np.float64)
        self.sigma = np.asarray(sigma, np.float64)
        given = np.ones(len(self.mu)) if weights is None else np.asarray(weights, np.float64)
        self.weights = given / given.sum()

    def law(self, spread: float = 1.0) -> Mixture:
        """Give the aggregate posterior, each person's spread multiplied by ``spread``."""
        return Mixture(self.mu, (spread * self.sigma) ** 2, self.weights)

    def aggregate(self, rng: np.random.Generator, n: int, spread: float = 1.0) -> Floats:
        """Draw from the aggregate posterior sum_i w_i N(mu_i, spread^2 sigma_i^2).

        Returns
        -------
        ndarray of shape (n, d)
        """
        return self.law(spread).draw(rng, n)

    def target(self, alpha: float, metric: CentroidMetric | None = None) -> Target:
        """Give the law between the aggregate (alpha 0) and the manifold's uniform law (1)."""
        if not 0 <= alpha <= 1:
            raise ValueError("alpha is between 0 and 1")
        aggregate = self.law()
        if alpha == 0 or metric is None:
            if alpha > 0:
                raise ValueError("a metric is needed unless alpha is 0")
            return Target(aggregate, None, 0.0, -np.inf)
        volume = Volume(metric)
        # The support belongs to the law: it does not move with the draws asked for.
        near = volume.log_volume(aggregate.draw(np.random.default_rng(0), _ROUND))[1]
        return Target(aggregate, volume, alpha, float(np.quantile(near, _OUTSIDE)))

    def resampled(
        self, rng: np.random.Generator, n: int, alpha: float, metric: CentroidMetric | None = None
    ) -> Draws:
        r"""Draw from aggregate\ :sup:`1 - alpha` x volume\ :sup:`alpha`.

        By importance resampling: proposals from a mixture over persons and centroids, whose
        weights a few rounds tune to the target (population Monte Carlo); then as many rounds
        as n draws need, and a systematic resampling in random order. No chain, hence no
        mixing to wait for; ``ess`` says what the proposals were worth.

        Parameters
        ----------
        rng : Generator
        n : int
        alpha : float
            0 for the aggregate posterior, drawn as it is; 1 for the uniform law of the
            manifold, of density :math:`\sqrt{\det G^{-1}}` on the support.
        metric : CentroidMetric
            Needed unless alpha is 0.

        Returns
        -------
        Draws
        """
        target = self.target(alpha, metric)
        if target.volume is None:
            return Draws(self.aggregate(rng, n), 1.0, 1 / n)
        proposal = _tuned(rng, target, self._proposal(rng, target, target.volume))
        points: list[Floats] = []
        logs: list[Floats] = []
        for _ in range(_ROUNDS):
            z = proposal.draw(rng, max(_ROUND, n))
            points.append(z)
            logs.append(target.log_density(z) - proposal.log_density(z))
            shares = log_sum_exp(np.concatenate(logs)[None])[1][0]
            worth = 1 / (shares**2).sum()
            if worth >= 4 * n:
                break
        ticks = (rng.random() + np.arange(n)) / n
        which = np.searchsorted(np.cumsum(shares)[:-1], ticks, side="right")
        z = np.concatenate(points)[rng.permutation(which)]
        return Draws(z, float(worth / len(shares)), float(shares.max()))

    def _proposal(self, rng: np.random.Generator, target: Target, volume: Volume) -> Mixture:
        """Make a mixture wider than the target: on persons, and on the metric's centroids."""
        alpha, wide = target.alpha, volume.temperature**2 / 2
        d = self.mu.shape[1]
        # The power 1 - alpha of a normal law is one of variance 1 / (1 - alpha) times larger.
        persons = self.sigma**2 + wide
        if alpha < 1:
            persons = np.minimum(persons, self.sigma**2 / (1 - alpha))
        centroids = volume.centroids
        if len(centroids) > _CENTROIDS:
            centroids = centroids[rng.choice(len(centroids), _CENTROIDS, replace=False)]
        # Around one centroid alone the volume is a normal law of variance T^2 / d; between
        # many it follows their density, of variance T^2 / 2 around each.
        scales = sorted({2 / d, 1.0, 2.0})
        k = len(centroids) * len(scales)
        variance = np.repeat(wide * np.array(scales), len(centroids))[:, None]
        whole = self.mu.var(axis=0) + persons.mean(axis=0)
        return Mixture(
            np.concatenate([self.mu, np.tile(centroids, (len(scales), 1)), [self.mu.mean(axis=0)]]),
            np.concatenate([persons, np.tile(variance, (1, d)), [whole]]),
            np.concatenate([(1 - alpha) * self.weights, np.full(k, alpha / k), [alpha / 10]]),
        )


def _tuned(rng: np.random.Generator, target: Target, proposal: Mixture) -> Mixture:
    """Give components the weights that the target gives them, and all a little.

    Weights begin with the height of the target at each centre over that of the mixture,
    which is right when components are narrow. The last component, that of the whole, also
    takes the target's moments.
    """
    first = proposal.weights
    heights = target.log_density(proposal.mean) - proposal.log_density(proposal.mean)
    weights = first * np.exp(heights - heights.max())
    proposal = Mixture(
        proposal.mean, proposal.variance, 0.9 * weights / weights.sum() + 0.1 * first
    )
    for _ in range(_PILOTS):
        z = proposal.draw(rng, _PILOT)
        logs = target.log_density(z) - proposal.log_density(z)
        shares = log_sum_exp(logs[None])[1][0]
        worth = 1 / (shares**2).sum()
        # Many components share few draws: what a pilot says counts as the draws it is worth,
        # what was thought before as one draw for each component that matters.
        trust = worth / (worth + 1 / (proposal.weights**2).sum())
        weights = (1 - trust) * proposal.weights + trust * proposal.shares(z, shares)
        weights = 0.95 * weights + 0.05 * first
        mean, variance = proposal.mean.copy(), proposal.variance.copy()
        trust = worth / (worth + z.shape[1])
        mean[-1] += trust * (shares @ z - mean[-1])
        variance[-1] += trust * (1.2 * (shares @ (z - mean[-1]) ** 2) - variance[-1])
        proposal = Mixture(mean, variance, weights)
    return proposal
