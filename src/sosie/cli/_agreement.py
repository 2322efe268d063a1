"""`sosie agreement`: who may do what with which data, written, signed and checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sosie.cli._checked import Checked, show_checked
from sosie.cli._options import Json, Keys, Lang
from sosie.cli._places import check_apart, check_new, check_place
from sosie.cli._refusals import refusal
from sosie.cli._texts import language, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sosie.trust import Agreement, SignedAgreement

__all__ = ["agreement"]

agreement = typer.Typer(no_args_is_help=True, help="Write, sign, show and check an agreement.")

File = Annotated[
    Path,
    typer.Argument(metavar="AGREEMENT", help="agreement.toml, or agreement.json as it was signed."),
]


@agreement.command("new")
def new(
    out: Annotated[Path, typer.Option("--out", metavar="AGREEMENT.toml")],
    from_data: Annotated[
        Path | None,
        typer.Option("--from-data", metavar="DATA", help="The table whose columns to list."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Write a complete agreement, to be filled in with the names of the parties."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["agreement"]
    from sosie.table import Table, whole_file
    from sosie.trust import agreement_template

    check_new(out)
    check_place(out, ".toml")
    schema = Table.read(from_data).schema if from_data else None
    data = from_data.stem if from_data else None
    content = agreement_template(cast("Any", spoken), schema, data)
    with whole_file(out) as file:
        file.write(content.encode())
    typer.echo(words["made"].format(path=out))


@agreement.command("sign")
def sign(
    file: Annotated[Path, typer.Argument(metavar="AGREEMENT.toml")],
    key: Annotated[Path, typer.Option("--key", help="Of one of the parties.")],
    out: Annotated[Path, typer.Option("--out", metavar="AGREEMENT.json")],
    lang: Lang = None,
) -> None:
    """Sign an agreement; each further party signs the same file."""
    words: dict[str, Any] = texts(language(lang))["agreement"]
    from sosie.trust import Agreement, Key, sign_agreement

    check_place(out, ".json")
    check_apart([out], [file, key])
    signer = Key.read(key)
    signed = sign_agreement(Agreement.read(file), signer, out)
    typer.echo(words["signed"].format(name=signer.name, path=out))
    waits = ", ".join(signed.missing)
    typer.echo(words["waits"].format(names=waits) if waits else words["complete"])


@agreement.command("check")
def check(
    file: File,
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Check that an agreement is filled in and, once it is signed, that all signatures hold."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["agreement"]
    if _is_signed(file):
        signed = _signed(file, keys)
        items = list(_of_signatures(signed, words))
        items.append(_of_day(signed.agreement, words))
        show_checked(items, words, as_json=as_json, sha256=signed.sha256)
        return
    from sosie.trust._agreement import faults_of

    read, faults = faults_of(file)
    items = [_item("valid", words, ok=False, why=refusal(fault, spoken)) for fault in faults]
    if read is not None:
        items.append(_item("valid", words, ok=True, why=words["valid"]))
        empty = read.unfilled()
        why = words["to_fill"].format(fields=", ".join(empty)) if empty else words["filled"]
        items.append(_item("filled", words, ok=not empty, why=why))
        items.append(_of_day(read, words))
        items.append(_item("signatures", words, ok=None, why=words["unsigned"]))
    show_checked(items, words, as_json=as_json)


@agreement.command("show")
def show(file: File, keys: Keys = None, lang: Lang = None) -> None:
    """Show what was agreed, in plain words, and who signed."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["agreement"]
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    from sosie.trust import Agreement

    signed = _signed(file, keys) if _is_signed(file) else None
    read = signed.agreement if signed else Agreement.read(file)
    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in _page(read, words, spoken):
        grid.add_row(words["fields"][name] if name else "", Text(text))
    if signed is None:
        grid.add_row(words["fields"]["signatures"], Text(words["unsigned"]))
    else:
        for item in _of_signatures(signed, words):
            grid.add_row(item.shown, Text(item.why))
    Console().print(grid)


def _is_signed(file: Path) -> bool:
    return file.suffix.lower() != ".toml"


def _signed(file: Path, keys: Path | None) -> "SignedAgreement":
    from sosie.trust import PublicKey, SignedAgreement

    trusted: Mapping[str, PublicKey] | None = PublicKey.read_folder(keys) if keys else None
    return SignedAgreement.read(file, trusted)


