"""Mann-Whitney's test of two groups, on binned ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Part, Total, counts
from sosie.insitu._analysis import Analysis, ColumnName, Finite, State
from sosie.insitu._grid import begin_grid, bins_of, grid_votes, next_grid, told_bins
from sosie.insitu._laws import normal_tail
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded, require_number

if TYPE_CHECKING:
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

__all__ = ["MannWhitney"]


class MannWhitney(Analysis):
    """Compare two groups by ranks; values in one bin are ties.

    The first and the last bin are open: what is beyond `lower` and `upper` is in them.

    Examples
    --------
    >>> MannWhitney(column="age", by="sex", lower=0, upper=120).columns
    ('age', 'sex')
    """

    rounds_seen: ClassVar[bool] = True
    id: Literal["mann_whitney"] = "mann_whitney"
    column: ColumnName
    by: ColumnName
    lower: Finite
    upper: Finite

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column, self.by)

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        require_number(schema, self.column)
        require_coded(schema, self.by)
        if len(labels(schema, self.by)) != 2:
            raise ParameterError(f"Column {self.by!r} does not have two labels.")
        return begin_grid(self.lower, self.upper)

    def local(self, rows: Rows, state: State) -> Part:
        """Vote on the bins; then count by group."""
        values, codes = rows.numbers(self.column), rows.codes(self.by).astype(np.int64)
        known = np.isfinite(values) & (codes >= 0)
        values, codes = values[known], codes[known]
        whole = rows.selection(known, self.columns)
        if not state["settled"]:
            return Part({"votes": grid_votes(values, [codes], state, rows.floors)}, (whole,))
        many = len(state["edges"]) - 1
        found = counts(codes * many + bins_of(values, state["edges"]), (2, many), known)
        told = [rows.selection(members, self.columns, self.columns) for members in found.members]
        return Part({"counts": found}, (whole, *told))

    def combine(self, total: Total, state: State) -> State | Result:
        """Settle the bins, then test with the correction for ties and for continuity."""
        if not state["settled"]:
            return next_grid(total, state)
        first, second = total["counts"]
        n1, n2, ties = first.sum(), second.sum(), first + second
        n = n1 + n2
        if min(n1, n2) < 1:
            raise DataError("A group has nobody in it.")
        below = np.cumsum(second) - second
        u = float(first @ (below + second / 2))
        spread = np.sqrt(n1 * n2 / 12 * (n + 1 - (ties**3 - ties).sum() / (n * (n - 1))))
        z = (max(u, n1 * n2 - u) - n1 * n2 / 2 - 0.5) / spread if spread else 0.0
        off = float(first @ second) / 2
        values = {
            "n_first": float(n1), "n_second": float(n2), "u": u, "u_at_most_off": off,
            "share_first_above": u / float(n1 * n2),
            "p": min(1.0, normal_tail(float(max(z, 0.0)))),
        }  # fmt: skip
        bound = f"U is within {off:g} of that on the pooled rows: half the pairs within a bin."
        bins = told_bins(state["edges"], ends=False)
        return Result(self.id, values, {"bins": bins}, exact=False, bound=bound)
