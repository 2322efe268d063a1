"""The whole report as blocks, before it is set in HTML or in Typst."""

from __future__ import annotations

from typing import Any

from sosie.report._annexes import controls, diagnostics, glossary, settings
from sosie.report._attacks import attacks
from sosie.report._findings import Desk
from sosie.report._front import first_page, second_page, title
from sosie.report._utility import utility

__all__ = ["document"]


def document(evidence: dict[str, Any], lang: str) -> dict[str, Any]:
    """Set the evidence as blocks.

    Returns
    -------
    dict
        ``lang``, ``title``, ``running`` (head of each page), ``made_on`` and ``blocks``.
    """
    desk = Desk(evidence, lang)
    sections = (
        first_page,
        second_page,
        attacks,
        controls,
        diagnostics,
        utility,
        settings,
        glossary,
    )
    return {
        "lang": lang,
        "title": title(desk),
        "running": desk.t("front.running"),
        "contents": desk.t("alt.contents"),
        "made_on": str(evidence.get("made_on", "")),
        "blocks": [block for section in sections for block in section(desk)],
    }
