"""A draw of the normal law of each person's neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from sosie.generators._blend import blend, restore_margins
from sosie.generators._kernel import coordinates_of, margins_of, neighbours_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.generators._kernel import Setting
    from sosie.space import Columns

__all__ = ["Gaussian"]


class Gaussian:
    r"""Draw from the normal law that has the neighbours' mean and covariance.

    With :math:`g \sim N(0, I_k)`, the weights
    :math:`w_j = 1/k + (g_j - \bar g) / \sqrt{k - 1}` make
    :math:`\sum_j w_j x_j \sim N(\bar x, S)`, :math:`S` the covariance of the neighbours:
    no donor stands out, and the spread is not shrunk. Margins of numbers are restored by
    ranks.

    - Moves every line of the published kernel at once, with the same neighbours.
    - It weighs neighbours of each person, as patents EP3908952B1 and US12026281B2
      describe: see NOTICE.

    References
    ----------
    .. [1] B. W. Silverman, "Density estimation for statistics and data analysis", 1986,
       section 6.4 (the smoothed bootstrap with shrinkage).
    """

    name: ClassVar[str] = "gaussian"
    keeps_rules: ClassVar[bool] = True

    def fit(
        self,
        columns: Columns,
        setting: Setting,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Find the neighbours of each person."""
        coordinates = coordinates_of(columns, setting)
        self.n_factors_ = coordinates.shape[1]
        self._columns = columns
        self._margins = margins_of(columns, setting.k)
        self._neighbours = neighbours_of(coordinates, setting.k, rng)[1]
        return self

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw one avatar a person, in the order of the persons."""
        n, k = self._neighbours.shape
        weights = rng.standard_normal((n, k), dtype=np.float32)
        weights -= weights.mean(axis=1, keepdims=True)
        weights /= np.sqrt(max(k - 1, 1))
        weights += np.float32(1 / k)
        blended = blend(self._columns, self._neighbours, weights, rng)
        return restore_margins(blended, self._margins, rng)
