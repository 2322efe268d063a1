"""The sheet of a blinded test: cases as cards, on paper or on a screen."""

from __future__ import annotations

import base64
import io
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["sheet"]

_SMALLEST = 160
"""Pixels of the shorter side of an image on the sheet, at least."""


def sheet(
    names: Sequence[str],
    cases: Sequence[Any],
    columns: Sequence[str],
    words: dict[str, str],
    lang: str,
    commitment: str,
) -> bytes:
    """Set the cases as one HTML file that needs nothing else.

    Parameters
    ----------
    names : sequence of str
        Of the cases.
    cases : sequence of tuple of str, or of array of bytes
        Cells of a row, or an image.
    columns : sequence of str
        What the cells are; empty for images.
    words : dict of str to str
        ``title``, ``how``, ``real``, ``artificial``, ``sensitive``, ``rater``, ``seal``.
    lang : str
    commitment : str
        SHA-256 of the key.
    """
    import jinja2

    room = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = room.from_string((files("sosie.report") / "sheet.html").read_text(encoding="utf-8"))
    cards = [
        {"name": name, "cells": list(zip(columns, case, strict=True)), "image": None}
        if columns
        else {"name": name, "cells": [], "image": _png(case)}
        for name, case in zip(names, cases, strict=True)
    ]
    return template.render(
        cards=cards, words=words, lang=lang, commitment=commitment, tables=bool(columns)
    ).encode("utf-8")


def _png(image: Any) -> str:
    """Give an image as an address, enlarged by whole pixels, with nothing but its pixels."""
    from PIL import Image

    times = max(-(-_SMALLEST // min(image.shape[:2])), 1)
    larger = np.repeat(np.repeat(image, times, axis=0), times, axis=1)
    out = io.BytesIO()
    Image.fromarray(larger).save(out, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")
