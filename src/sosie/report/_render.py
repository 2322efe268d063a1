"""The one door of the room: evidence to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError
from sosie.table._atomic import whole_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["render", "rendered"]

LANGUAGES = ("en", "fr")


def render(evidence: dict[str, Any], path: Path, lang: str = "en") -> None:
    """Draw the report of one evidence: nothing is computed, everything is formatted.

    Parameters
    ----------
    evidence : dict
        What ``evidence.json`` holds, in the format ``sosie-evidence/1``; under ``certificate``
        it may also have the ``id``, the ``sha256`` and the ``code`` (SVG) of the certificate that
        is about it.
    path : Path
        The file to make; its suffix, ``.html`` or ``.pdf``, says which of the two. It is
        whole or absent.
    lang : {"fr", "en"}

    Raises
    ------
    ParameterError
        If the suffix, the language or the format of the evidence is not one of these.

    Examples
    --------
    >>> from pathlib import Path
    >>> render({"format": "sosie-evidence/1"}, Path("report.docx"))
    Traceback (most recent call last):
    ...
    sosie.errors.ParameterError: A report is written as .html or .pdf, not as .docx.
    """
    content = rendered(evidence, path.suffix, lang)
    with whole_file(path) as out:
        out.write(content)


def rendered(evidence: dict[str, Any], suffix: str, lang: str = "en") -> bytes:
    """Draw the report as the bytes of a file, as :func:`render` does.

    Parameters
    ----------
    evidence : dict
    suffix : {".html", ".pdf"}
    lang : {"fr", "en"}

    Examples
    --------
    >>> page = rendered({"format": "sosie-evidence/1", "made_on": "2026-11-21"}, ".html", "fr")
    >>> page[:15].decode()
    '<!doctype html>'
    """
    if suffix.lower() not in (".html", ".pdf"):
        raise ParameterError(
            f"A report is written as .html or .pdf, not as {suffix or 'a file without suffix'}."
        )
    if lang not in LANGUAGES:
        raise ParameterError(f"There are no texts in {lang!r}; use en or fr.")
    if not str(evidence.get("format", "")).startswith("sosie-evidence/1"):
        raise ParameterError("This is no evidence in the format sosie-evidence/1.")
    from sosie.report._document import document

    pages = document(evidence, lang)
    if suffix.lower() == ".html":
        from sosie.report._html import html

        return html(pages)
    from sosie.report._pdf import pdf

    return pdf(pages)
