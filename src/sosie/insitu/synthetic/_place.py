"""Where a holder's persons stand in factors that all holders fitted together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from sosie.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.generators import Kernel
    from sosie.generators._kernel import Setting
    from sosie.insitu._result import Result
    from sosie.insitu._rows import Rows
    from sosie.space import Columns

__all__ = ["InFactors", "coordinates_in"]


def coordinates_in(factors: Result, rows: Rows) -> NDArray[np.float32]:
    """Place the persons of a holder.

    Parameters
    ----------
    factors : Result
        Of the analysis ``famd``.
    rows : Rows
        A value that is missing adds nothing, as the mean would.

    Returns
    -------
    ndarray of shape (n, factors), float32

    Raises
    ------
    ParameterError
        If the result is of another analysis.
    """
    if factors.analysis != "famd":
        raise ParameterError(f"Factors are a result of famd, not of {factors.analysis}.")
    axes = factors.tables["axes"]
    found = np.zeros((len(rows), len(axes[0]["weights"])))
    seen: dict[str, list[dict[str, object]]] = {}
    for axis in axes:
        seen.setdefault(axis["column"], []).append(axis)
    for column, own in seen.items():
        weights = np.array([axis["weights"] for axis in own], float)
        means = np.array([axis["mean"] for axis in own], float)
        if own[0]["label"] is None:
            values = rows.numbers(column) - means[0]
            found += np.outer(np.where(np.isfinite(values), values, 0), weights[0])
        else:
            codes = rows.codes(column)
            at = np.vstack([weights - means @ weights, np.zeros(weights.shape[1])])
            found += at[codes]  # the last row is that of -1
    return found.astype(np.float32)


class InFactors:
    """A kernel that makes neighbourhoods in factors found elsewhere.

    Parameters
    ----------
    kernel : Kernel
    coordinates : ndarray of shape (n, factors), float32
        Of the persons on whom it will be fitted, in their order.
    """

    name: ClassVar[str] = "in factors"
    keeps_rules: ClassVar[bool] = True

    def __init__(self, kernel: Kernel, coordinates: NDArray[np.float32]) -> None:
        self._kernel, self._coordinates = kernel, coordinates
        self.n_factors_ = coordinates.shape[1]

    def fit(
        self,
        columns: Columns,
        setting: Setting,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Learn from the persons, where they stand."""
        setting = replace(setting, coordinates=self._coordinates)
        self._kernel = self._kernel.fit(columns, setting, rng, progress)
        return self

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw one avatar a person, in the order of the persons."""
        return self._kernel.draw(rng, progress)
