"""The figures of the annexes, each a function from aggregates to SVG text."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from sosie.report._canvas import INK, MARKS, MUTED, PALE, RULE, SYNTHETIC, WIDTH, drawn, key, quiet
from sosie.report._format import shown_name
from sosie.report._marks import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

__all__ = ["boxes", "curves", "density_maps", "difference_map", "dots", "forest", "histogram"]

_DENSITY = LinearSegmentedColormap.from_list(
    "density", ["#f4f3fa", "#b9b3dd", "#6a5fc0", "#2a2069"]
)
_CHANGE = LinearSegmentedColormap.from_list(
    "change", ["#8a4b08", "#dd9f54", "#ffffff", "#8f86cf", "#3c2f94"]
)  # orange to violet: apart for every kind of colour vision


def dots(
    rows: Sequence[dict[str, Any]],
    words: dict[str, str],
    write: Callable[[float, float], str],
    *,
    title: str = "",
    target: float | None = None,
    target_word: str = "",
) -> str:
    """Draw one line a row, with a dot for each series and the interval of the first.

    Parameters
    ----------
    rows : list of dict
        ``label``, values by series (a key of ``words``), and maybe ``ci`` and ``verdict``.
    words : dict
        Names of the series, in the order of the key; one alone has no key.
    write : callable
        How a value is written.
    title : str
        Of the axis.
    target : float, optional
        Drawn as an upright line.
    """
    step, top = 0.2, 0.34 if len(words) > 1 or target is not None else 0.12
    height = top + step * len(rows) + 0.37
    longest = max((len(row["label"]) for row in rows), default=0)
    left = min(0.35 + 0.058 * longest, 2.9)

    def draw(figure: Figure) -> None:
        axes = figure.add_axes(
            (left / WIDTH, 0.37 / height, 1 - (left + 0.25) / WIDTH, step * len(rows) / height)
        )
        quiet(axes, "bottom")
        for y, row in enumerate(rows):
            if row.get("ci"):
                colour = COLOURS.get(row.get("verdict", ""), INK)
                axes.plot(row["ci"], [y, y], color=colour, lw=1.8, solid_capstyle="round", zorder=2)
                dot = {**MARKS["original"], "color": colour}
                axes.plot([row["original"]], [y], linestyle="none", clip_on=False, **dot)
        plain = [(y, row) for y, row in enumerate(rows) if not row.get("ci")]
        for kind in words:
            there = [(row[kind], y) for y, row in plain if row.get(kind) is not None]
            if there:
                axes.plot(*zip(*there, strict=True), linestyle="none", clip_on=False, **MARKS[kind])
        across = axes.get_yaxis_transform()
        axes.hlines(range(len(rows)), 0, 1, color="#eceff2", lw=0.7, zorder=0, transform=across)
        if target is not None:
            axes.axvline(target, color=INK, lw=0.9, zorder=1)
            axes.text(target, -0.95, target_word, size=8, ha="center", va="center_baseline")
        low, high = axes.get_xlim()
        if low > 0:
            axes.set_xlim(left=0)
        if axes.get_xlim()[0] < 0 < high:
            axes.axvline(0, color=RULE, lw=0.8, zorder=0)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
        axes.tick_params(axis="y", labelsize=8.2, labelcolor=INK)
        _axis(axes.xaxis, write, 6)
        axes.set_xlabel(title, size=8, labelpad=2)
        if len(words) > 1:
            key(figure, words.items(), left, 0.14)

    return drawn(height, draw)


def curves(
    roc: dict[str, Any] | None,
    histograms: dict[str, Any] | None,
    words: dict[str, str],
    write: Callable[[float, float], str],
    tick: Callable[[float, float], str],
) -> str:
    """Draw a receiver operating curve, and distributions on one axis, side by side."""
    both = roc is not None and histograms is not None
    height = 2.45

    def draw(figure: Figure) -> None:
        if roc is not None:
            axes = figure.add_axes((0.08, 0.19, 0.29, 0.77))
            quiet(axes, "left", "bottom")
            axes.plot([0, 1], [0, 1], color=RULE, lw=0.9)
            axes.text(0.62, 0.55, words["coin"], size=7.8, color=MUTED, va="top")
            axes.plot(roc["fpr"], roc["tpr"], color=SYNTHETIC, lw=1.6)
            axes.set(xlim=(0, 1), ylim=(0, 1.01))
            _axis(axes.xaxis, write, 4)
            _axis(axes.yaxis, write, 4)
            axes.set_xlabel(words["false_alarms"], size=8, labelpad=2)
            axes.set_ylabel(words["members_found"], size=8, labelpad=2)
        if histograms is not None:
            place = (0.47, 0.19, 0.5, 0.77) if both else (0.09, 0.19, 0.86, 0.77)
            _steps(figure.add_axes(place), histograms, words, write, tick)

    return drawn(height, draw)


def histogram(
    data: dict[str, Any],
    words: dict[str, str],
    write: Callable[[float, float], str],
    tick: Callable[[float, float], str],
) -> str:
    """Draw distributions on one axis: the first as an area, the second as a line."""
    return drawn(
        2.1,
        lambda figure: _steps(figure.add_axes((0.08, 0.21, 0.87, 0.74)), data, words, write, tick),
    )


def difference_map(
    names: Sequence[str],
    original: Sequence[Sequence[float | None]],
    synthetic: Sequence[Sequence[float | None]],
    words: dict[str, str],
    brief: Callable[[float], str],
) -> str:
    """Draw the lower triangle of the differences of association, one square a pair."""
    p = len(names)
    gaps = [[_minus(synthetic[i][j], original[i][j]) for j in range(p)] for i in range(p)]
    largest = max(
        (abs(gaps[i][j]) for i in range(p) for j in range(i) if not math.isnan(gaps[i][j])),
        default=0.0,
    )
    reach = max(largest, 0.1)
    labels = [shown_name(name, 26) for name in names]
    left = min(0.3 + 0.056 * max(map(len, labels)), 1.8)
    side = min(WIDTH - left - 0.3, 0.24 * p + 0.4)
    below = left * 0.95
    height = side + below + 0.1
    size = min(8.0, 66 * side / p)

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((left / WIDTH, below / height, side / WIDTH, side / height))
        quiet(axes)
        grid = [[gaps[i][j] if j < i else math.nan for j in range(p)] for i in range(p)]
        _mosaic(axes, range(p + 1), range(p + 1), grid, _CHANGE, (-reach, reach), gap=0.04)
        axes.set(xlim=(0, p - 1 or 1), ylim=(p, 1))
        axes.set_xticks([j + 0.5 for j in range(p - 1)], labels[:-1], rotation=90)
        axes.set_yticks([i + 0.5 for i in range(1, p)], labels[1:])
        axes.tick_params(labelsize=size, labelcolor=INK)
        scale = figure.add_axes(
            ((left + side * 0.6) / WIDTH, 1 - 0.62 / height, side * 0.36 / WIDTH, 0.1 / height)
        )
        quiet(scale)
        ramp = [[-reach + 2 * reach * t / 40 for t in range(41)]]
        _mosaic(scale, range(42), (0, 1), ramp, _CHANGE, (-reach, reach))
        scale.set(xlim=(0, 41), ylim=(0, 1))
        scale.set_xticks([0.5, 20.5, 40.5], [brief(-reach), "0", "+" + brief(reach)])
        scale.set_yticks([])
        scale.tick_params(axis="x", labelsize=7.8)
        scale.text(20.5, 3.5, words["stronger"], size=8, color="#3c2f94", ha="center")
        scale.text(20.5, 1.6, words["weaker"], size=8, color="#8a4b08", ha="center")

    return drawn(height, draw)


def density_maps(detail: dict[str, Any], words: dict[str, str]) -> str:
    """Draw two densities over the same plane, on one scale of colour."""
    kinds = ("original", "synthetic")
    grids = {k: [[v if v else math.nan for v in row] for row in detail[k]] for k in kinds}
    # share[i][j] is of bin i of x and bin j of y, as numpy.histogram2d gives it
    highest = max((v for grid in grids.values() for row in grid for v in row if v > 0), default=1)

    def draw(figure: Figure) -> None:
        for column, kind in enumerate(kinds):
            axes = figure.add_axes((0.075 + 0.48 * column, 0.14, 0.44, 0.76))
            quiet(axes, "left", "bottom")
            turned = [list(line) for line in zip(*grids[kind], strict=True)]
            _mosaic(axes, detail["x"], detail["y"], turned, _DENSITY, (0, highest))
            axes.set(xlim=(detail["x"][0], detail["x"][-1]), ylim=(detail["y"][0], detail["y"][-1]))
            axes.set_title(words[kind], size=9, loc="left", pad=4)
            axes.set_xlabel(words["x"], size=8, labelpad=2)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.yaxis.set_major_locator(MaxNLocator(5))
            if column:
                axes.set_yticklabels([])
            else:
                axes.set_ylabel(words["y"], size=8, labelpad=2)

    return drawn(3.2, draw)


def forest(
    rows: Sequence[dict[str, Any]], words: dict[str, str], brief: Callable[[float], str]
) -> str:
    """Draw estimates of the original above those of the synthetic table, each row to scale."""
    step, top = 0.32, 0.32
    height = top + step * len(rows) + 0.08
    longest = max(len(row["label"]) for row in rows)
    left, right = min(0.2 + 0.06 * longest, 2.6), 1.35

    def draw(figure: Figure) -> None:
        axes = figure.add_axes(
            (left / WIDTH, 0.08 / height, 1 - (left + right) / WIDTH, step * len(rows) / height)
        )
        quiet(axes)
        for y, row in enumerate(rows):
            axes.axhline(y + 0.5, color="#e6e9ed", lw=0.6)
            ends = [row[k][end] for k in ("original", "synthetic") for end in ("low", "high")]
            ends += [row[k]["estimate"] for k in ("original", "synthetic")]
            ends = [end for end in ends if end is not None]
            if not ends:
                continue
            null = row.get("null")
            low, high = min(ends), max(ends)
            if null is not None and low - (high - low) < null < high + (high - low):
                low, high = min(low, null), max(high, null)
            span = (high - low) or 1.0
            if null is not None and low <= null <= high:
                x = (null - low) / span
                axes.plot([x, x], [y - 0.38, y + 0.38], color=MUTED, lw=0.7, ls=(0, (2, 2)))
            for kind, shift in (("original", -0.15), ("synthetic", 0.15)):
                one = row[kind]
                if one["estimate"] is None:
                    continue
                colour = MARKS[kind]["color"]
                if one["low"] is not None and one["high"] is not None:
                    bar = [(one["low"] - low) / span, (one["high"] - low) / span]
                    axes.plot(bar, [y + shift] * 2, color=colour, lw=1.7, solid_capstyle="round")
                x = (one["estimate"] - low) / span
                axes.plot([x], [y + shift], "o", color=colour, ms=4.8, clip_on=False)
                text = brief(one["estimate"])
                axes.text(
                    1.06,
                    y + shift,
                    text,
                    size=7.8,
                    color=colour,
                    va="center_baseline",
                    clip_on=False,
                )
        axes.set(xlim=(-0.03, 1.03), ylim=(len(rows) - 0.5, -0.5), xticks=[])
        axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
        axes.tick_params(axis="y", labelsize=8.2, labelcolor=INK)
        for y, row in enumerate(rows):
            axes.text(
                1.42, y, row["note"], size=8, color=MUTED, va="center_baseline", ha="right",
                clip_on=False,
            )  # fmt: skip
        axes.text(
            1.42, -0.8, words["overlap"], size=8, color=MUTED, ha="right", va="center_baseline",
            clip_on=False,
        )  # fmt: skip
        key(figure, [(k, words[k]) for k in ("original", "synthetic")], left, 0.14)

    return drawn(height, draw)


def boxes(
    groups: Sequence[tuple[str, str, str, Sequence[float]]],
    title: str,
    tick: Callable[[float, float], str],
) -> str:
    """Draw one box a group: kind, name, word of its median, and the numbers."""

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.27, 0.27, 0.6, 0.68))
        quiet(axes, "bottom")
        for y, (kind, _, word, numbers) in enumerate(groups):
            colour = MARKS[kind]["color"]
            box = axes.boxplot(
                [list(numbers)], positions=[y], vert=None, orientation="horizontal", widths=0.42,
                whis=(5, 95), showfliers=False, patch_artist=True,
                boxprops={"facecolor": PALE if kind == "original" else "#cfcbea",
                          "edgecolor": colour, "linewidth": 0.8},
                whiskerprops={"color": colour, "linewidth": 0.9}, capprops={"linewidth": 0},
                medianprops={"color": colour, "linewidth": 2},
            )  # fmt: skip
            middle = float(box["medians"][0].get_xdata()[0])
            axes.text(middle, y - 0.36, word, size=8, color=colour, ha="center")
        axes.set_ylim(len(groups) - 0.5, -0.75)
        axes.set_yticks(range(len(groups)), [name for _, name, _, _ in groups])
        axes.tick_params(axis="y", labelsize=8.5, labelcolor=INK)
        _axis(axes.xaxis, tick, 6)
        axes.set_xlabel(title, size=8, labelpad=2)

    return drawn(1.55, draw)


def _steps(
    axes: Any,
    data: dict[str, Any],
    words: dict[str, str],
    write: Callable[[float, float], str],
    tick: Callable[[float, float], str],
) -> None:
    quiet(axes, "left", "bottom")
    edges, marked = data["edges"], None
    wide = [b - a for a, b in pairwise(edges)]
    if max(wide) > 1.5 * min(wide):  # unequal bins stand side by side, each under its ends
        edges, marked = list(range(len(edges))), [tick(edge, min(wide)) for edge in edges]
    places = []
    for kind in ("original", "control"):
        shares = data.get(kind)
        if not shares:
            continue
        numbers = [math.nan if v is None else v for v in shares]
        if kind == "original":
            axes.stairs(numbers, edges, fill=True, color=PALE)
            axes.stairs(numbers, edges, color=INK, lw=0.9, baseline=None)
        else:
            axes.stairs(numbers, edges, color="#7f8a96", lw=1.2, ls=(0, (3, 1.5)), baseline=None)
        places.append(kind)
    axes.set_ylim(bottom=0)
    axes.set_xlim(edges[0], edges[-1])
    if marked:
        axes.set_xticks(edges, marked)
    else:
        _axis(axes.xaxis, tick, 6)
    _axis(axes.yaxis, write, 4)
    axes.set_xlabel(words["x"], size=8, labelpad=2)
    axes.set_ylabel(words["y"], size=8, labelpad=2)
    if len(places) > 1:
        axes.text(0.98, 0.95, words["original"], size=8.2, ha="right", va="top",
                  transform=axes.transAxes)  # fmt: skip
        axes.text(0.98, 0.85, "- - " + words["control"], size=8.2, color="#66717e", ha="right",
                  va="top", transform=axes.transAxes)  # fmt: skip


def _mosaic(
    axes: Any,
    x: Sequence[float],
    y: Sequence[float],
    grid: Sequence[Sequence[float]],
    colours: LinearSegmentedColormap,
    reach: tuple[float, float],
    gap: float = 0.0,
) -> None:
    """Colour the cells of a grid in 25 steps, all cells of one step in one path.

    A path a cell would be ten times larger, and would let the page show through its seams.
    """
    steps = 25
    cells: dict[int, list[Path]] = {}
    for i, row in enumerate(grid):
        for j, value in enumerate(row):
            if math.isnan(value):
                continue
            place = (value - reach[0]) / ((reach[1] - reach[0]) or 1)
            left, right, low, high = x[j], x[j + 1], y[i], y[i + 1]
            corners = np.array(
                [[left, low], [right, low], [right, high], [left, high], [left, low]]
            )
            corners = corners + gap * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1], [1, 1]])
            step = min(max(int(place * steps), 0), steps - 1)
            cells.setdefault(step, []).append(Path(corners, closed=True))
    for step, paths in sorted(cells.items()):
        colour = colours((step + 0.5) / steps)
        patch = PathPatch(Path.make_compound_path(*paths), facecolor=colour, lw=0)
        axes.add_artist(patch)  # not add_patch, which would measure it: the limits are given


def _axis(axis: Any, write: Callable[[float, float], str], most: int) -> None:
    low, high = sorted(axis.get_view_interval())
    places = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    step = float(places[1] - places[0])
    room = 1e-9 * (high - low)
    places = [float(x) for x in places if low - room <= x <= high + room]
    axis.set_ticks(places, [write(x, step) for x in places])


def _minus(a: float | None, b: float | None) -> float:
    return math.nan if a is None or b is None else a - b
