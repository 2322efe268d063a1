"""The right-hand side of a model as a matrix, of the original and of the synthetic alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.evidence._models import NotFitted
from sosie.evidence._variables import codes, holds_numbers, levels, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import People
    from sosie.table import Factor, Formula

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["FEWEST", "Design", "design"]

FEWEST = 5
"""Persons below which nothing is shown of a group."""

_PIECE = re.compile(r"f(\d+)(?:\[(T\.)?(\d+)\])?")


@dataclass(frozen=True)
class Design:
    """Covariates of one table.

    Attributes
    ----------
    names : tuple of str
        Columns of the matrix as the report shows them; ``""`` for the intercept.
    rows : ndarray of shape (persons,), bool
        Persons without a missing value, of whom the matrix is made.
    matrix : ndarray of shape (n, p), float64
    few : ndarray of shape (p,), bool
        Columns that are about fewer than five persons.
    failed : str or None
        Why no model can be fitted, where that is known already.
    """

    names: tuple[str, ...]
    rows: Mask
    matrix: Floats
    few: Mask
    failed: str | None = None

    @property
    def used(self) -> Mask:
        """Columns that vary, and the intercept."""
        intercept = np.array([name == "" for name in self.names])
        low, high = self.matrix.min(axis=0, initial=0), self.matrix.max(axis=0, initial=0)
        if not intercept.any():
            return np.asarray((low < 0) | (high > 0))
        constant = (self.matrix == self.matrix[:1]).all(axis=0)
        return np.asarray(~constant | intercept)


def design(
    formula: Formula,
    original: People,
    synthetic: People,
    known: tuple[Mask, Mask],
    cases: tuple[list[Mask], list[Mask]],
) -> tuple[Design, Design]:
    """Make the covariates of both tables, with the same columns.

    A category is compared with its first label that enough persons of both tables hold.

    Parameters
    ----------
    formula : Formula
    original, synthetic : People
    known : pair of ndarray of shape (persons,), bool
        Persons whose outcome is known.
    cases : pair of lists of ndarray of shape (persons,), bool
        Of each table, sets of persons each of which must have five on either side of a
        contrast: all, or those with the event and those without.

    Raises
    ------
    NotFitted
        If there is none for the original.
    """
    tables = (original, synthetic)
    made = [_values(formula, people, original) for people in tables]
    rows = [know & complete for know, (_, complete, _) in zip(known, made, strict=True)]
    if made[0][2]:
        raise NotFitted("out_of_domain")
    if rows[0].sum() < FEWEST:
        raise NotFitted("too_few")
    inside = [[case[r] for case in c] for c, r in zip(cases, rows, strict=True)]
    values = [
        {factor: v[r] for factor, v in found.items()}
        for (found, _, _), r in zip(made, rows, strict=True)
    ]
    orders = {
        factor: _order(factor, values, inside)
        for factor in formula.factors
        if _is_category(factor, original)
    }
    names, spans, matrix = _coded(formula, original, values, orders)
    parted = np.split(matrix, [int(rows[0].sum())])
    few = [
        np.array([name != "" and _few(x, c) for name, x in zip(names, m.T, strict=True)], bool)
        for m, c in zip(parted, inside, strict=True)
    ]
    for touched in _small_cells(formula, values[0], orders):
        few[0] |= np.array([bool(touched & span) for span in spans])
    return (
        Design(names, rows[0], parted[0], few[0]),
        Design(names, rows[1], parted[1], few[1], "out_of_domain" if made[1][2] else None),
    )


def _is_category(factor: Factor, original: People) -> bool:
    return factor.form == "category" or not holds_numbers(original.layout, factor.column)


def _values(
    formula: Formula, people: People, original: People
) -> tuple[dict[Factor, Floats], Mask, bool]:
    """Give each factor's numbers or codes, who is complete, and whether any is undefined."""
    found, undefined = {}, False
    complete = np.ones(len(people), bool)
    for factor in formula.factors:
        if _is_category(factor, original):
            labels = levels(original, factor.column)
            if labels is None:
                raise NotFitted("too_many_levels")
            values = codes(people, factor.column, labels).astype(float)
            complete &= values >= 0
        else:
            before = numbers(people, factor.column)
            values = factor.of(before)
            undefined |= bool((np.isfinite(before) & ~np.isfinite(values)).any())
            complete &= np.isfinite(values)
        found[factor] = values
    return found, complete, undefined


