"""What an anonymous output may not hold."""

import re
import shlex

import polars as pl

from sosie.errors import DataError
from sosie.table._kinds import CODED, Kind
from sosie.table._names import is_named_like_identifier
from sosie.table._numerals import no_numerals
from sosie.table._places import Places
from sosie.table._schema import Column, Schema

__all__ = ["refuse"]


def refuse(frame: pl.DataFrame, schema: Schema, places: Places) -> None:
    """Refuse identifiers that are kept, free text, and categories of too many levels.

    A column taken for an identifier or for text of which at least half of the cells are
    numbers is refused as mixed types, unless its name says that it identifies.

    Raises
    ------
    DataError
        Naming all of them and what to do, in one sentence.
    """
    pointing = [c for c in schema.columns if c.kind is Kind.IDENTIFIER and not c.recreate]
    texts = [c for c in schema.columns if c.kind is Kind.TEXT]
    mixed = {c.name: why for c in (*pointing, *texts) if (why := _why_mixed(frame, c, places))}
    wide = [
        c.name
        for c in schema.columns
        if c.kind in CODED and (not c.levels or len(c.levels) > schema.max_levels)
    ]
    many = f"of more than {schema.max_levels} levels"
    reasons = [
        _identifiers([c.name for c in pointing if c.name not in mixed]),
        _reason([c.name for c in texts if c.name not in mixed], "free text", "free text"),
        *mixed.values(),
        _reason(wide, many, many, "group the levels or "),
    ]
    if vast := [c.name for c in schema.columns if _is_vast(frame, c)]:
        raise DataError(
            f"{places.table}: whole numbers beyond 2^53 stand in {', '.join(map(repr, vast))}, and "
            "are not told apart when they are computed with: take off what all have in common, or "
            "say in a schema that they identify."
        )
    if any(reasons):
        raise DataError(
            f"{places.table}: {'; '.join(filter(None, reasons))}, or say so, or another kind, in a "
            "schema written by `sosie inspect DATA --write schema.toml`."
        )


def _is_vast(frame: pl.DataFrame, column: Column) -> bool:
    """Tell whether numbers are beyond those that floats tell apart."""
    if column.kind is not Kind.INTEGER or not frame.schema[column.name].is_integer():
        return False
    ends = frame[column.name].min(), frame[column.name].max()
    return any(isinstance(end, int) and abs(end) > 2**53 for end in ends)


def _identifiers(names: list[str]) -> str:
    recreated = f"{_options('--recreate', names)} or "
    return _reason(names, "an identifier", "identifiers", recreated, adds=True)


def _reason(names: list[str], one: str, several: str, cure: str = "", *, adds: bool = False) -> str:
    """Say what some columns are, and the options to paste."""
    if not names:
        return ""
    listed = ", ".join(map(repr, names))
    are = f"column {listed} is {one}" if len(names) == 1 else f"columns {listed} are {several}"
    drop = _options("--drop", names)
    return f"{are}: add {cure}{drop}" if adds else f"{are}: {cure}add {drop}"


def _options(option: str, names: list[str]) -> str:
    return " ".join(f"{option} {_quoted(name)}" for name in names)


def _quoted(name: str) -> str:
    r"""Quote a name for a shell, on one line.

    Examples
    --------
    >>> print(_quoted("id"), _quoted("it's"), _quoted("two\nlines"))
    id 'it'"'"'s' $'two\nlines'
    """
    if name.isprintable():
        return shlex.quote(name)
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + re.sub(r"[^ -~]", lambda found: _escape(found[0]), escaped) + "'"


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\U{ord(character):08x}")


def _why_mixed(frame: pl.DataFrame, column: Column, places: Places) -> str:
    """Tell the cells that do not read as numbers, where at least half of the others do."""
    cells = frame[column.name]
    if cells.dtype != pl.String or is_named_like_identifier(column.name):
        return ""
    bad = no_numerals(cells)
    known, n = len(cells) - cells.null_count(), int(bad.sum())
    if not n or 2 * n > known:
        return ""
    do = "cell does" if n == 1 else "cells do"
    return (
        f"column {column.name!r} is of mixed types: {n} of {known} {do} not read as numbers "
        f"(first on {places.row(int(bad.arg_max() or 0))}): correct them, give the spelling of "
        f"missing ones with --missing, or add {_options('--drop', [column.name])}"
    )
