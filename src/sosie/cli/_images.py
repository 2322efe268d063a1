"""`sosie images`: artificial images, drawn from a model of a few small ones."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path  # noqa: TC003 - Typer reads it when it runs
from typing import Annotated, Any

import typer

from sosie.cli._artificial import Epochs, LatentDim, seed_of, tell_how_long
from sosie.cli._options import Json, Lang  # noqa: TC001 - Typer reads it when it runs
from sosie.cli._places import check_apart, check_place
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import ParameterError

__all__ = ["images"]


def images(
    data: Annotated[
        Path,
        typer.Argument(
            help="A folder of PNG or JPEG files, flat or one sub-folder a label; or an .npz file."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Where images go: an .npz or a new folder.")],
    rows: Annotated[
        int | None, typer.Option("--rows", help="Images to draw; by default as many as in DATA.")
    ] = None,
    factor: Annotated[
        float | None, typer.Option("--factor", help="Or: as a multiple of those of DATA.")
    ] = None,
    balance: Annotated[
        bool, typer.Option("--balance", help="Draw as many images of each label.")
    ] = False,
    label: Annotated[
        str | None, typer.Option("--label", help="Draw images of this label only.")
    ] = None,
    latent_dim: LatentDim = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture", metavar="PNG", help="SENSITIVE: some originals beside some drawn."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="A whole number; drawn afresh where it is not given."),
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
    epochs: Epochs = None,
) -> None:
    """Draw artificial images from a model of 30 to some thousand images, 8 x 8 to 64 x 64.

    They add no independent patients: intervals computed as if they did are wrong.

    In the JSON, ess counts images from different latents: at most all of them, and no originals.
    """
    started = time.perf_counter()
    words: dict[str, Any] = texts(language(lang))["images"]
    seed = seed_of(seed)
    _check_size(rows, factor)
    if balance and label is not None:
        raise ParameterError("Give --balance or --label, not both.")
    from sosie.table import check_folder

    if out.suffix.lower() == ".npz":
        check_place(out, ".npz")
    elif out.suffix and not out.suffix[1:].isdigit():
        raise ParameterError(
            f"{out}: {out.suffix} is not a format to write; use .npz, or the name of a folder."
        )
    else:
        check_folder(out)
    if picture is not None:
        check_place(picture, ".png")
    check_apart([p for p in (out, picture) if p], [data])
    from sosie.generators.artificial import (
        ImageRHVAE,
        check_images,
        count_of,
        image_fidelity,
        read_images,
        write_images,
    )

    with Stages(words["stages"], shown=not as_json) as stages:
        stages.begin("read")
        originals, labels = read_images(data)
        model = ImageRHVAE(latent_dim, seed)
        if epochs is not None:
            model.epochs = epochs
        if labels is None and (balance or label is not None):
            raise ParameterError(f"{data} has no labels: leave out --balance and --label.")
        behind = len(originals)
        if labels is not None and label is not None:
            behind = count_of(label, labels)
        n = rows or (len(originals) if factor is None else max(round(factor * len(originals)), 1))
        check_images(originals.shape[1:], n)
        stages.begin("learn")
        model.fit(originals, labels, progress=stages.advance)
        stages.begin("draw")

        def draw(m: int) -> Any:
            return model.sample(m, balance=balance, label=label)

        tell_how_long(n, len(originals), draw, words, stages)
        drawn = draw(n)
        near = image_fidelity(originals, drawn.images, labels, drawn.labels)
        stages.begin("write")
        if picture is not None:
            _draw(picture, originals, labels, drawn, words)
        write_images(out, drawn.images, drawn.labels)
    done = {
        "rows_in": len(originals),
        "rows_out": n,
        "effective_rows": behind,
        "labels": len(model.labels_) if labels is not None else 0,
        "kept_by_filter": round(model.kept_by_filter_, 4),
        "ess": round(model.ess_, 1),
        "latent_dim": model.latent_dim_,
        "fidelity": round(near, 4),
        "seconds": round(time.perf_counter() - started, 3),
        "seed": seed,
        "out": str(out),
    }
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    else:
        _show(done, words)
    if picture is not None:
        typer.echo(words["holds_persons"].format(path=picture), err=True)


def _check_size(rows: int | None, factor: float | None) -> None:
    if rows is not None and factor is not None:
        raise ParameterError("Give --rows or --factor, not both.")
    if rows is not None and rows < 1:
        raise ParameterError(f"--rows is a whole number of at least 1, not {rows}.")
    if factor is not None and not (math.isfinite(factor) and factor > 0):
        raise ParameterError(f"--factor is a number above 0, not {factor:g}.")


def _draw(picture: Path, originals: Any, labels: Any, drawn: Any, words: dict[str, Any]) -> None:
    """Draw originals beside artificial images, in the order of their labels."""
    import numpy as np

    from sosie.generators.artificial import grid_of, saved

    def first(images: Any, of: Any) -> Any:
        rows = np.linspace(0, len(images) - 1, min(64, len(images))).astype(int)
        if of is not None:
            order = np.argsort(np.asarray(of).ravel(), kind="stable")
            rows = order[rows]
        return images[rows]

    titles = (words["original"], words["artificial"])
    figure = grid_of(first(originals, labels), first(drawn.images, drawn.labels), titles=titles)
    saved(figure, picture)


def _show(done: dict[str, Any], words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    cells = {
        "rows_in": spelt_number(done["rows_in"], words),
        "rows_out": spelt_number(done["rows_out"], words),
        "effective_rows": spelt_number(done["effective_rows"], words),
        "labels": str(done["labels"]),
        "fidelity": f"{spelt_number(100 * done['fidelity'], words, 1)} %",
        "kept_by_filter": f"{spelt_number(100 * done['kept_by_filter'], words, 1)} %",
        "ess": spelt_number(done["ess"], words),
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
    lines = [
        words["written"].format(path=done["out"]),
        words["notice"].format(rows=cells["rows_out"], persons=cells["effective_rows"]),
        words["not_private"],
    ]
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
