"""Dataframes of any kind at the door, and the same kind back."""

import sys
from dataclasses import dataclass
from typing import Any, cast

import narwhals as nw
import polars as pl

from sosie.errors import DataError, ParameterError
from sosie.table._pandas import from_pandas, ordered_columns, to_pandas

__all__ = ["Frame", "enum_of", "from_any", "to_native"]


@dataclass(frozen=True)
class Frame:
    """A dataframe that came in, and what is needed to give its like back.

    Attributes
    ----------
    frame : polars DataFrame
        Its values.
    kind : str
        polars, lazy, pandas, pyarrow, or another that Narwhals knows.
    template : object
        The same frame without rows, or its schema.
    ordered : frozenset of str
        Columns whose categories are in an order.
    """

    frame: pl.DataFrame
    kind: str
    template: Any
    ordered: frozenset[str] = frozenset()


def from_any(data: Any) -> Frame:
    """Take any dataframe or Arrow table.

    Raises
    ------
    ParameterError
        If it is no dataframe.
    DataError
        If two of its columns have one name, or a column cannot be read.
    """
    if isinstance(data, pl.DataFrame):
        return Frame(data, "polars", data.schema)
    if isinstance(data, pl.LazyFrame):
        frame = data.collect()
        return Frame(frame, "lazy", frame.schema)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        _refuse_duplicates([str(name) for name in data.columns])
        return Frame(from_pandas(data), "pandas", data.iloc[:0], ordered_columns(data))
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, arrow.Table | arrow.RecordBatch):
        return _from_arrow(data)
    return _from_others(data)


def _refuse_duplicates(names: list[str]) -> None:
    twice = dict.fromkeys(name for place, name in enumerate(names) if name in names[:place])
    if twice:
        listed = ", ".join(map(repr, twice))
        raise DataError(f"Several columns are named {listed}; give each its own name.")


def _from_arrow(data: Any) -> Frame:
    import pyarrow as pa

    table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
    _refuse_duplicates([str(name) for name in table.schema.names])
    encoded = [field for field in table.schema if pa.types.is_dictionary(field.type)]
    ordered = frozenset(field.name for field in encoded if field.type.ordered)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # a table gives a frame
    frame = frame.with_columns(enum_of(table, field.name) for field in encoded)
    return Frame(frame, "pyarrow", table.schema, ordered)


def enum_of(data: Any, name: str) -> pl.Series:
    """Turn a dictionary column into an Enum with its labels in their order."""
    chunks = data.column(name).unify_dictionaries().chunks
    labels = [str(label) for label in chunks[0].dictionary.to_pylist()] if chunks else []
    cells = pl.Series(name, pl.from_arrow(data.column(name)))
    return cells.cast(pl.String).cast(pl.Enum(labels))


def _from_others(data: Any) -> Frame:
    try:
        wrapped = nw.from_native(data)
        eager = wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped
        kind = eager.implementation.value
        template = eager.head(0).to_native()
        return Frame(eager.to_polars(), kind, template)
    except TypeError as error:
        if hasattr(data, "__arrow_c_stream__"):
            frame = pl.DataFrame(data)
            return Frame(frame, "polars", frame.schema)
        raise ParameterError(
            f"A {type(data).__name__} is not a table; give a pandas, polars or Arrow table."
        ) from error


def to_native(frame: pl.DataFrame, came: Frame) -> Any:
    """Give a polars frame back as the kind of frame that came in.

    Parameters
    ----------
    frame : polars DataFrame
        Of the types that came in.
    came : Frame
        What came in.
    """
    if came.kind == "pandas":
        return to_pandas(frame, came.template)
    if came.kind == "lazy":
        return frame.lazy()
    if came.kind == "pyarrow":
        return _to_arrow(frame, came.template)
    if came.kind == "polars":
        return frame
    try:
        # Narwhals says which of its frames can be made; the others come back as polars.
        return nw.from_arrow(frame, backend=cast("Any", came.kind)).to_native()
    except (ValueError, TypeError, ImportError):
        return frame


def _dictionary(cells: pl.Series, values: Any, wanted: Any) -> Any:
    """Encode labels, all those of an Enum in their order, even if some are not used."""
    import pyarrow as pa

    if not isinstance(cells.dtype, pl.Enum):
        encoded = values.cast(wanted.value_type).dictionary_encode()
        codes, labels = encoded.indices, encoded.dictionary
    else:
        codes = pa.array(cells.to_physical().to_arrow())
        labels = pa.array(cells.dtype.categories.to_arrow()).cast(wanted.value_type)
    codes = codes.cast(wanted.index_type)
    return pa.DictionaryArray.from_arrays(codes, labels, ordered=wanted.ordered)


def _to_arrow(frame: pl.DataFrame, schema: Any) -> Any:
    import pyarrow as pa

    table = frame.to_arrow()
    columns = []
    for name in frame.columns:
        values = table.column(name).combine_chunks()
        wanted = schema.field(name).type
        if pa.types.is_dictionary(wanted):
            values = _dictionary(frame[name], values, wanted)
        columns.append(values.cast(wanted))
    fields = [schema.field(name) for name in frame.columns]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=schema.metadata))
