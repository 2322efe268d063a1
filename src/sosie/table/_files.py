"""Files of tables other than text, told by their suffix: Parquet, Arrow, and those of others."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import polars as pl

from sosie.errors import DataError, ParameterError
from sosie.table._excel import excel_columns, read_excel
from sosie.table._ordered import with_order, write_ordered
from sosie.table._statistics import STATISTICS, read_statistics, statistics_columns

__all__ = [
    "READERS",
    "TEXT_SUFFIXES",
    "WRITERS",
    "Read",
    "binary_columns",
    "check_output",
    "read_binary",
    "suffix_of",
    "write_binary",
]

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab", ".dat"})


def suffix_of(path: Path) -> str:
    """Give the suffix that tells the format, that of compression left aside.

    Examples
    --------
    >>> suffix_of(Path("A.CSV.gz")), suffix_of(Path("a.parquet"))
    ('.csv', '.parquet')
    """
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _read_feather(path: Path) -> pl.DataFrame:
    readers: list[Callable[..., pl.DataFrame]] = [pl.read_ipc, pl.read_ipc_stream]
    for read in readers:
        with contextlib.suppress(pl.exceptions.PolarsError):
            return read(path)
    # pandas writes a missing category as one before the first: pyarrow knows.
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path} cannot be read: it may be cut short, or hold categories with missing cells as "
            "pandas writes them; for these install pyarrow, or write the table as Parquet."
        ) from error
    with contextlib.suppress(pa.ArrowInvalid):
        return pl.read_ipc(path, use_pyarrow=True)
    return pl.read_ipc_stream(path, use_pyarrow=True)


def binary_columns(path: Path) -> list[str]:
    """Read the names of the columns of a file, told by its suffix, and no row.

    Raises
    ------
    DataError
        As :func:`read_binary`.
    """
    with _told(path):
        return _COLUMNS[suffix_of(path)](path)


def _feather_columns(path: Path) -> list[str]:
    try:
        return list(pl.read_ipc_schema(path))
    except pl.exceptions.PolarsError:
        return pl.read_ipc_stream(path, n_rows=0).columns


def check_output(path: Path) -> None:
    """Refuse, before any work, a file that could not be written.

    Raises
    ------
    DataError
        If its folder is missing or it is no file.
    ParameterError
        If its suffix is not one to write.
    """
    suffix = suffix_of(path)
    if suffix not in TEXT_SUFFIXES | WRITERS.keys():
        raise ParameterError(
            f"{path}: {suffix or 'no suffix'} is not a format to write; use .csv, .parquet or "
            ".feather."
        )
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist; make it first.")
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is not a file that can be replaced; give another name.")


_PARQUET = (".parquet", ".pq")
_FEATHER = (".feather", ".arrow", ".ipc")
_EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")

READERS = frozenset({*_PARQUET, *_FEATHER, *_EXCEL, *STATISTICS})

_COLUMNS: dict[str, Callable[[Path], list[str]]] = {
    **dict.fromkeys(_PARQUET, lambda path: list(pl.read_parquet_schema(path))),
    **dict.fromkeys(_FEATHER, _feather_columns),
    **dict.fromkeys(_EXCEL, excel_columns),
    **dict.fromkeys(STATISTICS, statistics_columns),
}


class Read(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    frame : DataFrame
    ordered : frozenset of str
        Columns whose categories are in an order.
    labelled : dict of str to frozenset
        Of columns that stay codes though some codes have labels, these codes.
    """

    frame: pl.DataFrame
    ordered: frozenset[str] = frozenset()
    labelled: Mapping[str, frozenset[Any]] = MappingProxyType({})


def read_binary(path: Path, numeric: Collection[str] = (), missing: Collection[str] = ()) -> Read:
    """Read a file by its suffix.

    Parameters
    ----------
    path : Path
    numeric : collection of str
        Columns that are declared numbers: labels of their codes are left aside.
    missing : collection of str
        Codes that stand for a missing cell, whatever their labels.

    Raises
    ------
    DataError
        If it is damaged, not of its suffix, or needs a package that is not installed.
    """
    suffix = suffix_of(path)
    with _told(path):
        if suffix in STATISTICS:
            frame, labelled = read_statistics(path, numeric, missing)
            return Read(frame, labelled=labelled)
        if suffix in _EXCEL:
            return Read(read_excel(path))
        frame = pl.read_parquet(path) if suffix in _PARQUET else _read_feather(path)
        return Read(*with_order(frame, path))


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the readers of other formats say into one sentence."""
    try:
        yield
    except ImportError as error:
        raise DataError(
            f"{path}: reading {suffix_of(path)} files needs one more package; "
            "install it with: pip install 'sosie[files]'."
        ) from error
    except DataError:
        raise
    except BaseException as error:
        # They raise what they like, panics of Rust included.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise DataError(
            f"{path} is not a {suffix_of(path)} file that can be read; it may be cut short or of "
            "another format."
        ) from error


def _write_parquet(frame: pl.DataFrame, out: BinaryIO) -> None:
    frame.write_parquet(out)


def _write_feather(frame: pl.DataFrame, out: BinaryIO) -> None:
    frame.write_ipc(out, compression="lz4")


def write_binary(frame: pl.DataFrame, ordered: frozenset[str], suffix: str, out: BinaryIO) -> None:
    """Write a file by its suffix; some columns as categories in an order, where pyarrow is."""
    if ordered and find_spec("pyarrow"):
        write_ordered(frame, ordered, suffix, out)
    else:
        WRITERS[suffix](frame, out)


WRITERS: dict[str, Callable[[pl.DataFrame, BinaryIO], None]] = {
    **dict.fromkeys(_PARQUET, _write_parquet),
    **dict.fromkeys(_FEATHER, _write_feather),
}
