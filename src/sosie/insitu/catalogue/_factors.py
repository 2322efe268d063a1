"""Factors of numbers and labels together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import ParameterError
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded, require_number
from sosie.insitu.catalogue._moments import begin_moments, crossed, moments_part, pooled
from sosie.table import NUMERIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Part, Total
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["Factors"]


class Factors(Analysis):
    """Factor analysis of mixed data: FAMD, with PCA and MCA as its two ends.

    Sums, then cross-products, of numbers and of the indicators of labels leave each holder, and
    no coordinate of a person. The axes are those of :class:`sosie.space.FAMD` on the rows of all
    holders without a missing value; with them a holder places its own persons.

    Examples
    --------
    >>> Factors(columns_of=["age", "sex"], factors=2).columns
    ('age', 'sex')
    """

    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    id: Literal["famd"] = "famd"
    columns_of: Annotated[list[ColumnName], Field(min_length=2, max_length=50)]
    factors: Annotated[int, Field(ge=1, le=20)] = 5

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(dict.fromkeys(self.columns_of))

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        if len(self.columns) < 2:
            raise ParameterError("Factors are of two different columns or more.")
        numbers = [name for name in self.columns if schema[name].kind in NUMERIC]
        coded = [name for name in self.columns if name not in numbers]
        require_number(schema, *numbers)
        require_coded(schema, *coded)
        told = {name: labels(schema, name) for name in coded}
        return begin_moments() | {"numbers": numbers, "labels": told}

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums, then cross-products."""
        own = [(rows.numbers(name), (name,)) for name in state["numbers"]]
        for name, told in state["labels"].items():
            codes = rows.codes(name)
            own += [
                (np.where(codes < 0, np.nan, codes == place), (name,)) for place in range(len(told))
            ]
        matrix = np.column_stack([values for values, _ in own])
        return moments_part(rows, matrix, self.columns, state, own)

    def combine(self, total: Total, state: State) -> State | Result:
        """Give variances, what each column adds, and the axes."""
        if state["centre"] is None:
            return state | pooled(total)
        from sosie.space import FAMD, Moments

        n, products = crossed(total, state)
        levels = tuple(len(told) for told in state["labels"].values())
        found = Moments(round(n), state["centre"], products / n)
        famd = FAMD(self.factors).fit_moments(found, levels)
        factors = range(famd.n_factors_)
        variances = [
            {
                "factor": j + 1,
                "variance": float(famd.explained_variance_[j]),
                "share": float(famd.explained_variance_ratio_[j]),
            }
            for j in factors
        ]
        names = [*state["numbers"], *state["labels"]]
        columns = [
            {
                "column": name,
                "factor": j + 1,
                "contribution": float(famd.contributions_[i, j]),
                "squared_correlation": float(famd.squared_correlations_[i, j]),
            }
            for i, name in enumerate(names)
            for j in factors
        ]
        values = {"n": n, "inertia": famd.total_inertia_}
        tables = {"variances": variances, "columns": columns, "axes": _axes(famd, state)}
        return Result(self.id, values, tables)


def _axes(famd: Any, state: State) -> list[dict[str, Any]]:
    """Say where a value stands: the coordinates of a person are the sum over the rows."""
    of: list[tuple[str, str | None]] = [(name, None) for name in state["numbers"]]
    of += [(name, label) for name, told in state["labels"].items() for label in told]
    return [
        {
            "column": column,
            "label": label,
            "mean": float(mean),
            "scale": float(scale),
            "weights": [float(one) for one in weights],
        }
        for (column, label), mean, scale, weights in zip(
            of, famd.mean_, famd.scale_, famd.axes(), strict=True
        )
    ]
