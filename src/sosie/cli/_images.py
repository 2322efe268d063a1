"""`sosie images`: artificial images, drawn from a model of a few small ones."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from pathlib import Path  # noqa: TC003 - Typer reads it when it runs
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._artificial import (
    Epochs,
    LatentDim,
    ModelFolder,
    check_latent_dim,
    checked_model,
    seed_of,
    tell_how_long,
)
from sosie.cli._options import Json, Lang, Seed  # noqa: TC001 - Typer reads it when it runs
from sosie.cli._places import check_apart, check_outside, check_place
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.generators.artificial import ImageRHVAE

__all__ = ["images"]


def images(
    data: Annotated[
        Path,
        typer.Argument(help="A folder of images, flat or one sub-folder a label; or an .npz file."),
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
    model: ModelFolder = None,
    latent_dim: LatentDim = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture", metavar="PNG", help="SENSITIVE: some originals beside some drawn."
        ),
    ] = None,
    seed: Seed = None,
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
    check_apart([p for p in (out, picture, model) if p], [data])
    check_outside(out, [p for p in (picture, model) if p])
    if model is not None:
        check_outside(model, [p for p in (out, picture) if p])
    if data.is_dir():
        check_outside(data, [out])
    from sosie.generators.artificial import (
        check_balance,
        check_images,
        check_label_names,
        check_storable,
        count_of,
        files_left,
        image_fidelity,
        read_images,
        write_images,
    )

    known = checked_model(model)
    with Stages(words["stages"], shown=not as_json) as stages:
        stages.begin("read")
        given, labels = read_images(data)
        if labels is None and (balance or label is not None):
            raise ParameterError(f"{data} has no labels: leave out --balance and --label.")
        if labels is not None and label is not None:
            count_of(label, labels)  # what none has, is told before anything is learnt
        check_label_names(out, labels)
        different = set() if labels is None else set(labels.ravel().tolist())
        if model is not None:
            check_storable(different)
        n = rows or (len(given) if factor is None else max(round(factor * len(given)), 1))
        check_images(given.shape[1:], n)
        if balance:
            check_balance(len(different), n)
        stages.begin("learn")
        if model is not None and known:
            learnt = _read(model, data, given, labels, seed)
            check_latent_dim(model, learnt.latent_dim_, latent_dim)
        else:
            learnt = _learn(given, labels, latent_dim, seed, epochs, stages.advance)
        originals, of = learnt.originals_
        behind = len(originals) if of is None or label is None else count_of(label, of)
        stages.begin("draw")

        def draw(m: int) -> Any:
            return learnt.sample(m, balance=balance, label=label)

        tell_how_long(n, len(originals), draw, words, stages)
        drawn = draw(n)
        near = image_fidelity(originals, drawn.images, of, drawn.labels)
        stages.begin("write")
        if model is not None and not known:
            learnt.save(model)
        if picture is not None:
            _draw(picture, originals, of, drawn, words)
        write_images(out, drawn.images, drawn.labels)
    done = {
        "rows_in": len(given),
        "rows_out": n,
        "effective_rows": behind,
        "labels": len(learnt.labels_) if of is not None else 0,
        "fewest_in_a_class": _fewest(of) if balance else None,
        "kept_by_filter": round(learnt.kept_by_filter_, 4),
        "ess": round(learnt.ess_, 1),
        "latent_dim": learnt.latent_dim_,
        "fidelity": round(near, 4),
        "seconds": round(time.perf_counter() - started, 3),
        "seed": seed,
        "out": str(out),
    }
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    else:
        _show(done, words)
    if left := files_left(data):
        typer.echo(words["files_left"].format(n=spelt_number(left, words), path=data), err=True)
    if picture is not None:
        typer.echo(words["holds_persons"].format(path=picture), err=True)
    if model is not None:
        typer.echo(words["model"].format(path=model), err=True)
    if known and not _same(given, labels, originals, of):
        persons = spelt_number(len(originals), words)
        typer.echo(words["other_persons"].format(path=model, persons=persons), err=True)


def _learn(
    images: Any,
    labels: Any,
    latent_dim: int | None,
    seed: int,
    epochs: int | None,
    progress: Callable[[float], None],
) -> ImageRHVAE:
    from sosie.generators.artificial import ImageRHVAE

    model = ImageRHVAE(latent_dim, seed)
    if epochs is not None:
        model.epochs = epochs
    return model.fit(images, labels, progress=progress)


def _read(folder: Path, data: Path, images: Any, labels: Any, seed: int) -> ImageRHVAE:
    """Read a model; refuse one of images or labels of another kind than those given."""
    from sosie.generators.artificial import ImageRHVAE
    from sosie.table import tellable

    model = ImageRHVAE.load(folder, seed)
    originals, of = model.originals_
    what_to_do = "give images like those it was learnt on, or another folder to --model."
    if _kind(originals) != _kind(images):
        raise DataError(
            f"{folder} was learnt on images {_kind(originals)}, and those of {data} are "
            f"{_kind(images)}: {what_to_do}"
        )
    there, here = _spelt(of), _spelt(labels)
    if (there is None) != (here is None):
        one, other = ("without", "some") if there is None else ("with", "none")
        raise DataError(
            f"{folder} was learnt on images {one} labels, and those of {data} have {other}: "
            f"{what_to_do}"
        )
    odd = sorted(set(there or ()) ^ set(here or ()))
    if odd:
        held = Counter([*(there or ()), *(here or ())])
        told = tellable(odd, [held[one] for one in odd])
        raise DataError(
            f"{folder} and {data} differ in labels"
            f"{f' ({told[0]!r} is in one of them only)' if told else ''}: {what_to_do}"
        )
    return model


def _fewest(labels: Any) -> int:
    """Count the originals of the rarest label."""
    return min(Counter(labels.ravel().tolist()).values())


def _kind(images: Any) -> str:
    """Tell size and sort of pixels.

    Examples
    --------
    >>> import numpy as np
    >>> _kind(np.zeros((30, 8, 9, 3), np.uint8)), _kind(np.zeros((30, 8, 9)))
    ('of 8 x 9 pixels in colour (uint8)', 'of 8 x 9 pixels in grey (float64)')
    """
    size, colours = images.shape[1:3], images.shape[3:]
    sort = {(): "grey", (1,): "one colour", (3,): "colour"}.get(colours)
    if len(size) < 2 or sort is None:
        return f"of shape {images.shape[1:]}"
    return f"of {size[0]} x {size[1]} pixels in {sort} ({images.dtype.name})"


def _spelt(labels: Any) -> list[str] | None:
    """Give labels as text: those of folders are, where arrays may have the same as numbers."""
    return None if labels is None else [str(one) for one in labels.ravel().tolist()]


def _same(given: Any, labels: Any, originals: Any, of: Any) -> bool:
    """Tell whether images are those learnt on: models hold pixels in single precision."""
    import numpy as np

    pixels = (images.astype(np.float32, copy=False) for images in (given, originals))
    return np.array_equal(*pixels) and _spelt(labels) == _spelt(of)


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
    saved(figure, picture, private=True)


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
    lines = [words["written"].format(path=done["out"])]
    if done["fewest_in_a_class"] is not None:
        fewest = spelt_number(done["fewest_in_a_class"], words)
        lines.append(words["balanced"].format(images=fewest))
    lines += [
        words["notice"].format(rows=cells["rows_out"], persons=cells["effective_rows"]),
        words["not_private"],
    ]
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
