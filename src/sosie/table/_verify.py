"""What a schema declares must hold in the table it describes."""

from datetime import date, datetime
from itertools import combinations
from typing import Any

import polars as pl

from sosie.errors import SchemaError
from sosie.table._places import Places
from sosie.table._schema import Column, Schema

__all__ = ["verify"]


def verify(frame: pl.DataFrame, schema: Schema, places: Places) -> None:
    """Check the bounds, sums, orders and determined columns that are declared.

    Raises
    ------
    SchemaError
        Naming the first that does not hold, how many rows break it, and the first of them.

    Examples
    --------
    >>> from sosie.table._schema import Column
    >>> verify(pl.DataFrame({"a": [1, 2]}), Schema(columns=[]), Places("t"))
    """
    for column in schema.columns:
        _verify_bounds(frame[column.name], column, places)
    for chain in schema.order:
        for first, second in combinations(chain, 2):
            broken = frame[first] > frame[second]
            _refuse(broken, f"{first!r} is above {second!r} although the order", places)
    for rule in schema.sums:
        whole = frame.select(pl.sum_horizontal(*rule.parts, ignore_nulls=False)).to_series()
        off = (frame[rule.total].cast(pl.Float64) - whole.cast(pl.Float64)).abs()
        size = frame[rule.total].cast(pl.Float64).abs()
        broken = off > 1e-9 * (1 + size)
        _refuse(broken, f"{rule.total!r} is not the sum of its parts although the sums", places)
    for link in schema.determined:
        several = frame.select(pl.col(link.column).n_unique().over(link.by) > 1).to_series()
        _refuse(
            several,
            f"{link.column!r} differs for one value of {link.by!r} although determined",
            places,
        )


def _verify_bounds(values: pl.Series, column: Column, places: Places) -> None:
    for bound, word in ((column.lower, "below"), (column.upper, "above")):
        if bound is None:
            continue
        try:
            limit = _as_bound(bound, values)
            broken = values < limit if word == "below" else values > limit
        except (TypeError, pl.exceptions.PolarsError) as error:
            raise SchemaError(
                f"{places.column(column.name)}: its bounds are not of the kind of its values; "
                "correct the schema."
            ) from error
        _refuse(broken, f"{column.name!r} is {word} its bound although lower and upper", places)


def _as_bound(bound: Any, values: pl.Series) -> Any:
    zone = getattr(values.dtype, "time_zone", None)
    if isinstance(bound, date) and not isinstance(bound, datetime) and values.dtype == pl.Datetime:
        bound = datetime(bound.year, bound.month, bound.day)
    if isinstance(bound, datetime) and zone and bound.tzinfo is None:
        return pl.Series([bound]).dt.replace_time_zone(zone)
    return bound


def _refuse(broken: pl.Series, what: str, places: Places) -> None:
    n = int(broken.sum() or 0)
    if not n:
        return
    first = places.row(int(broken.fill_null(value=False).arg_max() or 0))
    rows = "1 row" if n == 1 else f"{n} rows"
    raise SchemaError(
        f"{places.table}: {what} of the schema say otherwise, on {rows} (first on {first}); "
        "correct the table or the schema."
    )
