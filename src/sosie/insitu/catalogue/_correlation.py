"""Pearson's correlations of all pairs of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sosie.errors import DataError
from sosie.insitu._laws import CRITICAL, student_tail
from sosie.insitu._result import Result
from sosie.insitu.catalogue._moments import OfMoments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Correlation"]


class Correlation(OfMoments):
    """Correlate columns, of the persons who have a value in all of them.

    Examples
    --------
    >>> Correlation(columns_of=["age", "bmi"]).columns
    ('age', 'bmi')
    """

    id: Literal["correlation"] = "correlation"

    def solved(self, n: float, products: Floats) -> Result:
        """Give each pair with the interval of Fisher's z and the test of Student."""
        spread = np.sqrt(np.diag(products))
        if not (spread > 0).all() or n < 4:
            raise DataError("A column is constant, or there are fewer than four persons.")
        wide = CRITICAL / np.sqrt(n - 3)
        rows = []
        for i, first in enumerate(self.columns):
            for j, second in enumerate(self.columns[:i]):
                r = float(np.clip(products[i, j] / (spread[i] * spread[j]), -1, 1))
                z = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
                t = r * np.sqrt((n - 2) / max(1e-300, 1 - r * r))
                ci = [float(np.tanh(z - wide)), float(np.tanh(z + wide))]
                p = student_tail(float(t), n - 2)
                rows.append({"first": second, "second": first, "r": r, "ci": ci, "p": p})
        return Result(self.id, {"n": n}, {"pairs": rows})
