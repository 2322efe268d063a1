"""Nearest neighbours among coordinates: exact for few rows, measured for many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import faiss
import numpy as np

from sosie.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Coordinates = NDArray[np.float32]
    Rows = NDArray[np.int32]

__all__ = ["Neighbours"]

_BLOCK = 65_536
"""Queries searched at once."""

_SPARE = 4
"""Neighbours fetched beyond those wanted, for what rounding may have swapped."""

_RECALL = 0.95
"""Least share of true neighbours found; more lists are probed until it is reached."""


class Neighbours:
    r"""The ``k`` nearest rows of each row or query, by Euclidean distance.

    Up to ``exact_up_to`` rows every pair is compared. Beyond, rows are kept in the
    :math:`2 \sqrt n` lists of an inverted file, one per k-means cell, and a query is compared
    with the rows of the ``n_probe`` nearest cells. The recall is then measured against exact
    search, on up to 1,000 of the rows, and ``n_probe`` doubled until 0.95 of the true
    neighbours are found.

    Results do not depend on the number of threads. Equal distances come by increasing row;
    where several rows tie for the last place, any of them may take it.

    Parameters
    ----------
    k : int
        Number of neighbours, less than the number of rows.
    exact_up_to : int
        Largest number of rows searched exactly.
    n_probe : int
        Number of lists first probed.
    seed : int
        Seed of the k-means and of the sample on which recall is measured.

    Attributes
    ----------
    recall_ : float
        Share of the true neighbours found; 1 when the search is exact.
    n_probe_ : int or None
        Number of lists probed; None when the search is exact.

    References
    ----------
    .. [1] M. Douze et al., "The Faiss library", arXiv:2401.08281, 2024.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [1.0], [5.0]], dtype=np.float32)
    >>> distances, rows = Neighbours(k=2).fit(line).kneighbours()
    >>> rows
    array([[1, 2],
           [2, 0],
           [1, 0],
           [1, 2]], dtype=int32)
    """

    def __init__(
        self, k: int, *, exact_up_to: int = 50_000, n_probe: int = 2, seed: int = 0
    ) -> None:
        self.k = k
        self.exact_up_to = exact_up_to
        self.n_probe = n_probe
        self.seed = seed

    def fit(self, coordinates: Coordinates) -> Self:
        """Keep the rows of ``coordinates`` (n, d), among which neighbours are looked for."""
        n, d = coordinates.shape
        if not 1 <= self.k < n:
            raise ParameterError(
                f"k = {self.k} neighbours cannot be found among {n} rows: "
                f"k is at least 1 and less than the number of rows."
            )
        if self.n_probe < 1:
            raise ParameterError(f"n_probe is at least 1, not {self.n_probe}.")
        self.rows_ = np.ascontiguousarray(coordinates, dtype=np.float32)
        self._lists: Any = None
        self.recall_ = 1.0
        self.n_probe_: int | None = None
        if n > self.exact_up_to:
            n_lists = int(2 * math.sqrt(n))
            self._quantizer = faiss.IndexFlatL2(d)  # the lists do not keep it alive
            self._lists = faiss.IndexIVFFlat(self._quantizer, d, n_lists)
            self._lists.cp.seed = self.seed + 1234
            self._lists.cp.max_points_per_centroid = 64
            self._lists.train(self.rows_)
            self._lists.add(self.rows_)
            self._probe_enough(n_lists)
        return self

    def kneighbours(self, coordinates: Coordinates | None = None) -> tuple[Coordinates, Rows]:
        """Find the neighbours of queries, or of the fitted rows, each without itself.

        Parameters
        ----------
        coordinates : ndarray of shape (m, d), optional
            Queries; the fitted rows when None.

        Returns
        -------
        distances : ndarray of shape (m, k), float32
            Increasing.
        rows : ndarray of shape (m, k), int32
        """
        queries = self.rows_ if coordinates is None else coordinates
        distances = np.empty((len(queries), self.k), np.float32)
        rows = np.empty((len(queries), self.k), np.int32)
        for start in range(0, len(queries), _BLOCK):
            some = slice(start, start + _BLOCK)
            block = np.ascontiguousarray(queries[some], dtype=np.float32)
            own = np.arange(start, start + len(block)) if coordinates is None else None
            distances[some], rows[some] = self._nearest(block, own)
        return distances, rows

    def _nearest(
        self, queries: Coordinates, own: NDArray[np.integer] | None, *, exact: bool = False
    ) -> tuple[Coordinates, Rows]:
        """Neighbours of ``queries``, but for the row ``own[i]`` that query ``i`` is."""
        fetched = min(self.k + (own is not None) + _SPARE, len(self.rows_))
        if exact or self._lists is None:
            found = faiss.knn(queries, self.rows_, fetched)[1]
        else:
            self._lists.nprobe = self.n_probe_
            found = self._lists.search(queries, fetched)[1]
            short = np.flatnonzero(found[:, -1] < 0)  # lists too small to hold k rows
            if len(short):
                found[short] = faiss.knn(queries[short], self.rows_, fetched)[1]

        # Matrix products lose digits of small distances: measure the few again.
        squared = np.zeros(found.shape, np.float32)
        for column, values in zip(self.rows_.T, queries.T, strict=True):
            gap = column.take(found)
            gap -= values[:, None]
            gap *= gap
            squared += gap
        if own is not None:
            squared[found == own[:, None]] = np.inf
        # Positive floats sort as their bits do: distance, then row, in one integer.
        key = squared.view(np.int32).astype(np.int64) << 32 | found
        key.sort(axis=1)
        key = key[:, : self.k]
        nearest = np.sqrt((key >> 32).astype(np.int32).view(np.float32))
        return nearest, key.astype(np.int32)

    def _probe_enough(self, n_lists: int) -> None:
        n = len(self.rows_)
        size = min(n, max(250, min(1000, 500_000_000 // n)))  # about a second at most
        sample = np.sort(np.random.default_rng(self.seed).choice(n, size, replace=False))
        queries = self.rows_[sample]
        farthest = self._nearest(queries, sample, exact=True)[0][:, -1:]
        n_probe = min(self.n_probe, n_lists)
        while True:
            self.n_probe_ = n_probe
            self.recall_ = float((self._nearest(queries, sample)[0] <= farthest).mean())
            if self.recall_ >= _RECALL or n_probe == n_lists:
                return
            n_probe = min(2 * n_probe, n_lists)
