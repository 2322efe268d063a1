"""Principal components of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sosie.errors import DataError
from sosie.insitu._result import Result
from sosie.insitu.catalogue._moments import OfMoments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Components"]


class Components(OfMoments):
    """Principal components of standardised columns; no score of a person is made.

    Examples
    --------
    >>> Components(columns_of=["age", "bmi", "bp"]).columns
    ('age', 'bmi', 'bp')
    """

    id: Literal["pca"] = "pca"

    def solved(self, n: float, products: Floats) -> Result:
        """Give variances and loadings; the largest loading of a component is positive."""
        sd = np.sqrt(np.diag(products))
        if not (sd > 0).all():
            raise DataError("A column is constant.")
        values, vectors = np.linalg.eigh(products / np.outer(sd, sd))
        values, vectors = values[::-1], vectors[:, ::-1]
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(sd))])
        variances = [
            {"component": j + 1, "variance": float(v), "share": float(v / values.sum())}
            for j, v in enumerate(values)
        ]
        loadings = [
            {"column": name, "component": j + 1, "loading": float(vectors[i, j])}
            for i, name in enumerate(self.columns)
            for j in range(len(values))
        ]
        return Result(self.id, {"n": n}, {"variances": variances, "loadings": loadings})
