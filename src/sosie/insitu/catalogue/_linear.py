"""Least squares: linear regression, ridge and lasso, from the same cross-products."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError, ParameterError
from sosie.insitu._design import Design, outcome_of, read_formula
from sosie.insitu._newton import inverse
from sosie.insitu._result import Result, term_rows
from sosie.insitu._told import weighers_of
from sosie.insitu.catalogue._moments import begin_moments, crossed, moments_part, pooled
from sosie.insitu.catalogue._regression import Regression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Part, Total
    from sosie.insitu._analysis import State
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["Lasso", "Linear", "Ridge"]

_SWEEPS = 100_000


class _LeastSquares(Regression):
    def start(self, schema: Schema) -> State:
        """Check the formula."""
        formula = read_formula(self.formula, outcome=True)
        outcome = outcome_of(formula, schema)
        if not formula.intercept:
            raise ParameterError("This model has an intercept; leave 0 and -1 out of the formula.")
        return {"design": Design.of(formula, schema), "outcome": outcome} | begin_moments()

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums, then cross-products, of the covariates and the outcome."""
        outcome = state["outcome"]
        y = outcome.of(rows.numbers(outcome.column))
        matrix = np.column_stack([state["design"].matrix(rows)[:, 1:], y])
        weighers = [*weighers_of(state["design"], rows), (y, (outcome.column,))]
        return moments_part(rows, matrix, self.columns, state, weighers)

    def combine(self, total: Total, state: State) -> State | Result:
        """Pool the centres, then solve."""
        if state["centre"] is None:
            return state | pooled(total)
        n, products = crossed(total, state)
        names = state["design"].names
        if n <= len(names):
            raise DataError("There are fewer persons than parameters.")
        return self.solved(n, state["centre"], products, names)

    @abstractmethod
    def solved(self, n: float, centre: Floats, products: Floats, names: tuple[str, ...]) -> Result:
        """Give the coefficients from the cross-products about the means."""


class Linear(_LeastSquares):
    """Linear regression by least squares.

    Examples
    --------
    >>> Linear(formula="bp ~ age + sex").columns
    ('bp', 'age', 'sex')
    """

    id: Literal["linear"] = "linear"

    def solved(self, n: float, centre: Floats, products: Floats, names: tuple[str, ...]) -> Result:
        """Give the coefficients, and how much they explain."""
        xx, xy, yy = products[:-1, :-1], products[:-1, -1], float(products[-1, -1])
        within = inverse(xx) if len(xx) else xx
        slopes = within @ xy
        rest = max(0.0, yy - float(slopes @ xy))
        degrees = n - len(names)
        variance = rest / degrees
        intercept = centre[-1] - slopes @ centre[:-1]
        first = variance * (1 / n + centre[:-1] @ within @ centre[:-1])
        errors = np.sqrt(np.append(first, variance * np.diag(within)))
        terms = term_rows(names, np.append(intercept, slopes), errors, degrees)
        values = {
            "n": n, "df": degrees, "r_squared": 1 - rest / yy if yy else None,
            "sigma": float(np.sqrt(variance)),
        }  # fmt: skip
        return Result(self.id, values, {"terms": terms})


class Ridge(_LeastSquares):
    """Linear regression with a penalty on the squares of the standardised coefficients.

    The penalised sum is that of squared residuals plus ``penalty`` times that of squares, on
    columns of mean 0 and standard deviation 1 (divisor n), as scikit-learn's ``Ridge``.

    Examples
    --------
    >>> Ridge(formula="bp ~ age + bmi", penalty=10).penalty
    10.0
    """

    id: Literal["ridge"] = "ridge"
    penalty: Annotated[float, Field(gt=0, le=1e12)]

    def solved(self, n: float, centre: Floats, products: Floats, names: tuple[str, ...]) -> Result:
        """Give the coefficients on the scale of the columns."""
        sd = _spreads(n, products)
        xx = products[:-1, :-1] / np.outer(sd, sd) + self.penalty * np.eye(len(sd))
        found = np.linalg.solve(xx, products[:-1, -1] / sd)
        return _penalised(self.id, n, centre, found / sd, names, self.penalty)


class Lasso(_LeastSquares):
    """Linear regression with a penalty on the sizes of the standardised coefficients.

    The penalised sum is that of squared residuals over 2 n plus ``penalty`` times that of
    sizes, on standardised columns, as scikit-learn's ``Lasso``; solved by coordinate descent.

    Examples
    --------
    >>> Lasso(formula="bp ~ age + bmi", penalty=0.1).penalty
    0.1
    """

    id: Literal["lasso"] = "lasso"
    penalty: Annotated[float, Field(gt=0, le=1e12)]

    def solved(self, n: float, centre: Floats, products: Floats, names: tuple[str, ...]) -> Result:
        """Give the coefficients on the scale of the columns; those left out are 0."""
        sd = _spreads(n, products)
        xx, xy = products[:-1, :-1] / np.outer(sd, sd) / n, products[:-1, -1] / sd / n
        found = np.zeros(len(sd))
        for _ in range(_SWEEPS):
            moved = 0.0
            for j in range(len(found)):
                rest = xy[j] - xx[j] @ found + xx[j, j] * found[j]
                new = np.sign(rest) * max(abs(rest) - self.penalty, 0.0) / xx[j, j]
                moved = max(moved, abs(new - found[j]))
                found[j] = new
            if moved < 1e-13 * (1 + np.abs(found).max()):
                break
        return _penalised(self.id, n, centre, found / sd, names, self.penalty)


def _spreads(n: float, products: Floats) -> Floats:
    sd = np.sqrt(np.diag(products)[:-1] / n)
    if not len(sd) or not (sd > 0).all():
        raise DataError("A column of the model is constant, or nobody has that label.")
    return sd


def _penalised(
    name: str, n: float, centre: Floats, slopes: Floats, names: tuple[str, ...], penalty: float
) -> Result:
    estimates = np.append(centre[-1] - slopes @ centre[:-1], slopes)
    terms = [{"term": t, "estimate": float(b)} for t, b in zip(names, estimates, strict=True)]
    return Result(name, {"n": n, "penalty": penalty}, {"terms": terms})
