"""`sosie augment`: rows of artificial persons, drawn from a model of a small cohort."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path  # noqa: TC003 - Typer reads it when it runs
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._allowed import (
    AgreementOption,
    KeysOption,
    RecipientOption,
    check_allowed,
    check_read,
    told,
)
from sosie.cli._artificial import (
    Epochs,
    LatentDim,
    ModelFolder,
    checked_model,
    fresh_name,
    model_of,
    seed_of,
    tell_how_long,
)
from sosie.cli._columns import Drop, Recreate, check_remade, said_of_columns
from sosie.cli._options import (  # noqa: TC001 - Typer reads it when it runs
    Json,
    Lang,
    Missing,
    SchemaFile,
    Seed,
)
from sosie.cli._places import check_apart, check_outside
from sosie.cli._remarks import doubtful
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.cli._where import conditions
from sosie.errors import ParameterError

if TYPE_CHECKING:
    from sosie.table import Table

__all__ = ["augment"]


def augment(
    data: Annotated[
        Path, typer.Argument(help="The table of persons: CSV, Parquet, Excel, SAS, Stata, SPSS.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where rows go: .csv, .parquet or .feather.")],
    rows: Annotated[
        int | None,
        typer.Option("--rows", help="Artificial rows to draw; by default as many as in DATA."),
    ] = None,
    factor: Annotated[
        float | None,
        typer.Option("--factor", help="Or: rows of OUT in all, as a multiple of those of DATA."),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            "--balance", metavar="COL", help="Draw as many artificial rows of each of its levels."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="COL=VALUE",
            help="What every artificial row is to be; also COL=LOW..HIGH, COL>=LOW, COL<=HIGH; "
            "may be repeated.",
        ),
    ] = None,
    keep_original: Annotated[
        bool,
        typer.Option(
            "--keep-original/--no-keep-original",
            help="SENSITIVE: also write the persons, and a column that tells them apart.",
        ),
    ] = False,
    model: ModelFolder = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            "--outcome",
            metavar="COL",
            help="The column of levels that matters most, as what is to be predicted: its bonds to "
            "the others are kept best. Name it if there is one.",
        ),
    ] = None,
    latent_dim: LatentDim = None,
    seed: Seed = None,
    schema: SchemaFile = None,
    drop: Drop = None,
    recreate: Recreate = None,
    missing: Missing = None,
    agreement: AgreementOption = None,
    recipient: RecipientOption = None,
    keys: KeysOption = None,
    lang: Lang = None,
    as_json: Json = False,
    epochs: Epochs = None,
) -> None:
    """Draw artificial persons from a model of 30 to some thousand persons.

    They add no independent patients: intervals computed as if they did are wrong.

    In the JSON, ess counts rows from different latents: at most all of them, and no persons.
    """
    started = time.perf_counter()
    words: dict[str, Any] = texts(language(lang))["augment"]
    seed = seed_of(seed)
    _check_size(rows, factor, keep_original)
    from sosie.generators.artificial import behind, check_rows
    from sosie.space import fidelity
    from sosie.table import Table, check_output

    check_output(out)
    check_apart([out], [p for p in (data, schema, agreement, model) if p])
    if model is not None:
        check_outside(model, [out])
    known = checked_model(model)
    said = said_of_columns(schema, drop, recreate)
    given = {
        "rows": rows,
        "factor": factor,
        "latent_dim": latent_dim,
        "outcome": None if outcome is None else True,
        "balance": None if balance is None else True,
        "where": True if where else None,
        "keep_original": keep_original or None,
        "model": None if model is None else True,
    }
    signed = check_allowed(agreement, data, said, "rhvae", given, recipient, keys)
    with Stages(words["stages"], shown=not as_json) as stages:
        stages.begin("read")
        table = Table.read(data, said, missing=missing)
        check_remade(table, recreate)
        check_read(agreement, signed, table)
        asked = conditions(table, where or [])
        n = _artificial_rows(len(table), rows, factor, keep_original)
        behind(table, asked, balance, n)  # what nobody is, is told before anything is learnt
        check_rows(table, n)
        stages.begin("learn")
        learnt = model_of(
            table, model if known else None, latent_dim, epochs, seed, stages.advance, outcome
        )
        persons = behind(learnt.table_, asked, balance)
        stages.begin("draw")

        def draw(m: int) -> Table:
            return learnt.sample_table(max(m, persons.classes), asked, balance=balance)

        tell_how_long(n, len(learnt.table_), draw, words, stages)
        drawn = draw(n)
        near = fidelity(learnt.table_.reduced(), drawn.reduced(), persons.weights)
        stages.begin("write")
        origin = fresh_name("origin", table.names) if keep_original else None
        written = drawn if origin is None else _together(table, drawn, origin, data, out)
        if model is not None and not known:
            learnt.save(model)
        written.write(out)
    done = {
        "rows_in": len(table),
        "rows_out": len(written),
        "artificial": n,
        "effective_rows": persons.persons,
        "fewest_in_a_class": persons.fewest if balance is not None else None,
        "kept_by_filter": round(learnt.kept_by_filter_, 4),
        "ess": round(learnt.ess_, 1),
        "latent_dim": learnt.latent_dim_,
        "fidelity": round(near, 4),
        "seconds": round(time.perf_counter() - started, 3),
        "seed": seed,
        "origin_column": origin,
        "same_persons": learnt.table_.frame.equals(table.frame),
        "notice": _notice(n, persons.persons, words),
        "out": str(out),
    }
    if signed is not None:
        done["agreement"] = signed.sha256
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    else:
        _show(done, rows is None and factor is None, balance, words)
    for line in (*doubtful(table, lang), *told(signed, texts(language(lang))["allowed"])):
        typer.echo(line, err=True)
    for line in _warnings(done, model, len(learnt.table_), words):
        typer.echo(line, err=True)


def _check_size(rows: int | None, factor: float | None, keep: bool) -> None:
    if rows is not None and factor is not None:
        raise ParameterError("Give --rows or --factor, not both.")
    if rows is not None and rows < 1:
        raise ParameterError(f"--rows is a whole number of at least 1, not {rows}.")
    least = 1 if keep else 0
    if factor is not None and not (math.isfinite(factor) and factor > least):
        raise ParameterError(
            f"--factor is a number above {least}, not {factor:g}"
            + (": it counts the persons, which --keep-original writes." if keep else ".")
        )


def _artificial_rows(n: int, rows: int | None, factor: float | None, keep: bool) -> int:
    """Give how many rows to draw: a factor is of all the rows written.

    Examples
    --------
    >>> [_artificial_rows(100, None, factor, True) for factor in (None, 2, 20)]
    [100, 100, 1900]
    >>> _artificial_rows(100, None, 2, False), _artificial_rows(100, 7, None, True)
    (200, 7)
    """
    if rows is not None:
        return rows
    if factor is None:
        return n
    return max(round(factor * n) - (n if keep else 0), 1)


def _together(table: Table, drawn: Table, origin: str, data: Path, out: Path) -> Table:
    """Put artificial rows below the persons, with a column that says which is which.

    From text to text, cells of persons stay spelt as they are.
    """
    import numpy as np
    import polars as pl

    from sosie.table import Kind, is_text, spelt_cells, verbatim_cells

    frame = pl.concat([table.frame, drawn.frame])
    text = is_text(data) and is_text(out)
    if text:
        shown = pl.concat([verbatim_cells(table, data), spelt_cells(drawn)])
    remade = [c.name for c in table.schema.columns if c.kind is Kind.IDENTIFIER]
    if remade:  # those of artificial persons begin at 1 too: all are made afresh
        small = table.taken(np.zeros(0, np.intp))
        small.frame = frame
        fresh = table.restored(small.reduced())
        frame = frame.with_columns(fresh.frame.select(remade))
        if text:
            shown = shown.with_columns(spelt_cells(fresh).select(remade))
    labels = pl.Series(origin, ["original"] * len(table) + ["artificial"] * len(drawn))
    whole = table.taken(np.zeros(0, np.intp), sensitive=True)
    whole.frame = (shown if text else frame).with_columns(labels)
    return whole


def _notice(n: int, persons: int, words: dict[str, Any]) -> str:
    key = "notice_one" if persons == 1 else "notice"
    rows, persons_ = spelt_number(n, words), spelt_number(persons, words)
    return str(words[key]).format(rows=rows, persons=persons_)


def _show(
    done: dict[str, Any], by_default: bool, balance: str | None, words: dict[str, Any]
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    def whole(key: str) -> str:
        return spelt_number(done[key], words)

    cells = {
        "rows_in": whole("rows_in"),
        "artificial": whole("artificial"),
        "rows_out": whole("rows_out"),
        "effective_rows": whole("effective_rows"),
        "fidelity": f"{spelt_number(100 * done['fidelity'], words, 1)} %",
        "kept_by_filter": f"{spelt_number(100 * done['kept_by_filter'], words, 1)} %",
        "ess": whole("ess"),
        "latent_dim": str(done["latent_dim"]),
        "seed": str(done["seed"]),
        "seconds": spelt_number(done["seconds"], words, 1),
    }
    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(justify="right")
    for key, cell in cells.items():
        grid.add_row(words[key], cell)
    console = Console()
    console.print(grid)
    lines = [words["written"].format(path=done["out"])]
    if by_default:
        lines.append(words["as_many"])
    if done["origin_column"]:
        lines.append(words["origin"].format(column=repr(done["origin_column"])))
    if balance is not None:
        fewest = spelt_number(done["fewest_in_a_class"], words)
        lines.append(words["balanced"].format(column=repr(balance), persons=fewest))
    lines += [done["notice"], words["not_private"]]
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


def _warnings(
    done: dict[str, Any], model: Path | None, persons: int, words: dict[str, Any]
) -> list[str]:
    lines = []
    if done["origin_column"]:
        lines.append(words["holds_persons"].format(path=done["out"]))
    if model is not None:
        lines.append(words["model"].format(path=model))
    if not done["same_persons"]:
        others = spelt_number(persons, words)
        lines.append(words["other_persons"].format(path=model, persons=others))
    return lines
