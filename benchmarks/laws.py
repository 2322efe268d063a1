"""Are bonds kept whose law is known: who and how much, a slope that turns, a curve.

    python benchmarks/laws.py

Draws cohorts of 300 persons from three laws, has each method draw as many rows as they are, and
prints one correlation that tells each bond, in persons and in rows, as means over the cohorts;
then fills numbers that are missing at random and pools mean and slope by Rubin's rules. Writes
benchmarks/results/laws.md.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from artificial_methods import METHODS
from cohorts import Cohort
from sections import write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESULTS = Path(__file__).resolve().parent / "results" / "laws.md"
PERSONS, ROWS, TABLES = 300, 1500, 6
SHOWN = ("copula", "cart", "sosie, untold", "sosie", "avatars")


def hurdle(seed: int) -> Cohort:
    """One column tells who smokes, and another how much smokers do."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, PERSONS))
    smokes = rng.random(PERSONS) < 1 / (1 + np.exp(-2 * w))
    packs = np.where(smokes, np.exp(1 + 0.6 * x + 0.2 * rng.standard_normal(PERSONS)), 0)
    town = rng.choice(["a", "b"], PERSONS)
    return Cohort("hurdle", pd.DataFrame({"x": x, "w": w, "packs": packs, "town": town}), "town")


def turned(seed: int) -> Cohort:
    """Give a slope of +1 with one label and of -1 with the other."""
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, PERSONS))
    arm, town = rng.choice(["a", "b"], (2, PERSONS))
    y = np.where(arm == "a", x, -x) + 0.3 * noise
    return Cohort("turned", pd.DataFrame({"x": x, "y": y, "arm": arm, "town": town}), "arm")


def curve(seed: int) -> Cohort:
    """Give a square."""
    rng = np.random.default_rng(seed)
    x, noise, z = rng.standard_normal((3, PERSONS))
    town = rng.choice(["a", "b"], PERSONS)
    return Cohort(
        "curve", pd.DataFrame({"x": x, "y": x**2 + noise / 2, "z": z, "town": town}), "town"
    )


def avatars(persons: pd.DataFrame, cohort: Cohort, rows: int, seed: int) -> list[pd.DataFrame]:  # noqa: ARG001
    """sosie.Avatar: one avatar a person, as often as makes so many rows."""
    from sosie import Avatar

    times = range(rows // len(persons))
    return [Avatar(seed=100 * seed + i).fit_sample(persons) for i in times]


def bonds(name: str, rows: pd.DataFrame) -> dict[str, float]:
    """Give the correlations that tell the bonds of a law."""
    if name == "hurdle":
        some = rows[rows["packs"] > 0]
        return {
            "hurdle: who": float(rows["w"].corr((rows["packs"] > 0).astype(float))),
            "hurdle: how much": float(some["x"].corr(np.log(some["packs"]))),
        }
    if name == "turned":
        some = rows[rows["arm"] == "a"]
        return {"turned: within a label": float(some["x"].corr(some["y"]))}
    return {"curve: with the square": float((rows["x"] ** 2).corr(rows["y"]))}


def pooled(seed: int) -> dict[str, tuple[float, bool]]:
    """Fill a number of which half are zero, missing at random: errors, and whether held."""
    from sosie import RHVAE

    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, PERSONS))
    w = rng.standard_normal(PERSONS) + 0.5 * x
    y = np.where(rng.random(PERSONS) < 0.5, 0, np.exp(1 + 0.6 * x + 0.3 * noise))
    gone = rng.random(PERSONS) < 1 / (1 + np.exp(0.8 - 1.5 * x))
    frame = pd.DataFrame({"x": x, "w": w, "y": np.where(gone, np.nan, y)})
    # Of the law: E exp(a + s N) = exp(a + s^2 / 2), and its derivative by x.
    mean = 0.5 * np.exp(1 + (0.6**2 + 0.3**2) / 2)
    truth, found, errors = np.array([mean, 0.6 * mean]), [], []
    for table in RHVAE(seed=seed).fit(frame).impute(TABLES):
        fit = sm.OLS(table["y"], sm.add_constant(table[["x", "w"]])).fit(cov_type="HC1")
        found.append([table["y"].mean(), fit.params["x"]])
        errors.append([table["y"].var() / PERSONS, fit.bse["x"] ** 2])
    within, between = np.mean(errors, 0), (1 + 1 / TABLES) * np.var(found, 0, ddof=1)
    freedom = (TABLES - 1) * (1 + within / between) ** 2
    off = np.mean(found, 0) - truth
    held = np.abs(off) <= stats.t.ppf(0.975, freedom) * np.sqrt(within + between)
    return {name: (off[i], bool(held[i])) for i, name in enumerate(("mean", "slope"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="cohorts of each law")
    parser.add_argument("--filled", type=int, default=20, help="cohorts that are filled")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for law in (hurdle, turned, curve):
        for seed in range(arguments.seeds):
            cohort = law(seed)
            rows += [
                {"method": "persons", "bond": b, "r": r}
                for b, r in bonds(cohort.name, cohort.frame).items()
            ]
            for method in SHOWN:
                draw = METHODS.get(method, avatars)
                made = draw(cohort.frame, cohort, ROWS, seed)
                for one in made if isinstance(made, list) else [made]:
                    rows += [
                        {"method": method, "bond": b, "r": r}
                        for b, r in bonds(cohort.name, one).items()
                    ]
    mean = pd.DataFrame(rows).pivot_table(index="method", columns="bond", values="r", sort=False)
    lines = [
        f"## bonds\n\n{arguments.seeds} cohorts of {PERSONS} persons a law, {ROWS} rows of each; "
        "`sosie` is told the label as the outcome (where the slope turns, the one that turns it), "
        "`untold` nothing; `avatars` are one a person, five times.\n",
        "| | " + " | ".join(mean.columns) + " |",
        "|---" * (len(mean.columns) + 1) + "|",
    ]
    lines += [
        f"| {m} | " + " | ".join(f"{r:.2f}" for r in line) + " |" for m, line in mean.iterrows()
    ]
    told = [pooled(seed) for seed in range(100, 100 + arguments.filled)]
    filled = [
        f"## filled\n\n{arguments.filled} cohorts of {PERSONS} persons, a number of which half are "
        f"zero, 40 % missing at random, {TABLES} tables pooled by Rubin's rules.\n",
        "| | bias | its error | 95 % intervals that hold |\n|---|---|---|---|",
    ]
    for name in ("mean", "slope"):
        off, held = (np.array([one[name][i] for one in told], float) for i in (0, 1))
        error = off.std(ddof=1) / np.sqrt(len(off))
        filled.append(f"| {name} | {off.mean():+.3f} | {error:.3f} | {held.mean():.2f} |")
    sections = {"bonds": "\n".join(lines), "filled": "\n".join(filled)}
    sections["filled"] += "\n\n`python benchmarks/laws.py`"
    write(RESULTS, "Bonds whose law is known", sections)
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
