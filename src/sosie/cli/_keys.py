"""`sosie keys`: the keys with which persons and institutions sign."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._options import Json, Lang
from sosie.cli._texts import language, texts
from sosie.errors import DataError

if TYPE_CHECKING:
    from sosie.trust import PublicKey

__all__ = ["keys"]

keys = typer.Typer(no_args_is_help=True, help="Make and show the keys with which parties sign.")


@keys.command("new")
def new(
    name: Annotated[
        str, typer.Option("--name", help="Whose it is, as the agreement names the party.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where NAME.key and NAME.pub go.")
    ],
    days: Annotated[
        int | None, typer.Option("--days", help="How long it may sign; for ever if not given.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Make a key: NAME.key signs and stays with its owner; NAME.pub is given to everyone."""
    words: dict[str, Any] = texts(language(lang))["keys"]
    from sosie.trust import Key

    key = Key.new(name, days)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out} could not be made ({error.strerror}).") from error
    private, public = key.write(out)
    for line in (
        words["private"].format(path=private),
        words["public"].format(path=public),
        words["identifier"].format(id=key.id),
    ):
        typer.echo(line)


@keys.command("show")
def show(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A .pub or .key file, or a folder of .pub files.")
    ],
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Show whose a key is, its identifier and until when it may sign; never its secret."""
    words: dict[str, Any] = texts(language(lang))["keys"]
    from sosie.trust import Key, PublicKey

    if path.is_dir():
        found = list(PublicKey.read_folder(path).values())
    else:
        found = [Key.read(path).public if path.suffix == ".key" else PublicKey.read(path)]
    if as_json:
        typer.echo(json.dumps({"keys": [_told(key) for key in found]}, ensure_ascii=False))
        return
    _print(found, words)


def _told(key: "PublicKey") -> dict[str, Any]:
    return {
        "name": key.name,
        "id": key.id,
        "created": key.created.isoformat(),
        "expires": key.expires.isoformat() if key.expires else None,
        "expired": key.expired(),
    }


def _print(found: list["PublicKey"], words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for key in found:
        until = words["never"] if key.expires is None else key.expires.isoformat()
        if key.expired():
            until = f"{until} {words['expired']}"
        cells = {"name": key.name, "id": key.id, "created": key.created.isoformat(), "until": until}
        for field, value in cells.items():
            grid.add_row(words[field], Text(value))
        grid.add_row("", "")
    Console().print(grid)
