"""`sosie ledger`: lines that are only added, and found out if they are changed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._checked import Checked, show_checked
from sosie.cli._options import Json, Keys, Lang
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import ParameterError

if TYPE_CHECKING:
    from sosie.trust import Broken, Head

__all__ = ["ledger"]

ledger = typer.Typer(no_args_is_help=True, help="Add to a ledger, sign it, verify it.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="The ledger: one line a record.")]


@ledger.command("add")
def add(
    file: File,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="What happened, in one word: release, refusal...")
    ],
    said: Annotated[
        list[str] | None,
        typer.Option(
            "--say",
            metavar="NAME=TEXT",
            help="More of it, never the value of a person; may be repeated.",
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Add a line, the first one too."""
    words: dict[str, Any] = texts(language(lang))["ledger"]
    from sosie.trust import append

    head = append(file, event, _content(said or []))
    typer.echo(
        words["added"].format(line=head.lines, path=file, head=f"{head.lines}:{head.sha256}")
    )


@ledger.command("sign")
def sign(
    file: File,
    key: Annotated[Path, typer.Option("--key", help="Of who keeps the ledger.")],
    lang: Lang = None,
) -> None:
    """Sign where the ledger stands: lines cut off or made afresh are found from then on."""
    words: dict[str, Any] = texts(language(lang))["ledger"]
    from sosie.trust import Key, checkpoint
    from sosie.trust._ledger_check import checkpoint_path

    made = checkpoint(file, Key.read(key))
    path = checkpoint_path(file)
    typer.echo(words["signed"].format(lines=made.head.lines, path=path))


@ledger.command("verify")
def verify(
    file: File,
    keys: Keys = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="LINES:SHA256", help="Where it stood once, as a certificate says."
        ),
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Find lines that were removed, changed, moved or cut."""
    words: dict[str, Any] = texts(language(lang))["ledger"]
    from sosie.trust import PublicKey, verify_ledger

    trusted = PublicKey.read_folder(keys) if keys else None
    found = verify_ledger(file, trusted, expected=_head(head) if head else None)
    n = spelt_number(found.head.lines, words)
    items = [
        Checked(f"line {one.line}" if one.line else one.name, ok=False, why=_why(one, words),
                shown=words["line"].format(line=one.line) if one.line else words[one.name])
        for one in found.broken
    ]  # fmt: skip
    if not items:
        items.append(
            Checked("lines", ok=True, why=words["whole"].format(lines=n), shown=words["lines"])
        )
    if found.checkpoint and found.signer:
        key = "vouched" if found.vouched else "unvouched"
        key = "signed_only" if found.broken else key
        why = words[key].format(
            name=found.signer.name, at=found.checkpoint.at, lines=found.checkpoint.head.lines
        )
        ok = True if found.vouched else None
        items.append(Checked("checkpoint", ok=ok, why=why, shown=words["checkpoint"]))
    elif not any(one.name == "checkpoint" for one in found.broken):
        items.append(
            Checked("checkpoint", ok=None, why=words["no_checkpoint"], shown=words["checkpoint"])
        )
    stands = {"lines": found.head.lines, "sha256": found.head.sha256}
    show_checked(items, words, as_json=as_json, head=stands)


def _why(broken: "Broken", words: dict[str, Any]) -> str:
    several = broken.last is not None and broken.last != broken.line
    key = "missing_many" if several else broken.name
    why: str = words["why"][key].format(line=broken.line, last=broken.last, why=broken.why)
    return why


def _content(said: list[str]) -> dict[str, str]:
    content: dict[str, str] = {}
    for one in said:
        name, sign, text = one.partition("=")
        if not (name and sign) or name in content:
            raise ParameterError(f"--say {one}: give a name of its own, = and a text.")
        content[name] = text
    return content


def _head(spelt: str) -> "Head":
    from sosie.trust import Head

    lines, _, digest = spelt.partition(":")
    try:
        return Head(lines=int(lines), sha256=digest)
    except ValueError as error:
        raise ParameterError(
            "--head: give the number of lines, : and the SHA-256, as `sosie ledger add` prints."
        ) from error
