"""Cross-products of columns about pooled centres, which several analyses share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._aggregate import Part, counts, over, products, sums
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._design import model_of
from sosie.insitu._rows import require_number
from sosie.insitu._told import told_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Total
    from sosie.insitu._result import Result
    from sosie.insitu._rows import Rows
    from sosie.insitu._told import Weigher
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["OfMoments", "begin_moments", "crossed", "moments_part", "off_centre", "pooled"]

_SAME = 2.0**-48
"""Relative: what is no further from the centre may be there by the rounding of a long sum."""


class OfMoments(Analysis):
    """Of the cross-products of columns, of the persons who have a value in all of them."""

    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    columns_of: Annotated[list[ColumnName], Field(min_length=2, max_length=50)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(dict.fromkeys(self.columns_of))

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        require_number(schema, *self.columns)
        return begin_moments()

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums, then cross-products."""
        own = [(rows.numbers(name), (name,)) for name in self.columns]
        matrix = np.column_stack([values for values, _ in own])
        return moments_part(rows, matrix, self.columns, state, own)

    def combine(self, total: Total, state: State) -> State | Result:
        """Pool the centres, then give the answer."""
        if state["centre"] is None:
            return pooled(total)
        return self.solved(*crossed(total, state))

    @abstractmethod
    def solved(self, n: float, products: Floats) -> Result:
        """Give the answer from the persons and the cross-products about the means."""


def begin_moments() -> State:
    """Give the state before the centres are known."""
    return {"n": None, "centre": None}


def moments_part(
    rows: Rows,
    matrix: Floats,
    columns: Sequence[str],
    state: State,
    weighers: Iterable[Weigher],
) -> Part:
    """Give sums; then cross-products about the centres.

    Parameters
    ----------
    rows : Rows
    matrix : ndarray of shape (n, p)
        NaN where missing; of such a person nothing is used.
    columns : sequence of str
        Of which something is told.
    state : dict
        Of :func:`begin_moments`, or what :func:`pooled` gave.
    weighers : iterable
        As :func:`told_of` takes them.
    """
    known = np.asarray(np.isfinite(matrix).all(axis=1))
    matrix = matrix[known]
    told, summed = told_of(rows, known, columns, weighers)
    ones = np.column_stack([np.ones(len(matrix)), matrix])
    model = model_of(ones)
    n = counts(np.zeros(len(matrix), np.int64), 1, known)
    if state["centre"] is None:
        return Part({"n": n, "sum": over(sums(matrix), n)}, told, model, summed)
    found = over(products(off_centre(matrix, state["centre"])), n)
    return Part({"n": n, "products": found}, told, model, summed)


def pooled(total: Total) -> State:
    """Pool the centres.

    Raises
    ------
    DataError
        If there are fewer than two persons.
    """
    n = total.number("n")
    if n < 2:
        raise DataError("Fewer than two persons have a value in every column.")
    return {"n": n, "centre": total["sum"] / n}


def crossed(total: Total, state: State) -> tuple[float, Floats]:
    """Give the persons and the cross-products about the means."""
    return state["n"], total["products"]


def off_centre(values: Floats, centre: Floats) -> Floats:
    """Give how far values are from a centre; 0 where by rounding alone.

    A column that is constant would otherwise vary a little, and have correlations and slopes.

    Examples
    --------
    >>> off_centre(np.array([0.3, 1.0]), np.array([0.1 + 0.2])).tolist()
    [0.0, 0.7]
    """
    off = values - centre
    return np.where(np.abs(off) <= _SAME * np.abs(centre), 0.0, off)
