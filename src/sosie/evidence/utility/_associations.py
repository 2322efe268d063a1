"""Associations of every pair of columns, from sums over rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Sums", "association_matrix"]


@dataclass(frozen=True)
class Sums:
    """All that associations need to know of some rows; it adds up over rows.

    Attributes
    ----------
    numbers : ndarray of shape (3p, 3p)
        Products of the values (0 where missing), of whether they are known and of the squares.
    levels : ndarray of shape (K, 3p)
        Their sums by level; K the levels of all columns together, missing being one more.
    pairs : sparse array of shape (K, K)
        How often two levels stand together.
    sizes : ndarray of shape (q,)
        Levels of each column.
    """

    numbers: Floats
    levels: Floats
    pairs: Any
    sizes: NDArray[np.intp]

    @classmethod
    def of(cls, people: People, centre: Floats, scale: Floats) -> Sums:
        """Sum over the rows of ``people``, numbers about a ``centre`` to lose no digits."""
        from scipy import sparse

        known = ~np.isnan(people.numbers)
        x = np.where(known, (people.numbers - centre) / scale, 0)
        block = np.concatenate([x, known, x * x], axis=1)
        sizes = np.array([len(v) + 1 for v in people.layout.levels.values()], np.intp)
        ends = np.cumsum(sizes)
        n, q = people.codes.shape
        places = np.where(people.codes < 0, ends - 1, people.codes + (ends - sizes))
        held = sparse.csr_array(
            (np.ones(n * q), places.ravel().astype(np.int32), np.arange(0, n * q + 1, max(q, 1)))
            if q
            else (n, 1),
            shape=(n, int(sizes.sum())) if q else (n, 1),
        )
        return cls(block.T @ block, held.T @ block, (held.T @ held).tocsr(), sizes)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(
            self.numbers - other.numbers,
            self.levels - other.levels,
            self.pairs - other.pairs,
            self.sizes,
        )

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.numbers + other.numbers,
            self.levels + other.levels,
            self.pairs + other.pairs,
            self.sizes,
        )


def association_matrix(sums: Sums) -> Floats:
    """Give the association of each pair of columns, numbers before labels: (p + q, p + q).

    Two numbers: Pearson's correlation over the rows where both are known. A number and a
    column of labels: the correlation ratio, where the number is known. Two columns of labels:
    Cramér's V, without bias correction. 0 where a column does not vary, 1 on the diagonal.
    """
    p, q = len(sums.numbers) // 3, len(sums.sizes)
    found = np.eye(p + q)
    if p > 1:
        found[:p, :p] = _pearson(sums.numbers, p)
    if p and q:
        found[p:, :p] = _correlation_ratios(sums, p)
        found[:p, p:] = found[p:, :p].T
    if q > 1:
        found[p:, p:] = _cramer(sums.pairs, sums.sizes)
    np.fill_diagonal(found, 1)
    return found


_VARIES = 1e-10
"""Share of the mean square below which a variance is rounding."""


def _pearson(products: Floats, p: int) -> Floats:
    values, known, squares = slice(0, p), slice(p, 2 * p), slice(2 * p, 3 * p)
    n = products[known, known]
    first = products[values, known]  # sum of the row's number where both are known
    second = products[squares, known]
    covariance = n * products[values, values] - first * first.T
    variance = n * second - first**2
    variance = np.where(variance > _VARIES * n * second, variance, 0)
    spread = np.sqrt(variance * variance.T)
    return np.clip(np.divide(covariance, spread, np.zeros_like(n), where=spread > 0), -1, 1)


def _correlation_ratios(sums: Sums, p: int) -> Floats:
    n = sums.numbers[p : 2 * p, p : 2 * p].diagonal()
    total = sums.numbers[:p, p : 2 * p].diagonal()
    squares = sums.numbers[2 * p :, p : 2 * p].diagonal()
    per_level, size = sums.levels[:, :p], sums.levels[:, p : 2 * p]
    mean_square = np.divide(per_level**2, size, np.zeros_like(size), where=size > 0)
    starts = np.cumsum(sums.sizes) - sums.sizes
    correction = np.divide(total**2, n, np.zeros_like(total), where=n > 0)
    between = np.add.reduceat(mean_square, starts, axis=0) - correction
    within_all = squares - correction
    varies = within_all > _VARIES * squares
    share = np.divide(between, within_all, np.zeros_like(between), where=varies)
    return np.sqrt(np.clip(share, 0, 1))


def _cramer(pairs: Any, sizes: NDArray[np.intp]) -> Floats:
    q = len(sizes)
    held = pairs.diagonal()
    column = np.repeat(np.arange(q), sizes)
    cells = pairs.tocoo()
    a, b = cells.coords
    one, other = column[a], column[b]
    counted = cells.data > 0.5
    share = cells.data[counted] ** 2 / (held[a] * held[b])[counted]
    total = np.bincount((one * q + other)[counted], share, minlength=q * q).reshape(q, q)
    present = np.bincount(column, held > 0.5, minlength=q)
    fewer = np.minimum.outer(present, present) - 1
    # chi2 / n is the sum of n_ab^2 / (n_a n_b), less 1: empty cells need no visit.
    return np.sqrt(np.clip(np.divide(total - 1, fewer, np.zeros((q, q)), where=fewer > 0), 0, 1))
