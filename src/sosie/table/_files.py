"""Files of tables other than text: Parquet, Arrow, Excel, SAS, Stata and SPSS."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from sosie.errors import DataError, ParameterError

__all__ = ["READERS", "TEXT_SUFFIXES", "WRITERS", "check_output", "read_binary", "suffix_of"]

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
    try:
        return pl.read_ipc(path)
    except pl.exceptions.PolarsError:
        return pl.read_ipc_stream(path)


def _read_excel(path: Path) -> pl.DataFrame:
    return pl.read_excel(path, infer_schema_length=None)


def _read_statistics(path: Path) -> pl.DataFrame:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
        ".dta": pyreadstat.read_dta,
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".por": pyreadstat.read_por,
    }
    columns, _ = readers[suffix_of(path)](path, output_format="dict")
    return pl.DataFrame({name: _cells(values) for name, values in columns.items()})


def _cells(values: Any) -> pl.Series:
    series = pl.Series(values, strict=False)
    # These programs spell a missing label as an empty one.
    return series.replace("", None) if series.dtype == pl.String else series


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


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".feather": _read_feather,
    ".arrow": _read_feather,
    ".ipc": _read_feather,
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), _read_excel),
    **dict.fromkeys((".sas7bdat", ".xpt", ".dta", ".sav", ".zsav", ".por"), _read_statistics),
}


def read_binary(path: Path) -> pl.DataFrame:
    """Read a file by its suffix.

    Raises
    ------
    DataError
        If it is damaged, not of its suffix, or needs a package that is not installed.
    """
    try:
        return READERS[suffix_of(path)](path)
    except ImportError as error:
        raise DataError(
            f"{path}: reading {suffix_of(path)} files needs one more package; "
            "install it with: pip install 'sosie[files]'."
        ) from error
    except DataError:
        raise
    except BaseException as error:
        # The readers of other formats raise what they like, panics of Rust included.
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


WRITERS: dict[str, Callable[[pl.DataFrame, BinaryIO], None]] = {
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
    **dict.fromkeys((".feather", ".arrow", ".ipc"), _write_feather),
}
