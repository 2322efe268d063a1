"""Blocks to one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import Any

__all__ = ["html"]


def html(pages: dict[str, Any]) -> bytes:
    """Set a document as HTML: style inside, drawings inside, no script."""
    import jinja2

    room = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    room.filters["image"] = _image
    template = room.from_string((files("sosie.report") / "page.html").read_text(encoding="utf-8"))
    chapters = [b for b in pages["blocks"] if b["type"] == "heading" and b["level"] == 1]
    return template.render(**pages, chapters=chapters).encode("utf-8")


def _image(svg: str) -> str:
    """Give a drawing as an address: as an image it can run nothing, nor clash with another."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")
