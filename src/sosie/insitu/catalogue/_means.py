"""Means and variances, of all or by group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Aggregate, Part, Selection, Summed, Total, counts, over, sums
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded, require_number
from sosie.insitu._told import told_apart, told_of
from sosie.insitu.catalogue._moments import off_centre

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["Means", "by_group", "moments"]


class Means(Analysis):
    """Mean and standard deviation of columns, of the persons who have a value.

    The centre is pooled first, so that variances lose no digits.

    Examples
    --------
    >>> Means(columns_of=["age", "weight"]).columns
    ('age', 'weight')
    """

    version: ClassVar[str] = "2"
    id: Literal["means"] = "means"
    rounds_seen: ClassVar[bool] = True
    private_rounds: ClassVar[int] = 2
    columns_of: Annotated[list[ColumnName], Field(min_length=1, max_length=50)]
    by: ColumnName | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        own = tuple(dict.fromkeys(self.columns_of))
        return own if self.by is None else (*own, self.by)

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        require_number(schema, *self.columns_of)
        if self.by is not None:
            require_coded(schema, self.by)
        groups = [""] if self.by is None else labels(schema, self.by)
        return {"groups": groups, "centres": None, "n": None, "bounds": {}}

    def start_privately(self, schema: Schema) -> State:
        """Begin an answer with differential privacy: between the bounds that were agreed on."""
        state, bounds = super().start_privately(schema), {}
        for name in self.columns_of:
            column = schema[name]
            if not isinstance(column.lower, int | float) or not isinstance(
                column.upper, int | float
            ):
                raise ParameterError(
                    f"Column {name!r} has no agreed lowest and highest value; a mean with "
                    "differential privacy needs them."
                )
            bounds[name] = (float(column.lower), float(column.upper))
        return state | {"bounds": bounds}

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums, then sums of squares about the pooled centres."""
        arrays: dict[str, Aggregate] = {}
        told: list[Selection] = []
        summed: list[Summed] = []
        for j, column in enumerate(dict.fromkeys(self.columns_of)):
            centres = None if state["centres"] is None else state["centres"][j]
            bounds = state["bounds"].get(column)
            found, chosen, weighed = by_group(
                rows, column, self.by, len(state["groups"]), centres, bounds=bounds
            )
            arrays |= {f"{name}_{j}": one for name, one in found.items()}
            told += chosen
            summed += weighed
        return Part(arrays, tuple(told), summed=tuple(summed))

    def combine(self, total: Total, state: State) -> State | Result:
        """Pool the centres, then give the table."""
        columns = list(dict.fromkeys(self.columns_of))
        if state["centres"] is None:
            return state | moments(total, len(columns))
        rows: list[dict[str, Any]] = []
        for j, column in enumerate(columns):
            n, centre = state["n"][j], state["centres"][j]
            square = total[f"sum_{j}"]
            for g, group in enumerate(state["groups"]):
                if n[g] < 2:
                    continue
                sd = float(np.sqrt(max(0.0, square[g]) / (n[g] - 1)))
                row = {"column": column, "n": float(n[g]), "mean": float(centre[g]), "sd": sd}
                row["se"] = float(sd / np.sqrt(n[g]))
                rows.append(row if self.by is None else {self.by: group} | row)
        return Result(self.id, {}, {"means": rows})


def by_group(
    rows: Rows,
    column: str,
    by: str | None,
    groups: int,
    centres: Any,
    *,
    bounds: tuple[float, float] | None = None,
) -> tuple[dict[str, Aggregate], list[Selection], list[Summed]]:
    """Sum a column in each group; about centres, its squares.

    With bounds, what is beyond them is drawn in, and what one person can change is known.
    """
    values = rows.numbers(column)
    known = np.isfinite(values)
    codes = np.zeros(len(rows), np.int32)
    if by is not None:
        codes = rows.codes(by)
        known &= codes >= 0
    values, own = values[known], codes[known]
    most = None
    if bounds is not None:
        values, centre = np.clip(values, *bounds), 0.0 if centres is None else np.asarray(centres)
        most = float(np.abs(np.asarray(bounds)[:, None] - centre).max())
        most = most if centres is None else most**2
    if centres is not None:
        values = off_centre(values, np.asarray(centres)[own]) ** 2
    n = counts(own, groups, known)
    inside = np.where(own[:, None] == np.arange(groups), values[:, None], 0.0)
    names = (column,) if by is None else (column, by)
    told, summed = [rows.selection(known, names)], list[Summed]()
    for members in n.members:
        sets, weighed = told_of(rows, members, names, by=names[1:])
        told += sets
        summed += weighed
    cells, apart, functions = told_apart(rows, n.members, (column,), names[1:])
    arrays = {"sum": over(replace(sums(inside), cells=cells, sensitivity=most), n)}
    return (
        ({"n": n} | arrays if centres is None else arrays),
        [*told, *apart],
        [*summed, *functions],
    )


def moments(total: Total, columns: int) -> State:
    """Give the number of persons and the mean of each group, column by column.

    Raises
    ------
    DataError
        If nobody has a value.
    """
    n = [total[f"n_{j}"] for j in range(columns)]
    if any(one.sum() < 2 for one in n):
        raise DataError("A column has fewer than two values in all.")
    centres = [
        np.where(one > 0, total[f"sum_{j}"] / np.where(one > 0, one, 1), 0.0)
        for j, one in enumerate(n)
    ]
    return {"n": n, "centres": centres}
