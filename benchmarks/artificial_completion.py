"""Cells that were hidden and filled: how far from the truth, and whether intervals hold it.

Three cohorts of numbers; a fifth of the cells hidden at random (MCAR), or the likelier the
higher a column that stays whole (MAR). Each method completes the table several times: the mean
of the draws is the guess, their spread the interval. Whether intervals hold is told besides by the
rank of the truth among draws that do not depend on one another, which asks for no normal law.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import t as student

from artificial_measured import measured, note
from cohorts import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Completer = Callable[[pd.DataFrame, int, int], Floats]

SETS = ("cancer", "diabetes", "wine")
MASKS = ("MCAR", "MAR")
SHARE = 0.2
DRAWS = 10
RANKED = 39
"""Draws among which the truth is as likely to be at any rank: between the ends for 38 in 40."""
COLUMNS = 13
"""The first ones, at most: MICE takes minutes a table of more."""

COVERED = 0.95
NEAR = 0.005
"""How far behind is still met, or held."""

KEYS = ("rmse", "within", "coverage", "width", "crps", "between", "by column")
HEADS = ("RMSE", "RMSE within", "coverage", "width", "CRPS", "between", "by column")

OURS = "sosie"
TWINS = {OURS: 2}
"""Draws that come together, of which one is kept to be ranked."""


def completion(arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Print errors and coverage of every method, and what is met of what was asked."""
    say("## completion\n")
    say(
        f"{SHARE:.0%} of the cells of numbers hidden, {DRAWS} completed tables, seeds "
        f"{arguments.seeds}. RMSE in standard deviations of the column; coverage of "
        "the 95 % intervals (mean of the draws ± t times their spread); CRPS likewise in "
        "standard deviations, the lower the better: it rewards intervals that hold and are short; "
        "width of the intervals in standard deviations. Met: no more than .005 behind the best "
        "other. Hold: a coverage of .945 at least, not rounded (after van Buuren, Flexible "
        "Imputation of Missing Data, section 2.5.2, who asks it of intervals of estimates). "
        f"Between: share of the cells that lie between the ends of {RANKED} draws, ties told by "
        "chance, .95 of draws from the law of the cell whatever that is (rank histogram: "
        "Hamill, Mon. Weather Rev. 129, 2001, 550-560); by column: how far that is from .95 in a "
        "column of all splits together, in the mean of the columns. RMSE within: of the "
        "cells whose value is between the ends of those known. Seconds are of all draws."
    )
    rows = []
    known = measured(arguments.measured, ("set", "mask", "method", "seed"))
    for name in SETS:
        cohort = load(name, None)
        for mask in MASKS:
            for seed in map(int, arguments.seeds.split(",")):
                whole = cohort.frame.drop(columns=cohort.target).iloc[:, :COLUMNS]
                gone = hidden(whole, mask, np.random.default_rng(seed))
                for method in METHODS:
                    told = known.get((name, mask, method, seed), {})
                    if "between" not in told:
                        line = {"set": name, "mask": mask, "method": method, "seed": seed}
                        told = line | filled(method, whole, gone, seed)
                        note(told, arguments.measured)
                    rows.append(told)
    lines = pd.DataFrame(rows).groupby(["set", "mask", "method"], sort=False)
    mean = lines[[*KEYS[:-1], "seconds"]].mean()
    mean["by column"] = lines[["cells", "held"]].apply(off_by_column)
    say(f"\n| | mask | method | {' | '.join(HEADS)} | s |\n" + "|---" * (len(HEADS) + 4) + "|")
    for (name, mask, method), line in mean.iterrows():
        cells = [f"{line[key]:.3f}" for key in KEYS]
        say(f"| {name} | {mask} | {method} | {' | '.join(cells)} | {line['seconds']:.1f} |")
    say("")
    for (name, mask), part in mean.groupby(level=[0, 1], sort=False):
        part = part.droplevel([0, 1])
        others = part.drop(index=OURS)
        error = part.loc[OURS, "rmse"] - others["rmse"].min()
        away = [(part[key] - COVERED).abs() for key in ("coverage", "between")]
        gaps = [error, *(off[OURS] - off.drop(OURS).min() for off in (*away, part["by column"]))]
        met = [f"{gap:+.3f} {'met' if gap <= NEAR else 'MISSED'}" for gap in gaps]
        hold = part[part["coverage"] >= COVERED - NEAR]
        held = ", ".join(hold.sort_values("width").index) or "none"
        say(
            f"- {name}, {mask}: RMSE less the best other's {met[0]}; |coverage - .95| {met[1]}; "
            f"|between - .95| {met[2]}, by column {met[3]}; hold, the shortest first: {held}"
        )


