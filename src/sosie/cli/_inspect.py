"""`sosie inspect`: what the columns of a table mean, one line each."""

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._columns import Drop, Recreate, check_remade, said_of_columns
from sosie.cli._options import Json, Lang, Missing, SchemaFile
from sosie.cli._refusals import refusal
from sosie.cli._remarks import remark_in
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import DataError
from sosie.table import CODED, NUMERIC, Kind

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table as Grid

    from sosie.table import Column, Table

__all__ = ["inspect"]

_SHOWN_LEVELS = 4
_SHOWN_CHAINS = 10
_SHOWN_CHARACTERS = 40
_WIDE = 200


def inspect(
    data: Annotated[Path, typer.Argument(help="The table: CSV, Parquet, Excel, SAS, Stata, SPSS.")],
    write: Annotated[
        Path | None, typer.Option("--write", help="Save the schema here, as TOML, to edit it.")
    ] = None,
    schema: SchemaFile = None,
    missing: Missing = None,
    drop: Drop = None,
    recreate: Recreate = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Show what the columns of a table mean, one line each; nothing leaves this screen."""
    words: dict[str, Any] = texts(language(lang))["inspect"]
    from sosie.table import Table

    table = Table.read(data, said_of_columns(schema, drop, recreate), missing=missing)
    check_remade(table, recreate)
    if write is not None:
        table.schema.write(write)
    if as_json:
        typer.echo(json.dumps(_as_json(table), ensure_ascii=False, default=str))
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)  # a file has room: one line stays one line
    console.print(_grid(table, data, words))
    for line in _rules(table, words):
        console.print(escape(line), highlight=False)
    if reason := _refusal(table):
        told = escape(words["refused"].format(reason=refusal(reason, language(lang))))
        console.print(told, style="yellow", soft_wrap=True)  # options to paste stay whole
    if write is not None:
        console.print(escape(words["written"].format(path=write)), highlight=False)


@dataclass(frozen=True)
class _Line:
    """What is shown of one column."""

    column: "Column"
    share_missing: float
    distinct: int
    values: str


def _line(table: "Table", column: "Column", words: dict[str, Any]) -> _Line:
    values = table.frame[column.name]
    present = values.drop_nulls()
    return _Line(
        column,
        values.null_count() / len(values),
        present.n_unique(),
        _values(present, column, words),
    )


def _values(present: "pl.Series", column: "Column", words: dict[str, Any]) -> str:
    """Show a range or some levels; nothing of what may be personal in itself."""
    if column.kind in NUMERIC:
        low, high = (_spelt(end, words) for end in (present.min(), present.max()))
        return str(words["range"]).format(low=low, high=high)
    if column.kind in CODED or column.kind is Kind.CONSTANT:
        shown = [_short(level) for level in column.levels[:_SHOWN_LEVELS]]
        more = len(column.levels) - len(shown)
        return ", ".join(shown) + (f", {words['more'].format(count=more)}" if more > 0 else "")
    return ""


def _spelt(value: object, words: dict[str, Any]) -> str:
    """Spell what is measured as the reader's language has it; labels stay as they are typed."""
    if not isinstance(value, float | Decimal | dt.timedelta):
        return _short(value)
    text = _short(value).replace(".", words["decimal"])
    return text.replace("days", words["days"]).replace("day,", f"{words['day']},")


def _short(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = text.replace("\n", "\\n").replace("\r", "\\r")
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _remark(column: "Column", words: dict[str, Any]) -> str:
    notes = [remark_in(column.remark, words)] if column.remark else []
    if column.recreate:
        notes.append(words["recreated"])
    clock = column.remark.startswith("a time or a duration")
    if column.step is not None and column.kind in (Kind.NUMBER, Kind.INTEGER) and not clock:
        notes.append(words["step"].format(step=_spelt(column.step, words)))
    elif column.decimals and column.kind is Kind.NUMBER:
        key = "decimals_one" if column.decimals == 1 else "decimals_many"
        notes.append(words[key].format(count=column.decimals))
    if column.format:
        notes.append(column.format)
    if column.time_zone:
        notes.append(column.time_zone)
    return "; ".join(notes)


def _grid(table: "Table", path: Path, words: dict[str, Any]) -> "Grid":
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Grid

    title = words["title"].format(path=path, rows=len(table), columns=len(table.names))
    grid = Grid(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column(words["column"], no_wrap=True, style="bold", min_width=_longest(table))
    grid.add_column(words["kind"], no_wrap=True)
    for key in ("missing", "distinct"):
        grid.add_column(words[key], justify="right", no_wrap=True)
    for key in ("values", "remark"):
        grid.add_column(words[key], overflow="ellipsis", no_wrap=True)
    for column in table.schema.columns:
        line = _line(table, column, words)
        share = f"{spelt_number(100 * line.share_missing, words, 1)} %"
        grid.add_row(
            escape(_short(column.name)),
            words["kinds"][column.kind.value],
            share if line.share_missing else "",
            str(line.distinct),
            escape(line.values),
            escape(_remark(column, words)),
        )
    return grid


def _longest(table: "Table") -> int:
    """Give the width of the longest name: names are never cut."""
    from rich.cells import cell_len

    return max(cell_len(_short(name)) for name in table.names)


def _rules(table: "Table", words: dict[str, Any]) -> list[str]:
    schema = table.schema
    lines = []
    if schema.determined:
        pair = words["determined_pair"]
        pairs = ", ".join(pair.format(column=r.column, by=r.by) for r in schema.determined)
        lines.append(words["determined"].format(pairs=pairs))
    if schema.order:
        chains = [" <= ".join(chain) for chain in schema.order[:_SHOWN_CHAINS]]
        more = len(schema.order) - len(chains)
        chains += [words["more"].format(count=more)] if more else []
        lines.append(words["order"].format(chains=", ".join(chains)))
    if schema.sums:
        sums = ", ".join(f"{rule.total} = {' + '.join(rule.parts)}" for rule in schema.sums)
        lines.append(words["sums"].format(sums=sums))
    return lines


def _refusal(table: "Table") -> str:
    try:
        table.refuse()
    except DataError as error:
        return str(error)
    return ""


def _as_json(table: "Table") -> dict[str, object]:
    """Give what is shown as one object; the schema as its file has it."""
    lines = [_line(table, column, texts("en")["inspect"]) for column in table.schema.columns]
    content = table.schema.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    shown = [
        {"missing_share": line.share_missing, "distinct": line.distinct, **described}
        for line, described in zip(lines, content.get("columns", []), strict=True)
    ]
    reason = _refusal(table)
    return {
        **content,
        "rows": len(table),
        "columns": shown,
        "ready": not reason,
        "reason": reason or None,
    }
