"""Drawn cells put where cells are missing, known ones left as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import ndtr

from sosie.generators.artificial._draws import Draws
from sosie.generators.artificial._impute import completed
from sosie.table import Kind, added_up, before_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded
    from sosie.generators.artificial._cohort import Cohort
    from sosie.generators.artificial._draws import Networks
    from sosie.table import Schema, Table

__all__ = ["filled", "filled_arrays", "filled_table"]


def filled_table(cohort: Cohort, model: Networks, rng: np.random.Generator, sign: int = 1) -> Table:
    """Fill the missing cells of the table of persons once, as a model draws them.

    Parameters
    ----------
    cohort : Cohort
    model : Networks
    rng : Generator
    sign : {1, -1}
        The two draws of one noise lie on the two sides of the middle of their law.
    """
    arrays = filled_arrays(cohort, model, cohort.coded, cohort.coding.strata, rng, sign)
    known = cohort.columns.arrays()
    for name, values in known.items():
        gone = np.isnan(values) if name in cohort.columns.numbers else values < 0
        arrays[name] = np.where(gone, arrays[name], values)
    numbers = {name: cohort.free.numbers(name) for name in cohort.steps.names}
    whole = cohort.table.restored(cohort.rebuilt(arrays, numbers))
    table = cohort.table.taken(np.arange(len(cohort.table)))
    names = [c.name for c in table.schema.columns if c.kind is not Kind.IDENTIFIER]
    table.frame = filled(table.frame, whole.frame.select(names), table.schema)
    return table


def filled_arrays(
    cohort: Cohort,
    model: Networks,
    coded: Coded,
    strata: NDArray[np.int32],
    rng: np.random.Generator,
    sign: int = 1,
) -> dict[str, Any]:
    """Draw a value of every column for some persons: to be taken where the cell is missing."""
    coding = cohort.coding
    cells = np.arange(coding.shape.n_scores) < len(coding.scored)
    scores, levels = completed(model, coded, cells, rng, sign)
    # Of what is known the margins are those of the coding, whoever misses the cell.
    places = np.clip(ndtr(scores), 1e-7, 1 - 1e-7)
    return cohort.arrays(Draws(scores, levels, strata), places, filled=True)


def filled(known: pl.DataFrame, drawn: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Fill the missing cells of a frame with those drawn, as the rules of the schema tell.

    A drawn cell that stands on the wrong side of a known one takes its value, and the parts of
    a known total that are missing share what the others leave: nothing that is known moves.

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
    >>> from sosie.table import Sum
    >>> parts = pl.DataFrame({"in": [None, 2.0], "out": [5.0, None], "all": [9.0, None]})
    >>> drawn = drawn.with_columns(all=pl.Series([15.0, 11.0]))
    >>> columns.append(Column(name="all", kind="number"))
    >>> rule = Sum(total="all", parts=["in", "out"])
    >>> filled(parts, drawn, Schema(columns=columns, sums=[rule])).rows()
    [(4.0, 5.0, 9.0), (2.0, 9.0, 11.0)]
    """
    frame = known.with_columns(pl.col(name).fill_null(drawn[name]) for name in drawn.columns)
    before = before_of(schema)
    pairs = [(first, last) for last, others in before.items() for first in others]
    for first, last in pairs:
        frame = _moved(frame, last, first, known[last].is_null() & _after(frame, first, last))
    for first, last in reversed(pairs):
        frame = _moved(frame, first, last, known[first].is_null() & _after(frame, first, last))
    for rule in schema.sums:
        total = known[rule.total].cast(pl.Float64).fill_null(np.nan).to_numpy()
        free = np.column_stack([known[part].is_null().to_numpy() for part in rule.parts])
        frame = added_up(frame, rule, schema, total, free)
    return frame


def _after(frame: pl.DataFrame, first: str, last: str) -> pl.Series:
    """Tell in which rows a column is beyond another, in whatever time zones they are."""
    one, other = (
        values.dt.convert_time_zone("UTC") if getattr(values.dtype, "time_zone", None) else values
        for values in (frame[first], frame[last])
    )
    return one > other


def _moved(frame: pl.DataFrame, name: str, other: str, rows: pl.Series) -> pl.DataFrame:
    """Give a column in some rows the value of another."""
    value = pl.col(other)
    zone: str | None = getattr(frame.schema[name], "time_zone", None)
    if zone and getattr(frame.schema[other], "time_zone", None):
        value = value.dt.convert_time_zone(zone)
    value = value.cast(frame.schema[name])
    return frame.with_columns(pl.when(rows).then(value).otherwise(pl.col(name)).alias(name))
