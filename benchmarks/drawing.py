"""The picture of the frontier: what leaks across, what is distorted upwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from targets import TARGETS

mpl.use("Agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

INK, SOFT = "#1f2933", "#8a94a0"
LOOKS = {  # family: marker, colour, size
    "published file": ("D", "#c0392b", 90),
    "published": ("D", "#e8a49c", 60),
    "synthpop": ("s", "#6b7280", 60),
    "CTGAN": ("s", "#6b7280", 60),
    "gaussian": ("o", "#d99a2b", 50),
    "rotation": ("o", "#7a5ea8", 50),
    "gibbs": ("o", "#8fb8de", 28),
    "default": ("*", "#0b5fa5", 330),
}
NAMES = {
    "published file": "published avatars",
    "published": 'sosie kernel="published"',
    "gibbs": "gibbs, other k and factors",
    "default": "sosie, default",
}
PANELS = {  # measure: title, label of the axis, its range, the value when nothing is lost
    "detector_unseen": ("Told from unseen persons", "Detector AUC", (0.46, 1.03), 0.5),
    "hellinger": ("Distance of the margins", "Mean Hellinger distance", (-0.004, 0.122), 0.0),
}


def draw_frontier(found: pd.DataFrame, path: Path) -> None:
    """Draw the mean of every generator on two panels; the target area is shaded."""
    found = found.dropna(subset=["auc"])
    means = found.groupby(["family", "generator"], sort=False)[["auc", *PANELS]].mean()
    plt.rcParams.update({"font.family": "sans-serif", "font.size": 10, "text.color": INK})
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.4), layout="constrained")
    for axis, (measure, (title, label, *_)) in zip(axes, PANELS.items(), strict=True):
        _frame(axis, measure)
        for key, points in means.groupby(level="family", sort=False):
            family = str(key)
            marker, colour, size = LOOKS[family]
            axis.scatter(
                points["auc"], points[measure], size, colour, marker,
                edgecolor="white", linewidth=0.8, zorder=4 if family == "default" else 3,
                label=NAMES.get(family, family),
            )  # fmt: skip
        axis.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
        axis.set_ylabel(label)
        _name_points(axis, means, measure)
    figure.suptitle(
        "Lower left is better: less leaks, less is distorted  (ACTG175)",
        x=0.01, ha="left", fontsize=14, fontweight="bold",
    )  # fmt: skip
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=160, facecolor="white")
    plt.close(figure)


def _frame(axis: Any, measure: str) -> None:
    across, up = TARGETS["auc"].must, TARGETS[measure.removesuffix("_unseen")].must
    *_, span, nothing = PANELS[measure]
    axis.set_xlim(0.47, 0.75)
    axis.set_ylim(*span)
    axis.fill_between([0.47, across], -1, up, color="#e6f2ea", zorder=0)
    axis.annotate(
        "target", (0.47, up), (5, -4), textcoords="offset points",
        ha="left", va="top", color="#4c8a63", fontsize=9, style="italic",
    )  # fmt: skip
    axis.axvline(0.5, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axis.axhline(nothing, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axis.set_xlabel("Membership AUC: who was in the data?  (0.5: nobody can tell)")
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(SOFT)
    axis.tick_params(colors=INK, color=SOFT)


def _name_points(axis: Any, means: pd.DataFrame, measure: str) -> None:
    """Write names beside the points that matter most; the legend has the rest."""
    places = {  # in points from the mark, away from other marks
        "published file": (0, -14),
        "synthpop": (0, 13),
        "CTGAN": (10, 0),
        "default": (12, -6),
    }
    for family, generator in means.index:
        if family in places:
            across = places[family][0]
            point = means.loc[(family, generator)]
            axis.annotate(
                NAMES.get(family, family), (point["auc"], point[measure]), places[family],
                textcoords="offset points", va="center", ha="left" if across else "center",
                color=LOOKS[family][1], fontweight="bold", fontsize=10,
            )  # fmt: skip
