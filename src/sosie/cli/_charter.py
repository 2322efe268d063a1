"""`sosie charter`: what the parties hold themselves to, and what is not answered yet."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from sosie.cli._checked import Checked, show_checked
from sosie.cli._options import Json, Lang
from sosie.cli._places import check_new
from sosie.cli._texts import language, texts

__all__ = ["charter"]

charter = typer.Typer(no_args_is_help=True, help="Begin a charter; list what it leaves unanswered.")


@charter.command("new")
def new(
    out: Annotated[Path, typer.Option("--out", metavar="CHARTER.toml")],
    lang: Lang = None,
) -> None:
    """Write a charter to be answered: one question a principle."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["charter"]
    from sosie.table import whole_file
    from sosie.trust import charter_template

    check_new(out)
    with whole_file(out) as file:
        file.write(charter_template(cast("Any", spoken)).encode())
    typer.echo(words["made"].format(path=out))


@charter.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="CHARTER.toml")],
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """List the principles of which nothing, or nobody, answers the question."""
    words: dict[str, Any] = texts(language(lang))["charter"]
    from sosie.trust import Charter

    read = Charter.read(file)
    items = []
    for one in read.principles:
        if one.lacks:
            lacking = words["and"].join(words["lacks"][field] for field in one.lacks)
            why = words["unanswered"].format(lacking=lacking, question=one.question)
        else:
            why = words["answered"].format(
                kind=words["kinds"][one.kind], answer=one.answer, by=one.by
            )
        items.append(Checked(one.id, ok=not one.lacks, why=why, shown=one.title))
    if not as_json:
        typer.echo(words["identity"].format(name=read.name, version=read.version, hash=read.sha256))
    show_checked(items, words, as_json=as_json, sha256=read.sha256)
