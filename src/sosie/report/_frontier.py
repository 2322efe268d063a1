"""What settings keep against what they leak: one point a setting, as a PNG."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sosie.report._canvas import INK, MUTED, RULE
from sosie.report._marks import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Box = tuple[float, float, float, float]

__all__ = ["frontier"]

_SHAPES = {"pass": "o", "attention": "^", "fail": "s"}
_SIZES = {"pass": 7.0, "attention": 7.5, "fail": 6.3}
_AXES = ("k", "ncp", "cw", "kernel")
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.parse_math": False,  # a column may be named a$b$
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
}
_LONGEST = 34
"""Letters of a label."""


def frontier(
    rows: Sequence[dict[str, Any]],
    best: dict[str, Any] | None,
    words: dict[str, Any],
    write: Callable[[float], str],
) -> bytes:
    """Draw F1 and AUC against the AUC of membership.

    Parameters
    ----------
    rows : list of dict
        Of a tuning; the original first.
    best : dict or None
        The row that was chosen, ringed.
    words : dict
        ``title``, ``f1``, ``auc``, ``member``, ``guess``, ``original``, ``chosen``,
        ``labels`` (how a point is named, and by what, where ``{names}`` stands), ``names`` of
        what varies and ``verdicts``.
    write : callable
        How a number is written.

    Returns
    -------
    bytes
        A PNG.

    Examples
    --------
    >>> row = {"k": 5, "cw": "1", "ncp": 5, "kernel": "gibbs", "verdict": "pass", "f1": 0.5}
    >>> row |= {"auc": 0.7, "member_auc": 0.52, "f1_sd": None, "auc_sd": None}
    >>> row["member_auc_sd"] = None
    >>> words = dict.fromkeys(["title", "f1", "auc", "member", "guess", "original"], "")
    >>> words |= {"chosen": "", "labels": "", "names": {}, "verdicts": {"pass": ""}}
    >>> frontier([row | {"member_auc": None}, row], row, words, str)[1:4].decode()
    'PNG'
    """
    original, settings = rows[0], list(rows[1:])
    varied = [axis for axis in _AXES if len({row[axis] for row in settings}) > 1] or ["k"]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11, 5.8), dpi=160)
        canvas: Any = FigureCanvasAgg(figure)
        panels = figure.subplots(1, 2, sharex=True)
        figure.subplots_adjust(left=0.07, right=0.985, bottom=0.115, top=0.80, wspace=0.17)
        figure.text(0.07, 0.945, words["title"], size=13, weight="bold", va="center")
        named = ", ".join(words["names"].get(axis, axis) for axis in varied)
        figure.text(
            0.07, 0.893, words["labels"].format(names=named), size=9, color=MUTED, va="center"
        )
        _key(figure, {str(row["verdict"]) for row in settings}, best is not None, words)
        for axes, name in zip(panels, ("f1", "auc"), strict=True):
            _panel(axes, name, original, settings, best, words, write)
        canvas.draw()  # places of texts are known from here on
        for axes, name in zip(panels, ("f1", "auc"), strict=True):
            _label(axes, name, original, settings, varied, canvas.get_renderer())
        sheet = io.BytesIO()
        canvas.print_png(sheet, metadata={"Software": None})
    return sheet.getvalue()


def _panel(
    axes: Any,
    name: str,
    original: dict[str, Any],
    settings: list[dict[str, Any]],
    best: dict[str, Any] | None,
    words: dict[str, Any],
    write: Callable[[float], str],
) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=3, width=0.8, labelsize=8.5)

    def _told(measure: str) -> str:
        spread = _spread(settings, measure)
        return f"  (± {write(round(spread, 3))})" if spread else ""

    axes.set_title(words[name] + _told(name), size=10, loc="left", color=INK, pad=8)
    axes.set_xlabel(words["member"] + _told("member_auc"), size=9)
    for line in (axes.xaxis, axes.yaxis):
        line.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        line.set_major_formatter(FuncFormatter(lambda value, _: write(round(value, 4))))
    across = [row["member_auc"] for row in settings]
    up = [row[name] for row in settings]
    for row, x, y in zip(settings, across, up, strict=True):
        verdict = str(row["verdict"])
        axes.plot([x], [y], linestyle="none", zorder=3, **_mark(verdict))
        if row is best:
            axes.plot([x], [y], linestyle="none", zorder=2, **_RING)
    left, right = min(0.5, *across), max(0.52, *across)
    axes.set_xlim(left - 0.05 * (right - left), right + 0.12 * (right - left))
    low, top = min(original[name], *up), max(original[name], *up)
    room = max(0.1 * (top - low), 0.005)
    axes.set_ylim(low - 1.5 * room, top + room)
    axes.axhline(original[name], color=INK, lw=1.1, zorder=0.9)
    axes.axvline(0.5, color=MUTED, lw=0.9, ls=(0, (2, 3)), zorder=0.9)
    said = f"{words['original']} {write(round(original[name], 3))}"
    axes.annotate(
        said,
        (0.5, original[name]),
        xytext=(3, 3),
        textcoords="offset points",
        size=8.5,
    )
    axes.annotate(
        words["guess"],
        (0.5, 0),
        xycoords=("data", "axes fraction"),
        xytext=(3, 4),
        textcoords="offset points",
        size=8,
        color=MUTED,
    )


def _spread(settings: list[dict[str, Any]], name: str) -> float:
    """Give the standard deviation over splits of a setting in the middle."""
    known = [row[f"{name}_sd"] for row in settings if row[f"{name}_sd"] is not None]
    return float(np.median(known or [0]))


_RING: Any = {
    "marker": "o",
    "markersize": 13,
    "markerfacecolor": "none",
    "markeredgecolor": INK,
    "markeredgewidth": 1.4,
}


def _mark(verdict: str) -> Any:
    return {
        "marker": _SHAPES.get(verdict, "D"),
        "markersize": _SIZES.get(verdict, 6.0),
        "color": COLOURS.get(verdict, INK),
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
    }


def _key(figure: Figure, verdicts: set[str], chosen: bool, words: dict[str, Any]) -> None:
    handles = [
        Line2D([], [], linestyle="none", label=words["verdicts"][verdict], **_mark(verdict))
        for verdict in _SHAPES
        if verdict in verdicts
    ]
    if chosen:
        ring = {**_RING, "markersize": 9}
        handles.append(Line2D([], [], linestyle="none", label=words["chosen"], **ring))
    figure.legend(
        handles=handles,
        loc="center right",
        bbox_to_anchor=(0.99, 0.893),
        ncols=len(handles),
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.4,
        fontsize=9,
    )


def _label(
    axes: Any,
    name: str,
    original: dict[str, Any],
    settings: list[dict[str, Any]],
    varied: list[str],
    renderer: Any,
) -> None:
    """Name each point, where its name covers no mark and no other name if there is room."""
    at = axes.transData.transform([(row["member_auc"], row[name]) for row in settings])
    scale = renderer.points_to_pixels(1.0)
    half = 5 * scale
    taken: list[Box] = [(x - half, y - half, x + half, y + half) for x, y in at]
    taken += [text.get_window_extent(renderer).extents for text in axes.texts]
    frame = axes.get_window_extent(renderer).extents
    line = float(axes.transData.transform((0, original[name]))[1])
    taken.append((frame[0], line - scale, frame[2], line + scale))
    # The most crowded first: they have the fewest places to go.
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    for i in np.argsort(np.sort(apart, axis=1)[:, : min(4, len(at))].sum(axis=1), kind="stable"):
        together = np.flatnonzero(apart[i] < 1)  # points that fall on one another
        if together[0] != i:
            continue
        words = " = ".join(_named(settings[j], varied) for j in together)
        text = axes.annotate(
            words, at[i], xycoords="figure pixels", annotation_clip=False, size=7.6, color=INK
        )
        drawn = text.get_window_extent(renderer)
        width, height = drawn.width, drawn.height
        place, box, near = _free(at[i], width, height, taken, frame, scale)
        text.xyann = place
        taken.append(box)
        if not near:
            start = (
                (box[0] if at[i][0] < box[0] else min(at[i][0], box[2])),
                (box[1] if at[i][1] < box[1] else min(at[i][1], box[3])),
            )
            ends = axes.transData.inverted().transform([at[i], start])
            axes.plot(*ends.T, color=MUTED, lw=0.5, zorder=1.5, scalex=False, scaley=False)


def _named(row: dict[str, Any], varied: list[str]) -> str:
    words = " · ".join(str(row[axis]) for axis in varied)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _free(
    point: Any, width: float, height: float, taken: list[Box], frame: Any, scale: float
) -> tuple[tuple[float, float], Box, bool]:
    """Find the nearest place beside a point that covers least of what is there."""
    found, least = None, math.inf
    for ring, radius in enumerate((8, 16, 26, 38, 52)):
        for turn in (0, 4, 12, 8, 2, 14, 6, 10, 1, 15, 3, 13, 5, 11, 7, 9):
            angle = turn * math.pi / 8
            x = point[0] + radius * scale * math.cos(angle)
            y = point[1] + radius * scale * math.sin(angle)
            left = x - width * (1 - math.cos(angle)) / 2
            bottom = y - height * (1 - math.sin(angle)) / 2
            box = (left, bottom, left + width, bottom + height)
            covered = sum(_shared(box, other) for other in taken)
            inside = _shared(box, tuple(frame))
            covered += 2 * (width * height - inside) + 1e-3 * ring
            if covered < least - 1e-9:
                found, least = ((left, bottom), box, ring == 0), covered
        if found is not None and least < 0.1:
            break
    assert found is not None
    return found


def _shared(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)
