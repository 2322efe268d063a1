"""Drawn cells put where cells are missing, known ones left as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from sosie.table import before_of

if TYPE_CHECKING:
    from sosie.table import Schema

__all__ = ["filled"]


def filled(known: pl.DataFrame, drawn: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Fill the missing cells of a frame with those drawn, in the order that the schema tells.

    A drawn cell that stands on the wrong side of a known one takes its value: nothing that
    is known moves.

    Parameters
    ----------
    known : DataFrame
        Null where missing.
    drawn : DataFrame
        Rows of the same persons, with no cell missing.
    schema : Schema
        With the order of columns.

    Examples
    --------
    >>> from sosie.table import Column, Schema
    >>> columns = [Column(name=name, kind="number") for name in ("in", "out")]
    >>> known = pl.DataFrame({"in": [None, 2.0], "out": [5.0, None]})
    >>> drawn = pl.DataFrame({"in": [7.0, 1.0], "out": [8.0, 9.0]})
    >>> filled(known, drawn, Schema(columns=columns, order=[["in", "out"]])).rows()
    [(5.0, 5.0), (2.0, 9.0)]
    """
    frame = known.with_columns(pl.col(name).fill_null(drawn[name]) for name in drawn.columns)
    before = before_of(schema)
    pairs = [(first, last) for last, others in before.items() for first in others]
    for first, last in pairs:
        frame = _moved(frame, last, first, known[last].is_null() & (frame[first] > frame[last]))
    for first, last in reversed(pairs):
        frame = _moved(frame, first, last, known[first].is_null() & (frame[first] > frame[last]))
    return frame


def _moved(frame: pl.DataFrame, name: str, other: str, rows: pl.Series) -> pl.DataFrame:
    """Give a column in some rows the value of another."""
    value = pl.col(other).cast(frame.schema[name])
    return frame.with_columns(pl.when(rows).then(value).otherwise(pl.col(name)).alias(name))
