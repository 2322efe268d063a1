"""Cells as text: those of a file as it spells them, those that were made as they would be."""

from pathlib import Path

import polars as pl

from sosie.table._csv_read import read_csv
from sosie.table._files import TEXT_SUFFIXES, suffix_of
from sosie.table._spell import spell, spelling_for
from sosie.table._table import Table

__all__ = ["is_text", "spelt_cells", "verbatim_cells"]


def is_text(path: Path) -> bool:
    """Tell whether a file is one of delimited text, by its suffix.

    Examples
    --------
    >>> is_text(Path("a.csv.gz")), is_text(Path("a.parquet"))
    (True, False)
    """
    return suffix_of(path) in TEXT_SUFFIXES


def spelt_cells(table: Table) -> pl.DataFrame:
    """Spell the cells of a table as they would be written; null where missing.

    Returns
    -------
    DataFrame
        Of text.

    Examples
    --------
    >>> spelt_cells(Table.of(pl.DataFrame({"age": [41.0, 52.5], "sex": ["f", None]}))).rows()
    [('41.0', 'f'), ('52.5', None)]
    """
    return pl.DataFrame(
        {
            v.name: spell(
                v, table.spelling(v.name) or spelling_for(v.dtype), table.schema[v.name].decimals
            )
            for v in table.frame.iter_columns()
        }
    )


def verbatim_cells(table: Table, path: Path) -> pl.DataFrame:
    """Give the cells of a table as the file of text that it was read from spells them.

    Two spellings of missing in one column stay two, and 1.50 is not made 1.5.

    Parameters
    ----------
    table : Table
    path : Path
        Of the file, whose columns the table has, or some of them.

    Returns
    -------
    DataFrame
        Of text; null where a cell is missing as most of its column are.
    """
    cells = read_csv(path).frame.select(table.names)
    found = []
    for text, values in zip(cells.iter_columns(), table.frame.iter_columns(), strict=True):
        how = table.spelling(text.name)
        if how is not None and how.missing:
            filled = text.fill_null("")
            found.append(filled.set(values.is_null() & (filled == how.missing), None))
        else:
            found.append(text)
    return pl.DataFrame(found)
