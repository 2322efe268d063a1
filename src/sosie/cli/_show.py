"""`sosie show`: a certificate as a page that explains and verifies it in a browser."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sosie.cli._options import FILE, Lang
from sosie.cli._places import check_apart, check_place
from sosie.cli._texts import language, texts

__all__ = ["show"]


def show(
    certificate: Annotated[Path, typer.Argument(metavar="CERT.json", **FILE)],
    html: Annotated[Path, typer.Option("--html", metavar="OUT.html", help="The page to make.")],
    lang: Lang = None,
) -> None:
    """Make a page of a certificate, in French and English, that verifies it with no network.

    Also a broken certificate has a page: it says what is broken.
    """
    words: dict[str, Any] = texts(language(lang))["show"]
    check_place(html, ".html")
    check_apart([html], [certificate])
    from sosie.report import wording
    from sosie.table import whole_file
    from sosie.trust import LANGUAGES, page, read_envelope

    content = page(read_envelope(certificate), {one: wording(one) for one in LANGUAGES})
    with whole_file(html) as out:
        out.write(content)
    typer.echo(words["written"].format(path=html))
