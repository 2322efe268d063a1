"""Principal components of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._result import Result
from sosie.insitu._rows import require_number
from sosie.insitu.catalogue._moments import begin_moments, crossed, moments_part, pooled

if TYPE_CHECKING:
    from sosie.insitu._aggregate import Part, Total
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

__all__ = ["Components"]


class Components(Analysis):
    """Principal components of standardised columns; no score of a person is made.

    Examples
    --------
    >>> Components(columns_of=["age", "bmi", "bp"]).columns
    ('age', 'bmi', 'bp')
    """

    rounds_seen: ClassVar[bool] = True
    id: Literal["pca"] = "pca"
    columns_of: Annotated[list[ColumnName], Field(min_length=2, max_length=50)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(dict.fromkeys(self.columns_of))

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        require_number(schema, *self.columns)
        return begin_moments()

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums, then cross-products."""
        matrix = np.column_stack([rows.numbers(name) for name in self.columns])
        return moments_part(rows, matrix, self.columns, state)

    def combine(self, total: Total, state: State) -> State | Result:
        """Give variances and loadings; the largest loading of a component is positive."""
        if state["centre"] is None:
            return pooled(total)
        n, products = crossed(total, state)
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