def hidden(whole: pd.DataFrame, mask: str, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose cells to hide; of MAR the first two columns stay and tell who misses more."""
    n, p = whole.shape
    if mask == "MCAR":
        return rng.random((n, p)) < SHARE
    kept = whole.iloc[:, :2]
    score = ((kept - kept.mean()) / kept.std()).sum(axis=1).to_numpy()
    chance = expit(1.5 * score + np.log(SHARE / (1 - SHARE)))
    chance *= SHARE / chance.mean()
    gone = rng.random((n, p)) < np.minimum(chance, 0.9)[:, None]
    gone[:, :2] = False
    return gone


def filled(method: str, whole: pd.DataFrame, gone: NDArray[np.bool_], seed: int) -> dict[str, Any]:
    """Hide cells, have them filled by a method, and tell how well and how fast."""
    holed, twins = whole.mask(gone), TWINS.get(method, 1)
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        draws = METHODS[method](holed, RANKED * twins, seed)[:, gone]
    seconds = time.perf_counter() - begun
    ends = (holed.min(), holed.max(), whole.std())
    low, high, scale = (np.broadcast_to(end, whole.shape)[gone] for end in ends)
    truth, first = whole.to_numpy()[gone], draws[:DRAWS]
    seen = (truth >= low) & (truth <= high)
    within = judged(first[:, seen], truth[seen], scale[seen])["rmse"]
    rank = ranks(draws[::twins], truth, np.random.default_rng(seed))
    between = (rank > 0) & (rank < RANKED)
    columns = np.nonzero(gone)[1] == np.arange(whole.shape[1])[:, None]
    return {
        "seconds": seconds,
        **judged(first, truth, scale),
        "within": within,
        "between": float(between.mean()),
        "cells": columns.sum(axis=1).tolist(),
        "held": (columns & between).sum(axis=1).tolist(),
    }


def judged(draws: Floats, truth: Floats, scale: Floats) -> dict[str, float]:
    """Give error, coverage and width of 95 % intervals, and CRPS, of draws of shape (m, cells)."""
    m = len(draws)
    middle = draws.mean(axis=0)
    half = student.ppf(0.975, m - 1) * draws.std(axis=0, ddof=1) * np.sqrt(1 + 1 / m)
    ordered = np.sort(draws, axis=0)
    weight = (2 * np.arange(1, m + 1) - m - 1)[:, None]
    spread = (weight * ordered).sum(0) / (m * (m - 1))
    crps = np.abs(draws - truth).mean(0) - spread
    return {
        "rmse": float(np.sqrt((((middle - truth) / scale) ** 2).mean())),
        "coverage": float((np.abs(truth - middle) <= half).mean()),
        "width": float((2 * half / scale).mean()),
        "crps": float((crps / scale).mean()),
    }


def ranks(draws: Floats, truth: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Count the draws below the truth, and by chance some of those that are equal to it."""
    below, equal = (draws < truth).sum(axis=0), (draws == truth).sum(axis=0)
    return below + rng.integers(equal + 1)


def off_by_column(part: pd.DataFrame) -> float:
    """Give how far from .95 the cells held are, in the mean of the columns that have any."""
    cells, held = (np.sum(part[key].tolist(), axis=0) for key in ("cells", "held"))
    return float(np.abs(held[cells > 0] / cells[cells > 0] - COVERED).mean())


def ours(holed: pd.DataFrame, draws: int, seed: int) -> Floats:
    """sosie.RHVAE.impute, whose draws come in antithetic pairs."""
    from sosie import RHVAE

    model = RHVAE(seed=seed).fit(holed)
    return np.stack([frame.to_numpy(float) for frame in model.impute(draws)])


def iterative(holed: pd.DataFrame, draws: int, seed: int) -> Floats:
    """scikit-learn's IterativeImputer, a draw from the posterior each time."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    return np.stack(
        [
            IterativeImputer(sample_posterior=True, random_state=1000 * seed + i).fit_transform(
                holed
            )
            for i in range(draws)
        ]
    )


def mice(holed: pd.DataFrame, draws: int, seed: int) -> Floats:
    """Statsmodels' MICEData: predictive mean matching, two rounds before every draw."""
    from statsmodels.imputation.mice import MICEData

    np.random.seed(seed)  # noqa: NPY002 (statsmodels draws from the global generator)
    names = [f"x{j}" for j in range(holed.shape[1])]
    data = MICEData(holed.set_axis(names, axis=1))
    data.update_all(5)
    found = []
    for _ in range(draws):
        data.update_all(2)
        found.append(data.data[names].to_numpy())
    return np.stack(found)


METHODS: dict[str, Completer] = {
    OURS: ours,
    "IterativeImputer": iterative,
    "MICE": mice,
}
