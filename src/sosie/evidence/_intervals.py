"""Intervals: how far a number may be from the truth by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Interval",
    "auc_interval",
    "auc_of",
    "bootstrap",
    "clopper_pearson",
    "difference_interval",
    "wilson",
]

Interval = tuple[float, float]


def wilson(successes: float, trials: int, level: float = 0.95) -> Interval:
    """Give the score interval of a proportion.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical
       inference", JASA 22, 1927.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(15, 148)]
    [0.0624, 0.1605]
    """
    if trials == 0:
        return 0.0, 1.0
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Give the exact interval of a proportion.

    References
    ----------
    .. [1] C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits
       illustrated in the case of the binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> [round(end, 4) for end in clopper_pearson(0, 20)]
    [0.0, 0.1684]
    """
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1
    return float(low), float(high)


def difference_interval(
    one: float, n_one: int, other: float, n_other: int, level: float = 0.95
) -> Interval:
    """Give the interval of the difference of two independent proportions.

    Parameters
    ----------
    one, other : float
        Successes.
    n_one, n_other : int
        Trials.

    References
    ----------
    .. [1] R. G. Newcombe, "Interval estimation for the difference between independent
       proportions", Statistics in Medicine 17, 1998, method 10.

    Examples
    --------
    >>> [round(end, 4) for end in difference_interval(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    low_one, high_one = wilson(one, n_one, level)
    low_other, high_other = wilson(other, n_other, level)
    p, q = one / max(n_one, 1), other / max(n_other, 1)
    low = p - q - np.hypot(p - low_one, high_other - q)
    high = p - q + np.hypot(high_one - p, q - low_other)
    return max(-1.0, float(low)), min(1.0, float(high))


def auc_of(members: Floats, others: Floats) -> float:
    """Give the probability that a score of ``members`` exceeds one of ``others``.

    Ties count for half.

    Examples
    --------
    >>> auc_of(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    ranks = stats.rankdata(np.concatenate([members, others]))[: len(members)]
    m, n = len(members), len(others)
    return float((ranks.sum() - m * (m + 1) / 2) / (m * n))


def auc_interval(members: Floats, others: Floats, level: float = 0.95) -> Interval:
    """Give DeLong's interval of the AUC.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two
       or more correlated receiver operating characteristic curves", Biometrics 44, 1988.
    .. [2] X. Sun, W. Xu, "Fast implementation of DeLong's algorithm", IEEE SPL 21, 2014.
    """
    m, n = len(members), len(others)
    if min(m, n) < 2:
        return 0.0, 1.0
    together = stats.rankdata(np.concatenate([members, others]))
    above = (together[:m] - stats.rankdata(members)) / n  # share of others each member exceeds
    below = 1 - (together[m:] - stats.rankdata(others)) / m
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n
    # An area of 0 or 1 has no variance of its own; half a pair either way then stands for it.
    spread = max(np.sqrt(variance), 0.5 / (m * n) ** 0.5)
    half = float(stats.norm.ppf(0.5 + level / 2) * spread)
    centre = float(above.mean())
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    rng: np.random.Generator,
    repeats: int = 200,
    level: float = 0.95,
) -> Interval:
    """Give the percentile interval of a statistic of rows drawn with replacement.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Examples
    --------
    >>> x = np.arange(100.0)
    >>> low, high = bootstrap(lambda rows: x[rows].mean(), 100, np.random.default_rng(0))
    >>> bool(42 < low < 47 and 52 < high < 57)
    True
    """
    found = [statistic(rng.integers(0, n, n)) for _ in range(repeats)]
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
