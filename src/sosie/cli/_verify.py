"""`sosie verify`: whether a certificate holds, item by item, without a network."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._options import FILE, Json, Keys, Lang
from sosie.cli._refusals import refusal
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError

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
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["verify"]
    from sosie.trust import PublicKey
    from sosie.trust import verify as verified

    trusted = PublicKey.read_folder(keys) if keys else {}
    found = _in_place(
        certificate, trusted, synthetic=synthetic, original=original, agreement=agreement
    ) or verified(certificate, trusted, synthetic=synthetic, original=original, agreement=agreement)
    said = _Said(found, words, spoken)
    (_print_json if as_json else _print)(found, said, words)
    if not found.verified:
        raise typer.Exit(_NOT_VERIFIED)


def _in_place(
    path: Path,
    trusted: "Mapping[str, PublicKey]",
    *,
    synthetic: Path | None,
    original: Path | None,
    agreement: Path | None,
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

    if original is not None:
        raise ParameterError(
            f"--original: {path} is of analyses in place, where nobody is given the persons' "
            "table; leave it out."
        )
    rows = _rows_of(answers)
    if synthetic is not None and rows is None:
        raise ParameterError(
            f"--synthetic: {path} holds no synthetic rows to compare with; give the file that "
            "`sosie ask` wrote for avatars, or leave it out."
        )
    of = SignedAgreement.read(agreement, trusted).sha256 if agreement else None
    items, _ = verify_in_place(envelope, trusted, answers=answers, agreement=of)
    if synthetic is not None and rows is not None:
        certified = any(item.kind == "result" and item.ok for item in items)
        items.append(_rows_item(rows, synthetic, certified=certified))
    return Verification(items)


def _rows_of(answers: list[Any]) -> bytes | None:
    """Give the rows that came with an answer, which are signed with the rest of its result."""
    results = [one["result"] for one in answers if isinstance(one["result"], dict)]
    rows = next((one.get("csv") for one in results), None)
    return rows.encode() if isinstance(rows, str) else None


def _rows_item(rows: bytes, path: Path, *, certified: bool) -> "Item":
    from sosie.trust import Item

    values = {"file": path.name}
    if not certified:
        return Item("synthetic", ok=None, reason="rows_uncertified", values=values)
    same = path.read_bytes() == rows
    reason = "rows_same" if same else "rows_other"
    return Item("synthetic", ok=same, reason=reason, values=values)


class _Said:
    """What there is to say of each item, in the reader's language.

    Parameters
    ----------
    found : Verification
    words : dict
    lang : str
    """

    def __init__(self, found: "Verification", words: dict[str, Any], lang: str) -> None:
        self._words = words
        self._lang = lang
        self._more = {} if found.certificate is None else {"exceptions": self._exceptions(found)}

    def name(self, item: "Item") -> str:
        """Give the name of an item."""
        name: str = self._words["items"][item.kind].format_map(self._values(item))
        return name

    def why(self, item: "Item") -> str:
        """Give why it holds, does not, or could not be checked."""
        why: str = self._words["reasons"][item.reason].format_map(self._values(item))
        return why.strip()

    def _values(self, item: "Item") -> dict[str, str]:
        values = {**item.values, **self._more}
        if "error" in values:
            values["error"] = refusal(values["error"], self._lang)
        return values

    def _exceptions(self, found: "Verification") -> str:
        from sosie.trust._texts import in_words

        words = self._words
        return "; ".join(
            words["exception"].format(
                item=words["words"][one.item],
                found=in_words(one.found, words["words"]),
                asked=in_words(one.asked, words["words"]),
                reason=one.reason,
            )
            for one in (found.certificate.exceptions if found.certificate else ())
        )


def _print_json(found: "Verification", said: _Said, _: dict[str, Any]) -> None:
    items = [{"name": item.name, "ok": item.ok, "why": said.why(item)} for item in found.items]
    typer.echo(json.dumps({"verified": found.verified, "items": items}, ensure_ascii=False))


def _print(found: "Verification", said: _Said, words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_column(overflow="fold")
    for item in found.items:
        mark = Text(_MARKS[item.ok], _STYLES[item.ok])
        grid.add_row(mark, Text(said.name(item), "bold"), Text(said.why(item)))
    console = Console()
    console.print(grid)
    console.print()
    if found.verified:
        console.print(Text(words["verified"], "bold green"))
    else:
        broken = [said.name(item) for item in found.items if item.ok is False]
        listed = ", ".join(dict.fromkeys(broken)) or words["no_keys"]
        console.print(Text(words["not_verified"].format(items=listed), "bold red"))
    unchecked = [said.name(item) for item in found.items if item.ok is None]
    if unchecked:
        console.print(Text(words["unchecked"].format(items=", ".join(dict.fromkeys(unchecked)))))
