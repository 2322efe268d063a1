"""A formula as a matrix with the same columns at every holder."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Model
from sosie.insitu._coding import Coding, codings
from sosie.insitu._rows import labels, require_coded, require_number
from sosie.table import CODED, Factor, Formula, FormulaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

    Piece = tuple[tuple[Factor, int | None], ...]

__all__ = ["Design", "binary", "model_of", "outcome_of", "read_formula"]

_MOST_TERMS = 60


@dataclass(frozen=True)
class Design:
    """The right-hand side of a model.

    Attributes
    ----------
    formula : Formula
    names : tuple of str
        Columns of the matrix, as statsmodels calls them.
    pieces : tuple of tuple of (Factor, int or None)
        By column: factors to multiply, each with the code of its label or None for a number.
    constant : tuple of int
        Places of columns that add up to 1 for everybody; none where no such are.
    """

    formula: Formula
    names: tuple[str, ...]
    pieces: tuple[Piece, ...]
    constant: tuple[int, ...] = ()

    @classmethod
    def of(cls, formula: Formula, schema: Schema, *, intercept: bool = True) -> Design:
        """Find the columns of a formula, as statsmodels finds them on pooled rows.

        A label is compared with the first of its column; a category of which no other term has
        the margin has a column for each label.

        Parameters
        ----------
        formula : Formula
        schema : Schema
        intercept : bool
            False where the model has a constant of its own, which is no coefficient.

        Raises
        ------
        ParameterError
            If a column does not fit, or there are too many.
        """
        known = {
            factor: labels(schema, factor.column)
            for factor in formula.factors
            if _is_category(factor, schema)
        }
        for term in formula.terms:
            _check_few(prod(len(known[factor]) for factor in term if factor in known))
        first = intercept and formula.intercept
        coded = codings(formula.terms, known, intercept=first or not intercept)
        names: list[str] = ["Intercept"] if first else []
        pieces: list[Piece] = [() for _ in names]
        constant = range(len(names))
        for term in formula.terms:
            for coding in coded[term]:
                spans = [
                    _columns(factor, coding, known)
                    for factor in term
                    if factor in coding or factor not in known
                ]
                before = len(names)
                for chosen in product(*reversed(spans)):  # the first factor changes fastest
                    names.append(":".join(name for name, _ in reversed(chosen)))
                    pieces.append(tuple(piece for _, piece in reversed(chosen)))
                if all(coding.get(factor) for factor in term):
                    constant = range(before, len(names))
        _check_few(len(names))
        return cls(formula, tuple(names), tuple(pieces), tuple(constant))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that are read, without the outcome."""
        return tuple(dict.fromkeys(factor.column for factor in self.formula.factors))

    def matrix(self, rows: Rows) -> Floats:
        """Compute the matrix of all rows; NaN where a value is missing."""
        values: dict[Factor, Floats] = {}
        for factor in self.formula.factors:
            if any((factor, None) in piece for piece in self.pieces):
                values[factor] = factor.of(rows.numbers(factor.column))
            else:
                values[factor] = rows.values(factor.column)
        found = np.ones((len(rows), len(self.names)))
        for j, piece in enumerate(self.pieces):
            for factor, code in piece:
                own = values[factor]
                one = own if code is None else np.where(np.isnan(own), np.nan, own == code)
                found[:, j] *= one
        # A category that is missing has no column of its own label alone that would say so.
        for own in values.values():
            found[~np.isfinite(own)] = np.nan
        return found


def read_formula(text: str, *, outcome: bool) -> Formula:
    """Read a formula, with or without an outcome.

    Raises
    ------
    ParameterError
        If it cannot be read.
    """
    try:
        formula = Formula.read(text)
    except FormulaError as error:
        raise ParameterError(f"The formula {text[:80]!r} cannot be read: {error}.") from error
    if outcome != (formula.outcome is not None):
        raise ParameterError(
            f"The formula {text[:80]!r} must {'have an' if outcome else 'not have an'} outcome."
        )
    return formula


def outcome_of(formula: Formula, schema: Schema, *, two_values: bool = False) -> Factor:
    """Find the outcome: a number, which may be transformed, or a column of two values as it is.

    Raises
    ------
    ParameterError
        If there is none, or it is another.
    """
    outcome = formula.outcome
    if outcome is None:
        raise ParameterError("The formula has no outcome.")
    if not two_values:
        require_number(schema, outcome.column)
    elif outcome.form != "as_is":
        raise ParameterError(
            f"The outcome of a logistic model is a column as it is, not {outcome.text}."
        )
    _ = schema[outcome.column]
    return outcome


def binary(rows: Rows, name: str) -> Floats:
    """Give 0 and 1: of a column of two labels the second is 1.

    Raises
    ------
    DataError
        If a number is neither.
    """
    values = rows.values(name)
    if not np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        raise DataError(f"Column {name!r} is not of two values, 0 and 1.")
    return values


def model_of(matrix: Floats, weights: Floats | None = None) -> Model:
    """Measure what one person weighs in a model: the largest diagonal of its hat matrix."""
    scaled = matrix if weights is None else matrix * np.sqrt(weights)[:, None]
    n, p = scaled.shape
    if n == 0:
        return Model(0, p, 1.0)
    norm = np.sqrt((scaled**2).sum(axis=0))
    scaled = scaled / np.where(norm > 0, norm, 1)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    kept = values > 1e-10
    scores = scaled @ (vectors[:, kept] / np.sqrt(values[kept]))
    return Model(n, p, float((scores**2).sum(axis=1).max()))


def _columns(
    factor: Factor, coding: Coding, known: dict[Factor, list[str]]
) -> list[tuple[str, tuple[Factor, int | None]]]:
    if factor not in coding:
        return [(factor.text, (factor, None))]
    first, mark = (0, "") if coding[factor] else (1, "T.")
    return [
        (f"{factor.text}[{mark}{label}]", (factor, code))
        for code, label in enumerate(known[factor])
        if code >= first
    ]


def _check_few(columns: int) -> None:
    if not columns:
        raise ParameterError("The formula names no column after ~; add a term, as in ~ age.")
    if columns > _MOST_TERMS:
        raise ParameterError(f"The formula makes {columns} columns; 1 to {_MOST_TERMS} are.")


def _is_category(factor: Factor, schema: Schema) -> bool:
    coded = schema[factor.column].kind in CODED
    if factor.form == "category" and not coded:
        raise ParameterError(
            f"Column {factor.column!r} has no labels; derive a column by cut or recode instead of "
            f"{factor.text}."
        )
    if coded:
        require_coded(schema, factor.column)
        if factor.form not in ("as_is", "category"):
            raise ParameterError(f"{factor.text} is of a column of labels.")
        return True
    require_number(schema, factor.column)
    return False
