"""`sosie node`: a holder's side of analyses in place."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._checked import Checked, show_checked
from sosie.cli._options import FILE, Drop, HubUrl, Json, Keys, Lang
from sosie.cli._question import plain, question_line
from sosie.cli._refusals import refusal
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sosie.insitu.node import Place
    from sosie.trust._ledger_check import Verified

__all__ = ["node"]

node = typer.Typer(no_args_is_help=True, help="Answer questions where the data are.")

_GIB = 1 << 30
_QUIET = 90.0
State = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="DIR", help="Folder of the node; DATA.node beside the data by default."
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", help="The table that the node serves, or served.")
]


class _LeftError(BaseException):
    """A signal came while nothing was under way."""


@node.command("up")
def up(
    data: Annotated[Path, typer.Option("--data", help="The table of persons.", **FILE)],
    agreement: Annotated[
        Path, typer.Option("--agreement", help="As its holders signed it.", **FILE)
    ],
    key: Annotated[Path, typer.Option("--key", help="Of this holder.", **FILE)],
    hub: HubUrl = None,
    drop: Drop = None,
    keys: Keys = None,
    state: State = None,
    synthetic: Annotated[
        Path | None,
        typer.Option(
            "--synthetic",
            metavar="FILE",
            help="Your synthetic table, to be judged in place.",
            **FILE,
        ),
    ] = None,
    control: Annotated[
        Path | None,
        typer.Option("--control", metavar="FILE", help="Persons whom no generator saw.", **FILE),
    ] = None,
    floors: Annotated[
        str | None,
        typer.Option("--floors", metavar="PRESET", help="Be at least as strict as this preset."),
    ] = None,
    cell_key: Annotated[
        bool,
        typer.Option("--cell-key", help="Noise on counts, always the same for the same persons."),
    ] = False,
    one_process: Annotated[
        bool,
        typer.Option("--one-process", help="Do not start a fresh process for each question."),
    ] = False,
    memory: Annotated[
        float, typer.Option("--memory", min=0.25, help="GiB that a question may take.")
    ] = 4.0,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, help="Of computing that a question may take.")
    ] = 600,
    lang: Lang = None,
) -> None:
    """Serve a table under a signed agreement, until stopped; connections go out only."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["node"]
    from sosie.insitu.exchange import Drop, Http, Parties
    from sosie.insitu.node import Node, Place
    from sosie.trust import PRESETS, Key, PublicKey

    if (hub is None) == (drop is None):
        raise ParameterError("Give --hub or --drop: one way to the hub.")
    if floors is not None and floors not in PRESETS:
        raise ParameterError(f"--floors: there is no preset {floors!r}: {', '.join(PRESETS)}.")
    parties = Parties.read(agreement, PublicKey.read_folder(keys) if keys else None)
    own = Key.read(key)
    by = parties.party_of(own.public)
    way: Any = Http(hub, own, parties.hub) if hub else Drop(Path(str(drop)), by)
    serving = Node(
        parties, own, data, Place(_folder(state, data)), way, synthetic=synthetic, control=control,
        own_floors=PRESETS[floors] if floors else None, cell_key=cell_key, fresh=not one_process,
        memory=int(memory * _GIB), seconds=seconds,
    )  # fmt: skip

    def leave(*_: object) -> None:
        serving.stop()
        if serving.idle:  # else once what it does is done
            raise _LeftError

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    if not parties.vouched:
        typer.echo(words["unvouched"], err=True)
    typer.echo(words["serves"].format(data=data, title=parties.agreement.title))
    where = hub or str(drop)

    def told(word: str) -> None:
        typer.echo(words[word].format(hub=where) if word in words else refusal(word, spoken))

    with contextlib.suppress(_LeftError):
        serving.run(told)
    typer.echo(words["down"])


@node.command("snapshot")
def snapshot(
    data: Annotated[Path, typer.Option("--data", help="The table of persons.", **FILE)],
    agreement: Annotated[
        Path, typer.Option("--agreement", help="Written, not signed yet.", **FILE)
    ],
    key: Annotated[Path, typer.Option("--key", help="Of this holder.", **FILE)],
) -> None:
    """Print what the agreement may hold so that no other data can be served: its `snapshot`."""
    from sosie.insitu.node import commitment_of
    from sosie.insitu.node._reading import read_snapshot
    from sosie.insitu.node._served import agreed_schema
    from sosie.trust import Agreement, Key
    from sosie.trust._agreed import party_of

    own, written = Key.read(key), Agreement.read(agreement)
    party = party_of(written, own.public)
    held = [one for one in written.data_sets if party is not None and one.holder == party.id]
    if len(held) != 1:
        raise ParameterError(f"{own.name} does not hold exactly one data set of {agreement}.")
    _, _, content = read_snapshot(data, agreed_schema(held[0].columns))
    typer.echo(commitment_of(own, content))


