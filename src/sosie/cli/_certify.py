"""`sosie certify`: what was done, checked and decided, written down and signed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._options import FILE, Lang
from sosie.cli._places import check_apart, check_new, check_place
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError, TrustError

if TYPE_CHECKING:
    from sosie.trust._certificate import Certificate

__all__ = ["certify"]

_LARGEST = 64 << 20


def certify(
    key: Annotated[Path, typer.Option("--key", help="Of the party that decides.", **FILE)],
    agreement: Annotated[
        Path | None, typer.Option("--agreement", help="As its holders signed it.", **FILE)
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="What `sosie evidence --json` wrote.", **FILE),
    ] = None,
    original: Annotated[
        Path | None, typer.Option("--original", help="The persons' table.", **FILE)
    ] = None,
    synthetic: Annotated[
        Path | None, typer.Option("--synthetic", help="The table that is released.", **FILE)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="CERT.json", help="A new file; its opening goes beside it."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="What `sosie avatar --json` printed.", **FILE),
    ] = None,
    exception: Annotated[
        str | None,
        typer.Option(
            "--exception",
            metavar="REASON",
            help="Why evidence that shows less than the agreement asks is accepted.",
        ),
    ] = None,
    ledger: Annotated[
        list[Path] | None,
        typer.Option("--ledger", help="To quote where it stands; may be repeated.", **FILE),
    ] = None,
    add_signature: Annotated[
        Path | None,
        typer.Option(
            "--add-signature",
            metavar="CERT.json",
            help="Only sign, once more, a certificate that there is.",
            **FILE,
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Certify a release, or add a signature: what was used, done, found and decided."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["certify"]
    inputs = {
        "--agreement": agreement,
        "--evidence": evidence,
        "--original": original,
        "--synthetic": synthetic,
    }
    if add_signature is not None:
        given = [name for name, path in {**inputs, "--out": out}.items() if path is not None]
        if given:
            raise ParameterError(f"--add-signature signs what is there: leave out {given[0]}.")
        _sign(add_signature, key, words)
        return
    missing = [name for name, path in {**inputs, "--out": out}.items() if path is None]
    if missing:
        raise ParameterError(f"sosie certify needs {missing[0]}.")
    assert agreement
    assert evidence
    assert original
    assert synthetic
    assert out
    from sosie.evidence import Evidence
    from sosie.trust import (
        PAYLOAD_TYPE,
        Key,
        Opening,
        SignedAgreement,
        canonical,
        quoted,
        seal,
        statement_of,
    )
    from sosie.trust import certify as certified
    from sosie.trust._texts import in_words

    check_place(out, ".json")
    opening_at = Opening.beside(out)
    others = [path for path in (*inputs.values(), key, run, *(ledger or [])) if path]
    check_apart([out, opening_at], others)
    for path in (out, opening_at):
        check_new(path)  # no other copy of an opening can be made
    signer = Key.read(key)
    content = _bytes(evidence)
    Evidence.read(evidence)  # the room of trust cannot judge the findings again itself
    made = certified(
        SignedAgreement.read(agreement),
        content,
        original,
        synthetic,
        signer,
        run=None if run is None else _bytes(run),
        exception=exception,
        ledgers=[quoted(path) for path in ledger or []],
    )
    envelope = seal(canonical(statement_of(made.certificate)), PAYLOAD_TYPE, [signer])
    from sosie.table import Drafts

    with Drafts() as drafts:
        with drafts.file(out) as file:
            file.write(canonical(envelope) + b"\n")
        with drafts.file(opening_at, private=True) as file:
            file.write(made.opening.content())
    typer.echo(words["made"].format(path=out))
    names: dict[str, str] = texts(spoken)["verify"]["words"]
    for one in made.certificate.exceptions:
        told = {key: in_words(getattr(one, key), names) for key in ("item", "found", "asked")}
        typer.echo(words["exception"].format(**told, reason=one.reason), err=True)
    _show(made.certificate, envelope, signer.name, words)
    typer.echo(words["opening"].format(path=opening_at))


def _sign(path: Path, key: Path, words: dict[str, Any]) -> None:
    from sosie.table import whole_file
    from sosie.trust import (
        PAYLOAD_TYPE,
        Key,
        add_signature,
        canonical,
        certificate_in,
        payload_of,
        read_envelope,
    )

    signer = Key.read(key)
    envelope = read_envelope(path)
    certificate = certificate_in(payload_of(envelope, PAYLOAD_TYPE))
    named = {one.key for one in certificate.signers} | {
        one.name for one in certificate.agreement.parties
    }
    if named.isdisjoint({signer.id, signer.name}):
        listed = ", ".join(one.name for one in certificate.agreement.parties)
        raise TrustError(f"The key of {signer.name!r} is of none of the parties: {listed}.")
    envelope = add_signature(envelope, signer)
    with whole_file(path) as file:
        file.write(canonical(envelope) + b"\n")
    _show(certificate, envelope, signer.name, words)


def _show(
    certificate: "Certificate", envelope: dict[str, Any], name: str, words: dict[str, Any]
) -> None:
    signed = {one["keyid"] for one in envelope["signatures"]}
    missing = [
        one.name
        for one in certificate.signers
        if one.required and one.key not in signed and one.name != name
    ]
    text = words["signed" if missing else "complete"]
    typer.echo(text.format(name=name, missing=", ".join(missing)))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise TrustError(f"{path} is too large to be what it should be.")
    return content
