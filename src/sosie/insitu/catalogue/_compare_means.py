"""Student's and Welch's t test, and one-way analysis of variance."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Part, Total
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._laws import f_tail, student_point, student_tail
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded, require_number
from sosie.insitu.catalogue._means import by_group, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["Anova", "TTest"]


class _OfGroups(Analysis):
    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    column: ColumnName
    by: ColumnName

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column, self.by)

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        require_number(schema, self.column)
        require_coded(schema, self.by)
        return {"groups": labels(schema, self.by), "centres": None, "n": None}

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums by group, then sums of squares about the pooled means."""
        centres = None if state["centres"] is None else state["centres"][0]
        found, told, summed = by_group(rows, self.column, self.by, len(state["groups"]), centres)
        arrays = {f"{name}_0": one for name, one in found.items()}
        return Part(arrays, tuple(told), summed=tuple(summed))

    def combine(self, total: Total, state: State) -> State | Result:
        """Pool the means, then test."""
        if state["centres"] is None:
            return state | moments(total, 1)
        n, mean, square = state["n"][0], state["centres"][0], total["sum_0"]
        if (n < 2).any():
            raise DataError("A group has fewer than two persons in all; recode the groups.")
        return self.tested(n, mean, square, state["groups"])

    @abstractmethod
    def tested(self, n: Floats, mean: Floats, square: Floats, groups: list[str]) -> Result:
        """Test, from persons, means and sums of squares by group."""


class TTest(_OfGroups):
    """Compare the means of two groups, without supposing equal variances (Welch).

    Examples
    --------
    >>> TTest(column="age", by="sex").columns
    ('age', 'sex')
    """

    id: Literal["t_test"] = "t_test"

    def start(self, schema: Schema) -> State:
        """Check that there are two groups."""
        state = super().start(schema)
        if len(state["groups"]) != 2:
            raise ParameterError(f"Column {self.by!r} does not have two labels; use anova.")
        return state

    def tested(self, n: Floats, mean: Floats, square: Floats, groups: list[str]) -> Result:
        """Test the difference, first label less second."""
        variance = square / (n - 1)
        error = np.sqrt((variance / n).sum())
        degrees = (variance / n).sum() ** 2 / ((variance / n) ** 2 / (n - 1)).sum()
        difference = float(mean[0] - mean[1])
        wide = student_point(float(degrees)) * error
        statistic = difference / error
        values = {
            "difference": difference,
            "se": float(error),
            "low": float(difference - wide),
            "high": float(difference + wide),
            "t": float(statistic),
            "df": float(degrees),
            "p": student_tail(float(statistic), float(degrees)),
        }
        return Result(self.id, values, {"groups": _groups(n, mean, variance, groups)})


class Anova(_OfGroups):
    """Compare the means of groups, supposing equal variances (one-way).

    Examples
    --------
    >>> Anova(column="age", by="centre").columns
    ('age', 'centre')
    """

    id: Literal["anova"] = "anova"

    def tested(self, n: Floats, mean: Floats, square: Floats, groups: list[str]) -> Result:
        """Test whether all means are equal."""
        k, all_n = len(n), float(n.sum())
        if all_n <= k:
            raise DataError("There are too few persons for these groups.")
        centre = float(n @ mean / all_n)
        between = float(n @ (mean - centre) ** 2)
        within = float(square.sum())
        statistic = (between / (k - 1)) / (within / (all_n - k))
        values = {
            "f": statistic,
            "df_between": k - 1,
            "df_within": all_n - k,
            "eta_squared": between / (between + within),
            "p": f_tail(statistic, k - 1, all_n - k),
        }
        return Result(self.id, values, {"groups": _groups(n, mean, square / (n - 1), groups)})


def _groups(n: Floats, mean: Floats, variance: Floats, groups: list[str]) -> list[dict[str, Any]]:
    told = zip(groups, n, mean, np.sqrt(variance), strict=True)
    return [
        {"label": label, "n": float(m), "mean": float(x), "sd": float(sd)}
        for label, m, x, sd in told
    ]
