"""A comparison of two arms, weighted by the inverse chance of the arm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Part, Total, counts, over, sums
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._design import model_of, read_formula
from sosie.insitu._laws import CRITICAL, normal_tail
from sosie.insitu._result import Result
from sosie.insitu._rows import require_number
from sosie.insitu._told import crossed, told_of, weighers_of
from sosie.insitu.catalogue._generalised import Logistic
from sosie.insitu.catalogue._regression import FormulaText  # noqa: TC001 - pydantic reads annotations

if TYPE_CHECKING:
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

__all__ = ["Propensity"]


class Propensity(Analysis):
    """Difference of the mean outcome of two arms, weighted by a logistic propensity score.

    Weights are those of the average effect in all persons, normalised in each arm (Hájek); the
    standard error is the robust one that takes the weights as known, which is on the safe side.

    Examples
    --------
    >>> Propensity(outcome="bp", arm="treated", formula="age + sex").columns
    ('bp', 'treated', 'age', 'sex')
    """

    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    id: Literal["propensity"] = "propensity"
    outcome: ColumnName
    arm: ColumnName
    formula: FormulaText

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        own = read_formula(self.formula, outcome=False).columns
        return tuple(dict.fromkeys((self.outcome, self.arm, *own)))

    @property
    def _score(self) -> Logistic:
        if '"' in self.arm:
            raise ParameterError("The name of the arm cannot hold quotes.")
        return Logistic(formula=f'Q("{self.arm}") ~ {self.formula}')

    def start(self, schema: Schema) -> State:
        """Check the columns and the formula."""
        require_number(schema, self.outcome)
        return self._score.start(schema) | {"also": (self.outcome,), "fitted": False, "mean": None}

    def local(self, rows: Rows, state: State) -> Part:
        """Fit the score; then give weighted sums, and weighted squares about the means."""
        if not state["fitted"]:
            part = self._score.local(rows, state)
            about = rows.told(self.columns)
            told = tuple(replace(one, about=about) for one in part.selections)
            summed = tuple(replace(one, about=about) for one in part.summed)
            return Part(part.arrays, told, part.model, summed)
        matrix, arm = state["design"].matrix(rows), rows.values(self.arm)
        y = rows.numbers(self.outcome)
        known = np.isfinite(matrix).all(axis=1) & np.isfinite(arm) & np.isfinite(y)
        weighers = [*weighers_of(state["design"], rows), (arm, (self.arm,)), (y, (self.outcome,))]
        told, summed = told_of(rows, known, self.columns, weighers)
        by = (*state["design"].columns, self.arm)
        cells, crossing = crossed(rows, known, self.columns, by, self.outcome)
        told += crossing
        matrix, arm, y = matrix[known], arm[known], y[known]
        chance = 1 / (1 + np.exp(-matrix @ state["beta"]))
        weight = np.where(arm == 1, 1 / chance, 1 / (1 - chance))
        inside = np.column_stack([arm == 0, arm == 1]).astype(float)
        model = model_of(matrix, weight)
        n = counts(np.zeros(len(y), np.int64), 1, known)
        if state["mean"] is None:
            found = sums(np.column_stack([inside, inside * y[:, None]]), weight)
            found = replace(found, cells=cells)
            return Part({"n": n, "weighted": over(found, n)}, told, model, summed)
        off = (y - state["mean"][arm.astype(int)]) * weight
        squares = over(sums(inside * off[:, None] ** 2), n)
        return Part({"n": n, "squares": squares}, told, model, summed)

    def combine(self, total: Total, state: State) -> State | Result:
        """Take a step of the score; then compare."""
        if not state["fitted"]:
            found = self._score.combine(total, state)
            return state | {"fitted": True} if isinstance(found, Result) else found
        if state["mean"] is None:
            weight, weighted = total["weighted"][:2], total["weighted"][2:]
            if not (weight > 0).all():
                raise DataError("An arm has nobody in it.")
            return state | {"mean": weighted / weight, "weight": weight}
        error = float(np.sqrt((total["squares"] / state["weight"] ** 2).sum()))
        difference = float(state["mean"][1] - state["mean"][0])
        wide = CRITICAL * error
        values = {
            "n": total.number("n"), "difference": difference, "se": error,
            "low": difference - wide, "high": difference + wide,
            "p": normal_tail(difference / error) if error else None,
            "mean_first": float(state["mean"][0]), "mean_second": float(state["mean"][1]),
        }  # fmt: skip
        return Result(self.id, values)
