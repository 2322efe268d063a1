"""What a report is made of, before it is HTML or Typst: plain dictionaries of text and drawings.

Both writers draw the same blocks, so that both files say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Block", "cell", "facts", "figure", "heading", "note", "paragraph", "points", "table"]

Block = dict[str, Any]


def heading(
    text: str,
    level: int = 2,
    verdict: Block | None = None,
    *,
    small: bool = False,
    page: bool = True,
) -> Block:
    """Open a section; level 1 begins a page, unless told not to; a small one is for page 1."""
    return {
        "type": "heading", "text": text, "level": level, "mark": verdict, "small": small,
        "page": page,
    }  # fmt: skip


def paragraph(text: str, style: str = "plain") -> Block:
    """Say something: ``plain``, ``lead``, ``above`` (a figure), ``note`` or ``warning``."""
    return {"type": "paragraph", "text": text, "style": style}


def note(text: str) -> Block:
    """Say why something is not there."""
    return paragraph(text, "note")


def points(items: Iterable[tuple[str, str]]) -> Block:
    """List sentences; the first of each pair is set strongly."""
    return {"type": "points", "items": [{"lead": lead, "text": text} for lead, text in items]}


def facts(items: Iterable[tuple[str, str]], columns: int = 1) -> Block:
    """List words and what stands for them."""
    pairs = [{"name": name, "text": text} for name, text in items]
    return {"type": "facts", "items": pairs, "columns": columns}


def figure(svg: str, caption: str, alt: str, width: float = 1.0) -> Block:
    """Show a drawing with its caption, and in words for those who do not see it."""
    return {"type": "figure", "svg": svg, "caption": caption, "alt": alt, "width": width}


def cell(
    text: str = "", *, note: str = "", svg: str = "", alt: str = "", mark: Block | None = None
) -> Block:
    """Fill one cell of a table."""
    return {"text": text, "note": note, "svg": svg, "alt": alt, "mark": mark}


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Block | str]],
    *,
    widths: Sequence[float],
    align: str,
    caption: str = "",
    label: str = "",
) -> Block:
    """Set a table.

    Parameters
    ----------
    head : sequence of str
    rows : sequence of sequence of cell or str
        A row of one cell alone is a heading between rows.
    widths : sequence of float
        Of the columns, relative.
    align : str
        One letter a column: ``l``, ``r`` or ``c``.
    caption : str
        Shown above.
    label : str
        For those who hear the page, where there is no caption.
    """
    filled = [[cell(c) if isinstance(c, str) else c for c in row] for row in rows]
    return {
        "type": "table",
        "head": list(head),
        "rows": filled,
        "widths": list(widths),
        "align": list(align),
        "caption": caption,
        "label": label or caption,
    }
