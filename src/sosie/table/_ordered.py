"""Ordered categories in Parquet and Arrow files, whose order Polars does not tell."""

from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from sosie.table._frames import enum_of

__all__ = ["with_order", "write_ordered"]

_PARQUET = (".parquet", ".pq")
_OF_POLARS = b"_PL_ENUM_VALUES"


def with_order(frame: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, frozenset[str]]:
    """Give ordered categories their labels in their order, and tell which columns these are.

    What pandas and R write as ordered labels says so in the schema of Arrow that the file
    carries. An Enum of Polars is written as ordered too, though its labels need not be: it stays
    as it is. Without pyarrow no order is known.

    Parameters
    ----------
    frame : DataFrame
        As Polars reads the file.
    path : Path
        Of a Parquet or Arrow file.
    """
    if pl.Categorical not in frame.dtypes:
        return frame, frozenset()
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        return frame, frozenset()
    in_parquet = path.suffix.lower() in _PARQUET
    table = None if in_parquet else _table(path)
    ordered = [
        field.name
        for field in (parquet.read_schema(path) if table is None else table.schema)
        if pa.types.is_dictionary(field.type)
        and field.type.ordered
        and (
            pa.types.is_string(field.type.value_type)
            or pa.types.is_large_string(field.type.value_type)
        )
        and not any(key.startswith(_OF_POLARS) for key in field.metadata or {})
    ]
    if not ordered:
        return frame, frozenset()
    if table is None:
        table = parquet.read_table(path, columns=ordered)
    return frame.with_columns(enum_of(table, name) for name in ordered), frozenset(ordered)


def _table(path: Path) -> Any:
    """Read a file of Arrow, of either form."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        try:
            return pa.ipc.open_file(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source).read_all()


def write_ordered(frame: pl.DataFrame, ordered: frozenset[str], suffix: str, out: BinaryIO) -> None:
    """Write a Parquet or Arrow file in which some Enums are ordered categories, as of pandas.

    Parameters
    ----------
    frame : DataFrame
    ordered : frozenset of str
    suffix : str
    out : binary file
    """
    import pyarrow as pa
    from pyarrow import feather, parquet

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    fields = [field.remove_metadata() if field.name in ordered else field for field in table.schema]
    table = table.cast(pa.schema(fields))
    if suffix in _PARQUET:
        parquet.write_table(table, out, compression="zstd")
    else:
        feather.write_feather(table, out, compression="lz4")
