"""Parts that have to add up to a total."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from sosie.table._kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.table._schema import Column, Schema, Sum

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["added_up", "decimals_of"]


def added_up(
    frame: pl.DataFrame, rule: Sum, schema: Schema, total: Floats, free: Bools
) -> pl.DataFrame:
    """Change some parts so that all add up to totals that are told.

    Each in proportion to what it is (the closure of compositions [1]_); by as much where one is
    negative or the others are more than the total.

    Parameters
    ----------
    frame : DataFrame
    rule : Sum
    schema : Schema
    total : ndarray of shape (n,)
        NaN where nothing is told.
    free : ndarray of shape (n, k), bool
        The cells that may change.

    References
    ----------
    .. [1] J. Aitchison, "The statistical analysis of compositional data", J. R. Stat. Soc. B 44
       (1982), section 2.

    Examples
    --------
    >>> from sosie.table import Column, Schema, Sum
    >>> schema = Schema(columns=[Column(name=name, kind="integer") for name in "ab"])
    >>> frame = pl.DataFrame({"a": [30, 20], "b": [20, 20]})
    >>> free = np.array([[True, True], [False, True]])
    >>> rule = Sum(total="all", parts=["a", "b"])
    >>> added_up(frame, rule, schema, np.array([100.0, 100.0]), free).rows()
    [(60, 40), (20, 80)]
    """
    values = np.column_stack([_floats(frame[part]) for part in rule.parts])
    free = free & (np.isfinite(total) & np.isfinite(values).all(axis=1) & free.any(axis=1))[:, None]
    rest = total - np.where(free, 0, values).sum(axis=1)
    drawn = np.where(free, values, 0)
    held, count = drawn.sum(axis=1), np.maximum(free.sum(axis=1), 1)
    alike = (held > 0) & (rest >= 0) & (drawn >= 0).all(axis=1)
    scale = np.divide(rest, held, out=np.zeros(len(rest)), where=alike)
    even = np.where(free, drawn + ((rest - held) / count)[:, None], 0)
    found = np.where(alike[:, None], drawn * scale[:, None], even)
    decimals = [decimals_of(schema[part], frame.schema[part]) for part in rule.parts]
    known = [d for d in decimals if d is not None]
    if len(known) == len(decimals):
        # What rounding one part leaves is the next one's, so that the sum stays.
        ends = np.round(found.cumsum(axis=1), max(known))
        found = np.diff(ends, axis=1, prepend=0)
    columns = []
    for j, part in enumerate(rule.parts):
        own = found[:, j] if (d := decimals[j]) is None else found[:, j].round(d)
        # What rounding leaves of -1e-17 is 0, not -0.
        made = pl.Series(own + 0.0).cast(frame.schema[part], strict=False)
        columns.append(frame[part].zip_with(pl.Series(~free[:, j]), made).alias(part))
    return frame.with_columns(columns)


def decimals_of(column: Column, dtype: pl.DataType) -> int | None:
    """Tell to how many decimals a part is known; None where that is not told.

    Examples
    --------
    >>> from sosie.table import Column
    >>> decimals_of(Column(name="a", kind="number", decimals=2), pl.Float64())
    2
    """
    if dtype.is_integer() or dtype == pl.Boolean or column.kind is Kind.INTEGER:
        return 0
    return column.decimals


def _floats(cells: pl.Series) -> Floats:
    return cells.cast(pl.Float64).fill_null(np.nan).to_numpy()