@node.command("status")
def status(
    data: Data = None,
    state: State = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Tell whether a node is up, since when, and what left."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["node"]
    from sosie.insitu.gate import MOST_REFUSALS

    place = _existing(state, data)
    told = place.told()
    how = _how(place, told)
    counted, by_gate = {"joined": 0, "released": 0, "refused": 0}, 0
    for line in place.lines():
        event = line["event"]
        if event in counted:
            counted[event] += 1
        if event == "refused" and line["content"]["why"] == "gate":
            by_gate += 1
        elif event == "forgiven":
            by_gate = 0
    locked = by_gate >= MOST_REFUSALS
    if as_json:
        said = {"state": how, "why": told.get("why", ""), "since": told.get("since"), **counted}
        said["locked"] = locked
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    typer.echo(words["states"][how].format(since=told.get("since", "?"), at=told.get("at", "?")))
    if told.get("why") and how == "refused":
        typer.echo(refusal(told["why"], spoken))
    typer.echo(words["counted"].format(**counted))
    if locked:
        typer.echo(words["locked"].format(most=MOST_REFUSALS))


@node.command("forgive")
def forgive(
    data: Data = None,
    state: State = None,
    lang: Lang = None,
) -> None:
    """Answer again after too many refusals, once you have looked at them; the node is down."""
    words: dict[str, Any] = texts(language(lang))["node"]
    _existing(state, data).forgive()
    typer.echo(words["forgiven"])


@node.command("pause")
def pause(
    data: Data = None,
    state: State = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on again.")] = False,
    lang: Lang = None,
) -> None:
    """Take no new question until told to go on; what runs is finished."""
    words: dict[str, Any] = texts(language(lang))["node"]
    _existing(state, data).pause(on=not resume)
    typer.echo(words["resumed" if resume else "paused"])


@node.command("audit")
def audit(
    data: Data = None,
    state: State = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Show all that was asked, left and was refused, with why; and that no line was changed."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["node"]
    place = _existing(state, data)
    lines = list(place.lines(damaged=True))
    found = list(_verified(place.verified(), words, spoken))
    if as_json:
        show_checked(found, words, as_json=True, lines=lines)
        return
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, pad_edge=False)
    for name in ("at", "event", "what"):
        grid.add_column(words["columns"][name], overflow="fold")
    for line in lines:
        event = words["events"].get(line["event"], line["event"])
        grid.add_row(line["at"], Text(event), Text(plain(_what(line, words))))
    Console().print(grid)
    show_checked(found, words, as_json=False)


def _verified(found: Verified, words: dict[str, Any], lang: str) -> Iterator[Checked]:
    whole = words["whole"].format(lines=found.head.lines)
    if not found.broken:
        yield Checked("ledger", ok=True, why=whole, shown=words["ledger"])
    for one in found.broken:
        yield Checked("ledger", ok=False, why=refusal(one.why, lang), shown=words["ledger"])


def _what(line: dict[str, Any], words: dict[str, Any]) -> str:
    content = line["content"]
    asked = question_line(content["asked"], words) if "asked" in content else ""
    if line["event"] == "joined":
        former = f"{content['analysis']} ({', '.join(content['columns'])})"  # before asked was kept
        return str(
            words["joined_what"].format(
                task=content["task"][:12], question=asked or former, by=content["by"]
            )
        )
    if line["event"] == "released":
        told: str = words["released_what"].format(
            task=content["task"][:12], round=content["round"] + 1, sha256=content["sha256"][:12]
        )
        return told
    if line["event"] == "refused":
        why = ", ".join([content["why"], *content["reasons"]])
        return "; ".join([f"{content['task'][:12]}: {why}", *([asked] if asked else [])])
    return ""


def _how(place: Place, told: dict[str, Any]) -> str:
    if not place.up:
        return "down"
    if place.paused:
        return "paused"
    how = str(told.get("state", "away"))
    silent = time.time() - float(told.get("clock", 0.0)) > _QUIET
    return "away" if silent and how == "up" else how


def _folder(state: Path | None, data: Path | None) -> Path:
    if state is not None:
        return state
    if data is None:
        raise ParameterError("Give --data or --state: which node?")
    return data.with_name(f"{data.stem}.node")


def _existing(state: Path | None, data: Path | None) -> Place:
    from sosie.insitu.node import Place

    return Place.existing(_folder(state, data))
