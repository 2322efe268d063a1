"""Things that were checked, one a line, for a person or a program."""

import json
from dataclasses import dataclass
from typing import Any

import typer

__all__ = ["Checked", "show_checked"]

_NOT_VERIFIED = 3
_MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("–", "yellow")}


@dataclass(frozen=True)
class Checked:
    """One thing that was checked; `ok` is None where it could not be."""

    name: str
    ok: bool | None
    why: str
    shown: str = ""


def show_checked(
    items: list[Checked], words: dict[str, Any], *, as_json: bool, **more: Any
) -> None:
    """Print them, and leave with status 3 if one does not hold.

    Parameters
    ----------
    items : list of Checked
    words : dict
        With ``holds``, ``broken`` and ``unchecked``.
    as_json : bool
        Print one object: ``verified``, ``items`` of ``name``, ``ok`` and ``why``, and what more
        is given.

    Raises
    ------
    typer.Exit
        With status 3.
    """
    held = all(item.ok is not False for item in items)
    if as_json:
        told = [{"name": item.name, "ok": item.ok, "why": item.why} for item in items]
        typer.echo(json.dumps({"verified": held, "items": told, **more}, ensure_ascii=False))
    else:
        _print(items, words)
    if not held:
        raise typer.Exit(_NOT_VERIFIED)


def _print(items: list[Checked], words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_column(overflow="fold")
    for item in items:
        grid.add_row(Text(*_MARKS[item.ok]), Text(item.shown or item.name, "bold"), Text(item.why))
    console = Console()
    console.print(grid)
    console.print()
    broken = [item.shown or item.name for item in items if item.ok is False]
    if broken:
        console.print(Text(words["broken"].format(items=_listed(broken)), "bold red"))
    else:
        console.print(Text(words["holds"], "bold green"))
    unchecked = [item.shown or item.name for item in items if item.ok is None]
    if unchecked:
        console.print(Text(words["unchecked"].format(items=_listed(unchecked))))


def _listed(names: list[str]) -> str:
    return ", ".join(dict.fromkeys(names))
