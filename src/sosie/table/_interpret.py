"""From cells to meaning: the steps between a raw frame and a table."""

import difflib
from dataclasses import dataclass, replace
from datetime import time
from itertools import compress
from typing import Any

import polars as pl

from sosie.errors import DataError, SchemaError
from sosie.table._csv_read import TextTable
from sosie.table._dates import day_comes_first
from sosie.table._infer import describe
from sosie.table._kinds import CODED, Kind
from sosie.table._missing import spellings, without_codes
from sosie.table._numbers import refuse_infinities
from sosie.table._numerals import uses_decimal_comma
from sosie.table._places import Places
from sosie.table._rules import detect
from sosie.table._schema import Column, Schema
from sosie.table._source import Source
from sosie.table._spelling import Spelling
from sosie.table._text import TextColumn, read_text
from sosie.table._verify import verify

__all__ = ["interpret"]

_SAMPLE = 500


def interpret(
    raw: pl.DataFrame,
    source: Source,
    declared: Schema | None,
    missing: list[str] | None,
    text: TextTable | None = None,
) -> tuple[pl.DataFrame, Schema, Source]:
    """Give meaning to the columns of a raw frame.

    Parameters
    ----------
    raw : DataFrame
        As it was read.
    source : Source
        Where it came from.
    declared : Schema or None
        What the user says of it.
    missing : list of str or None
        Spellings of missing that the user adds.
    text : TextTable or None
        The text file it was cut from.

    Returns
    -------
    frame : DataFrame
        Typed; null where missing.
    schema : Schema
        What was declared, completed by what was found.
    source : Source
        Completed by how the columns are spelt.

    Raises
    ------
    DataError
        If the table cannot be used as it is.
    SchemaError
        If what is declared does not hold.
    """
    said = declared or Schema()
    raw = _without_dropped(raw, said, source.places)
    _refuse_too_small(raw, source.places)
    source = replace(source, types=raw.schema)
    frame, source, remarks = _typed(raw, source, said, missing, text)
    del raw
    _refuse_empty_columns(frame, source.places)
    refuse_infinities(frame, source.places)
    schema = _described(frame, source, said, remarks)
    _refuse_constant_table(schema, source.places)
    verify(frame, schema, source.places)
    frame = _compacted(frame, schema)
    return frame, detect(frame, schema, said), source


def _without_dropped(raw: pl.DataFrame, said: Schema, places: Places) -> pl.DataFrame:
    mentioned = [*said.names, *said.drop, *(name for chain in said.order for name in chain)]
    mentioned += [name for rule in said.determined for name in (rule.column, rule.by)]
    mentioned += [name for rule in said.sums for name in (rule.total, *rule.parts)]
    unknown = [name for name in dict.fromkeys(mentioned) if name not in raw.columns]
    if unknown:
        near = difflib.get_close_matches(unknown[0], raw.columns, 1)
        hint = f"did you mean {near[0]!r}?" if near else "check the spelling."
        raise SchemaError(
            f"{places.table} has no column {', '.join(map(repr, unknown))}, which the schema or an "
            f"option names; {hint}"
        )
    return raw.drop(said.drop)


def _refuse_too_small(raw: pl.DataFrame, places: Places) -> None:
    if not raw.width:
        raise DataError(f"{places.table} has no columns; give a table.")
    if len(raw) < 2:
        rows = "no rows" if not len(raw) else "one row only"
        raise DataError(f"{places.table} has {rows}; give a table of at least two persons.")


def _typed(
    raw: pl.DataFrame,
    source: Source,
    said: Schema,
    missing: list[str] | None,
    text: TextTable | None,
) -> tuple[pl.DataFrame, Source, dict[str, str]]:
    """Read the text columns, and turn the other ways to be missing into null."""
    habits = _Habits.of(raw, text)
    words = spellings(missing)
    columns: list[pl.Series] = []
    spelt: dict[str, Spelling] = {}
    remarks: dict[str, str] = {}
    nan: set[str] = set()
    for values in raw.iter_columns():
        name = values.name
        if values.dtype == pl.String:
            column = habits.column(values, words, source.places, said)
            read, spelt[name], remarks[name] = read_text(column)
        else:
            _refuse_nested(values, source.places)
            read = without_codes(values, missing or [])
            if values.dtype.is_float() and values.is_nan().any():
                nan.add(name)
        columns.append(_on_its_clock(read.alias(name), said.find(name)))
    if text is not None:
        update = {"decimal": "," if habits.decimal_comma else ".", "day_first": habits.day_first}
        source = replace(source, dialect=text.dialect.model_copy(update=update))
    frame = pl.DataFrame({values.name: values for values in columns})
    return frame, replace(source, spellings=spelt, nan=frozenset(nan)), remarks


def _on_its_clock(values: pl.Series, declared: Column | None) -> pl.Series:
    """Read days that are stored as midnights as dates where dates are declared, and back."""
    kind = None if declared is None or declared.time_zone else declared.kind
    zone = getattr(values.dtype, "time_zone", None)
    if kind is Kind.DATETIME and values.dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if kind is Kind.DATE and values.dtype == pl.Datetime and zone is None:
        midnight = bool((values.dt.time().drop_nulls() == time()).all())
        return values.dt.date() if midnight else values
    return values


