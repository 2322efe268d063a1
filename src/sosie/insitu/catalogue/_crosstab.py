"""A table of two columns, and whether they are independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sosie.errors import ParameterError
from sosie.insitu._aggregate import Part, Total, counts
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._laws import chi2_tail
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded

if TYPE_CHECKING:
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

__all__ = ["Crosstab"]


class Crosstab(Analysis):
    """Count the persons by the labels of two columns; Pearson's chi-squared, not corrected.

    Examples
    --------
    >>> Crosstab(row="sex", column="outcome").columns
    ('sex', 'outcome')
    """

    id: Literal["crosstab"] = "crosstab"
    row: ColumnName
    column: ColumnName

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.row, self.column)

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        if self.row == self.column:
            raise ParameterError("A cross-tab is of two different columns.")
        require_coded(schema, self.row, self.column)
        return {"rows": labels(schema, self.row), "columns": labels(schema, self.column)}

    def local(self, rows: Rows, state: State) -> Part:
        """Count at one holder."""
        shape = len(state["rows"]), len(state["columns"])
        first, second = rows.codes(self.row), rows.codes(self.column)
        known = (first >= 0) & (second >= 0)
        found = counts(first[known] * shape[1] + second[known], shape, known)
        cells = [rows.selection(m, self.columns, self.columns) for m in found.members]
        margins = [
            rows.selection(known & (codes == label), self.columns, (name,))
            for name, codes, many in ((self.row, first, shape[0]), (self.column, second, shape[1]))
            for label in range(many)
        ]
        whole = rows.selection(known, self.columns)
        return Part({"counts": found}, (whole, *margins, *cells))

    def combine(self, total: Total, state: State) -> Result:
        """Give the table and the test."""
        table = total["counts"]
        cells = [
            {self.row: row, self.column: column, "count": float(table[i, j])}
            for i, row in enumerate(state["rows"])
            for j, column in enumerate(state["columns"])
        ]
        return Result(self.id, {"n": float(table.sum()), **_tested(table)}, {"cells": cells})


def _tested(table: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    """Test independence on the labels that somebody has."""
    some = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(some.shape, default=0) < 2:
        return {"chi2": None, "df": None, "p": None, "cramers_v": None}
    expected = np.outer(some.sum(axis=1), some.sum(axis=0)) / some.sum()
    chi2 = float(((some - expected) ** 2 / expected).sum())
    degrees = (some.shape[0] - 1) * (some.shape[1] - 1)
    v = float(np.sqrt(chi2 / (some.sum() * (min(some.shape) - 1))))
    return {"chi2": chi2, "df": degrees, "p": chi2_tail(chi2, degrees), "cramers_v": v}
