"""A table of two columns, and whether they are independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

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

    private_rounds: ClassVar[int] = 1
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
        return {"rows": labels(schema, self.row), "columns": labels(schema, self.column),
                "private": False}  # fmt: skip

    def start_privately(self, schema: Schema) -> State:
        """Begin an answer with differential privacy."""
        return self.start(schema) | {"private": True}

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
        table = np.maximum(total["counts"], 0)
        cells = [
            {self.row: row, self.column: column, "count": float(table[i, j])}
            for i, row in enumerate(state["rows"])
            for j, column in enumerate(state["columns"])
        ]
        # The law of chi-squared does not hold for counts with noise of differential privacy.
        tested = _UNTESTED if state["private"] else _tested(table)
        return Result(self.id, {"n": float(table.sum()), **tested}, {"cells": cells})


_UNTESTED: dict[str, float | None] = {"chi2": None, "df": None, "p": None, "cramers_v": None}


def _tested(table: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    """Test independence on the labels that somebody has."""
    some = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(some.shape, default=0) < 2:
        return _UNTESTED
    expected = np.outer(some.sum(axis=1), some.sum(axis=0)) / some.sum()
    chi2 = float(((some - expected) ** 2 / expected).sum())
    degrees = (some.shape[0] - 1) * (some.shape[1] - 1)
    v = float(np.sqrt(chi2 / (some.sum() * (min(some.shape) - 1))))
    return {"chi2": chi2, "df": degrees, "p": chi2_tail(chi2, degrees), "cramers_v": v}
