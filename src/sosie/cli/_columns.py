"""What the options say of columns, added to what the schema file says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sosie.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    from sosie.table import Column, Schema, Table

__all__ = ["Drop", "Recreate", "check_remade", "said_of_columns"]

Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COL", help="A column to leave out; may be repeated."),
]
Recreate = Annotated[
    list[str] | None,
    typer.Option(
        "--recreate",
        metavar="COL",
        help="An identifier to re-make as fresh pseudo-ids of nobody; may be repeated.",
    ),
]


def said_of_columns(
    path: Path | None, drop: list[str] | None, recreate: list[str] | None
) -> Schema | None:
    """Read a schema file and add what the options say; they win over it.

    The rules of the file on a column that is now left out, or re-made, no longer apply.

    Parameters
    ----------
    path : Path or None
        The schema file, if any.
    drop, recreate : list of str or None
        Columns to leave out; identifiers to re-make.

    Returns
    -------
    Schema or None
        None where nothing is said.

    Raises
    ------
    ParameterError
        If a column is to be both left out and re-made.
    SchemaError
        If the file is not a schema.

    Examples
    --------
    >>> said = said_of_columns(None, ["phone"], ["id"])
    >>> said.drop, said["id"].recreate
    (['phone'], True)
    """
    from sosie.table import Schema

    dropped, remade = list(dict.fromkeys(drop or [])), list(dict.fromkeys(recreate or []))
    for name in dropped:
        if name in remade:
            raise ParameterError(f"Column {name!r} is in --drop and in --recreate; choose one.")
    if not (dropped or remade):
        return None if path is None else Schema.read(path)
    said = Schema() if path is None else Schema.read(path)
    gone = {*dropped, *remade}
    chains = ([name for name in chain if name not in gone] for chain in said.order)
    kept = [column for column in said.columns if column.name not in gone]
    rules = {
        "order": [chain for chain in chains if len(chain) > 1],
        "determined": [r for r in said.determined if gone.isdisjoint((r.column, r.by))],
        "sums": [rule for rule in said.sums if gone.isdisjoint((rule.total, *rule.parts))],
    }
    declared = {name: rule for name, rule in rules.items() if name in said.model_fields_set}
    return said.model_copy(
        update={
            "drop": [*(name for name in said.drop if name not in gone), *dropped],
            "columns": [*kept, *(_remade(said, name) for name in remade)],
            **declared,  # rules that are not declared are looked for
        }
    )


def _remade(said: Schema, name: str) -> Column:
    from sosie.table import Column, Kind

    former = said.find(name)
    missing = former.missing if former else None
    return Column(name=name, kind=Kind.IDENTIFIER, recreate=True, missing=missing)


def check_remade(table: Table, recreate: list[str] | None) -> None:
    """Refuse to re-make what is neither text nor numbers.

    Raises
    ------
    ParameterError
        Naming the first such column.
    """
    import polars as pl

    for name in recreate or []:
        dtype = table.frame.schema[name]
        if dtype.is_temporal() or dtype == pl.Boolean:
            raise ParameterError(
                f"Column {name!r} ({dtype}) cannot be re-made as pseudo-ids; use --drop for it."
            )
