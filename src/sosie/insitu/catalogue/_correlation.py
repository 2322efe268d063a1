"""Pearson's correlations of all pairs of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._laws import CRITICAL, student_tail
from sosie.insitu._result import Result
from sosie.insitu._rows import require_number
from sosie.insitu.catalogue._moments import begin_moments, crossed, moments_part, pooled

if TYPE_CHECKING:
    from sosie.insitu._aggregate import Part, Total
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

__all__ = ["Correlation"]


class Correlation(Analysis):
    """Correlate columns, of the persons who have a value in all of them.

    Examples
    --------
    >>> Correlation(columns_of=["age", "bmi"]).columns
    ('age', 'bmi')
    """

    id: Literal["correlation"] = "correlation"
    rounds_seen: ClassVar[bool] = True
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
        """Give each pair with the interval of Fisher's z and the test of Student."""
        if state["centre"] is None:
            return pooled(total)
        n, products = crossed(total, state)
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
