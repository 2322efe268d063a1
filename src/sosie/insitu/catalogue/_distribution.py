"""Histograms and quantiles of one column, on bins that every holder can bear."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._aggregate import Part, Total, counts
from sosie.insitu._analysis import Analysis, ColumnName, Finite, State
from sosie.insitu._grid import begin_grid, bins_of, grid_votes, next_grid, told_bins
from sosie.insitu._result import Result
from sosie.insitu._rows import require_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["Histogram", "Quantiles"]


_PRIVATE_BINS = 16


class _Binned(Analysis):
    rounds_seen: ClassVar[bool] = True
    private_rounds: ClassVar[int] = 1
    column: ColumnName
    lower: Finite
    upper: Finite

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column,)

    def start(self, schema: Schema) -> State:
        """Check the column."""
        require_number(schema, self.column)
        return begin_grid(self.lower, self.upper)

    def start_privately(self, schema: Schema) -> State:
        """Begin an answer with differential privacy: on bins that no holder's rows choose."""
        return self.start(schema) | {
            "edges": np.linspace(self.lower, self.upper, _PRIVATE_BINS + 1), "settled": True,
        }  # fmt: skip

    def local(self, rows: Rows, state: State) -> Part:
        """Vote on the bins; then count."""
        values = rows.numbers(self.column)
        known = np.isfinite(values)
        whole = rows.selection(known, self.columns)
        if not state["settled"]:
            one = np.zeros(int(known.sum()), np.int64)
            return Part({"votes": grid_votes(values[known], [one], state, rows.floors)}, (whole,))
        bins = bins_of(values[known], state["edges"])
        found = counts(bins, len(state["edges"]) - 1, known)
        told = [rows.selection(members, self.columns, self.columns) for members in found.members]
        return Part({"counts": found}, (whole, *told))

    def combine(self, total: Total, state: State) -> State | Result:
        """Settle the bins, then give the answer."""
        if not state["settled"]:
            return next_grid(total, state)
        return self.told(state["edges"], np.maximum(total["counts"], 0))

    @abstractmethod
    def told(self, edges: Floats, found: Floats) -> Result:
        """Give the result from edges and counts."""


class Histogram(_Binned):
    """Counts in bins from `lower` to `upper`, each halved while every holder can bear it.

    The first and the last bin are open, without an edge on that side: what is beyond `lower` and
    `upper` is counted in them, and nobody is told whether there is any.

    Examples
    --------
    >>> Histogram(column="age", lower=0, upper=120).columns
    ('age',)
    """

    id: Literal["histogram"] = "histogram"

    def told(self, edges: Floats, found: Floats) -> Result:
        """Give one row a bin."""
        n = float(found.sum())
        bins = zip(told_bins(edges, ends=False), found, strict=True)
        rows: list[dict[str, Any]] = [one | {"count": float(m)} for one, m in bins]
        return Result(self.id, {"n": n}, {"bins": rows})


class Quantiles(_Binned):
    """Quantiles, each with the two edges of bins between which it lies for certain.

    No step of a bisection leaves: the bins are settled by votes before anything is counted,
    and none of them holds fewer persons than the floor. A quantile in the first or the last bin
    has no bound on the side on which that bin is open, and no value.

    Examples
    --------
    >>> Quantiles(column="age", lower=0, upper=120).at
    (0.25, 0.5, 0.75)
    """

    id: Literal["quantiles"] = "quantiles"
    at: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(max_length=20)] = (
        0.25, 0.5, 0.75,
    )  # fmt: skip

    def told(self, edges: Floats, found: Floats) -> Result:
        """Interpolate within the bin that holds each quantile."""
        n, below = float(found.sum()), np.concatenate([[0.0], np.cumsum(found)])
        if n < 1:
            raise DataError("Nobody has a value.")
        bins = told_bins(edges, ends=False)
        rows: list[dict[str, Any]] = []
        for q in self.at:
            rank = q * n
            place = int(np.clip(np.searchsorted(below, rank, side="left") - 1, 0, len(found) - 1))
            low, high = bins[place]["from"], bins[place]["to"]
            share = (rank - below[place]) / found[place] if found[place] else 0.5
            value = None if low is None or high is None else low + share * (high - low)
            rows.append({"q": q, "value": value, "at_least": low, "at_most": high})
        bound = (
            "The value on the pooled rows is not below at_least and not above at_most; where one "
            "is missing it may lie beyond the range that was given."
        )
        return Result(self.id, {"n": n}, {"quantiles": rows}, exact=False, bound=bound)
