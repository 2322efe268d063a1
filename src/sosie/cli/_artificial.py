"""What commands that draw from a model of artificial persons have in common."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._texts import spelt_number
from sosie.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.cli._stages import Stages
    from sosie.generators.artificial import RHVAE
    from sosie.table import Table

__all__ = [
    "Epochs",
    "LatentDim",
    "ModelFolder",
    "check_latent_dim",
    "checked_model",
    "fresh_name",
    "model_of",
    "seed_of",
    "tell_how_long",
]

_MANY = 5_000
"""Rows from which it is tried how long they take."""

_FEW = 500
"""Rows drawn to try it."""

_LONG = 10
"""Seconds that are told before they pass."""

LatentDim = Annotated[
    int | None,
    typer.Option("--latent-dim", help="Latent dimensions; else chosen on persons held out."),
]
ModelFolder = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="DIR",
        help="SENSITIVE: the model in this folder; learnt and saved there if it is new.",
    ),
]
Epochs = Annotated[int | None, typer.Option("--epochs", hidden=True)]


def seed_of(seed: int | None) -> int:
    """Draw a seed where none is given.

    Raises
    ------
    ParameterError
        If it is negative.
    """
    if seed is None:
        return secrets.randbelow(2**53)  # what every reader of JSON holds exactly
    if seed < 0:
        raise ParameterError(f"The seed is a whole number of at least 0, not {seed}.")
    return seed


def checked_model(folder: Path | None) -> bool:
    """Tell whether a model is to be read; refuse a folder in which none could be saved.

    Raises
    ------
    DataError
        If there is something else, or no room for it.
    """
    from sosie.generators.artificial import is_model
    from sosie.table import check_folder

    if folder is None:
        return False
    if is_model(folder):
        return True
    check_folder(folder)
    return False


def model_of(
    table: Table,
    folder: Path | None,
    latent_dim: int | None,
    epochs: int | None,
    seed: int,
    progress: Callable[[float], None],
    outcome: str | None = None,
) -> RHVAE:
    """Read the model in ``folder`` if one is given, else learn one of the table.

    The outcome, if one is named, is the column in each level of which numbers have margins of
    their own.

    Raises
    ------
    SosieError
        If it is of other columns or latent dimensions, or nothing can be learnt.
    """
    from sosie.generators.artificial import RHVAE

    if folder is None:
        model = RHVAE(latent_dim, seed, stratum=outcome or "auto")
        if epochs is not None:
            model.epochs = epochs
        return model.fit(table, progress)
    model = RHVAE.load(folder, table, seed)
    check_latent_dim(folder, model.latent_dim_, latent_dim)
    if outcome not in (None, model.stratum_):
        raise ParameterError(
            f"{folder} was not learnt with {outcome!r} as the outcome: leave out --outcome, or "
            "give another folder to --model."
        )
    return model


def check_latent_dim(folder: Path, found: int, asked: int | None) -> None:
    """Refuse a model of other latent dimensions than are asked for.

    Raises
    ------
    ParameterError
    """
    if asked not in (None, found):
        raise ParameterError(
            f"{folder} has {found} latent dimensions and not {asked}: leave out --latent-dim, or "
            "give another folder to --model."
        )


def tell_how_long(
    n: int, persons: int, draw: Callable[[int], object], words: dict[str, Any], stages: Stages
) -> None:
    """Say how long a long draw takes, from the time that a few rows take.

    Parameters
    ----------
    n : int
        Rows, or images.
    persons : int
        Those learnt from.
    draw : callable
        Draws so many of them.
    words : dict
        With ``long``, and how numbers are spelt.
    stages : Stages
    """
    if n < _MANY:
        return
    started = time.perf_counter()
    draw(_FEW)
    seconds = (time.perf_counter() - started) * n / _FEW
    if seconds < _LONG:
        return
    unit, size = next((u, s) for u, s in (("h", 3600), ("min", 60), ("s", 1)) if seconds >= 2 * s)
    said = {
        "rows": spelt_number(n, words),
        "times": spelt_number(n / persons, words),
        "persons": spelt_number(persons, words),
        "time": f"{spelt_number(seconds / size, words)} {unit}",
    }
    stages.say(words["long"].format(**said))


def fresh_name(name: str, taken: list[str]) -> str:
    """Give a name for one more column: ``name``, or with a number where it is taken.

    Examples
    --------
    >>> fresh_name("origin", ["age"]), fresh_name("origin", ["origin", "origin_2"])
    ('origin', 'origin_3')
    """
    names = [name, *(f"{name}_{i}" for i in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)
