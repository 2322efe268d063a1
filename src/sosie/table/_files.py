"""Files of tables other than text: Parquet, Arrow, Excel, SAS, Stata and SPSS."""

import contextlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from sosie.errors import DataError, ParameterError
from sosie.table._ordered import with_order, write_ordered

__all__ = [
    "READERS",
    "TEXT_SUFFIXES",
    "WRITERS",
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


def _read_parquet(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)


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


def _read_excel(path: Path) -> pl.DataFrame:
    return pl.read_excel(path, infer_schema_length=None)


def _read_statistics(path: Path) -> pl.DataFrame:
    columns, _ = _statistics(path, output_format="dict")
    return pl.DataFrame({name: _cells(values) for name, values in columns.items()})


def _statistics_columns(path: Path) -> list[str]:
    _, about = _statistics(path, metadataonly=True)
    return list(about.column_names)


def _statistics(path: Path, **options: Any) -> Any:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
        ".dta": pyreadstat.read_dta,
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".por": pyreadstat.read_por,
    }
    return readers[suffix_of(path)](path, **options)


def _cells(values: Any) -> pl.Series:
    series = pl.Series(values, strict=False)
    # These programs spell a missing label as an empty one.
    return series.replace("", None) if series.dtype == pl.String else series


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


def _excel_columns(path: Path) -> list[str]:
    return pl.read_excel(path, read_options={"n_rows": 0}, raise_if_empty=False).columns


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


_EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_STATISTICS = (".sas7bdat", ".xpt", ".dta", ".sav", ".zsav", ".por")

READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    **dict.fromkeys((".parquet", ".pq"), _read_parquet),
    **dict.fromkeys((".feather", ".arrow", ".ipc"), _read_feather),
    **dict.fromkeys(_EXCEL, _read_excel),
    **dict.fromkeys(_STATISTICS, _read_statistics),
}

_COLUMNS: dict[str, Callable[[Path], list[str]]] = {
    **dict.fromkeys((".parquet", ".pq"), lambda path: list(pl.read_parquet_schema(path))),
    **dict.fromkeys((".feather", ".arrow", ".ipc"), _feather_columns),
    **dict.fromkeys(_EXCEL, _excel_columns),
    **dict.fromkeys(_STATISTICS, _statistics_columns),
}


def read_binary(path: Path) -> tuple[pl.DataFrame, frozenset[str]]:
    """Read a file by its suffix, and tell the columns whose categories are in an order.

    Raises
    ------
    DataError
        If it is damaged, not of its suffix, or needs a package that is not installed.
    """
    with _told(path):
        frame = READERS[suffix_of(path)](path)
        return with_order(frame, path) if suffix_of(path) in WRITERS else (frame, frozenset())


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
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
    **dict.fromkeys((".feather", ".arrow", ".ipc"), _write_feather),
}
