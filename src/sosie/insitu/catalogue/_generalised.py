"""Generalised linear models: logistic, Poisson and gamma regression."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from sosie.errors import DataError
from sosie.insitu._aggregate import Part, Total, counts, implied_cells, over, products, sums
from sosie.insitu._design import Design, binary, model_of, outcome_of, read_formula
from sosie.insitu._newton import begin, inverse, next_step
from sosie.insitu._result import Result, term_rows
from sosie.insitu._told import crossed, told_of, weighers_of
from sosie.insitu.catalogue._regression import Regression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._analysis import State
    from sosie.insitu._rows import Rows
    from sosie.table import Factor, Schema

    Floats = NDArray[np.float64]

__all__ = ["Gamma", "Logistic", "Poisson"]


class _Generalised(Regression):
    """Fisher scoring on pooled scores and informations; no one else chooses the coefficients."""

    def start(self, schema: Schema) -> State:
        """Check the formula."""
        formula = read_formula(self.formula, outcome=True)
        design = Design.of(formula, schema)
        outcome = outcome_of(formula, schema, two_values=self.two_values)
        state = begin(np.zeros(len(design.names)))
        return state | {"design": design, "outcome": outcome, "centre": None, "also": ()}

    def local(self, rows: Rows, state: State) -> Part:
        """Give score, information and deviance at the present coefficients."""
        matrix = state["design"].matrix(rows)
        y = self.outcome(rows, state["outcome"])
        known = np.isfinite(matrix).all(axis=1) & np.isfinite(y) & rows.known(state["also"])
        weighers = [*weighers_of(state["design"], rows), (y, (state["outcome"].column,))]
        told, summed = told_of(rows, known, self.columns, weighers)
        own = state["design"].columns
        cells, crossing = crossed(rows, known, self.columns, own, state["outcome"].column)
        told += crossing
        matrix, y = matrix[known], y[known]
        n = counts(np.zeros(len(y), np.int64), 1, known)
        if state["centre"] is None:
            return Part(
                {"n": n, "outcome": over(sums(y[:, None]), n)}, told, model_of(matrix), summed
            )
        mean, slope, weight, deviance, pearson = self.at(matrix @ state["beta"], y)
        score = matrix * (slope * (y - mean))[:, None]
        found = products(matrix, weight)
        # The score at equal chances is the table of each label by the outcome.
        implied = implied_cells(np.column_stack([matrix, y]))
        found = replace(found, cells=(*implied, *cells))
        arrays = {
            "score": sums(score), "information": found,
            "deviance": sums(deviance[:, None]), "pearson": sums(pearson[:, None]),
        }  # fmt: skip
        arrays = {name: over(one, n) for name, one in arrays.items()}
        return Part({"n": n} | arrays, told, model_of(matrix, weight), summed)

    def combine(self, total: Total, state: State) -> State | Result:
        """Take a step, or give the coefficients."""
        if state["centre"] is None:
            n = total.number("n")
            centre = total.number("outcome") / n if n else 0.0
            beta = state["beta"].copy()
            if constant := state["design"].constant:
                beta[list(constant)] = self.first(centre)
            return state | {"centre": centre, "beta": beta}
        after, done = next_step(
            total["score"], total["information"], total.number("deviance"), state
        )
        if not done:
            return state | after
        n, names = total.number("n"), state["design"].names
        degrees = n - len(names)
        scale = total.number("pearson") / degrees if self.scaled else 1.0
        errors = np.sqrt(scale * np.diag(inverse(total["information"])))
        values = {"n": n, "df": degrees, "deviance": total.number("deviance"), "scale": scale}
        return Result(self.id, values, {"terms": term_rows(names, state["beta"], errors)})

    id: str
    scaled: ClassVar[bool] = False
    two_values: ClassVar[bool] = False

    @abstractmethod
    def outcome(self, rows: Rows, outcome: Factor) -> Floats:
        """Give the outcome of each person; not finite where it is not known."""

    @abstractmethod
    def first(self, mean: float) -> float:
        """Give the intercept to begin with, from the pooled mean of the outcome."""

    @abstractmethod
    def at(self, linear: Floats, y: Floats) -> tuple[Floats, ...]:
        """Give mean, slope of the score, weight, deviance and Pearson's square of each person."""


class Logistic(_Generalised):
    """Logistic regression of a column of two labels (the second is 1) or of 0 and 1.

    Examples
    --------
    >>> Logistic(formula="death ~ age + sex").columns
    ('death', 'age', 'sex')
    """

    id: Literal["logistic"] = "logistic"
    two_values: ClassVar[bool] = True

    def outcome(self, rows: Rows, outcome: Factor) -> Floats:
        """Give 0 and 1."""
        return binary(rows, outcome.column)

    def first(self, mean: float) -> float:
        """Give the log odds."""
        if not 0 < mean < 1:
            raise DataError("All persons have the same outcome.")
        return float(np.log(mean / (1 - mean)))

    def at(self, linear: Floats, y: Floats) -> tuple[Floats, ...]:
        """Binomial family, logit link."""
        mean = np.exp(-np.logaddexp(0, -linear))
        weight = mean * (1 - mean)
        deviance = 2 * np.logaddexp(0, np.where(y > 0, -linear, linear))
        return mean, np.ones_like(y), weight, deviance, (y - mean) ** 2 / np.maximum(weight, 1e-300)


class Poisson(_Generalised):
    """Poisson regression of a count, log link.

    Examples
    --------
    >>> Poisson(formula="visits ~ age").columns
    ('visits', 'age')
    """

    id: Literal["poisson"] = "poisson"

    def outcome(self, rows: Rows, outcome: Factor) -> Floats:
        """Give counts, 0 or more."""
        values = outcome.of(rows.numbers(outcome.column))
        if (values[np.isfinite(values)] < 0).any():
            raise DataError(f"The outcome {outcome.text} is below 0.")
        return values

    def first(self, mean: float) -> float:
        """Give the log of the mean."""
        if mean <= 0:
            raise DataError("All counts are 0.")
        return float(np.log(mean))

    def at(self, linear: Floats, y: Floats) -> tuple[Floats, ...]:
        """Poisson family, log link."""
        mean = np.exp(linear)
        ratio = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mean), 0.0)
        return mean, np.ones_like(y), mean, 2 * (ratio - (y - mean)), (y - mean) ** 2 / mean


class Gamma(_Generalised):
    """Gamma regression of an amount above 0, log link; the scale is Pearson's.

    Examples
    --------
    >>> Gamma(formula="cost ~ age").columns
    ('cost', 'age')
    """

    id: Literal["gamma"] = "gamma"
    scaled: ClassVar[bool] = True

    def outcome(self, rows: Rows, outcome: Factor) -> Floats:
        """Give amounts above 0."""
        values = outcome.of(rows.numbers(outcome.column))
        if (values[np.isfinite(values)] <= 0).any():
            raise DataError(f"The outcome {outcome.text} is not above 0.")
        return values

    def first(self, mean: float) -> float:
        """Give the log of the mean."""
        return float(np.log(mean))

    def at(self, linear: Floats, y: Floats) -> tuple[Floats, ...]:
        """Gamma family, log link: the weight is 1."""
        mean = np.exp(linear)
        deviance = 2 * ((y - mean) / mean - np.log(y / mean))
        return mean, 1 / mean, np.ones_like(y), deviance, ((y - mean) / mean) ** 2
