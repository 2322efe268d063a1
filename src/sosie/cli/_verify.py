"""`sosie verify`: whether a certificate holds, item by item, without a network."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._options import FILE, Json, Keys, Lang
from sosie.cli._texts import language, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sosie.trust import Item, PublicKey, Verification

__all__ = ["verify"]

_NOT_VERIFIED = 3
_LARGEST = 64 << 20
_MARKS = {True: "✓", False: "✗", None: "–"}
_STYLES = {True: "green", False: "bold red", None: "yellow"}


def verify(
    certificate: Annotated[Path, typer.Argument(metavar="CERT.json", **FILE)],
    synthetic: Annotated[
        Path | None, typer.Option("--synthetic", help="The table that you received.", **FILE)
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option("--original", help="The persons' table, which only its holder has.", **FILE),
    ] = None,
    agreement: Annotated[
        Path | None, typer.Option("--agreement", help="As its holders signed it.", **FILE)
    ] = None,
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Verify a certificate: who signed what, and whether these files are those certified."""
    words: dict[str, Any] = texts(language(lang))["verify"]
    from sosie.trust import PublicKey
    from sosie.trust import verify as verified

    trusted = PublicKey.read_folder(keys) if keys else {}
    found = _in_place(certificate, trusted, agreement) or verified(
        certificate, trusted, synthetic=synthetic, original=original, agreement=agreement
    )
    (_print_json if as_json else _print)(found, words)
    if not found.verified:
        raise typer.Exit(_NOT_VERIFIED)


def _in_place(
    path: Path, trusted: "Mapping[str, PublicKey]", agreement: Path | None
) -> "Verification | None":
    """Verify an answer in place, or a certificate of some; None where the file is neither."""
    from sosie.errors import TrustError
    from sosie.trust import SignedAgreement, Verification, payload_of, strict_json

    try:
        with path.open("rb") as file:
            said = strict_json(file.read(_LARGEST + 1), largest=_LARGEST)
        answers = [said] if isinstance(said, dict) and "result" in said else []
        envelope = said["certificate"] if answers else said
        payload = payload_of(envelope)
    except (TrustError, KeyError):
        return None
    if b"urn:sosie:in-place-certificate:" not in payload:
        return None
    from sosie.insitu.exchange import verify_in_place

    of = SignedAgreement.read(agreement, trusted).sha256 if agreement else None
    items, _ = verify_in_place(envelope, trusted, answers=answers, agreement=of)
    return Verification(items)


def _said(found: "Verification", item: "Item", words: dict[str, Any]) -> tuple[str, str]:
    """Give the name of an item, and why, as the reader's language has them."""
    from sosie.trust._texts import in_words

    values = dict(item.values)
    if found.certificate is not None:
        values["exceptions"] = "; ".join(
            words["exception"].format(
                item=words["words"][one.item],
                found=in_words(one.found, words["words"]),
                asked=in_words(one.asked, words["words"]),
                reason=one.reason,
            )
            for one in found.certificate.exceptions
        )
    name = words["items"][item.kind].format_map(values)
    return name, words["reasons"][item.reason].format_map(values).strip()


def _print_json(found: "Verification", words: dict[str, Any]) -> None:
    items = [
        {"name": item.name, "ok": item.ok, "why": _said(found, item, words)[1]}
        for item in found.items
    ]
    typer.echo(json.dumps({"verified": found.verified, "items": items}, ensure_ascii=False))


def _print(found: "Verification", words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_column(overflow="fold")
    for item in found.items:
        name, why = _said(found, item, words)
        grid.add_row(Text(_MARKS[item.ok], _STYLES[item.ok]), Text(name, "bold"), Text(why))
    console = Console()
    console.print(grid)
    console.print()
    if found.verified:
        console.print(Text(words["verified"], "bold green"))
    else:
        broken = [_said(found, item, words)[0] for item in found.items if item.ok is False]
        listed = ", ".join(dict.fromkeys(broken)) or words["no_keys"]
        console.print(Text(words["not_verified"].format(items=listed), "bold red"))
    unchecked = [_said(found, item, words)[0] for item in found.items if item.ok is None]
    if unchecked:
        console.print(Text(words["unchecked"].format(items=", ".join(dict.fromkeys(unchecked)))))