def _order(
    factor: Factor, values: list[dict[Factor, Floats]], inside: list[list[Mask]]
) -> list[int]:
    """Order the labels that persons hold, the one that others are compared with first."""
    enough = [
        {int(c) for c in np.unique(v[factor]) if _enough(v[factor] == c, cases)}
        for v, cases in zip(values, inside, strict=True)
    ]
    held = sorted({int(c) for v in values for c in np.unique(v[factor])})
    best = sorted(enough[0] & enough[1]) or sorted(enough[0])
    if not best:
        raise NotFitted("too_few")
    return [best[0], *(code for code in held if code != best[0])]


def _enough(persons: Mask, cases: list[Mask]) -> bool:
    return all(int((persons & case).sum()) >= FEWEST for case in cases)


def _few(column: Floats, cases: list[Mask]) -> bool:
    """Tell a contrast with fewer than five persons on one side."""
    if not len(column):
        return True
    distinct, count = np.unique(column, return_counts=True)
    usual = column == distinct[count.argmax()]
    return not _enough(~usual, cases) or (len(distinct) == 2 and not _enough(usual, cases))


def _coded(
    formula: Formula,
    original: People,
    values: list[dict[Factor, Floats]],
    orders: dict[Factor, list[int]],
) -> tuple[tuple[str, ...], list[frozenset[Factor]], Floats]:
    """Code the terms without redundancy; formulaic sees names and terms made here only."""
    import pandas as pd
    from formulaic import model_matrix

    named = {factor: f"f{j}" for j, factor in enumerate(formula.factors)}
    frame: dict[str, Any] = {}
    for factor, name in named.items():
        both = np.concatenate([v[factor] for v in values])
        if factor in orders:
            place = {code: j for j, code in enumerate(orders[factor])}
            held, where = np.unique(both, return_inverse=True)
            coded = np.array([place[int(c)] for c in held], np.int64)
            # Codes stand in for labels, whose spelling could be anything.
            frame[name] = pd.Categorical.from_codes(
                coded[where], categories=pd.Index(range(len(place)))
            )
        else:
            frame[name] = both
    terms = [":".join(named[factor] for factor in term) for term in formula.terms]
    written = " + ".join([str(int(formula.intercept)), *terms])
    made = model_matrix(written, pd.DataFrame(frame))
    labels = {factor: levels(original, factor.column) or () for factor in orders}
    names, spans = [], []
    for column in made.columns:
        pieces = [] if column == "Intercept" else column.split(":")
        shown, span = [], []
        for piece in pieces:
            found = _PIECE.fullmatch(piece)
            assert found is not None
            factor = formula.factors[int(found[1])]
            level = found[3] and labels[factor][orders[factor][int(found[3])]]
            shown.append(factor.text + (f"[{found[2] or ''}{level}]" if found[3] else ""))
            span.append(factor)
        names.append(":".join(shown))
        spans.append(frozenset(span))
    return tuple(names), spans, np.asarray(made, np.float64)


def _small_cells(
    formula: Formula, values: dict[Factor, Floats], orders: dict[Factor, list[int]]
) -> list[frozenset[Factor]]:
    """Find crossings of groups some cell of which has one to four persons.

    A model with all interactions gives back the mean of every cell.
    """
    found = []
    for term in formula.terms:
        groups = [f for f in term if f in orders or len(np.unique(values[f])) == 2]
        if len(groups) > 1:
            cells = np.column_stack([values[f] for f in groups])
            _, count = np.unique(cells, axis=0, return_counts=True)
            if count.min() < FEWEST:
                found.append(frozenset(groups))
    return found
