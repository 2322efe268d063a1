"""The question of a comparison: one coefficient of a regression, fitted on whatever is shared."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sosie.errors import ParameterError, SosieError
from sosie.insitu._design import Design, binary, outcome_of, read_formula
from sosie.insitu.catalogue import Cox, Linear, Logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._analysis import Analysis
    from sosie.insitu._rows import Rows
    from sosie.insitu.compare._persons import Persons
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["Fit", "Model", "NoAnswer"]


class NoAnswer(Exception):  # noqa: N818 - a state of what was shared, which the caller tells
    """What was shared does not answer the question.

    Attributes
    ----------
    reason : str
        A key of the texts.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    estimate, se, low, high : float
        Of the coefficient that is asked about, with its 95 % interval.
    coefficients : ndarray of shape (p,)
        All of them.
    """

    estimate: float
    se: float
    low: float
    high: float
    coefficients: Floats


class Model:
    """A linear, logistic or Cox regression, by statsmodels: not by the code that is compared.

    Parameters
    ----------
    analysis : Linear, Logistic or Cox
    schema : Schema
        Of the columns of the question.
    term : str
        The coefficient that is asked about, as results name it.
    area : str or None
        Column of areas; terms of it are left out where means of areas are used.

    Attributes
    ----------
    names : tuple of str
        Columns of the question.
    place_of_areas : int
        Of the term in the matrix without terms of the area.

    Raises
    ------
    ParameterError
        If the analysis is another, or has no such term.
    """

    def __init__(self, analysis: Analysis, schema: Schema, term: str, area: str | None) -> None:
        if not isinstance(analysis, Linear | Logistic | Cox):
            name = getattr(analysis, "id", "")
            raise ParameterError(
                f"Ways are compared by a linear, logistic or cox analysis, not {name!r}."
            )
        self.kind = analysis.id
        self.names = analysis.columns
        self._analysis = analysis
        cox = isinstance(analysis, Cox)
        formula = read_formula(analysis.formula, outcome=not cox)
        if not cox:
            outcome_of(formula, schema, two_values=analysis.id == "logistic")
        self._design = Design.of(formula, schema, intercept=not cox)
        if term not in self._design.names or term == "Intercept":
            listed = ", ".join(name for name in self._design.names if name != "Intercept")
            raise ParameterError(f"The model has no term {term!r}; its terms are {listed}.")
        kept = tuple(t for t in formula.terms if area not in {factor.column for factor in t})
        self._of_areas = Design.of(replace(formula, terms=kept), schema, intercept=not cox)
        if term not in self._of_areas.names:
            raise ParameterError(f"The term {term!r} is made of the areas themselves.")
        self._place = self._design.names.index(term)
        self.place_of_areas = self._of_areas.names.index(term)
        self._formula = formula

    @property
    def secret(self) -> str:
        """Name the outcome, or the event of a Cox model: what a recipient would learn."""
        if isinstance(self._analysis, Cox):
            return self._analysis.event
        assert self._formula.outcome is not None
        return self._formula.outcome.column

    @property
    def known(self) -> tuple[str, ...]:
        """Name the columns on the right-hand side."""
        return self._design.columns

    def matrix(self, persons: Persons, *, of_areas: bool = False) -> Floats:
        """Give the covariates of rows; without terms of the area for means of areas."""
        design = self._of_areas if of_areas else self._design
        found = design.matrix(cast("Rows", persons))
        if not np.isfinite(found).all():
            raise NoAnswer("not_fitted")
        return found

    def outcome(self, persons: Persons) -> Floats:
        """Give the outcome; time and event, of shape (n, 2), for a Cox model."""
        if isinstance(self._analysis, Cox):
            events = binary(cast("Rows", persons), self._analysis.event)
            return np.column_stack([persons.values(self._analysis.duration), events])
        assert self._formula.outcome is not None
        if self.kind == "logistic":
            return binary(cast("Rows", persons), self._formula.outcome.column)
        found = self._formula.outcome.of(persons.values(self._formula.outcome.column))
        if not np.isfinite(found).all():
            raise NoAnswer("not_fitted")
        return found

    def fit(self, persons: Persons) -> Fit:
        """Fit on rows; a Cox model has a baseline hazard of each holder.

        Raises
        ------
        NoAnswer
            If the rows have no such estimate.
        """
        x = self.matrix(persons)
        _check_rank(np.column_stack([np.ones(len(x)), x]) if self.kind == "cox" else x)
        y = self.outcome(persons)
        import statsmodels.api as sm

        if self.kind == "linear":
            return _fitted(sm.OLS(y, x), self._place)
        if self.kind == "logistic":
            return _fitted(sm.GLM(y, x, sm.families.Binomial()), self._place, tol=1e-12)
        model = sm.PHReg(y[:, 0], x, status=y[:, 1], strata=persons.holder, ties="efron")
        return _fitted(model, self._place, disp=0)

    def fit_areas(self, persons: Persons) -> Fit:
        """Fit on the means of areas alone: Robinson's ecological regression.

        Means are weighted by persons. A logistic model has the shares of the outcome, a Cox
        model the events by time at risk (a constant hazard), which is what an area can tell.

        Raises
        ------
        NoAnswer
            If there are no more areas than coefficients.
        """
        inside = persons.taken(persons.area >= 0)
        x, y = self.matrix(inside, of_areas=True), self.outcome(inside)
        if self.kind == "cox":
            x = np.column_stack([np.ones(len(x)), x])
        _, area = np.unique(inside.area, return_inverse=True)
        n = np.bincount(area)
        if len(n) <= x.shape[1]:
            raise NoAnswer("too_few_areas")
        means = np.column_stack([np.bincount(area, column) for column in x.T]) / n[:, None]
        _check_rank(means)
        import statsmodels.api as sm

        place = self.place_of_areas + (self.kind == "cox")
        if self.kind == "linear":
            return _fitted(sm.WLS(np.bincount(area, y) / n, means, weights=n), place)
        if self.kind == "logistic":
            cases = np.bincount(area, y)
            counted = np.column_stack([cases, n - cases])
            return _fitted(sm.GLM(counted, means, sm.families.Binomial()), place)
        time, events = (np.bincount(area, column) for column in y.T)
        return _fitted(sm.GLM(events, means, sm.families.Poisson(), exposure=time), place)

    def likelihoods(self, persons: Persons, coefficients: Floats) -> Floats:
        """Tell how well each person fits the model: the score of a guess at who was in it."""
        linear, y = self.matrix(persons) @ coefficients, self.outcome(persons)
        if self.kind == "linear":
            return -((y - linear) ** 2)
        if self.kind == "logistic":
            return y * linear - np.logaddexp(0, linear)
        risk = y[:, 0] * np.exp(linear - linear.max())
        rate = y[:, 1].sum() / risk.sum()
        return y[:, 1] * linear - rate * risk

    def guesses(self, persons: Persons, coefficients: Floats) -> Floats:
        """Guess the outcome of each person by the model alone."""
        linear = self.matrix(persons) @ coefficients
        if self.kind == "linear":
            return linear
        if self.kind == "logistic":
            return (linear > 0).astype(float)
        events = self.outcome(persons)[:, 1]
        bar = np.quantile(linear, 1 - events.mean())
        return (linear > bar).astype(float)

    def told(self, persons: Persons) -> Floats:
        """Give the secret as a number: the outcome, or whether the event came."""
        found = self.outcome(persons)
        return found[:, 1] if self.kind == "cox" else found


def _check_rank(x: Floats) -> None:
    if len(x) <= x.shape[1]:
        raise NoAnswer("too_few")
    norm = np.sqrt((x**2).sum(axis=0))
    if (norm == 0).any() or np.linalg.matrix_rank(x / norm) < x.shape[1]:
        raise NoAnswer("not_fitted")


def _fitted(model: Any, place: int, **settings: Any) -> Fit:
    # Warnings of the library are about this fit, and told by what is returned.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = model.fit(**settings)
            low, high = np.asarray(found.conf_int())[place]
        except (np.linalg.LinAlgError, ValueError, SosieError) as error:
            raise NoAnswer("not_fitted") from error
    coefficients = np.asarray(found.params, float)
    estimate, se = float(coefficients[place]), float(np.asarray(found.bse)[place])
    if not np.isfinite([estimate, se, low, high]).all():
        raise NoAnswer("not_fitted")
    return Fit(estimate, se, float(low), float(high), coefficients)
