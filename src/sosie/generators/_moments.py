"""Draws tilted until they keep given moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["calibrated"]

_STEPS = 12
_LONGEST = np.float32(0.7)
"""Longest move of a logit in one step."""

_RIDGE = 1e-3

_PLACES, _WIDTH = 8, 0.5
"""Where the slope is taken, and how wide a step in logits."""


def calibrated(
    chance: Floats,
    outputs_at: Callable[[Floats], Floats],
    others: Floats,
    known: NDArray[np.intp],
    moments: Floats,
) -> Floats:
    r"""Tilt uniform draws so that their outputs have the given moments with the others.

    Row :math:`i` draws its value at the place :math:`c_i` of its own law. The logits of
    the :math:`c_i` are moved by :math:`\sum_r \dot y_{ir} (x_i \cdot \beta_r)`,
    :math:`\dot y` the slope of output :math:`r`, the smallest change for which, to first
    order, :math:`\frac1n \sum_i x_i y_i` is as wanted: Newton's method for the calibration
    of survey weights, applied to the draws themselves. The noise of the draws is taken out
    of the moments, and of nothing else.

    Parameters
    ----------
    chance : ndarray of shape (n,), in (0, 1)
    outputs_at : callable
        Outputs of the values drawn at given chances: (n, r).
    others : ndarray of shape (n, d)
        What the outputs are multiplied with.
    known : ndarray of int
        Rows whose cell is not missing: the others do not count.
    moments : ndarray of shape (d, r)
        Wanted sums of products over ``known``, divided by n.

    Returns
    -------
    ndarray of shape (n,)
        The tilted chances, the best of those tried.

    References
    ----------
    .. [1] J.-C. Deville, C.-E. Särndal, "Calibration estimators in survey sampling",
       JASA 87(418), 1992.
    """
    n = np.float32(len(chance))
    x = others[known]
    slope = _mean_slope(outputs_at, len(chance))[known]
    grams = [_gram(x * slope[:, r : r + 1], float(n)) for r in range(slope.shape[1])]
    logit = np.log(chance + 1e-7) - np.log1p(1e-7 - chance)
    best, smallest, stride = logit, np.inf, np.float32(1)
    move = np.zeros(len(known), np.float32)
    for _ in range(_STEPS):
        tried = best.copy()
        tried[known] += np.clip(stride * move, -_LONGEST, _LONGEST)
        gap = moments - x.T @ outputs_at(_chance(tried))[known] / n
        size = float((gap**2).sum())
        if size >= smallest:
            stride /= 2
            continue
        best, smallest = tried, size
        move = np.zeros(len(known), np.float32)
        for r, gram in enumerate(grams):
            beta = np.linalg.solve(gram, gap[:, r].astype(np.float64))
            move += slope[:, r] * (x @ beta.astype(np.float32))
    return _chance(best)


def _gram(weighted: Floats, n: float) -> NDArray[np.float64]:
    """Products of the weighted others, with a ridge for those that tell the same."""
    gram = (weighted.T @ weighted).astype(np.float64) / n
    return gram + (_RIDGE * np.trace(gram) / len(gram) + 1e-9) * np.eye(len(gram))


def _mean_slope(outputs_at: Callable[[Floats], Floats], n: int) -> Floats:
    """Slope of the outputs by the logit of the chance, on average over the chance.

    The outputs of a level are steps: only on average have they a slope.
    """
    total: Floats | float = 0.0
    for place in (np.arange(_PLACES) + 0.5) / _PLACES:
        logit = np.full(n, np.log(place / (1 - place)), np.float32)
        total = total + outputs_at(_chance(logit + _WIDTH)) - outputs_at(_chance(logit - _WIDTH))
    return np.asarray(total / np.float32(2 * _WIDTH * _PLACES), dtype=np.float32)


def _chance(logit: Floats) -> Floats:
    return np.clip(1 / (1 + np.exp(-logit)), 1e-6, 1 - 1e-6).astype(np.float32)