def _item(
    name: str, words: "Mapping[str, Any]", *, ok: bool | None, why: str, of: str = ""
) -> Checked:
    shown = words["items"][name].format(name=of)
    return Checked(f"{name} of {of}" if of else name, ok=ok, why=why, shown=shown)


def _of_signatures(signed: "SignedAgreement", words: "Mapping[str, Any]") -> "Iterator[Checked]":
    for key in signed.signers:
        why = words["vouched" if signed.vouched else "unvouched"].format(id=key.id[:16])
        yield _item("signature", words, ok=True if signed.vouched else None, why=why, of=key.name)
    for problem in signed.problems:
        why = words["problems"][problem.name].format(key=problem.key[:16], why=problem.why)
        ok = False if problem.fatal else None
        yield _item("signature", words, ok=ok, why=why, of=f"{problem.key[:16]}…")
    for name in signed.missing:
        yield _item("signature", words, ok=False, why=words["missing"], of=name)


def _of_day(read: "Agreement", words: "Mapping[str, Any]") -> Checked:
    refused = read.allows()
    starts, ends = read.validity.starts, read.validity.ends
    key = "not_today" if refused else "today"
    return _item("validity", words, ok=not refused, why=words[key].format(starts=starts, ends=ends))


def _page(read: "Agreement", words: "Mapping[str, Any]", lang: str) -> "Iterator[tuple[str, str]]":
    from sosie.trust._vocabulary import meaning_of

    yield "title", read.title
    yield "id", read.id
    for party in read.parties:
        roles = ", ".join(words["roles"][role] for role in party.roles)
        yield "party", f"{party.name} ({roles})"
    yield "purpose", read.purpose.description
    yield "", ", ".join(meaning_of("purposes", term, lang) for term in read.purpose.terms)
    for term in read.legal_basis:
        yield "legal_basis", meaning_of("legal_bases", term, lang)
    names = {party.id: party.name for party in read.parties}
    for one in read.data_sets:
        yield "data_set", f"{one.title} ({words['held'].format(name=names[one.holder])})"
        yield "", one.persons
        for category in dict.fromkeys(column.category for column in one.columns):
            columns = [column.name for column in one.columns if column.category == category]
            named = meaning_of("categories", category, lang)
            yield "", words["pair"].format(name=named, text=", ".join(columns))
    for crossing in read.crossings:
        how = words["crossings"][crossing.how]
        on = f"{', '.join(crossing.on)} ({how})"
        yield "crossing", words["pair"].format(name=" + ".join(crossing.sets), text=on)
    for use in read.uses:
        yield "use", use
    if read.analyses:
        yield "analyses", ", ".join(read.analyses)
    for generator in read.generators:
        rules = (f"{name} {_rule(rule, words)}" for name, rule in generator.parameters.items())
        yield "generator", words["pair"].format(name=generator.name, text="; ".join(rules))
    floors = read.disclosure.floors.model_dump()
    yield (
        "disclosure",
        f"{read.disclosure.preset}: "
        + ", ".join(
            words["floors"][name].format(value=_spelt(value, words))
            for name, value in floors.items()
        ),
    )
    accepted = ", ".join(words["verdicts"][verdict] for verdict in read.evidence.accept)
    yield (
        "evidence",
        words["asked"].format(
            threshold=_spelt(read.evidence.threshold, words),
            accept=accepted,
            effort=words["efforts"][read.evidence.effort],
        ),
    )
    yield "validity", words["days"].format(starts=read.validity.starts, ends=read.validity.ends)
    yield "retention", read.retention
    yield "transfers", read.transfers
    yield "withdrawal", read.withdrawal
    if read.charter is not None:
        yield "charter", f"{read.charter.name} {read.charter.version}"
    yield "sha256", read.sha256


def _rule(rule: Any, words: "Mapping[str, Any]") -> str:
    if rule.one_of is not None:
        return ", ".join(_spelt(one, words) for one in rule.one_of)
    key = "at_most" if rule.lower is None else "at_least" if rule.upper is None else "range"
    lower, upper = _spelt(rule.lower, words), _spelt(rule.upper, words)
    told: str = words[key].format(lower=lower, upper=upper)
    return told


def _spelt(value: Any, words: "Mapping[str, Any]") -> str:
    if isinstance(value, bool):
        return str(words["yes"] if value else words["no"])
    return str(value).replace(".", words["decimal"]) if isinstance(value, float) else str(value)
