"""Avatars of a real clinical trial: ACTG 175, 2,139 persons living with HIV, 1991 to 1994.

The trial ships inside the package lifelines. Leaves demo/avatars.csv and demo/avatars.png.
"""

from __future__ import annotations

import io
import time
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image
from rich.console import Console
from rich.table import Table as Grid
from scipy.stats import gaussian_kde

from sosie import Avatar, Schema, Table
from sosie.space import FAMD, Mixed
from sosie.table import CODED, NUMERIC, Column, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

HERE = Path(__file__).parent
SEED = 175  # fixed, since the trial is public; for anything else let sosie draw one

# What the columns do not say of themselves: one holds row numbers and has no name, another
# holds the numbers of the patients.
SCHEMA = Schema(drop=[""], columns=[Column(name="pidnum", kind=Kind.IDENTIFIER, recreate=True)])

PAPER, INK, FAINT = "#fcfbf8", "#23262d", "#8b8f98"
OUTCOMES = (("0", "no event", "#2d7f9d"), ("1", "AIDS, death or CD4 halved", "#d1583a"))


def main() -> None:
    """Read, avatarise, write, draw."""
    trial = Path(str(distribution("lifelines").locate_file("lifelines/datasets/ACTG175.csv")))
    started = time.perf_counter()
    original = Table.read(trial, SCHEMA)
    generator = Avatar(k=10, seed=SEED).fit(original)
    avatars, _ = generator.sample_tables()
    avatars.write(HERE / "avatars.csv")
    seconds = time.perf_counter() - started
    draw(original, avatars, HERE / "avatars.png")

    grid = Grid(title="ACTG 175, a clinical trial", title_justify="left")
    for name in ("rows", "columns", "k", "seconds"):
        grid.add_column(name, justify="right")
    grid.add_column("written")
    numbers = f"{len(avatars):,}", str(len(avatars.names)), str(generator.k), f"{seconds:.1f}"
    grid.add_row(*numbers, "demo/avatars.csv: one avatar a person\ndemo/avatars.png: both tables")
    console = Console()
    console.print(grid)
    console.print(
        "Left out: row numbers (a nameless column). Made afresh: pidnum (pseudo-ids).",
        highlight=False,
    )


def draw(original: Table, avatars: Table, path: Path) -> None:
    """Draw both tables in the first two factors of the original, on the same axes."""
    persons = coded(original, original)
    famd = FAMD(2).fit(persons)
    places = [famd.transform(persons), famd.transform(coded(avatars, original))]
    low, high = np.quantile(np.concatenate(places), [0, 1], axis=0)
    room = 0.03 * (high - low)
    first, second = famd.explained_variance_ratio_

    mpl.rcParams.update({"font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK})
    figure, panels = plt.subplots(1, 2, figsize=(9, 6), sharex=True, sharey=True, dpi=120)
    figure.set_facecolor(PAPER)
    titles = f"{len(original):,} persons", f"{len(avatars):,} avatars"
    notes = "of the original trial", "people who do not exist"
    for axes, table, at, title, note in zip(
        panels, (original, avatars), places, titles, notes, strict=True
    ):
        scatter(axes, at, table.frame["cens"].cast(str).to_numpy())
        axes.set_title(title, loc="left", fontsize=14, fontweight="bold", pad=20)
        axes.text(0, 1.025, note, transform=axes.transAxes, color=FAINT, fontsize=10)
        axes.set_xlabel(f"factor 1 ({100 * first:.0f} % of inertia)", fontsize=9, color=FAINT)
        axes.set_xlim(low[0] - room[0], high[0] + room[0])
        axes.set_ylim(low[1] - room[1], high[1] + room[1])
    panels[0].set_ylabel(f"factor 2 ({100 * second:.0f} % of inertia)", fontsize=9, color=FAINT)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="lower center", ncols=2, frameon=False, fontsize=10, markerscale=2.2
    )
    figure.subplots_adjust(left=0.075, right=0.98, top=0.88, bottom=0.16, wspace=0.06)
    drawn = io.BytesIO()
    figure.savefig(drawn, facecolor=PAPER)
    Image.open(drawn).convert("RGB").quantize(96).save(path, optimize=True)  # a third of the size


def scatter(axes: Axes, places: NDArray[np.float32], outcome: NDArray[np.object_]) -> None:
    """Draw the persons of a table by outcome, over lines of equal density."""
    x, y = places.T
    gx, gy = np.meshgrid(
        np.linspace(x.min() - 1, x.max() + 1, 120), np.linspace(y.min() - 1, y.max() + 1, 120)
    )
    density = gaussian_kde(places.T, bw_method=0.22)(np.stack([gx.ravel(), gy.ravel()]))
    density = density.reshape(gx.shape)
    levels = density.max() * np.array([0.08, 0.2, 0.35, 0.5, 0.65, 0.8])
    axes.contour(gx, gy, density, levels, colors=INK, linewidths=0.7, alpha=0.35, zorder=3)
    for code, label, colour in OUTCOMES:
        of = outcome == code
        axes.scatter(
            x[of], y[of], s=9, color=colour, alpha=0.55, linewidths=0, label=label, zorder=2
        )
    axes.set_facecolor(PAPER)
    axes.set_aspect("equal", adjustable="box")
    axes.tick_params(length=0, labelsize=8, labelcolor=FAINT)
    axes.grid(color="#e9e6df", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def coded(table: Table, original: Table) -> Mixed:
    """Give a table to the factors; what is missing stands at the mean of the original."""
    columns = original.schema.columns
    numbers = [
        np.nan_to_num(table.numbers(c.name), nan=float(np.nanmean(original.numbers(c.name))))
        for c in columns
        if c.kind in NUMERIC
    ]
    labels = [c for c in columns if c.kind in CODED]
    codes = [table.codes(c.name) for c in labels]
    levels = tuple(len(c.levels) for c in labels)
    return Mixed(np.column_stack(numbers), np.column_stack(codes), levels)


if __name__ == "__main__":
    main()
