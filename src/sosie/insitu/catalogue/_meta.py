"""Meta-analysis of one model a holder: what to ask where the least may leave."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sosie.errors import DataError
from sosie.insitu._aggregate import Part, Total, counts, estimates, over
from sosie.insitu._design import Design, binary, model_of, outcome_of, read_formula
from sosie.insitu._newton import begin, inverse, next_step
from sosie.insitu._result import Result, term_rows, to_hundredths
from sosie.insitu._told import crossed, told_of, weighers_of
from sosie.insitu.catalogue._generalised import Logistic
from sosie.insitu.catalogue._regression import Regression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Model
    from sosie.insitu._analysis import State
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["MetaAnalysis"]

_MOST_STEPS = 50


class MetaAnalysis(Regression):
    """Fit a model at each holder, and average the coefficients with random effects.

    Between-holder variance after DerSimonian and Laird. Even the coefficients of one holder
    leave only within sums, and what is told of these is rounded: exact answers of several
    questions about the same columns would have one solution, each holder's own.

    Examples
    --------
    >>> MetaAnalysis(formula="bp ~ age", model="linear").columns
    ('bp', 'age')
    """

    version: ClassVar[str] = "4"
    id: Literal["meta_analysis"] = "meta_analysis"
    model: Literal["linear", "logistic"]

    def start(self, schema: Schema) -> State:
        """Check the formula."""
        formula = read_formula(self.formula, outcome=True)
        outcome = outcome_of(formula, schema, two_values=self.model == "logistic")
        return {
            "design": Design.of(formula, schema),
            "outcome": outcome,
            "size": None,
            "tau2": None,
        }

    def local(self, rows: Rows, state: State) -> Part:
        """Fit this holder's model; give weights and weighted coefficients."""
        matrix, outcome = state["design"].matrix(rows), state["outcome"]
        if self.model == "linear":
            y = outcome.of(rows.numbers(outcome.column))
        else:
            y = binary(rows, outcome.column)
        known = np.isfinite(matrix).all(axis=1) & np.isfinite(y)
        fit = _least_squares if self.model == "linear" else _logistic
        b, se, model = fit(matrix[known], y[known])
        # The hub sees sums of holders that are not rounded: what it adds up is.
        b, se = to_hundredths(b, se), to_hundredths(se, se)
        n = int(known.sum())
        weighers = [*weighers_of(state["design"], rows), (y, (outcome.column,))]
        told, summed = told_of(rows, known, self.columns, weighers)
        cells: tuple[int, ...] = ()
        if self.model == "logistic":
            own = state["design"].columns
            cells, crossing = crossed(rows, known, self.columns, own, outcome.column)
            told += crossing
        w = 1 / (se**2 + (0.0 if state["tau2"] is None else state["tau2"]))
        found = np.stack([w])
        if state["size"] is not None:
            found = np.stack([w, w * b, w * b**2, w * (w / state["size"])])
        persons = counts(np.zeros(n, np.int64), 1, known)
        weighted = replace(estimates(found, n), cells=cells)
        return Part({"weighted": over(weighted, persons)}, told, model, summed)

    def combine(self, total: Total, state: State) -> State | Result:
        """Find the size of the weights, then the variance between holders, then the average."""
        if state["size"] is None:
            # Of weights squared a sum keeps the digits near 1, not in the unit of a column.
            return state | {"size": 2.0 ** np.rint(np.log2(total["weighted"][0]))}
        w, wb, wbb, ww = total["weighted"]
        if state["tau2"] is None:
            q = wbb - wb**2 / w
            within = w - state["size"] * ww / w
            more = (q - (total.holders - 1)) / np.where(within > 0, within, np.inf)
            return state | {"tau2": np.maximum(0.0, more), "q": q}
        errors = np.sqrt(1 / w)
        terms = term_rows(
            state["design"].names, to_hundredths(wb / w, errors), to_hundredths(errors, errors)
        )
        found = zip(terms, to_hundredths(state["tau2"]), to_hundredths(state["q"]), strict=True)
        for term, tau2, q in found:
            term["tau2"], term["q"] = float(tau2), float(q)
        bound = (
            "An average of one model a holder; not the model of the pooled rows. Told to a "
            "hundredth of the standard error, and how holders differ to two digits: exact answers "
            "of several such questions would tell each holder's own."
        )
        return Result(
            self.id, {"holders": total.holders}, {"terms": terms}, exact=False, bound=bound
        )


def _least_squares(matrix: Floats, y: Floats) -> tuple[Floats, Floats, Model]:
    n, p = matrix.shape
    if n <= p:
        raise DataError("There are fewer persons than parameters.")
    within = inverse(matrix.T @ matrix)
    b = within @ (matrix.T @ y)
    variance = float(((y - matrix @ b) ** 2).sum()) / (n - p)
    return b, np.sqrt(variance * np.diag(within)), model_of(matrix)


def _logistic(matrix: Floats, y: Floats) -> tuple[Floats, Floats, Model]:
    family: Any = Logistic(formula="y ~ 1")
    state = begin(np.zeros(matrix.shape[1]))
    for _ in range(_MOST_STEPS):
        mean, _, weight, deviance, _ = family.at(matrix @ state["beta"], y)
        information = (matrix * weight[:, None]).T @ matrix
        state, done = next_step(matrix.T @ (y - mean), information, float(deviance.sum()), state)
        if done:
            return state["beta"], np.sqrt(np.diag(inverse(information))), model_of(matrix, weight)
    raise DataError("The model does not converge.")
