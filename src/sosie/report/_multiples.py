"""Small multiples: the distribution of each column, original and synthetic side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sosie.report._canvas import INK, MUTED, PALE, RULE, SYNTHETIC, WIDTH, drawn, quiet
from sosie.report._format import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from sosie.report._format import Form

__all__ = ["MOST", "multiples"]

MOST = 24
"""Charts on a page; further columns are in the table only."""

_LEVELS = 6


def multiples(columns: Sequence[dict[str, Any]], form: Form, more: Callable[[int], str]) -> str:
    """Draw up to 24 columns, in the order given, four to a line.

    Parameters
    ----------
    columns : list of dict
        As ``hellinger_mean.detail.columns`` of the evidence.
    form : Form
    more : callable
        Words for a count of levels that are not drawn.
    """
    shown = columns[:MOST]
    across, cell, gap = 4, 1.27, 0.18
    lines = math.ceil(len(shown) / across)
    height = lines * cell
    width = (WIDTH - gap * (across - 1)) / across

    def draw(figure: Figure) -> None:
        for place, column in enumerate(shown):
            line, rank = divmod(place, across)
            left, top = rank * (width + gap), height - line * cell
            aside = 0.0
            if not column.get("edges"):
                longest = max((len(shown_name(v, 16)) for v in column["levels"]), default=1)
                aside = min(0.12 + 0.05 * longest, 0.55 * width)
            axes = figure.add_axes(
                ((left + aside) / WIDTH, (top - cell + 0.22) / height, (width - aside) / WIDTH,
                 (cell - 0.46) / height)
            )  # fmt: skip
            quiet(axes, "bottom")
            axes.set_yticks([])
            if column.get("edges"):
                _area(axes, column, form)
            else:
                _bars(axes, column, more)
            figure.text(left / WIDTH, (top - 0.14) / height, shown_name(column["name"], 21),
                        size=8.2, weight="bold", va="center_baseline")  # fmt: skip
            figure.text((left + width) / WIDTH, (top - 0.14) / height,
                        form.number(column.get("hellinger"), 2), size=7.6, color=MUTED, ha="right",
                        va="center_baseline")  # fmt: skip

    return drawn(height, draw)


def _area(axes: Any, column: dict[str, Any], form: Form) -> None:
    edges = column["edges"]
    for kind in ("original", "synthetic"):
        shares = column.get(kind) or [None] * (len(edges) - 1)
        # heights are densities: bins need not be of one width
        numbers = [
            math.nan if v is None or b <= a else v / (b - a)
            for v, a, b in zip(shares, edges[:-1], edges[1:], strict=True)
        ]
        if kind == "original":
            axes.stairs(numbers, edges, fill=True, color=PALE)
        else:
            axes.stairs(numbers, edges, color=SYNTHETIC, lw=1.1, baseline=None)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    unit = column.get("unit")
    ends = [form.moment(e, unit) if unit else form.brief(e) for e in (edges[0], edges[-1])]
    axes.set_xticks([edges[0], edges[-1]], ends)
    for label, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set_ha(side)
        label.set_size(7.4)


def _bars(axes: Any, column: dict[str, Any], more: Callable[[int], str]) -> None:
    levels, original, synthetic = column["levels"], column["original"], column["synthetic"]
    order = sorted(range(len(levels)), key=lambda i: -(original[i] or synthetic[i] or 0))
    kept = order if len(order) <= _LEVELS else order[: _LEVELS - 1]
    ends = [v for i in kept for v in (original[i], synthetic[i]) if v is not None]
    reach = max(ends, default=1.0) or 1.0
    lines = max(len(kept) + (len(order) > len(kept)), 3)
    for y, i in enumerate(kept):
        if original[i] is not None:
            axes.barh(y, original[i], height=0.78, color=PALE)
        if synthetic[i] is not None:
            axes.plot([synthetic[i]] * 2, [y - 0.42, y + 0.42], color=SYNTHETIC, lw=1.6)
        axes.text(-0.04 * reach, y, shown_name(levels[i], 16), size=7.4, ha="right",
                  va="center_baseline")  # fmt: skip
    if len(order) > len(kept):
        axes.text(-0.04 * reach, len(kept), more(len(order) - len(kept)), size=7.4, color=MUTED,
                  ha="right", va="center_baseline", style="italic")  # fmt: skip
    axes.axvline(0, color=RULE, lw=0.8)
    axes.set(xlim=(0, reach * 1.03), ylim=(lines - 0.4, -0.55), xticks=[])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(labelcolor=INK)
