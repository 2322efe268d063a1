"""How many persons have each label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from sosie.insitu._aggregate import Part, Total, counts
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded

if TYPE_CHECKING:
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

__all__ = ["Counts"]


class Counts(Analysis):
    """Count the persons by label of a column.

    Examples
    --------
    >>> Counts(column="sex").columns
    ('sex',)
    """

    private_rounds: ClassVar[int] = 1
    id: Literal["counts"] = "counts"
    column: ColumnName

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column,)

    def start(self, schema: Schema) -> State:
        """Check the column."""
        require_coded(schema, self.column)
        return {"labels": labels(schema, self.column)}

    def local(self, rows: Rows, state: State) -> Part:
        """Count at one holder."""
        codes = rows.codes(self.column)
        found = counts(codes[codes >= 0], len(state["labels"]), codes >= 0)
        chosen = [rows.selection(m, self.columns, self.columns) for m in found.members]
        return Part({"counts": found}, (rows.selection(codes >= 0, self.columns), *chosen))

    def combine(self, total: Total, state: State) -> Result:
        """Give counts and shares."""
        found = np.maximum(total["counts"], 0)  # noise can be larger than a count
        n = float(found.sum())
        table = [
            {"label": label, "count": float(count), "share": float(count / n) if n else None}
            for label, count in zip(state["labels"], found, strict=True)
        ]
        return Result(self.id, {"n": n}, {"counts": table})
