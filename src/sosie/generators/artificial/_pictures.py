"""Pictures of a model: its latent space, a path through it, what it drew, how it learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import ParameterError
from sosie.generators.artificial._volume import Volume

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from sosie.generators.artificial._geodesic import Geodesic
    from sosie.generators.artificial._metric import CentroidMetric

__all__ = ["curve_of", "grid_of", "map_of", "path_of", "saved"]

_INK, _MUTED, _RULE, _ACCENT = "#1c2430", "#55606d", "#c9cfd6", "#5145b0"
_COLOURS = (
    "#5145b0", "#e07a3f", "#2f8f83", "#c0406a", "#3d7cc9",
    "#8a9a2b", "#9a5fb8", "#b58a1c", "#4b5563", "#d95f9c",
)  # fmt: skip
_STYLE: Any = {
    "font.size": 9,
    "axes.linewidth": 0.6,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _MUTED,
    "axes.titlecolor": _INK,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "text.color": _INK,
    "text.parse_math": False,  # a label may be named a$b$
}
_CELLS = 160
"""Points along each side of the map."""

_LISTED = 10
"""Labels that get a colour and a name."""


def map_of(
    mean: ArrayLike,
    metric: CentroidMetric,
    labels: Sequence[Any] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw persons in the latent space, on the volume element of its metric.

    With more than two dimensions, on the plane of the two widest directions through the
    middle; the volume is that of the metric at the points of the plane itself.

    Parameters
    ----------
    mean : array of shape (n, d)
        Means of the posteriors of persons.
    metric : CentroidMetric
    labels : sequence of n, optional
        What colours them: numbers of more than ten values by a scale, all else by a colour each.
        None, and NaN, where it is missing.
    title : str, optional
        Of the legend.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    at = np.asarray(mean, np.float64)
    figure, axes = _sheet(6.0, 5.2)
    plane = _Plane(at)
    _volume(axes, metric, plane, plane.along(at))
    _persons(axes, plane.along(at), labels, title)
    _dressed(axes, plane)
    _legend(axes, title)
    return figure


def path_of(
    mean: ArrayLike,
    metric: CentroidMetric,
    path: Geodesic,
    labels: Sequence[Any] | None = None,
    names: tuple[str, str] = ("geodesic", "straight line"),
    title: str | None = None,
) -> Figure:
    """Draw a geodesic between two persons against the straight line, on the volume element.

    Parameters
    ----------
    mean, metric, labels, title
        As for :func:`map_of`.
    path : Geodesic
    names : tuple of str
        Of the two lines in the legend, before their lengths.
    """
    at, points = np.asarray(mean, np.float64), np.asarray(path.points, np.float64)
    figure, axes = _sheet(6.0, 5.2)
    # The plane of the path: its ends, and the direction in which it bends the most.
    plane = _Plane(at, points)
    _volume(axes, metric, plane, plane.along(at))
    _persons(axes, plane.along(at), labels, title, faint=True)
    way = plane.along(points)
    said = [
        f"{name}: {value:.1f}"
        for name, value in zip(names, (path.length, path.straight), strict=True)
    ]
    axes.plot(*way[[0, -1]].T, color=_INK, lw=1.3, ls=(0, (4, 3)), label=said[1], zorder=5)
    axes.plot(*way.T, color=_ACCENT, lw=2.4, label=said[0], zorder=6)
    axes.plot(*way[[0, -1]].T, "o", ms=8, mfc="white", mec=_INK, mew=1.4, zorder=7)
    _dressed(axes, plane)
    _legend(axes, title)
    return figure


def grid_of(
    original: ArrayLike,
    drawn: ArrayLike,
    *,
    rows: int = 8,
    columns: int = 8,
    titles: tuple[str, str] = ("Original", "Artificial"),
) -> Figure:
    """Draw artificial images beside originals.

    Parameters
    ----------
    original, drawn : array of shape (n, h, w) or (n, h, w, colours)
        The first ``rows`` times ``columns`` are shown.
    rows, columns : int
    titles : tuple of str
    """
    figure, _ = _sheet(7.4, 7.4 / 2 * rows / columns + 0.35, bare=True)
    halves = figure.subplots(1, 2)
    for axes, images, title in zip(halves, (original, drawn), titles, strict=True):
        sheet = _mosaic(np.asarray(images), rows, columns)
        axes.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title, loc="left", fontsize=10, color=_INK)
        axes.set_axis_off()
    return figure


def curve_of(
    history: Sequence[float], names: tuple[str, str] = ("epoch", "held-out bound, nats")
) -> Figure:
    """Draw the held-out bound over the epochs, and the epoch that was kept."""
    figure, axes = _sheet(6.0, 3.4)
    values = np.asarray(history, float)
    best = int(values.argmax())
    axes.plot(values, color=_ACCENT, lw=1.8)
    axes.plot(best, values[best], "o", ms=7, mfc="white", mec=_ACCENT, mew=1.6, zorder=3)
    axes.annotate(
        f"{values[best]:.1f}", (best, values[best]), (0, 9), textcoords="offset points",
        ha="center", color=_INK,
    )  # fmt: skip
    spread = max(values[best] - values[0], np.ptp(values[best:]), 1e-9)
    low = max(values.min(), values[best] - 1.2 * spread)
    axes.set_ylim(low - 0.05 * spread, values[best] + 0.2 * spread)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.grid(axis="y", color=_RULE, lw=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def saved(figure: Figure, path: Path, *, private: bool = False) -> None:
    """Write a figure as PNG, whole or absent; for its owner only where it shows persons."""
    from sosie.table import whole_file

    with whole_file(path, private=private) as out:
        figure.savefig(out, format="png", dpi=200, bbox_inches="tight", metadata={"Software": None})


class _Plane:
    """A plane of the latent space: the widest two directions, or those of a path."""

    def __init__(self, at: NDArray[np.float64], way: NDArray[np.float64] | None = None) -> None:
        d = at.shape[1]
        self.whole = d == 2
        if d == 1:
            at = np.hstack([at, np.zeros_like(at)])
            self.middle, self.axes = np.zeros(1), np.array([[1.0], [0.0]])
            return
        if d == 2:
            self.middle, self.axes = np.zeros(2), np.eye(2)
            return
        self.middle = at.mean(0) if way is None else way.mean(0)
        widest = np.linalg.svd(at - at.mean(0), full_matrices=False)[2]
        first, second = widest[:2]
        if way is not None:
            first = (way[-1] - way[0]) / max(float(np.linalg.norm(way[-1] - way[0])), 1e-12)
            bend = way - way.mean(0)
            bend = bend - np.outer(bend @ first, first)
            second = np.linalg.svd(bend, full_matrices=False)[2][0]
            if np.abs(bend).max() < 1e-6:
                second = widest[0]
        second = second - (second @ first) * first
        self.axes = np.stack([first, second / max(float(np.linalg.norm(second)), 1e-12)])

    def along(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return (points - self.middle) @ self.axes.T

    def points(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.middle + places @ self.axes


def _volume(axes: Axes, metric: CentroidMetric, plane: _Plane, at: NDArray[np.float64]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    low, high = at.min(0), at.max(0)
    pad = 0.12 * np.maximum(high - low, 1e-6).max()
    low, high = low - pad, high + pad
    ticks = [np.linspace(a, b, _CELLS) for a, b in zip(low, high, strict=True)]
    places = np.stack([one.ravel() for one in np.meshgrid(*ticks)], 1)
    log_volume = Volume(metric).log_volume(plane.points(places))[0].reshape(_CELLS, _CELLS)
    shades = LinearSegmentedColormap.from_list("", ["#ffffff", "#e9e6f6", "#c9c2ea", "#a79ddb"])
    axes.imshow(
        log_volume, extent=(low[0], high[0], low[1], high[1]), origin="lower", cmap=shades,
        aspect="auto", interpolation="bilinear", zorder=0,
    )  # fmt: skip


def _persons(
    axes: Axes,
    at: NDArray[np.float64],
    labels: Sequence[Any] | None,
    title: str | None,
    *,
    faint: bool = False,
) -> None:
    look: Any = {"s": 20, "lw": 0.4, "edgecolors": "white", "alpha": 0.9}
    if faint:
        look |= {"s": 14, "alpha": 0.55}
    if labels is None or len(set(map(str, labels))) < 2:
        axes.scatter(*at.T, color=_INK, zorder=3, **look)
        return
    values = np.asarray(labels)
    if values.dtype.kind == "f" and len(np.unique(values[np.isfinite(values)])) > _LISTED:
        known = np.isfinite(values)
        axes.scatter(*at[~known].T, color=_RULE, zorder=2, **look)
        low, high = np.quantile(values[known], (0.05, 0.95))  # a long tail would dim the others
        look |= {"c": values[known], "cmap": "viridis", "vmin": low, "vmax": high}
        dots = axes.scatter(*at[known].T, zorder=3, **look)
        bar = axes.figure.colorbar(dots, ax=axes, shrink=0.6, aspect=18, extend="both")
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
        bar.set_label(title or "")
        return
    given = np.array([_spelt(label) for label in labels])
    names, counts = np.unique(given, return_counts=True)
    most = set(names[np.argsort(-counts, kind="stable")][:_LISTED])
    shown = [name for name in names if name in most]
    axes.scatter(*at[~np.isin(given, shown)].T, color=_RULE, zorder=2, **look)
    for name, colour in zip(shown, _COLOURS, strict=False):
        axes.scatter(*at[given == name].T, color=colour, label=name, zorder=3, **look)


def _spelt(label: Any) -> str:
    if label is None or label != label:
        return "–"
    return f"{label:g}" if isinstance(label, float) else str(label)


def _legend(axes: Axes, title: str | None) -> None:
    handles, names = axes.get_legend_handles_labels()
    if names:
        order = np.argsort([not hasattr(one, "get_linestyle") for one in handles], kind="stable")
        axes.figure.legend(  # the figure makes room for it, whoever saves it
            [handles[i] for i in order], [names[i] for i in order], frameon=False, title=title,
            loc="outside right center", fontsize=8.5, title_fontsize=8.5, labelcolor=_INK,
        )  # fmt: skip


def _dressed(axes: Axes, plane: _Plane) -> None:
    axes.set_aspect("equal", adjustable="box")
    names = ("$z_1$", "$z_2$") if plane.whole else ("first direction", "second direction")
    axes.set_xlabel(names[0], parse_math=True)
    axes.set_ylabel(names[1], parse_math=True)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _mosaic(images: NDArray[Any], rows: int, columns: int) -> NDArray[np.float64]:
    if len(images) < 1:
        raise ParameterError("There are no images to show.")
    values = images / 255 if images.dtype == np.uint8 else images
    h, w = values.shape[1:3]
    gap = max(h // 14, 1)
    sheet = np.ones((rows * (h + gap) - gap, columns * (w + gap) - gap, *values.shape[3:]))
    for i, image in enumerate(values[: rows * columns]):
        y, x = i // columns * (h + gap), i % columns * (w + gap)
        sheet[y : y + h, x : x + w] = image
    return sheet[..., 0] if sheet.ndim == 3 and sheet.shape[2] == 1 else sheet


def _sheet(width: float, height: float, *, bare: bool = False) -> tuple[Figure, Any]:
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ParameterError("Pictures need matplotlib: pip install 'sosie[plot]'.") from None
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, None if bare else figure.subplots()
