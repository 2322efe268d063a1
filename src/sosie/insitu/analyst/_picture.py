"""The picture of an answer: coefficients with their intervals, curves, or bars."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError
from sosie.table import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sosie.insitu.analyst._answer import Answer

__all__ = ["draw", "drawn"]

_PAPER, _INK, _FAINT, _BLUE, _RED = "#fcfbf8", "#23262d", "#8b8f98", "#2d7f9d", "#d1583a"
_COLOURS = (_BLUE, _RED, "#6b8f3c", "#8a5a9e", "#b98a2e", "#4a4f5a")


def draw(answer: Answer, path: str | Path) -> None:
    """Draw an answer into a PNG file.

    Raises
    ------
    ParameterError
        If its analysis has no picture.
    """
    data = drawn(answer)
    if data is None:
        raise ParameterError(f"There is no picture of {answer.analysis}.")
    with whole_file(Path(path)) as file:
        file.write(data)


def drawn(answer: Answer) -> bytes | None:
    """Draw an answer; None where its analysis has no picture."""
    shown = [
        how
        for name, needed, how in _PICTURES
        if name in answer.tables and needed <= set(answer.content["result"][name][0])
    ]
    if not shown:
        return None
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.family": "DejaVu Sans", "text.color": _INK}):
        rows = answer.content["result"]
        figure = Figure(figsize=(7.2, 4.2), dpi=130, facecolor=_PAPER, layout="constrained")
        axes = figure.subplots()
        axes.set_facecolor(_PAPER)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_INK, labelsize=9)
        shown[0](axes, rows)
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _terms(axes: Axes, rows: dict[str, Any]) -> None:
    told = [one for one in rows["terms"] if one["term"] != "Intercept"] or rows["terms"]
    # In standard errors, so that terms of different units can be seen side by side.
    for place, one in enumerate(reversed(told)):
        z = one["estimate"] / one["se"] if one["se"] else 0.0
        known = one["ci"][0] > 0 or one["ci"][1] < 0
        colour = _BLUE if known else _FAINT
        axes.plot([z - 1.96, z + 1.96], [place, place], color=colour, lw=2.5)
        axes.plot([z], [place], "o", color=colour, ms=7)
        spelt = f"{one['estimate']:.3g}  [{one['ci'][0]:.3g}, {one['ci'][1]:.3g}]"
        axes.annotate(
            spelt, (z, place), (0, 8), textcoords="offset points", ha="center", fontsize=8
        )
    axes.axvline(0, color=_INK, lw=0.8)
    axes.set_yticks(range(len(told)), [one["term"] for one in reversed(told)])
    axes.set_ylim(-0.6, len(told) - 0.2)
    axes.set_xlabel("estimate / s.e.", fontsize=9, color=_FAINT)


def _curves(axes: Axes, rows: dict[str, Any]) -> None:
    # The column of groups is the one that comes before those of the curve.
    first = next(iter(rows["curve"][0]))
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in rows["curve"]:
        groups.setdefault("" if first == "time" else str(one[first]), []).append(one)
    # Between the ends of bins nothing is known: the points are joined by dots alone.
    step = max(one["time"] for one in rows["curve"]) / 120
    for place, (colour, (name, told)) in enumerate(zip(_COLOURS, groups.items(), strict=False)):
        times = [one["time"] + step * (place - (len(groups) - 1) / 2) for one in told]
        most, least = ([one[key] for one in told] for key in ("survival", "at_least"))
        ends = [one["ci"] or [one["survival"]] * 2 for one in told]
        axes.vlines(times, *zip(*ends, strict=True), color=colour, lw=1.2)
        axes.vlines(times, least, most, color=colour, lw=6, alpha=0.5)
        axes.plot([0, *times], [1.0, *most], ":o", color=colour, ms=4, lw=1.2, label=name)
    axes.set_ylim(0, 1.02)
    if len(groups) > 1:
        axes.legend(frameon=False, fontsize=9)


def _bars(axes: Axes, rows: dict[str, Any]) -> None:
    told = rows["cells"]
    names = [k for k in told[0] if k not in ("count", "expected", "share")]
    labels = ["\n".join(str(one[name]) for name in names) for one in told]
    axes.bar(range(len(told)), [one["count"] for one in told], color=_BLUE, width=0.7)
    for place, one in enumerate(told):
        axes.annotate(f"{one['count']:.0f}", (place, one["count"]), (0, 3),
                      textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set_xticks(range(len(told)), labels)
    axes.set_xlabel(" / ".join(names), fontsize=9, color=_FAINT)


def _histogram(axes: Axes, rows: dict[str, Any]) -> None:
    told = rows["bins"]
    edges = [one["to"] for one in told[:-1]]
    axes.set_yticks([])
    if not edges:  # one bin of everybody
        axes.bar([0], [told[0]["count"]], color=_FAINT)
        axes.set_xticks([])
        return
    # The outer bins have no end: as wide as their neighbour, in grey, without a tick.
    wide = [b - a for a, b in pairwise(edges)] or [1.0]
    ends = [edges[0] - wide[0], *edges, edges[-1] + wide[-1]]
    for one, low, high in zip(told, ends, ends[1:], strict=False):
        is_open = one["from"] is None or one["to"] is None
        axes.bar(low, one["count"] / (high - low), high - low, align="edge", edgecolor=_PAPER,
                 color=_FAINT if is_open else _BLUE)  # fmt: skip
        axes.annotate(f"{one['count']:.0f}", ((low + high) / 2, one["count"] / (high - low)),
                      (0, 3), textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set_xticks(edges, [f"{edge:g}" for edge in edges])


_PICTURES = (
    ("terms", {"estimate", "se", "ci"}, _terms),
    ("curve", {"survival"}, _curves),
    ("cells", {"count"}, _bars),
    ("bins", {"count"}, _histogram),
)
