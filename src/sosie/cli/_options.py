"""Options that mean the same in every command that has them."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from sosie.errors import ParameterError

__all__ = [
    "FILE",
    "FOLDER",
    "Drop",
    "HubUrl",
    "Json",
    "Keys",
    "Lang",
    "Missing",
    "SchemaFile",
    "Seed",
    "weights_of",
]

FILE: dict[str, Any] = {"exists": True, "dir_okay": False}
FOLDER: dict[str, Any] = {"exists": True, "file_okay": False}

Lang = Annotated[str | None, typer.Option("--lang", help="en or fr.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="The .pub files that you trust.", **FOLDER),
]
HubUrl = Annotated[
    str | None, typer.Option("--hub", metavar="URL", help="Of the trusted third party.")
]
Drop = Annotated[
    Path | None,
    typer.Option("--drop", metavar="DIR", help="A folder of files instead.", **FOLDER),
]
SchemaFile = Annotated[
    Path | None, typer.Option("--schema", help="What is already known of the columns.")
]
Missing = Annotated[
    list[str] | None,
    typer.Option("--missing", help="One more spelling of a missing cell; may be repeated."),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", help="A whole number; drawn afresh where it is not given."),
]


def weights_of(spelt: list[str]) -> dict[str, float]:
    """Read ``COL=W``, where the name may hold ``=`` too.

    Raises
    ------
    ParameterError
        If one is not so spelt, or a column has two.

    Examples
    --------
    >>> weights_of(["age=2"])
    {'age': 2.0}
    """
    weights: dict[str, float] = {}
    for one in spelt:
        name, sign, value = one.rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not (sign and name and math.isfinite(weight) and weight >= 0):
            raise ParameterError(
                f"--weight {one}: give a column, = and a number of at least 0, as in age=2."
            )
        if name in weights:
            raise ParameterError(f"--weight gives column {name!r} two weights; give it one.")
        weights[name] = weight
    return weights
