"""The margin of a number: its distribution, known only k persons at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Margin", "order_of"]

_GRID = 1024
"""Places at which the quantile function is tabled for quick, approximate reading."""


class Margin:
    r"""Distribution of a numeric column, never finer than ``k`` persons.

    A value that at least ``k`` persons share is an atom: it keeps its share, so that spikes
    at zero, rounded values and small integers stay what they are. The other persons, in
    the order of their values, make blocks of ``k`` or more; where fewer stand between two
    atoms, the block is made up with persons of the larger one. Of a block are kept its two
    ends and its mean :math:`m`: a value is :math:`lo + (hi - lo) f^a`, with :math:`f`
    uniform and :math:`a` such that the mean is that of the block. An end farther from the
    mean than the largest of ``k`` exponential values would be, :math:`1 + 1/2 + ... + 1/k`
    times the mean, is brought there: an outlier is told by what it adds to the mean of its
    block, and by nothing else.

    Parameters
    ----------
    k : int
        Least number of persons behind an atom or a block.

    Attributes
    ----------
    n_ : int
        Number of values seen.
    mean_, scale_ : float
        Mean and population standard deviation of the values; a scale of 0 becomes 1.

    Examples
    --------
    >>> spike_and_tail = np.array([0.0] * 6 + [1.0, 2.0, 4.0, 9.0])
    >>> margin = Margin(k=2).fit(spike_and_tail)
    >>> margin.quantile(np.array([0.1, 0.5])).tolist()
    [0.0, 0.0]
    >>> bool(0 < margin.quantile(np.array([0.7]))[0] <= 2)
    True
    """

    def __init__(self, k: int) -> None:
        self.k = k

    def fit(self, values: Floats) -> Self:
        """Learn the margin of ``values``, of shape (n,), none missing."""
        ordered = np.sort(values)
        n = self.n_ = len(ordered)
        self.mean_ = float(ordered.mean())
        self.scale_ = float(ordered.std()) or 1.0
        new = np.r_[True, ordered[1:] > ordered[:-1]]
        first = np.flatnonzero(new)
        counts = np.diff(np.r_[first, n])
        starts, self._atom = _pieces(first, counts, n, self.k)
        ends = np.r_[starts[1:], n]
        self._start = starts.astype(np.float64)
        self._length = (ends - starts).astype(np.float64)
        mean = np.add.reduceat(ordered, starts) / self._length
        low, high = ordered[starts], ordered[ends - 1]
        farthest = (1 / np.arange(1, max(self.k, 2) + 1)).sum()
        self._high = np.minimum(high, low + farthest * (mean - low))
        self._low = np.maximum(low, high - farthest * (high - mean))
        self._low, self._high = (
            np.where(self._atom, low, self._low),
            np.where(self._atom, high, self._high),
        )
        width = np.where(self._high > self._low, self._high - self._low, 1)
        self._power = 1 / np.clip((mean - self._low) / width, 0.1, 0.9) - 1

        middles = (np.arange(_GRID) + 0.5) / _GRID
        self._table = ((self.quantile(middles) - self.mean_) / self.scale_).astype(np.float32)
        self._ordered, self._first, self._counts = ordered, first, counts
        return self

    def scores(self, values: Floats) -> NDArray[np.float32]:
        """Give the mid-rank of ``values`` among those seen, in (0, 1)."""
        distinct = self._ordered[self._first]
        middle = ((self._first + self._counts / 2) / self.n_).astype(np.float32)
        return middle[np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)]

    def is_atom(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which of ``scores`` fall in an atom."""
        return self._atom[self._piece(scores)]

    def quantile(self, scores: NDArray[np.floating]) -> Floats:
        """Give the values at ``scores`` in [0, 1]."""
        rank = np.clip(scores, 0, 1 - 1e-9).astype(np.float64) * self.n_
        piece = np.searchsorted(self._start, rank, side="right") - 1
        return self._inside(rank, piece)

    def runs(self, rank: Floats) -> tuple[Floats, Floats]:
        """Give the ends, as ranks, of the values without an atom that stand about each rank.

        Parameters
        ----------
        rank : ndarray of shape (m,)
            From 0 to ``n_``.

        Returns
        -------
        low, high : ndarray of shape (m,)
            The same number twice in an atom.
        """
        opens = np.flatnonzero(self._atom | np.r_[True, self._atom[:-1]])
        low = self._start[opens]
        high = np.r_[low[1:], self.n_]
        run = np.searchsorted(low, np.clip(rank, 0, self.n_ - 1e-9), side="right") - 1
        return low[run], np.where(self._atom[opens[run]], low[run], high[run])

    def standardised(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give standardised values at ``scores``, read from a table."""
        place = np.clip(scores * _GRID, 0, _GRID - 1).astype(np.int32)
        return self._table[place]

    def spread(
        self, latent: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[Floats, NDArray[np.float32]]:
        """Give values that have this margin, in the order of ``latent``.

        Parameters
        ----------
        latent : ndarray of shape (m,)
            Any scale; ties are broken at random.
        rng : Generator

        Returns
        -------
        values : ndarray of shape (m,), float64
        scores : ndarray of shape (m,), float32
            Their scores; those of an atom are its middle.
        """
        m = len(latent)
        order = _random_tie_order(latent, rng)
        rank: Floats = (np.arange(m) + rng.random(m)) / m
        # Ranks increase, so pieces come one after the other.
        ends = np.searchsorted(rank * self.n_, np.r_[self._start[1:], np.inf])
        piece = np.repeat(np.arange(len(self._start)), np.diff(ends, prepend=0))
        values, scores = np.empty(m), np.empty(m, np.float32)
        values[order] = self._inside(rank * self.n_, piece)
        middle = (self._start + self._length / 2) / self.n_
        scores[order] = np.where(self._atom[piece], middle[piece], rank)
        return values, scores

    def _inside(self, rank: Floats, piece: NDArray[np.intp]) -> Floats:
        inside = (rank - self._start[piece]) / self._length[piece]
        low, high, power = self._low[piece], self._high[piece], self._power[piece]
        found = high.copy()
        drawn = np.flatnonzero(high > low)
        found[drawn] -= (high - low)[drawn] * (1 - inside[drawn] ** power[drawn])
        return found

    def _piece(self, scores: NDArray[np.floating]) -> NDArray[np.intp]:
        rank = np.clip(scores, 0, 1 - 1e-6).astype(np.float64) * self.n_
        return np.searchsorted(self._start, rank, side="right") - 1


def _pieces(
    first: NDArray[np.intp], counts: NDArray[np.intp], n: int, k: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Part n ordered persons into atoms and blocks of at least ``k``.

    Parameters
    ----------
    first, counts : ndarray of shape (distinct values,)
        First person of each distinct value, and how many have it.
    n, k : int

    Returns
    -------
    starts : ndarray of shape (pieces,)
    atom : ndarray of shape (pieces,), bool
    """
    shared = counts >= k
    opens = shared | np.r_[True, shared[:-1]]
    starts = first[opens].tolist()
    ends = [*starts[1:], n]
    atom = shared[opens].tolist()
    for i in range(len(starts)):
        short = k - (ends[i] - starts[i])
        if atom[i] or short <= 0:
            continue
        beside = [j for j in (i - 1, i + 1) if 0 <= j < len(starts)]
        if not beside:
            break  # fewer than k in all
        j = max(beside, key=lambda j: ends[j] - starts[j])
        size = ends[j] - starts[j]
        lent = short if size - short >= k else size
        if j < i:
            starts[i], ends[j] = starts[i] - lent, ends[j] - lent
        else:
            ends[i], starts[j] = ends[i] + lent, starts[j] + lent
    begun: list[int] = []
    kinds: list[bool] = []
    for start, end, whole in zip(starts, ends, atom, strict=True):
        if end - start < k and begun:
            kinds[-1] = kinds[-1] and end == start  # too few still: one with those before
        elif end > start:
            blocks = 1 if whole else max((end - start) // k, 1)
            begun.extend(start + (end - start) * b // blocks for b in range(blocks))
            kinds.extend([whole] * blocks)
    return np.array(begun), np.array(kinds)


def _random_tie_order(latent: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """Order ``latent``, equal values at random."""
    shuffled = rng.permutation(len(latent))
    return shuffled[order_of(latent[shuffled])]


def order_of(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Order ``values``, equal ones by their place: as a stable argsort, but far faster.

    A float and its place make one word; the bits of floats, those below zero turned over,
    are in the order of the floats.
    """
    bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    word = ordered << np.uint64(32) | np.arange(len(values), dtype=np.uint64)
    word.sort()
    return (word & np.uint64(0xFFFFFFFF)).astype(np.int64)
