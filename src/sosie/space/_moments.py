"""Means and covariances of mixed columns, in one pass over blocks of rows.

Two ideas make the pass exact and cheap.

*Merged centred blocks* (Chan, Golub & LeVeque, 1983). Each block is centred by its own
mean before it is multiplied and blocks are merged by the parallel formula, so that a
column of dates in seconds loses no digit to its offset.

*Packed counts*. Consecutive categorical columns with few joint levels are read as one
column of joint levels, a pack. Two packs need one count of pairs, whatever the number of
columns that they hold: the counts of every pair of columns are marginal sums of that
table. No indicator matrix of the rows is ever built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.space._mixed import Mixed

    Floats = NDArray[np.float64]

__all__ = ["Moments", "moments"]

_JOINT = 256
"""Most joint levels of a pack: the count of two packs then stays in the cache."""

_CELLS = 1 << 24
"""Most numbers and packed codes in a block: 128 MB."""

_SLAB = 256
"""Rows multiplied at once: BLAS never splits so short a sum, whatever its threads."""


@dataclass(frozen=True)
class Moments:
    """First and second moments of the numbers and of the indicators of levels.

    Attributes
    ----------
    n : int
        Number of rows.
    mean : ndarray of shape (d,)
        Means of the ``p`` numbers, then proportions of the levels; ``d = p + sum(levels)``.
    covariance : ndarray of shape (d, d)
        Covariance with divisor ``n``.
    """

    n: int
    mean: Floats
    covariance: Floats


def moments(mixed: Mixed, block_size: int = 65_536) -> Moments:
    """Accumulate the moments of ``mixed`` in float64.

    Parameters
    ----------
    mixed : Mixed
        Rows; read once, by blocks.
    block_size : int
        Most rows in a block; wide tables are read by smaller ones.

    Examples
    --------
    >>> x, c = np.array([[1.0], [2.0], [3.0]]), np.array([[0], [0], [1]])
    >>> from sosie.space import Mixed
    >>> moments(Mixed(x, c, (2,))).covariance.round(3)
    array([[ 0.667, -0.333,  0.333],
           [-0.333,  0.222, -0.222],
           [ 0.333, -0.222,  0.222]])
    """
    if not len(mixed):
        raise DataError("The table has no row.")
    p, packs = mixed.numbers.shape[1], _packs(mixed.levels)
    size = min(block_size, max(4096, _CELLS // max(1, p + len(packs))))

    n = 0
    origin = mixed.numbers[:1].astype(np.float64)  # a constant column is then exactly zero
    mean = np.zeros(p)
    scatter = np.zeros((p, p))
    sums = np.zeros((sum(mixed.levels), p))
    joint = np.zeros((sum(mixed.levels),) * 2)
    for block in mixed.blocks(size):
        block.check()
        x = np.subtract(block.numbers, origin, dtype=np.float64).T.copy()
        centre = x.mean(axis=1)
        x -= centre[:, None]
        packed = [pack.encode(block.codes) for pack in packs]

        shift, m = centre - mean, len(block)
        proportions = joint.diagonal() / max(n, 1)
        _count(packs, packed, joint)
        between = joint.diagonal() / (n + m) - proportions  # = m / (n + m) (p_b - p_a)
        sums += n * np.outer(between, shift)
        _sum(packs, packed, x, sums)
        scatter += _gram(x) + n * m / (n + m) * np.outer(shift, shift)
        mean += m / (n + m) * shift
        n += m

    proportions = joint.diagonal() / n
    joint = joint / n - np.outer(proportions, proportions)
    return Moments(
        n,
        np.concatenate([origin[0] + mean, proportions]),
        np.block([[scatter / n, sums.T / n], [sums / n, joint]]),
    )


@dataclass(frozen=True)
class _Pack:
    """Consecutive categorical columns read as one column of joint levels."""

    columns: slice
    levels: tuple[int, ...]
    span: slice
    """Where the levels of these columns stand among all levels."""

    @property
    def size(self) -> int:
        return math.prod(self.levels)

    def encode(self, codes: NDArray[Any]) -> NDArray[np.intp]:
        """Joint level of each row, last column fastest."""
        first, *others = codes[:, self.columns].T
        packed: NDArray[np.intp] = first.astype(np.intp)
        for column, levels in zip(others, self.levels[1:], strict=True):
            packed *= levels
            packed += column
        return packed

    @cached_property
    def members(self) -> Floats:
        """Which joint levels (columns) each level (row) is made of, 0 or 1."""
        parts = np.unravel_index(np.arange(self.size), self.levels)
        return np.concatenate(
            [part == np.arange(k)[:, None] for part, k in zip(parts, self.levels, strict=True)]
        ).astype(np.float64)

    def marginal(self, table: NDArray[Any]) -> NDArray[Any]:
        """Sum the joint levels, on the first axis, to the levels of each column."""
        return table if len(self.levels) == 1 else self.members @ table


def _packs(levels: Sequence[int]) -> list[_Pack]:
    """Cut the columns into the longest runs with at most `_JOINT` joint levels."""
    cuts, joint = [0], 1
    for column, k in enumerate(levels):
        if column > cuts[-1] and joint * k > _JOINT:
            cuts.append(column)
            joint = 1
        joint *= k
    ends = np.concatenate([[0], np.cumsum(levels, dtype=np.intp)]).tolist()
    runs = pairwise([*cuts, len(levels)]) if levels else ()
    return [_Pack(slice(a, b), tuple(levels[a:b]), slice(ends[a], ends[b])) for a, b in runs]


def _count(packs: list[_Pack], packed: list[NDArray[np.intp]], joint: Floats) -> None:
    """Add to ``joint`` the number of rows at each pair of levels."""
    for i, (a, codes) in enumerate(zip(packs, packed, strict=True)):
        alone = np.bincount(codes, minlength=a.size)
        joint[a.span, a.span] += a.marginal(a.marginal(np.diag(alone)).T)
        for b, others in zip(packs[:i], packed[:i], strict=True):
            pair = codes * b.size
            pair += others
            pairs = np.bincount(pair, minlength=a.size * b.size).reshape(a.size, b.size)
            counts = b.marginal(a.marginal(pairs.astype(np.float64)).T)
            joint[b.span, a.span] += counts
            joint[a.span, b.span] += counts.T


def _sum(packs: list[_Pack], packed: list[NDArray[np.intp]], x: Floats, sums: Floats) -> None:
    """Add to ``sums`` (levels x numbers) the sum of each number (rows of x) at each level."""
    for pack, codes in zip(packs, packed, strict=True):
        if len(x):
            table = np.stack([np.bincount(codes, row, minlength=pack.size) for row in x], axis=1)
            sums[pack.span] += pack.marginal(table)


def _gram(x: Floats) -> Floats:
    """Cross-product of the rows of x."""
    gram = np.zeros((len(x), len(x)))
    for start in range(0, x.shape[1], _SLAB):
        slab = x[:, start : start + _SLAB]
        gram += slab @ slab.T
    return gram
