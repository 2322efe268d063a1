"""Generators that artificial patients are compared with, short enough to be read.

Each takes the persons, the cohort that tells kinds and target, rows to draw and a seed, and
gives a frame of the same columns, or several. Those that know no missing cells get medians and a
level.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cohorts import Cohort

    Floats = NDArray[np.float64]
    Frames = pd.DataFrame | list[pd.DataFrame]
    Method = Callable[[pd.DataFrame, "Cohort", int, int], Frames]

LEAF = 5
TABLES = 5
NEIGHBOURS = 5


def real(train: pd.DataFrame, _cohort: Cohort, _n: int, _seed: int) -> pd.DataFrame:
    """Give the persons themselves: what two halves of one cohort differ by."""
    return train


def copula(train: pd.DataFrame, cohort: Cohort, n: int, seed: int) -> pd.DataFrame:
    """Gaussian copula in every class of the target; levels in the order of their names."""
    rng = np.random.default_rng(seed)
    whole = filled(train, cohort)
    parts = []
    for label, part in whole.groupby(cohort.target):
        m = round(n * len(part) / len(whole))
        columns = [c for c in part if c != cohort.target]
        levels = {c: sorted(part[c].unique()) for c in columns if c not in cohort.numbers}
        values = np.column_stack(
            [
                part[c].to_numpy(float)
                if c not in levels
                else part[c].map(levels[c].index).to_numpy(float)
                for c in columns
            ]
        )
        scores = norm.ppf((np.apply_along_axis(rankdata, 0, values) - 0.5) / len(part))
        spread = scores.std(0)
        scores /= np.where(spread > 0, spread, 1)
        bonds = np.where(spread > 0, 0.999, 0)[:, None] * (scores.T @ scores / len(part))
        np.fill_diagonal(bonds, 1)
        normal = rng.multivariate_normal(np.zeros(len(columns)), bonds, m)
        made = pd.DataFrame({cohort.target: [label] * m})
        for j, c in enumerate(columns):
            if c in levels:
                at = np.sort(values[:, j])
                place = np.minimum((norm.cdf(normal[:, j]) * len(at)).astype(int), len(at) - 1)
                made[c] = np.array(levels[c], object)[at[place].astype(int)]
            else:
                made[c] = np.quantile(values[:, j], norm.cdf(normal[:, j]))
        parts.append(made)
    return pd.concat(parts, ignore_index=True)[list(train)]


def smote(train: pd.DataFrame, cohort: Cohort, n: int, seed: int) -> pd.DataFrame:
    """As many new rows of every class as it has, by imbalanced-learn."""
    from imblearn.over_sampling import SMOTE, SMOTENC

    whole = filled(train, cohort)
    X = whole.drop(columns=cohort.target)
    wanted = {label: 2 * k for label, k in whole[cohort.target].value_counts().items()}
    texts = [c for c in X if c not in cohort.numbers]
    least = int(whole[cohort.target].value_counts().min())
    shared = {
        "sampling_strategy": wanted,
        "k_neighbors": min(NEIGHBOURS, least - 1),
        "random_state": seed,
    }
    model = SMOTENC(categorical_features=texts, **shared) if texts else SMOTE(**shared)
    made, label = model.fit_resample(X, whole[cohort.target])
    made = made.assign(**{cohort.target: label}).iloc[len(whole) :]
    return made[list(train)].sample(n, random_state=seed).reset_index(drop=True)


def cart(train: pd.DataFrame, cohort: Cohort, n: int, seed: int) -> pd.DataFrame:
    """Column after column, each from a leaf of a tree of those before (as synthpop's)."""
    rng = np.random.default_rng(seed)
    columns = [cohort.target, *(c for c in train if c != cohort.target)]
    whole = filled(train, cohort)
    made = pd.DataFrame({columns[0]: rng.choice(whole[columns[0]], n)})
    for i, name in enumerate(columns[1:], start=1):
        before, drawn = _indicators([whole[columns[:i]], made[columns[:i]]])
        grower = DecisionTreeRegressor if name in cohort.numbers else DecisionTreeClassifier
        tree = grower(min_samples_leaf=LEAF, random_state=seed).fit(before, whole[name])
        leaves, fallen = tree.apply(before), tree.apply(drawn)
        values = np.empty(n, object)
        for leaf in np.unique(fallen):
            rows = np.flatnonzero(fallen == leaf)
            values[rows] = rng.choice(whole[name].to_numpy()[leaves == leaf], len(rows))
        made[name] = values.astype(float) if name in cohort.numbers else values
    return made[list(train)]


def sosie(train: pd.DataFrame, cohort: Cohort, n: int, seed: int) -> list[pd.DataFrame]:
    """sosie.RHVAE, told which column is the outcome as all others here but ARF are.

    Several tables of one fit: what one table of so few rows scores is half chance.
    """
    from sosie import RHVAE

    model, made = RHVAE(seed=seed, stratum=cohort.target).fit(train), []
    for draw in range(TABLES):
        if draw:  # the first is the one that a user gets
            model._draw_seed = np.random.SeedSequence([seed, draw])
        made.append(model.sample(n).astype(dict.fromkeys(cohort.numbers, float)))
    return made


def sosie_untold(train: pd.DataFrame, cohort: Cohort, n: int, seed: int) -> pd.DataFrame:
    """sosie.RHVAE as it comes."""
    return _one_table(train, cohort, n, seed)


def sosie_ten(train: pd.DataFrame, cohort: Cohort, n: int, seed: int) -> pd.DataFrame:
    """As ``sosie``, ten times the rows: what the model knows, with less of chance."""
    return _one_table(train, cohort, 10 * n, seed, stratum=cohort.target)


def _one_table(train: pd.DataFrame, cohort: Cohort, n: int, seed: int, **said: str) -> pd.DataFrame:
    from sosie import RHVAE

    made: pd.DataFrame = RHVAE(seed=seed, **said).fit(train).sample(n)
    return made.astype(dict.fromkeys(cohort.numbers, float))


def filled(frame: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Put medians and a level of their own where cells are missing."""
    return frame.apply(
        lambda c: c.fillna(c.median()) if c.name in cohort.numbers else c.fillna("(missing)")
    )


def _indicators(frames: list[pd.DataFrame]) -> list[Floats]:
    whole = pd.get_dummies(pd.concat(frames, ignore_index=True), dtype=float).to_numpy(float)
    return [whole[: len(frames[0])], whole[len(frames[0]) :]]


METHODS: dict[str, Method] = {
    "real": real,
    "copula": copula,
    "smote": smote,
    "cart": cart,
    "sosie": sosie,
    "sosie, untold": sosie_untold,
    "sosie, x10": sosie_ten,
}
warnings.filterwarnings("ignore", message=".*unobserved categories.*")
