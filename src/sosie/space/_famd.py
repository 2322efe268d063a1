"""Factor analysis of mixed data, with PCA and MCA as its two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.space._eigen import leading_eigenpairs
from sosie.space._moments import Moments, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.space._mixed import Mixed

    Floats = NDArray[np.float64]

__all__ = ["FAMD"]


class FAMD:
    r"""Factor analysis of mixed data: numbers and categories on equal terms.

    A number :math:`x` becomes :math:`z = (x - \bar x) / s`, with the population standard
    deviation; a level of proportion :math:`p` becomes
    :math:`z = (1_{level} - p) / \sqrt p`. FAMD is the principal component analysis of
    :math:`Z`: a number weighs an inertia of 1, a category with :math:`K` levels an inertia
    of :math:`K - 1` but no more than 1 on any factor, so neither kind rules the first
    factors. The first factor maximises the sum of the squared correlations with the
    numbers and of the correlation ratios with the categories.

    - With numbers only this is the PCA of the correlation matrix.
    - With categories only this is MCA, the correspondence analysis of the indicator
      matrix: coordinates are divided by :math:`\sqrt Q` and eigenvalues by :math:`Q`, the
      number (total weight) of columns, so that they are those of MCA.
    - One pass over blocks of rows; memory does not grow with their number.
    - Explained shares are relative to the total inertia, whatever ``n_factors``.

    Parameters
    ----------
    n_factors : int or None
        Number of factors, at most the rank of the data; None for all of them.
    weights : sequence of float, optional
        One weight a column, numbers first: the inertia of the column is multiplied by it,
        so that a weight of 2 is the same as giving the column twice. 0 leaves the column
        out. Default 1 everywhere.

    Attributes
    ----------
    n_factors_ : int
        Number of factors found: ``n_factors`` or the rank, whichever is smaller.
    explained_variance_ : ndarray of shape (n_factors_,)
        Eigenvalues: the variance, with divisor n, of the coordinates.
    explained_variance_ratio_ : ndarray of shape (n_factors_,)
        Their shares of the total inertia.
    total_inertia_ : float
        Sum of all eigenvalues, kept or not.
    contributions_ : ndarray of shape (p + q, n_factors_)
        Share of each column in the inertia of each factor; a factor's shares sum to 1.
    squared_correlations_ : ndarray of shape (p + q, n_factors_)
        Squared correlation (numbers) or correlation ratio (categories) with each factor.
    correlations_ : ndarray of shape (p, n_factors_)
        Signed correlations of the numbers with the factors.
    loadings_ : ndarray of shape (p + total levels, n_factors_)
        Orthonormal axes, on standardised numbers and then levels.
    mean_, scale_ : ndarray of shape (p + total levels,)
        Means and proportions; standard deviations and square roots of proportions
        (0 for what does not vary: a constant column, an empty level).

    References
    ----------
    .. [1] B. Escofier, "Traitement simultané de variables qualitatives et quantitatives
       en analyse factorielle", Les cahiers de l'analyse des données 4(2), 1979.
    .. [2] J. Pagès, "Analyse factorielle de données mixtes", Revue de statistique
       appliquée 52(4), 2004.
    .. [3] S. Lê, J. Josse, F. Husson, "FactoMineR: an R package for multivariate
       analysis", Journal of Statistical Software 25(1), 2008.
    .. [4] M. Greenacre, "Correspondence analysis in practice", 3rd ed., CRC, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sosie.space import FAMD, Mixed
    >>> height = np.array([[160.0], [165.0], [180.0], [190.0]])
    >>> group = np.array([[0], [0], [1], [1]])
    >>> persons = Mixed(height, group, levels=(2,))
    >>> famd = FAMD(n_factors=2).fit(persons)
    >>> famd.explained_variance_ratio_.round(3)
    array([0.972, 0.028])
    >>> coordinates = famd.transform(persons)
    >>> numbers, proportions = famd.inverse_transform(coordinates)
    >>> numbers.ravel().round(3)
    array([160., 165., 180., 190.])
    """

    def __init__(
        self, n_factors: int | None = 5, *, weights: Sequence[float] | None = None
    ) -> None:
        self.n_factors = n_factors
        self.weights = weights

    def fit(self, mixed: Mixed) -> Self:
        """Find the factors of ``mixed``, read once by blocks of rows."""
        self._checked_weights(mixed.n_columns)
        return self.fit_moments(moments(mixed), mixed.levels)

    def fit_moments(self, found: Moments, levels: tuple[int, ...]) -> Self:
        """Find the factors of rows whose moments are known, and the rows are not.

        Parameters
        ----------
        found : Moments
            Of the numbers and of the indicators of levels; its covariance is changed.
        levels : tuple of int
            Number of levels of each categorical column.
        """
        p = len(found.mean) - sum(levels)
        n_columns = p + len(levels)
        weights = self._checked_weights(n_columns)

        # A spread at the level of rounding is no spread.
        variance = found.covariance.diagonal()
        spread = np.sqrt(variance[:p])
        spread[spread <= 16 * np.finfo(float).eps * np.abs(found.mean[:p])] = 0
        self.mean_ = found.mean
        share = np.where(variance[p:] > 0, found.mean[p:], 0)
        self.scale_ = np.concatenate([spread, np.sqrt(share)])
        self.levels_ = levels
        column = np.repeat(np.arange(n_columns), [1] * p + list(levels))
        # MCA is FAMD of categories up to the number of columns.
        self._unit = 1.0 if p else np.sqrt(weights.sum())
        self._metric = np.sqrt(weights)[column] / self._unit

        inverse = _inverse(self.scale_) * self._metric
        inertia = found.covariance  # scaled in place: it is the largest thing here
        inertia *= inverse[:, None]
        inertia *= inverse
        self.total_inertia_ = float(np.trace(inertia))
        if not self.total_inertia_ > 0:
            raise DataError("Every column is constant: there is nothing to tell persons apart.")

        active = inverse > 0
        dependent = sum(1 for j in range(p, n_columns) if active[column == j].any())
        rank = min(int(active.sum()) - dependent, found.n - 1)
        wanted = rank if self.n_factors is None else min(self.n_factors, rank)
        values, vectors = leading_eigenpairs(inertia, max(wanted, 1))
        self.n_factors_ = int((values > 1e-12 * values[0]).sum())
        self.explained_variance_ = values[: self.n_factors_]
        self.loadings_ = vectors[:, : self.n_factors_] * active[:, None]
        self.explained_variance_ratio_ = self.explained_variance_ / self.total_inertia_

        starts = np.flatnonzero(np.diff(column, prepend=-1))
        self.contributions_ = np.add.reduceat(self.loadings_**2, starts, axis=0)
        self.squared_correlations_ = (
            self.contributions_
            * self.explained_variance_
            * _inverse(weights / self._unit**2)[:, None]
        )
        self.correlations_ = (
            self.loadings_[:p]
            * np.sqrt(self.explained_variance_)
            * _inverse(self._metric[:p])[:, None]
        )
        return self

    def transform(self, mixed: Mixed) -> NDArray[np.float32]:
        """Coordinates of rows, those of the fit or new ones.

        A code of -1 stands for a level never seen and adds nothing, like the mean.

        Returns
        -------
        ndarray of shape (n, n_factors_), float32
        """
        p = len(self.mean_) - sum(self.levels_)
        if mixed.levels != self.levels_ or mixed.numbers.shape[1] != p:
            raise ValueError("these rows do not have the columns that were fitted")
        axes, tables = self.shares()
        coordinates = np.empty((len(mixed), self.n_factors_), np.float32)
        start = 0
        for block in mixed.blocks(16_384):
            out = coordinates[start : start + len(block)]
            np.matmul(block.numbers - self.mean_[:p], axes, out=out, casting="same_kind")
            for table, codes in zip(tables, block.codes.T, strict=True):
                out += table.take(codes, axis=0)
            start += len(block)
        return coordinates

    def axes(self) -> Floats:
        """Give what a unit of each number, and each level, adds to the coordinates.

        Returns
        -------
        ndarray of shape (p + total levels, n_factors_)
            To be multiplied with values, or indicators, less ``mean_``.
        """
        return self.loadings_ * (_inverse(self.scale_) * self._metric)[:, None]

    def shares(self) -> tuple[Floats, list[NDArray[np.float32]]]:
        """Give what each column adds to the coordinates of a row, which are their sum.

        Returns
        -------
        axes : ndarray of shape (p, n_factors_)
            A number adds its distance from the mean, in its own unit, times its row.
        tables : list of q ndarrays of shape (levels + 1, n_factors_), float32
            A category adds the row of its code; the last row, where -1 leads, is zero.
        """
        p = len(self.mean_) - sum(self.levels_)
        axes = self.axes()
        tables = []
        for span in _spans(p, self.levels_):
            centred = axes[span] - self.mean_[span] @ axes[span]
            unknown = np.zeros((1, self.n_factors_))
            tables.append(np.concatenate([centred, unknown]).astype(np.float32))
        return axes[:p], tables

    def inverse_transform(self, coordinates: NDArray[Any]) -> tuple[Floats, NDArray[np.float32]]:
        """Rebuild columns from coordinates: exact at full rank, least squares below.

        Returns
        -------
        numbers : ndarray of shape (m, p), float64
        proportions : ndarray of shape (m, total levels), float32
            The levels of one column sum to 1; below full rank some may leave [0, 1].
        """
        p = len(self.mean_) - sum(self.levels_)
        axes = self.loadings_ * (self.scale_ * _inverse(self._metric))[:, None]
        numbers = coordinates @ axes[:p].T + self.mean_[:p]
        levels = coordinates.astype(np.float32) @ axes[p:].T.astype(np.float32)
        levels += self.mean_[p:].astype(np.float32)
        return numbers, levels

    def _checked_weights(self, n_columns: int) -> Floats:
        if self.n_factors is not None and self.n_factors < 1:
            raise ParameterError(f"The number of factors is at least 1, not {self.n_factors}.")
        if self.weights is None:
            return np.ones(n_columns)
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (n_columns,):
            raise ParameterError(f"{n_columns} columns need {n_columns} weights.")
        if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
            raise ParameterError("Column weights are finite, not negative and not all zero.")
        return weights


def _inverse(x: Floats) -> Floats:
    """Return 1 / x, and 0 where x is 0: what does not vary has no coordinate."""
    return np.divide(1, x, out=np.zeros_like(x), where=x > 0)


def _spans(start: int, levels: Sequence[int]) -> list[slice]:
    """Where the levels of each categorical column stand, the first at ``start``."""
    ends = start + np.cumsum(levels, dtype=int)
    return [slice(end - k, end) for end, k in zip(ends.tolist(), levels, strict=True)]
