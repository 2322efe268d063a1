"""A table to delimited text, in the dialect it was read in."""

import codecs
import gzip
import io
import re
from collections.abc import Mapping
from typing import BinaryIO

import polars as pl

from sosie.errors import DataError
from sosie.table._dialect import Dialect
from sosie.table._spell import spell, spelling_for
from sosie.table._spelling import Spelling

__all__ = ["write_csv"]

_ROWS = 1 << 18
_MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}


def write_csv(
    frame: pl.DataFrame,
    out: BinaryIO,
    dialect: Dialect,
    spellings: Mapping[str, Spelling],
    decimals: Mapping[str, int | None],
) -> None:
    r"""Write a frame as delimited text.

    Parameters
    ----------
    frame : DataFrame
        Typed columns; null where missing.
    out : binary file
        Where the bytes go.
    dialect : Dialect
        How the file is written.
    spellings : mapping of str to Spelling
        How each column is spelt; the usual way where it is not told.
    decimals : mapping of str to int
        Decimals that the numbers of each column have at most.

    Raises
    ------
    DataError
        If a label has no place in the encoding.

    Examples
    --------
    >>> import io
    >>> out = io.BytesIO()
    >>> write_csv(pl.DataFrame({"a": [1, None]}), out, Dialect(), {}, {})
    >>> out.getvalue()
    b'a\n1\n""\n'
    """
    if not dialect.gzipped:
        _write(frame, out, dialect, spellings, decimals)
        return
    with gzip.GzipFile("", "wb", fileobj=out, compresslevel=6, mtime=0) as packed:
        _write(frame, packed, dialect, spellings, decimals)  # type: ignore[arg-type]


def _write(
    frame: pl.DataFrame,
    out: BinaryIO,
    dialect: Dialect,
    spellings: Mapping[str, Spelling],
    decimals: Mapping[str, int | None],
) -> None:
    if dialect.byte_order_mark:
        out.write(_MARKS[dialect.encoding])
    ways = {
        name: spellings.get(name) or spelling_for(dtype) for name, dtype in frame.schema.items()
    }
    out.write(_encoded(_header(frame.columns, dialect), dialect))
    pending = dialect.line_end
    for part in frame.iter_slices(_ROWS):
        cells = {
            str(place): _cells(v, ways[v.name], dialect, decimals.get(v.name), frame.width)
            for place, v in enumerate(part.iter_columns())
        }
        block = io.BytesIO()
        pl.DataFrame(cells).write_csv(
            block,
            include_header=False,
            separator=dialect.separator,
            quote_style="never",
            line_terminator=dialect.line_end,
        )
        block.truncate(block.seek(-len(dialect.line_end), io.SEEK_END))
        out.write(_encoded(pending, dialect))
        out.write(_recoded(block.getvalue(), dialect))
        pending = dialect.line_end
    if dialect.final_newline:
        out.write(_encoded(dialect.line_end, dialect))


def _header(names: list[str], dialect: Dialect) -> str:
    special = re.compile('["\r\n' + re.escape(dialect.separator) + "]")
    lone = len(names) == 1
    return dialect.separator.join(
        '"' + name.replace('"', '""') + '"'
        if dialect.quoted_header or special.search(name) or (lone and not name)
        else name
        for name in names
    )


def _cells(
    values: pl.Series, how: Spelling, dialect: Dialect, decimals: int | None, width: int
) -> pl.Series:
    """Spell a column, quotes included."""
    text = spell(values, how, decimals)
    missing = how.missing
    if how.missing_quoted or (width == 1 and not missing):
        # A single column quotes its empty cells, lest they be taken for blank lines.
        missing = f'"{missing}"'
    if how.quoted:
        text = _quoted(text)
    elif (
        how.content == "label"
        or values.dtype == pl.String
        or dialect.separator in (how.decimal, how.thousands)
    ):
        special = text.str.contains('["\r\n' + re.escape(dialect.separator) + "]")
        if special.any():
            text = pl.select(pl.when(special).then(_quoted(text)).otherwise(text)).to_series()
    return text.fill_null(missing).alias(values.name)


def _quoted(text: pl.Series) -> pl.Series:
    return '"' + text.str.replace_all('"', '""', literal=True) + '"'


def _recoded(data: bytes, dialect: Dialect) -> bytes:
    return data if dialect.encoding == "utf-8" else _encoded(data.decode("utf-8"), dialect)


def _encoded(text: str, dialect: Dialect) -> bytes:
    try:
        return text.encode(dialect.encoding)
    except UnicodeEncodeError as error:
        raise DataError(
            f"Some labels cannot be written in {dialect.encoding}; write Parquet instead."
        ) from error
