"""`sosie export`: a certificate in the forms that registers and archives ask for."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sosie.cli._options import FILE, Lang
from sosie.cli._places import check_apart, check_place
from sosie.cli._texts import language, texts
from sosie.errors import DataError, ParameterError

__all__ = ["export"]


def export(
    certificate: Annotated[Path, typer.Argument(metavar="CERT.json", **FILE)],
    pia: Annotated[
        Path | None,
        typer.Option("--pia", metavar="PIA.json", help="For the PIA tool of the CNIL."),
    ] = None,
    article30: Annotated[
        Path | None,
        typer.Option("--article30", metavar="LINE.csv", help="For the register of processing."),
    ] = None,
    rocrate: Annotated[
        Path | None,
        typer.Option("--rocrate", metavar="FOLDER", help="A Five Safes RO-Crate, in a new folder."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Export a certificate: an impact assessment begun, a line of a register, an RO-Crate."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["export"]
    outputs = [path for path in (pia, article30, rocrate) if path is not None]
    if not outputs:
        raise ParameterError("sosie export: give --pia, --article30 or --rocrate.")
    check_apart(outputs, [certificate])
    if pia is not None:
        check_place(pia, ".json")
    if article30 is not None:
        check_place(article30, ".csv")
    if rocrate is not None:
        _check_folder(rocrate)
    contents = _contents(certificate, pia, article30, rocrate, spoken)
    from sosie.table import Drafts

    if rocrate is not None:
        rocrate.mkdir(exist_ok=True)
    with Drafts() as drafts:
        for path, content in contents.items():
            with drafts.file(path) as out:
                out.write(content)
    for path in outputs:
        typer.echo(words["written"].format(path=path))
    typer.echo(words["unverified"], err=True)


def _check_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise DataError(f"{folder}: the folder {folder.parent} does not exist; make it first.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is not an empty folder; give another name.")


def _contents(
    path: Path, pia: Path | None, article30: Path | None, rocrate: Path | None, lang: str
) -> dict[Path, bytes]:
    from sosie.report import wording
    from sosie.trust import (
        LANGUAGES,
        PAYLOAD_TYPE,
        canonical,
        certificate_in,
        crate_of,
        page,
        payload_of,
        pia_of,
        read_envelope,
        register_of,
        sha256,
    )

    envelope = read_envelope(path)
    payload = payload_of(envelope, PAYLOAD_TYPE)
    certificate = certificate_in(payload)
    contents: dict[Path, bytes] = {}
    if pia is not None:
        begun = pia_of(certificate, sha256(payload), lang, wording(lang))
        contents[pia] = json.dumps(begun, ensure_ascii=False, indent=1).encode() + b"\n"
    if article30 is not None:
        contents[article30] = register_of(certificate, lang)
    if rocrate is not None:
        contents[rocrate / "ro-crate-metadata.json"] = canonical(crate_of(certificate)) + b"\n"
        contents[rocrate / "certificate.json"] = canonical(envelope) + b"\n"
        contents[rocrate / "ro-crate-preview.html"] = page(
            envelope, {one: wording(one) for one in LANGUAGES}
        )
    return contents
