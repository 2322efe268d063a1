"""Paper and ink of the figures: size, palette, and a drawing as SVG text."""

from __future__ import annotations

import io
import re
import threading
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["INK", "MARKS", "MUTED", "PALE", "RULE", "SYNTHETIC", "WIDTH", "drawn", "key", "quiet"]

WIDTH = 6.5
"""Of a figure, in inches: the width of the text."""

INK, MUTED, RULE, PALE = "#1c2430", "#55606d", "#c9cfd6", "#d7dde4"
SYNTHETIC = "#5145b0"
MARKS: dict[str, dict[str, Any]] = {
    "original": {"marker": "o", "color": INK, "markersize": 5.2, "zorder": 4},
    "synthetic": {"marker": "o", "color": SYNTHETIC, "markersize": 5.2, "zorder": 5},
    "control": {"marker": "o", "color": "#98a2ad", "markersize": 5.2, "zorder": 3},
    "naive": {"marker": "D", "color": MUTED, "markersize": 3.8, "fillstyle": "none", "zorder": 2},
}

_STYLE: Any = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],  # measures only: see _SERIF
    "font.size": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "sosie",
    "text.parse_math": False,  # a column may be named a$b$
    "axes.unicode_minus": True,
    "axes.linewidth": 0.6,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "text.color": INK,
    "path.simplify": True,
}
_SERIF = "'Libertinus Serif', 'Iowan Old Style', 'Palatino Linotype', Georgia, serif"
_LOCK = threading.Lock()


def drawn(height: float, draw: Callable[[Figure], None], width: float = WIDTH) -> str:
    """Draw on a fresh sheet, in inches, and give it as one SVG element.

    Text stays text, set in the type of the page; the same drawing gives the same bytes.
    """
    # The settings of matplotlib belong to the process: one sheet at a time.
    with _LOCK, mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(width, height))
        draw(figure)
        sheet = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(sheet, metadata=nothing)
    svg = sheet.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = svg.replace("'STIXGeneral', 'DejaVu Sans'", _SERIF)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:d|x|y)="[^"]*"', _rounded, svg)
    return re.sub(r"\n\s*", "\n", svg)


def _rounded(attribute: re.Match[str]) -> str:
    """Cut places to a hundredth of a point, in drawn lines and never in text."""
    return re.sub(r"(\d+\.\d\d)\d+", r"\1", attribute[0])


def quiet(axes: Any, *sides: str) -> None:
    """Keep only the sides named of the frame, and short ticks."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in sides)
    axes.tick_params(length=2.5, width=0.6, labelsize=7.8, pad=2)
    if "left" not in sides:
        axes.tick_params(axis="y", length=0)
    if "bottom" not in sides:
        axes.tick_params(axis="x", length=0)


def key(figure: Figure, entries: Iterable[tuple[str, str]], left: float, top: float) -> None:
    """Write the names of the series in a line, each behind its mark; places in inches."""
    width, height = figure.get_size_inches()
    for kind, word in entries:
        marks = {**MARKS[kind], "linestyle": "none", "zorder": 9}
        figure.add_artist(
            mpl.lines.Line2D(
                [(left + 0.04) / width], [1 - top / height], transform=figure.transFigure, **marks
            )
        )
        figure.text((left + 0.12) / width, 1 - top / height, word, size=8, va="center_baseline")
        left += 0.34 + 0.058 * len(word)
