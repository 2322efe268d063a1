"""The hash of what a table says, whatever file or frame it is in.

The specification, so that anyone can compute it again. A table is its columns in their order,
each with its rows in their order. Each column has a form and bytes:

=========  =========================================================================
form       bytes of one value
=========  =========================================================================
number     IEEE 754 binary64, little-endian; -0 as 0
boolean    one byte, 0 or 1
date       days since 1970-01-01, as int64 little-endian
datetime   microseconds since 1970-01-01 00:00 by the clock on the wall of its time
           zone, as int64 little-endian; what is below a microsecond is left out
time       nanoseconds since midnight, as int64 little-endian
duration   microseconds, as int64 little-endian
text       UTF-8
=========  =========================================================================

A label is a text or a number, as it is written. A column of integers of which one or more is
above 2**53 in size is of form text: their decimal digits. A datetime column whose every value is at
midnight is of form date. A number in binary32 or decimal counts as the binary64 nearest to its
shortest decimal spelling, which is what a text file would say.

The bytes of a column are: one byte a row, 1 where the value is missing and else 0; then, where
the form is text, the length in bytes of each value present, as uint32 little-endian; then the
bytes of the values present. The hash of the table is the SHA-256 of the canonical JSON
(RFC 8785) of::

    {"columns": [{"form": ..., "name": ..., "sha256": hash of the bytes}, ...],
     "format": "sosie content 1", "rows": number of rows}

Only the hash of the whole leaves: that of one column of few values would tell the values.
"""

import hashlib
from typing import Any

import numpy as np
import polars as pl

from sosie.errors import TrustError
from sosie.table import Kind, Table
from sosie.trust._canonical import canonical, sha256

__all__ = ["content_hash", "schema_hash"]

_BLOCK = 65_536
_EXACT = 2**53


def content_hash(table: Table) -> str:
    """Hash what a table says: names, values and their order, not the bytes of a file.

    Parameters
    ----------
    table : Table

    Returns
    -------
    str
        SHA-256 in hexadecimal: the same from CSV, Parquet, pandas, Polars or Arrow, on any
        machine. One value, name or row changed or moved gives another.

    Raises
    ------
    TrustError
        If a column holds what is no value of a table.

    Examples
    --------
    >>> whole = Table.of(pl.DataFrame({"age": [41, 52, 41], "sex": ["f", "m", "f"]}))
    >>> halves = Table.of(pl.DataFrame({"age": [41.0, 52.0, 41.0], "sex": ["f", "m", "f"]}))
    >>> content_hash(whole) == content_hash(halves)
    True
    """
    columns = []
    for values in table.frame.iter_columns():
        form, present = _formed(values)
        digest = hashlib.sha256(values.is_null().cast(pl.UInt8).to_numpy().data)
        for part in _bytes(form, present):
            digest.update(part)
        columns.append({"name": values.name, "form": form, "sha256": digest.hexdigest()})
    content = {"format": "sosie content 1", "rows": len(table), "columns": columns}
    return sha256(canonical(content))


def schema_hash(table: Table) -> str:
    """Hash the names of the columns and what each is taken to mean, in their order.

    Parameters
    ----------
    table : Table

    Returns
    -------
    str
        SHA-256, in hexadecimal, of the canonical JSON
        ``{"columns": [{"kind": ..., "name": ...}, ...], "format": "sosie schema 1"}``; a datetime
        column whose every value is at midnight is of kind date.

    Examples
    --------
    >>> table = Table.of(pl.DataFrame({"age": [41, 52, 41], "sex": ["f", "m", "f"]}))
    >>> schema_hash(table) == schema_hash(table.taken(np.array([2, 0])))
    True
    """
    columns = [
        {"name": column.name, "kind": _kind(column.kind, table.frame[column.name])}
        for column in table.schema.columns
    ]
    return sha256(canonical({"format": "sosie schema 1", "columns": columns}))


def _kind(kind: Kind, values: pl.Series) -> str:
    if kind is Kind.DATETIME and isinstance(values.dtype, pl.Datetime) and _at_midnight(values):
        return str(Kind.DATE)
    return str(kind)


def _formed(values: pl.Series) -> tuple[str, pl.Series]:
    """Give the form of a column, and its present values as what their bytes are made of."""
    dtype = values.dtype
    present = values.drop_nulls()
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text", present.cast(pl.String)
    if dtype == pl.Boolean:
        return "boolean", present.cast(pl.UInt8)
    if dtype.is_numeric():
        return _number(present)
    if dtype == pl.Date:
        return "date", present.cast(pl.Int32).cast(pl.Int64)
    if isinstance(dtype, pl.Datetime):
        wall = present.dt.replace_time_zone(None)
        if _at_midnight(wall):
            return "date", wall.cast(pl.Date).cast(pl.Int32).cast(pl.Int64)
        return "datetime", wall.dt.timestamp("us")
    if dtype == pl.Time:
        return "time", present.cast(pl.Int64)
    if dtype == pl.Duration:
        return "duration", present.dt.total_microseconds()
    raise TrustError(f"Column {values.name!r} is of type {dtype}, which has no canonical form.")


def _number(present: pl.Series) -> tuple[str, pl.Series]:
    dtype = present.dtype
    if isinstance(dtype, pl.Decimal) and dtype.scale == 0:
        present = present.cast(pl.Int128)
    if present.dtype.is_integer():
        low: Any = present.min()
        high: Any = present.max()
        if len(present) and (low < -_EXACT or high > _EXACT):
            return "text", present.cast(pl.String)
    elif dtype != pl.Float64:
        present = present.cast(pl.String)
    return "number", present.cast(pl.Float64)


def _at_midnight(values: pl.Series) -> bool:
    wall = values.dt.replace_time_zone(None)
    return bool((wall == wall.dt.truncate("1d")).all())


def _bytes(form: str, present: pl.Series) -> Any:
    """Give the bytes of a column in pieces, the mask left aside."""
    if form != "text":
        little = {"number": "<f8", "boolean": "u1"}.get(form, "<i8")
        array = np.ascontiguousarray(present.to_numpy(), dtype=little)
        yield (array + 0.0 if form == "number" else array).data  # -0 becomes 0
        return
    yield present.str.len_bytes().to_numpy().astype("<u4").data
    for start in range(0, len(present), _BLOCK):
        yield present[start : start + _BLOCK].str.join().item().encode()
