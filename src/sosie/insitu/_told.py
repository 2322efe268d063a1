"""What the audit must know of the numbers by which a model weighs persons."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

import numpy as np

from sosie.insitu._aggregate import Selection, Summed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sosie.insitu._design import Design
    from sosie.insitu._rows import Rows

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Weigher = tuple[Floats, tuple[str, ...]]

__all__ = ["SOME_VALUES", "crossed", "told_apart", "told_of", "weighers_of"]

_FEW_VALUES = 3
"""Values of which their number, mean and spread tell how many persons have each."""

_MOST_CELLS = 300

SOME_VALUES = 12
"""Values of which two functions tell it, as a number and its logarithm do with their squares."""


def weighers_of(design: Design, rows: Rows) -> Iterator[Weigher]:
    """Give all by which a model weighs what is summed, and the columns that each is made from.

    They are the covariates and, of a product, its factors and their products too: the sum of age
    times being a smoker tells that of the ages of smokers.
    """
    values: dict[tuple[str, int | None], Floats] = {}
    for piece in design.pieces:
        for factor, code in piece:
            if (factor.text, code) in values:
                continue
            if code is None:
                found = factor.of(rows.numbers(factor.column))
            else:
                codes = rows.values(factor.column)
                found = np.where(np.isnan(codes), np.nan, codes == code)
            values[factor.text, code] = found
            yield found, (factor.column,)
    for piece in design.pieces:
        for size in range(2, len(piece) + 1):
            for some in combinations(piece, size):
                factors = [values[factor.text, code] for factor, code in some]
                yield reduce(np.multiply, factors), tuple(factor.column for factor, _ in some)
    # Of two covariates their product is summed too: in it a number that is multiplied by others
    # is weighed by these and by the second covariate.
    for piece, other in permutations(design.pieces, 2):
        for place, (_, code) in enumerate(piece):
            if code is None and other and len(piece) > 1:
                both = (*piece[:place], *piece[place + 1 :], *other)
                factors = [values[factor.text, code] for factor, code in both]
                own = tuple(dict.fromkeys(factor.column for factor, _ in both))
                yield reduce(np.multiply, factors), own


def _within_ratios(rows: Rows, name: str) -> Iterator[Weigher]:
    """Give what each column weighs in a ratio of columns: a sum of these is one of its values.

    Squares of the ratio are summed too: in these it weighs as much again times the ratio.
    """
    rule = rows.rules.get(name)
    if rule is None or rule.rule != "ratio":
        return
    sources = sorted(rows.sources([name]))
    for source in sources:
        under = rows.numbers(source)
        with np.errstate(all="ignore"):
            found = rows.numbers(name) / under
        weight = np.where(np.isfinite(found), found, 0.0)
        yield weight, tuple(sources)
        yield weight * np.where(weight == 0, 0.0, rows.numbers(name)), tuple(sources)


def told_of(
    rows: Rows,
    known: Mask,
    about: Sequence[str],
    weighers: Iterable[Weigher] = (),
    by: Sequence[str] = (),
) -> tuple[tuple[Selection, ...], tuple[Summed, ...]]:
    """Say of whom sums tell something: of all, and of those whom each weigher tells apart.

    Parameters
    ----------
    rows : Rows
    known : ndarray of shape (n,), bool
        Persons who are summed over.
    about : sequence of str
        Columns of which they tell; in a ratio of columns each weighs the others.
    weighers : iterable
        Numbers of all rows, finite for these persons, and columns they are made from.
    by : sequence of str
        Columns by which these persons were chosen.

    Returns
    -------
    selections : tuple of Selection
        All, those with the greater of two values, and those with the greater ones of a pair:
        products tell their number.
    summed : tuple of Summed
        Of more than two values.
    """
    sets, summed = [rows.selection(known, about, by)], []
    pairs: list[tuple[Mask, tuple[str, ...]]] = []
    ratios = (one for name in about for one in _within_ratios(rows, name))
    for values, columns in (*weighers, *ratios):
        own = values[known]
        low, high = own.min(initial=np.inf), own.max(initial=-np.inf)
        if low >= high:
            continue
        if ((own == low) | (own == high)).all():
            chosen, of = known & (values == high), (*columns, *by)
            sets.append(rows.selection(chosen, about, of))
            sets += [
                replace(rows.selection(chosen & other, (), (*of, *its)), crossing=True)
                for other, its in pairs
                if (chosen & other).any()
            ]
            pairs.append((chosen, of))
        else:
            summed.append(Summed(np.where(known, values, 0.0), rows.told(about)))
    return tuple(sets), tuple(summed)


def crossed(
    rows: Rows, known: Mask, about: Sequence[str], by: Sequence[str], *also: str
) -> tuple[tuple[int, ...], tuple[Selection, ...]]:
    """Say of whom a model tells whose weights are a product over three columns of few values.

    In a generalised linear model a person weighs as the cell of all columns that it is in. Where
    each has few values, the coefficients of the model and of those of its columns two by two tell
    the number of persons in every cell, and their sum of the outcome. A column of many values
    blurs the cells; what blurs them can be solved for too, by some more models.

    Parameters
    ----------
    rows : Rows
    known : ndarray of shape (n,), bool
        Persons who are summed over.
    about : sequence of str
        Columns of which the model tells.
    by : sequence of str
        Columns that make the weights.
    also : str
        Columns that are told of each cell: of very few values they make cells too.

    Returns
    -------
    cells : tuple of int
        Persons in each.
    selections : tuple of Selection
        The same persons; none where a cell is so small that these alone refuse, or there are more
        cells than coefficients tell. Where a column has many values and a cell of the others is
        too small, all persons, as those of whom cells are told blurred.
    """
    most = dict.fromkeys(also, _FEW_VALUES) | dict.fromkeys(by, SOME_VALUES)
    ranks: dict[str, NDArray[np.intp]] = {}
    for name in most:
        ranks[name] = np.unique(rows.values(name)[known], return_inverse=True)[1]
    values = {name: len(np.unique(one)) for name, one in ranks.items()}
    names = [name for name in most if 1 < values[name] <= most[name]]
    if sum(name in by for name in names) < _FEW_VALUES:
        return (), ()
    codes = np.column_stack([ranks[name] for name in names])
    _, cell, sizes = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    small = bool(sizes.min() < rows.floors.min_cell)
    if any(values[name] > SOME_VALUES for name in by):
        whole = replace(rows.selection(known, about, names), blurred=True)
        return (), (whole,) if small else ()
    if small or len(sizes) > _MOST_CELLS:
        return tuple(sizes.tolist()), ()
    place = np.full(len(rows), -1)
    place[known] = cell.ravel()
    told = (rows.selection(place == one, about, names) for one in range(len(sizes)))
    return tuple(sizes.tolist()), tuple(told)


def told_apart(
    rows: Rows, groups: Iterable[Mask], columns: Sequence[str], by: Sequence[str] = ()
) -> tuple[tuple[int, ...], tuple[Selection, ...], tuple[Summed, ...]]:
    """Say what numbers, means and spreads of columns in groups tell of those who have each value.

    Of three values or fewer they tell how many have each. Of some more they do together with
    those of the column that it is made from: the numbers of both are told to the audit.

    Parameters
    ----------
    rows : Rows
    groups : iterable of ndarray of shape (n,), bool
        Of all of whom the columns are known.
    columns : sequence of str
        Of numbers.
    by : sequence of str
        Columns by which the groups were chosen.

    Returns
    -------
    cells : tuple of int
        Persons with each value, where these are told.
    selections : tuple of Selection
        The same persons.
    summed : tuple of Summed
        The values of columns that are made, of those they are made from, and their squares.
    """
    cells, told, summed = list[int](), list[Selection](), list[Summed]()
    for members, column in product(groups, columns):
        values = rows.numbers(column)
        found, sizes = np.unique(values[members], return_counts=True)
        if len(found) <= _FEW_VALUES:
            cells += sizes.tolist()
            if len(found) > 1:
                chosen = (members & (values == one) for one in found)
                told += [rows.selection(one, (column,), (column, *by)) for one in chosen]
        elif column in rows.rules and len(found) <= SOME_VALUES:
            of = [column, *sorted(rows.sources((column,)))]
            inside = (np.where(members, rows.numbers(name), 0.0) for name in of)
            about = rows.told((column, *by))
            summed += [Summed(one**power, about) for one in inside for power in (1, 2)]
    return tuple(cells), tuple(told), tuple(summed)
