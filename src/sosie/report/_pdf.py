"""Blocks to a PDF, by Typst, in memory."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

__all__ = ["compiled", "pdf"]

_LONG = re.compile(r"\S{19,}")
_DRAWN = {"svg", "type", "style", "colour"}


def pdf(pages: dict[str, Any]) -> bytes:
    """Set a document as PDF, tagged for those who hear it (PDF/UA-1) where its text allows.

    The standard refuses a text with a sign that no font at hand can draw, as a column name
    may hold; such a report is an ordinary tagged PDF.
    """
    import typst

    try:
        return compiled(pages, format="pdf", pdf_standards=["ua-1"])
    except typst.TypstError:
        return compiled(pages, format="pdf")


def compiled(pages: dict[str, Any], **options: Any) -> Any:
    """Compile with Typst: nothing is read from disk but fonts, and nothing is written."""
    import typst

    template = (files("sosie.report") / "page.typ").read_bytes()
    try:
        made = datetime.fromisoformat(pages["made_on"][:10]).replace(tzinfo=UTC)
    except ValueError:
        made = datetime(1970, 1, 1, tzinfo=UTC)
    if options.get("format") == "pdf":
        options["timestamp"] = int(made.timestamp())  # the same evidence, the same bytes
    return typst.compile(
        template, sys_inputs={"document": json.dumps(_breakable(pages))}, **options
    )


def _breakable(value: Any, key: str = "") -> Any:
    r"""Let long names and digests break across lines: Typst would let them run out of a cell.

    >>> _breakable("a_name_that_has_no_space").count("\u200b") > 2
    True
    """
    if isinstance(value, dict):
        return {k: _breakable(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_breakable(v, key) for v in value]
    if isinstance(value, str) and key not in _DRAWN:
        return _LONG.sub(_broken, value)
    return value


def _broken(word: re.Match[str]) -> str:
    text = re.sub(r"([_./\\-])(?=\w)", "\\1\u200b", word[0])
    return re.sub(r"([^\u200b\s]{16})(?=[^\u200b\s]{2})", "\\1\u200b", text)
