"""The column of levels that tells most of numbers: of their margins, or else of their bonds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from sosie.generators.artificial._scale import BEHIND
from sosie.space import Margin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.space import Columns

    Codes = NDArray[np.int32]
    Floats = NDArray[np.float64]

__all__ = ["telling_stratum"]

_FEWEST = 15
"""Persons that a stratum needs for margins of its own."""

_EVIDENCE = 3.0
"""Log odds asked for, beyond what was looked at, of a slope that turns."""


def telling_stratum(columns: Columns) -> str | None:
    """Find the column of few levels that tells most of numbers.

    Each level needs 15 persons. Of what remain, that with the largest gain in likelihood when
    each level has a mean and a variance of its own on the scores of every number, if it is
    worth its parameters (BIC). Where no margin is told, that with the largest gain when each
    level has a correlation of its own of two numbers, a slope that turns, if it is worth its
    parameters and all that was looked at.
    """
    scores = _scores(columns)
    parting = {}
    for name, codes in columns.codes.items():
        counts = np.bincount(codes, minlength=columns.levels[name])
        if name not in columns.mask_of and len(counts) > 1 and counts.min() >= _FEWEST:
            parting[name] = codes
    sure = _EVIDENCE + float(np.log(max(len(parting), 1)))
    for gain_of, least in ((_of_margins, 0.0), (_of_bonds, sure)):
        gains = {name: gain_of(scores, codes) for name, codes in parting.items()}
        found = max(gains, key=lambda name: gains[name], default=None)
        if found is not None and gains[found] > least:
            return found
    return None


def _scores(columns: Columns) -> Floats:
    """Give normal scores of the numbers, of shape (p, n), NaN where missing."""
    known = columns.known_numbers()
    found = np.full((len(known), len(columns)), np.nan)
    for at, values in zip(found, known.values(), strict=True):
        seen = ~np.isnan(values)
        margin = Margin(BEHIND).fit(values[seen])
        at[seen] = ndtri(np.clip(margin.scores(values[seen]).astype(float), 1e-4, 1 - 1e-4))
    return found


def _of_margins(scores: Floats, codes: Codes) -> float:
    """Give the gain by a mean and a variance of its own of each level, less what they cost."""
    levels = int(codes.max()) + 1
    gain = 0.0
    for at in scores:
        gain += 0.5 * _information(at)
        for c in range(levels):
            gain -= 0.5 * _information(at[codes == c])
    return gain - (levels - 1) * len(scores) * float(np.log(len(codes)))


def _information(at: Floats) -> float:
    """Give n log of the variance of the known scores."""
    at = at[~np.isnan(at)]
    return len(at) * float(np.log(max(at.var(), 0.01))) if len(at) else 0.0


def _of_bonds(scores: Floats, codes: Codes) -> float:
    """Give the largest gain by a correlation of its own of each level, less what it costs.

    Looking at many pairs costs as well.
    """
    levels, pairs = int(codes.max()) + 1, len(scores) * (len(scores) - 1) / 2
    if not pairs:
        return -np.inf
    each = [_correlations(scores[:, codes == c]) for c in range(levels)]
    n, r = (np.stack(parts) for parts in zip(*each, strict=True))
    alike = (n * r).sum(0) / np.maximum(n.sum(0), 1)
    gain = 0.5 * (n.sum(0) * _log_left(alike) - (n * _log_left(r)).sum(0))
    gain[n.min(0) < _FEWEST] = 0
    cost = 0.5 * (levels - 1) * np.log(len(codes)) + np.log(pairs)
    return float(np.triu(gain, 1).max() - cost)


def _correlations(scores: Floats) -> tuple[Floats, Floats]:
    """Give how many persons have both of every two numbers, and their correlation."""
    seen = (~np.isnan(scores)).astype(float)
    at = np.nan_to_num(scores)
    n, first, square = seen @ seen.T, at @ seen.T, at**2 @ seen.T
    spread = np.maximum(n * square - first**2, 0)
    return n, (n * (at @ at.T) - first * first.T) / np.sqrt(np.maximum(spread * spread.T, 1e-12))


def _log_left(r: Floats) -> Floats:
    """Give the log of the share of the variance that a correlation leaves."""
    return np.log(np.maximum(1 - r**2, 0.01))
