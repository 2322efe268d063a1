"""`sosie impute`: missing cells filled from what is known of the person."""

from __future__ import annotations

import json
import time
from pathlib import Path  # noqa: TC003 - Typer reads it when it runs
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._artificial import Epochs, LatentDim, fresh_name, model_of, seed_of
from sosie.cli._columns import Drop, said_of_columns
from sosie.cli._options import (  # noqa: TC001 - Typer reads it when it runs
    Json,
    Lang,
    Missing,
    SchemaFile,
    Seed,
)
from sosie.cli._places import check_apart
from sosie.cli._remarks import doubtful
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from sosie.table import Table

__all__ = ["impute"]


def impute(
    data: Annotated[
        Path, typer.Argument(help="The table of persons: CSV, Parquet, Excel, SAS, Stata, SPSS.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="SENSITIVE: where it goes: .csv, .parquet or .feather."),
    ],
    draws: Annotated[
        int, typer.Option("--draws", min=1, help="Completed tables, one below the other.")
    ] = 1,
    leave_unseen: Annotated[
        bool,
        typer.Option(
            "--leave-unseen",
            help="Leave cells missing that nobody has with the same value of another column, as "
            "the date of death of the living.",
        ),
    ] = False,
    latent_dim: LatentDim = None,
    seed: Seed = None,
    schema: SchemaFile = None,
    drop: Drop = None,
    missing: Missing = None,
    lang: Lang = None,
    as_json: Json = False,
    epochs: Epochs = None,
) -> None:
    """Fill missing cells with draws from their law given the known cells of the person.

    Known cells and the order of the rows are kept: the output holds the persons.
    """
    started = time.perf_counter()
    words: dict[str, Any] = texts(language(lang))["impute"]
    seed = seed_of(seed)
    from sosie.table import Table, check_output

    check_output(out)
    check_apart([out], [p for p in (data, schema) if p])
    with Stages(words["stages"], shown=not as_json) as stages:
        stages.begin("read")
        whole = Table.read(data, said_of_columns(schema, drop, None), missing=missing)
        aside = _aside(whole)
        said = said_of_columns(schema, [*(drop or []), *aside], None)
        table = Table.read(data, said, missing=missing) if aside else whole
        if not any(_missing(table).values()):
            raise DataError(f"{data} has no missing cell in a column that can be learnt.")
        from sosie.generators.artificial import check_rows

        check_rows(table, draws * len(table))
        stages.begin("learn")
        learnt = model_of(table, None, latent_dim, epochs, seed, stages.advance)
        stages.begin("draw")
        completed = learnt.impute_tables(draws, leave_unseen=leave_unseen)
        stages.begin("write")
        names = [fresh_name(name, whole.names) for name in (".imp", ".id")]
        _stacked(whole, _filled(whole, completed, data, out), names).write(out)
    left = _missing(completed[0])
    done = {
        "rows": len(whole),
        "draws": draws,
        "filled": {name: n - left[name] for name, n in _missing(table).items() if n},
        "unseen": [one._asdict() for one in learnt.unseen_],
        "leave_unseen": leave_unseen,
        "aside": aside,
        "draw_column": names[0] if draws > 1 else None,
        "row_column": names[1] if draws > 1 else None,
        "latent_dim": learnt.latent_dim_,
        "seconds": round(time.perf_counter() - started, 3),
        "seed": seed,
        "out": str(out),
    }
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False, default=str))
    else:
        _show(done, words)
    for line in doubtful(table, lang):
        typer.echo(line, err=True)
    typer.echo(words["holds_persons"].format(path=out), err=True)


def _aside(table: Table) -> list[str]:
    """Name the columns of which a model would learn the persons: names, notes, many labels."""
    from sosie.table import CODED, Kind

    most = table.schema.max_levels
    return [
        column.name
        for column in table.schema.columns
        if column.kind in (Kind.IDENTIFIER, Kind.TEXT)
        or (column.kind in CODED and not 0 < len(column.levels) <= most)
    ]


def _missing(table: Table) -> dict[str, int]:
    """Count the missing cells of every column."""
    return {name: table.frame[name].null_count() for name in table.names}


def _filled(whole: Table, completed: list[Table], data: Path, out: Path) -> list[pl.DataFrame]:
    """Set what was drawn into the table; from text to text, known cells stay spelt as they are."""
    from sosie.table import is_text, spelt_cells, verbatim_cells

    if not (is_text(data) and is_text(out)):
        return [whole.frame.with_columns(table.frame.iter_columns()) for table in completed]
    read = verbatim_cells(whole, data)
    return [
        read.with_columns(
            cells.zip_with(_drawn(whole, table, cells.name), read[cells.name])
            for cells in spelt_cells(table).iter_columns()
        )
        for table in completed
    ]


def _drawn(whole: Table, completed: Table, name: str) -> pl.Series:
    """Tell which cells of a column were filled; the others stay spelt as they are."""
    return whole.frame[name].is_null() & completed.frame[name].is_not_null()


def _stacked(whole: Table, frames: list[pl.DataFrame], names: list[str]) -> Table:
    """Put completed tables one below the other, numbered from 1, as mice for R does."""
    import numpy as np
    import polars as pl

    if len(frames) > 1:
        places = pl.Series(names[1], np.arange(1, len(whole) + 1))
        frames = [
            frame.select(pl.lit(i).alias(names[0]), places, pl.all())
            for i, frame in enumerate(frames, start=1)
        ]
    stacked = whole.taken(np.zeros(0, np.intp), sensitive=True)
    stacked.frame = pl.concat(frames)
    return stacked


def _show(done: dict[str, Any], words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False)
    grid.add_column(words["column"])
    grid.add_column(words["filled"], justify="right")
    for name, count in done["filled"].items():
        if not count:
            continue
        grid.add_row(escape(name), spelt_number(count, words))
    grid.add_row(words["total"], spelt_number(sum(done["filled"].values()), words), style="bold")
    console = Console()
    console.print(grid)
    seconds = spelt_number(done["seconds"], words, 1)
    lines = [
        f"{words['latent_dim']} {done['latent_dim']}, {words['seed']} {done['seed']}, "
        f"{words['seconds']} {seconds}"
    ]
    several = done["draws"] > 1
    lines.append(
        words["written" if several else "written_one"].format(
            path=done["out"], draws=done["draws"], imp=done["draw_column"], id=done["row_column"]
        )
    )
    left = "left" if done["leave_unseen"] else "unseen"
    lines += [
        words[left].format(**one | {"cells": spelt_number(one["cells"], words)})
        for one in done["unseen"]
    ]
    if done["aside"]:
        lines.append(words["aside"].format(columns=", ".join(map(repr, done["aside"]))))
    lines.append(words["pool" if several else "one_draw"])
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
