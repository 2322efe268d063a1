"""Columns that rules, and not a generator, make: left out before, put back after."""

import numpy as np
import polars as pl

from sosie.errors import DataError, ParameterError
from sosie.table._kinds import CODED, NUMERIC, Kind
from sosie.table._pseudonyms import fresh_identifiers
from sosie.table._rebuild import numbers_of, rebuilt
from sosie.table._schema import Column, Determined, Schema, Sum
from sosie.table._sums import added_up, decimals_of

__all__ = ["free_columns", "put_back"]


def free_columns(schema: Schema) -> list[str]:
    """Name the columns that a generator has to make, in the order of the table.

    Examples
    --------
    >>> columns = [Column(name="a", kind="category"), Column(name="b", kind="constant")]
    >>> free_columns(Schema(columns=columns))
    ['a']
    """
    made = {rule.column for rule in schema.determined} | {rule.total for rule in schema.sums}
    return [
        column.name
        for column in schema.columns
        if column.name not in made and column.kind not in (Kind.CONSTANT, Kind.IDENTIFIER)
    ]


def put_back(
    original: pl.DataFrame, schema: Schema, small: pl.DataFrame, seed: int = 0
) -> pl.DataFrame:
    """Complete rows of the free columns with those that the rules make.

    Parameters
    ----------
    original : DataFrame
        The table the rules were found in.
    schema : Schema
        Its columns and rules.
    small : DataFrame
        New rows of the free columns.
    seed : int
        Of the pseudo-ids that are random.

    Returns
    -------
    DataFrame
        All columns, in the order of the original.

    Raises
    ------
    DataError
        If the table has identifiers that are not to be made afresh.
    ParameterError
        If the columns of `small` are not the free ones.
    """
    expected = free_columns(schema)
    if set(small.columns) != set(expected):
        raise ParameterError("The columns to complete are not those that reduced() gives.")
    done = small
    for column in schema.columns:
        if column.kind is Kind.CONSTANT and column.name not in done.columns:
            done = done.with_columns(_constant(original[column.name], len(small)))
        elif column.kind is Kind.IDENTIFIER:
            done = done.with_columns(_fresh(original[column.name], column, len(small), seed))
    for addition in schema.sums:
        parts = addition.parts
        if schema[addition.total].kind is Kind.CONSTANT and set(parts) <= set(small.columns):
            total = np.full(len(done), float(original[addition.total].drop_nulls()[0]))
            free = np.ones((len(done), len(parts)), bool)
            done = added_up(done, addition, schema, total, free)
    pending: list[Determined | Sum] = [*schema.determined, *schema.sums]
    while pending:
        ready = [rule for rule in pending if _needs(rule) <= set(done.columns)]
        if not ready:
            raise DataError("The determined columns and sums of the schema go round in a circle.")
        for rule in ready:
            done = _applied(rule, original, schema, done)
        pending = [rule for rule in pending if rule not in ready]
    return done.select(original.columns)


def _constant(values: pl.Series, n: int) -> pl.Series:
    return values.head(1).new_from_index(0, n).alias(values.name)


def _fresh(values: pl.Series, column: Column, n: int, seed: int) -> pl.Series:
    if not column.recreate:
        raise DataError(
            f"Column {column.name!r} identifies persons; drop it, or set recreate = true in a "
            "schema to have fresh pseudo-ids in its place."
        )
    return fresh_identifiers(values, n, seed)


def _needs(rule: Determined | Sum) -> set[str]:
    return {rule.by} if isinstance(rule, Determined) else set(rule.parts)


def _applied(
    rule: Determined | Sum, original: pl.DataFrame, schema: Schema, done: pl.DataFrame
) -> pl.DataFrame:
    if isinstance(rule, Sum):
        total = done.select(
            pl.sum_horizontal([_as_float(done[p]) for p in rule.parts], ignore_nulls=False)
        ).to_series()
        dtype = original.schema[rule.total]
        column = schema[rule.total].model_copy(update={"lower": None, "upper": None, "step": None})
        if column.kind not in NUMERIC:  # of few values: others may come about
            told = [decimals_of(schema[part], original.schema[part]) for part in rule.parts]
            known = [d for d in told if d is not None]
            decimals = max(known) if len(known) == len(told) else None
            column = Column(name=rule.total, kind=Kind.NUMBER, decimals=decimals)
        return done.with_columns(rebuilt(numbers_of(total, Kind.NUMBER), column, dtype))
    if schema[rule.by].kind not in CODED or original[rule.column].equals(original[rule.by]):
        return done.with_columns(
            done[rule.by].cast(original.schema[rule.column]).alias(rule.column)
        )
    pairs = original.select(rule.by, rule.column).unique(rule.by, maintain_order=True)
    return done.join(pairs, on=rule.by, how="left", nulls_equal=True, maintain_order="left")


def _as_float(values: pl.Series) -> pl.Series:
    return values.cast(pl.Float64)
