"""The avatar kernel as it was published in 2023."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from sosie.generators._blend import blend
from sosie.generators._kernel import coordinates_of, neighbours_of
from sosie.space import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.generators._kernel import Setting
    from sosie.space import Columns

__all__ = ["Published"]

_FILLED_FROM = 5


class Published:
    r"""Stochastic barycentre of the ``k`` nearest neighbours.

    Neighbour :math:`j` of person :math:`i`, at distance :math:`d_{ij}` in the first
    factors, weighs

    .. math:: w_{ij} \propto \frac{1}{d_{ij}}\; E_j\; 2^{-r_j},
        \qquad E_j \sim \mathrm{Exp}(1),

    with :math:`r` a random permutation of :math:`1, \dots, k`. Numbers are the weighted
    means of the neighbours' numbers, which is the barycentre taken in all dimensions and
    projected back; levels are drawn from their weighted shares.

    - Kept as the point of comparison: it leaks membership and shrinks spreads by a
      quarter, whatever ``k``, because about 2.7 neighbours carry all the weight.
    - It is what patents EP3908952B1 and US12026281B2 describe: see NOTICE.
    - Rules between columns are not kept: each column is drawn by itself, as published.
    - A missing number is filled with the mean of the 5 nearest persons who have it, and
      whether it is missing is one more column.

    References
    ----------
    .. [1] M. Guillaudeux et al., "Patient-centric synthetic data generation, no reason to
       risk re-identification in biomedical data analysis", npj Digital Medicine 6:37, 2023.
    """

    name: ClassVar[str] = "published"
    keeps_rules: ClassVar[bool] = False

    def fit(
        self,
        columns: Columns,
        setting: Setting,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Find the neighbours of each person."""
        columns = _filled(columns, coordinates_of(columns, setting))
        coordinates = coordinates_of(columns, setting)
        self.n_factors_ = coordinates.shape[1]
        self._columns = columns
        self._distances, self._neighbours = neighbours_of(coordinates, setting.k, rng)
        return self

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw one avatar a person, in the order of the persons."""
        n, k = self._distances.shape
        rank = rng.permuted(np.tile(np.arange(1, k + 1, dtype=np.float32), (n, 1)), axis=1)
        weights = rng.standard_exponential((n, k), dtype=np.float32) * np.exp2(-rank)
        weights /= np.maximum(self._distances, 1e-8)
        weights /= weights.sum(axis=1, keepdims=True)
        return blend(self._columns, self._neighbours, weights, rng)


def _filled(columns: Columns, coordinates: NDArray[np.float32]) -> Columns:
    """Fill missing numbers from the nearest persons who have them."""
    numbers = dict(columns.numbers)
    for name, values in columns.numbers.items():
        if name not in columns.mask_of:
            continue
        missing = columns.masks[columns.mask_of[name]]
        known = np.flatnonzero(~missing)
        if len(known) <= _FILLED_FROM:
            continue
        search = Neighbours(_FILLED_FROM).fit(coordinates[known])
        rows = search.kneighbours(coordinates[missing])[1]
        numbers[name] = values.copy()
        numbers[name][missing] = values[known[rows]].mean(axis=1)
    return replace(columns, numbers=numbers)
