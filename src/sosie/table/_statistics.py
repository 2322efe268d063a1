"""Files of SAS, Stata and SPSS: labels of codes, and whole numbers stored with decimals."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import polars as pl

from sosie.table._identifiers import why_identifier
from sosie.table._missing import SURE, without_codes
from sosie.table._numbers import decimals_of
from sosie.table._transport import check_transport

__all__ = ["STATISTICS", "read_statistics", "statistics_columns"]

STATISTICS = (".sas7bdat", ".xpt", ".dta", ".sav", ".zsav", ".por")

_UNASKED = "F8.2"
"""The format that SPSS gives to a number of which nothing is said: it tells no decimals."""


def read_statistics(
    path: Path, numeric: Collection[str] = (), missing: Collection[str] = ()
) -> tuple[pl.DataFrame, dict[str, frozenset[Any]]]:
    """Read a file of SAS, Stata or SPSS.

    A column whose every code has a label comes as these labels, in the order of the codes.
    One of which some codes have labels stays numbers, as in haven::as_factor.

    Parameters
    ----------
    path : Path
        Its suffix tells the format.
    numeric : collection of str
        Columns that are declared numbers: their codes are kept.
    missing : collection of str
        Codes that stand for a missing cell, whatever their labels.

    Returns
    -------
    frame : DataFrame
    labelled : dict of str to frozenset
        Of the columns of which some codes have labels, these codes.

    Raises
    ------
    DataError
        If a transport file of SAS is cut short or holds several tables.
    """
    columns, about = _read(path, output_format="dict")
    if path.suffix.lower() == ".xpt":
        check_transport(path, sum(about.variable_storage_width.values()))
    labelled: dict[str, frozenset[Any]] = {}
    read = []
    for name, cells in columns.items():
        values = _cells(name, cells)
        labels = _labels(about.variable_value_labels.get(name), values.dtype)
        if labels:
            values = without_codes(values, missing)
        if labels and name not in numeric:
            if (named := _as_labels(values, labels)) is not None:
                read.append(named)
                continue
            labelled[name] = frozenset(code for code in labels if labels[code])
        read.append(_as_whole(values, about.original_variable_types.get(name)))
    return pl.DataFrame(read), labelled


def statistics_columns(path: Path) -> list[str]:
    """Read the names of the columns of a file of SAS, Stata or SPSS."""
    _, about = _read(path, metadataonly=True)
    return list(about.column_names)


def _read(path: Path, **options: Any) -> Any:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
        ".dta": pyreadstat.read_dta,
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".por": pyreadstat.read_por,
    }
    return readers[path.suffix.lower()](path, **options)


def _cells(name: str, cells: Any) -> pl.Series:
    values = pl.Series(name, cells, strict=False)
    # These programs spell a missing label as an empty one.
    return values.replace("", None) if values.dtype == pl.String else values


def _labels(given: dict[Any, Any] | None, dtype: pl.DataType) -> dict[Any, str]:
    """Give the labels of codes that cells can be: others are those of ways to be missing."""
    if not given or not (dtype.is_numeric() or dtype == pl.String):
        return {}
    text = dtype == pl.String
    said = {code: str(label).strip() for code, label in given.items()}
    return {code: said[code] for code in sorted(c for c in said if isinstance(c, str) == text)}


def _as_labels(values: pl.Series, labels: dict[Any, str]) -> pl.Series | None:
    """Put labels in the place of codes; None where some code has none."""
    codes = values.drop_nulls().unique().to_list()
    if not codes or not all(labels.get(code) for code in codes):
        return None
    text = values.replace_strict(labels, return_dtype=pl.String, default=None)
    text = text.set(text.is_in(SURE), None)
    present = text.drop_nulls()
    n_distinct = present.n_unique()
    # Names of persons come as labels too (encode, in Stata): as text they are told apart.
    if 2 * n_distinct > len(present) or why_identifier(present, n_distinct, n_distinct):
        return text
    held = set(present)
    kept = dict.fromkeys(label for label in labels.values() if label in held)
    return text.cast(pl.Enum(list(kept)))


def _as_whole(values: pl.Series, display: str | None) -> pl.Series:
    """Take for integers what these programs store with decimals, for they know no other number.

    A format that shows decimals says that there can be some.
    """
    if not values.dtype.is_float() or _shows_decimals(display):
        return values
    present = values.drop_nulls()
    if present.is_empty() or not (present.abs() < 2**53).all() or decimals_of(present) != 0:
        return values
    return values.cast(pl.Int64)


def _shows_decimals(display: str | None) -> bool:
    """Tell a format of some decimals (F5.1, %9.2f); a general one (%9.0g) tells none."""
    if not display or display == _UNASKED:
        return False
    decimals = "".join(c for c in display.rpartition(".")[2] if c.isdigit())
    return "." in display and decimals.strip("0") != ""