@dataclass(frozen=True)
class _Habits:
    """How the text columns of a table are written, all considered."""

    labelled: frozenset[str]
    quoted: frozenset[str]
    missing_quoted: frozenset[str]
    decimal_comma: bool
    french: bool
    day_first: bool | None

    @classmethod
    def of(cls, raw: pl.DataFrame, text: TextTable | None) -> "_Habits":
        texts = [values for values in raw.iter_columns() if values.dtype == pl.String]
        separator = text.dialect.separator if text else ""
        comma = uses_decimal_comma([values.head(_SAMPLE) for values in texts], separator)
        names = text.frame.columns if text else []
        return cls(
            _labelled(raw, text),
            frozenset(compress(names, text.quoted if text else [])),
            frozenset(compress(names, text.missing_quoted if text else [])),
            comma,
            comma or separator == ";",
            day_comes_first([v for v in texts if _maybe_dates(v)]),
        )

    def column(
        self, cells: pl.Series, words: tuple[list[str], list[str]], places: Places, said: Schema
    ) -> TextColumn:
        name = cells.name
        declared = said.find(name)
        return TextColumn(
            name,
            cells,
            words,
            places,
            kind=declared.kind if declared else None,
            format=declared.format if declared else None,
            labelled=name in self.labelled,
            decimal_comma=self.decimal_comma,
            french=self.french,
            day_first=self.day_first,
            quoted=name in self.quoted,
            missing_quoted=name in self.missing_quoted,
            levels=declared.levels if declared else [],
        )


def _maybe_dates(cells: pl.Series) -> bool:
    first = cells.head(_SAMPLE).drop_nulls()
    return bool(first.str.contains(r"^\d{1,2}[-/]\d{1,2}[-/]\d{4}").any())


def _labelled(raw: pl.DataFrame, text: TextTable | None) -> frozenset[str]:
    """Name the columns that are text on purpose: quoted or typed so, when others are not."""
    if text is None:
        texts = {name for name, dtype in raw.schema.items() if dtype == pl.String}
        return frozenset(texts if any(d.is_numeric() for d in raw.dtypes) else ())
    quoted = {n for n, is_quoted in zip(text.frame.columns, text.quoted, strict=True) if is_quoted}
    return frozenset(quoted if len(quoted) < text.frame.width else ())


def _refuse_nested(values: pl.Series, places: Places) -> None:
    if values.dtype == pl.Object:
        raise DataError(
            f"{places.column(values.name)}: its cells are of a type that no file of tables has; "
            "make them numbers, dates or text, or drop it."
        )
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        raise DataError(
            f"{places.column(values.name)}: its cells are {values.dtype}, not single values; "
            "spread them over columns of their own, or drop it."
        )


def _refuse_empty_columns(frame: pl.DataFrame, places: Places) -> None:
    empty = [values.name for values in frame.iter_columns() if values.null_count() == len(values)]
    if empty:
        many = len(empty) > 1
        raise DataError(
            f"{places.table}: column{'s' if many else ''} {', '.join(map(repr, empty))} "
            f"hold{'' if many else 's'} no value at all; remove {'them' if many else 'it'}, or "
            "list under drop in a schema."
        )


def _described(
    frame: pl.DataFrame, source: Source, said: Schema, remarks: dict[str, str]
) -> Schema:
    columns = []
    for values in frame.iter_columns():
        name = values.name
        column = describe(
            values,
            said.find(name),
            ordered=name in source.ordered,
            max_levels=said.max_levels,
            places=source.places,
        )
        told = _partly(values, source.labelled.get(name, frozenset()))
        if told and said.find(name) is None:
            column = column.model_copy(update={"remark": told})
        columns.append(_completed(column, source.spellings.get(name), remarks.get(name, "")))
    return said.model_copy(update={"columns": columns})


def _partly(values: pl.Series, labelled: frozenset[Any]) -> str:
    """Say that some codes of a column have labels: these are not used."""
    if not labelled:
        return ""
    codes = values.drop_nulls().unique().sort().to_list()
    has = [code in labelled for code in codes]
    n = sum(has)
    told = f"labels on {n} of {len(codes)} values: codes kept"
    if all(has[:n]) or all(has[-n:]):  # at one end, as of ways to be missing
        told += "; --missing CODE if it means none"
    return told if n else ""


def _completed(column: Column, spelling: Spelling | None, remark: str) -> Column:
    """Add what the text of the column shows."""
    update: dict[str, object] = {}
    if remark and not column.remark:
        update["remark"] = remark
    if spelling is not None:
        if spelling.missing and column.missing is None:
            update["missing"] = spelling.missing
        if spelling.format and column.format is None:
            update["format"] = spelling.format
    return column.model_copy(update=update)


def _compacted(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Keep labels as codes into their levels: a byte a cell, and no label is looked up twice."""
    return frame.with_columns(
        pl.col(column.name).cast(pl.Enum([str(level) for level in column.levels]))
        for column in schema.columns
        if column.kind in CODED and column.levels and frame.schema[column.name] == pl.String
    )


def _refuse_constant_table(schema: Schema, places: Places) -> None:
    if all(column.kind is Kind.CONSTANT for column in schema.columns):
        raise DataError(
            f"{places.table}: every column has one value only; there is nothing to learn from it."
        )
