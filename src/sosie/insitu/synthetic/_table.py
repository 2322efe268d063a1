"""From the arrays that an analysis sees back to a table, which evidence and generators take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.table import NUMERIC, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.insitu._rows import Rows
    from sosie.table import Table

__all__ = ["table_of"]


def table_of(rows: Rows, names: Sequence[str]) -> Table:
    """Make a table of columns as the agreement means them: kinds, and all labels in their order.

    Parameters
    ----------
    rows : Rows
    names : sequence of str
        Of their columns, or of those that their rules make.

    Raises
    ------
    DataError
        If the holder does not have them as agreed.
    """
    import polars as pl

    from sosie.table import Table

    types: dict[Kind, Any] = {
        Kind.INTEGER: pl.Int64, Kind.DATE: pl.Int32, Kind.DATETIME: pl.Int64,
    }  # fmt: skip
    series = []
    for name in names:
        column = rows.schema[name]
        if column.kind in NUMERIC:
            values = pl.Series(name, rows.numbers(name), nan_to_null=True)
            values = values.cast(types.get(column.kind, pl.Float64))
            if column.kind is Kind.DATE:
                values = values.cast(pl.Date)
            elif column.kind is Kind.DATETIME:
                values = values.cast(pl.Datetime("us"))
        else:
            told = np.array([*column.levels, None], object)
            values = pl.Series(name, told[rows.codes(name)].tolist())
        series.append(values)
    return Table.of(pl.DataFrame(series), rows.schema.only(list(names)))
