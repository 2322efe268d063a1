"""What the audit must know of the numbers by which a model weighs persons."""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from sosie.insitu._aggregate import Summed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Selection
    from sosie.insitu._design import Design
    from sosie.insitu._rows import Rows

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Weigher = tuple[Floats, tuple[str, ...]]

__all__ = ["told_of", "weighers_of"]


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


def _within_ratios(rows: Rows, name: str) -> Iterator[Weigher]:
    """Give what each column weighs in a ratio of columns: a sum of these is one of its values."""
    rule = rows.rules.get(name)
    if rule is None or rule.rule != "ratio":
        return
    sources = sorted(rows.sources([name]))
    for source in sources:
        under = rows.numbers(source)
        with np.errstate(all="ignore"):
            found = rows.numbers(name) / under
        yield np.where(np.isfinite(found), found, 0.0), tuple(sources)


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
        All, and those with the greater of two values.
    summed : tuple of Summed
        Of more than two values.
    """
    sets, summed = [rows.selection(known, about, by)], []
    ratios = (one for name in about for one in _within_ratios(rows, name))
    for values, columns in (*weighers, *ratios):
        own = values[known]
        low, high = own.min(initial=np.inf), own.max(initial=-np.inf)
        if low >= high:
            continue
        if ((own == low) | (own == high)).all():
            sets.append(rows.selection(known & (values == high), about, columns))
        else:
            summed.append(Summed(np.where(known, values, 0.0), rows.sources(about)))
    return tuple(sets), tuple(summed)
