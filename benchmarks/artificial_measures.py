"""What artificial rows are worth: detector, margins, use, nearness, survival curves.

`train` is what a generator saw, `test` the other half of the persons, `made` as many rows as
`train` that it drew. Nothing here imports sosie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cohorts import Cohort

    Floats = NDArray[np.float64]

TREES = 100
FOLDS = 5


def evaluate(
    cohort: Cohort, train: pd.DataFrame, test: pd.DataFrame, made: pd.DataFrame, seed: int
) -> dict[str, float]:
    """All the measures below, by name."""
    rf, lr = test_real(cohort, made, test, seed)
    found = {
        "detector": detector(cohort, test, made, seed),
        "ks": distance(cohort, test, made),
        "fidelity": 1 - distance(cohort, train, made),
        "tstr_rf": rf,
        "tstr_lr": lr,
        "closer": closer(cohort, train, test, made),
    }
    if cohort.time:
        found["km"] = survival_distance(cohort, test, made)
    return found


def detector(cohort: Cohort, test: pd.DataFrame, made: pd.DataFrame, seed: int) -> float:
    """AUC of a random forest that tells drawn rows from the other half (0.5: it cannot)."""
    rows, _ = coordinates(cohort, [test, made], [cohort.target])
    label = np.repeat([0, 1], [len(test), len(made)])
    forest = RandomForestClassifier(TREES, random_state=seed, n_jobs=1)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    said = cross_val_predict(forest, np.vstack(rows), label, cv=folds, method="predict_proba")
    return float(roc_auc_score(label, said[:, 1]))


def distance(cohort: Cohort, real: pd.DataFrame, made: pd.DataFrame) -> float:
    """Mean over columns: Kolmogorov-Smirnov of numbers, total variation of levels.

    A number's missing cells count as one value below all others; a level's as one level.
    """
    return float(np.mean([_margin(cohort, real[c], made[c]) for c in real]))


def _margin(cohort: Cohort, real: pd.Series, made: pd.Series) -> float:
    if real.name in cohort.numbers:
        a, b = (np.sort(s.fillna(-np.inf).to_numpy(float)) for s in (real, made))
        at = np.concatenate([a, b])
        shares = (np.searchsorted(s, at, "right") / len(s) for s in (a, b))
        return float(np.abs(np.subtract(*shares)).max())
    shares = (s.fillna("(missing)").value_counts(normalize=True) for s in (real, made))
    return float(pd.concat(list(shares), axis=1).fillna(0).diff(axis=1).iloc[:, 1].abs().sum() / 2)


def test_real(
    cohort: Cohort, made: pd.DataFrame, test: pd.DataFrame, seed: int
) -> tuple[float, float]:
    """Balanced accuracy on the other half of models learnt on drawn rows: forest, logistic."""
    (X, at), _ = coordinates(cohort, [made, test], [])
    models = (
        RandomForestClassifier(TREES, random_state=seed, n_jobs=1),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    )
    truth = test[cohort.target].astype(str)
    label = made[cohort.target].astype(str)
    if label.nunique() < 2:
        return 1 / truth.nunique(), 1 / truth.nunique()
    forest, logistic = (
        float(balanced_accuracy_score(truth, model.fit(X, label).predict(at))) for model in models
    )
    return forest, logistic


def closer(cohort: Cohort, train: pd.DataFrame, test: pd.DataFrame, made: pd.DataFrame) -> float:
    """Share of drawn rows that stand nearer to a person seen than to one unseen (0.5: fresh)."""
    (a, b, rows), scaled = coordinates(cohort, [train, test, made], [cohort.target])
    scale = np.where(scaled, np.vstack([a, b]).std(0), np.sqrt(2))
    scale[scale == 0] = 1
    seen, unseen = (
        NearestNeighbors(n_neighbors=1).fit(half / scale).kneighbors(rows / scale)[0][:, 0]
        for half in (a, b)
    )
    return float((seen < unseen).mean() + (seen == unseen).mean() / 2)


def survival_distance(cohort: Cohort, real: pd.DataFrame, made: pd.DataFrame) -> float:
    """Largest distance of two Kaplan-Meier curves, up to where a tenth of persons is left."""
    assert cohort.time is not None
    last = min(float(frame[cohort.time].quantile(0.9)) for frame in (real, made))
    at = np.unique(np.concatenate([frame[cohort.time] for frame in (real, made)]))
    at = at[at <= last]
    first, second = (survival(cohort, frame, at) for frame in (real, made))
    return float(np.abs(first - second).max())


def survival(cohort: Cohort, frame: pd.DataFrame, at: Floats) -> Floats:
    """Kaplan-Meier's share of persons without the event at times."""
    time = frame[cohort.time].to_numpy(float)
    died = (frame[cohort.event] == "yes").to_numpy()
    times = np.unique(time[died])
    if not len(times):
        return np.ones(len(at))
    ordered = np.sort(time)
    risk = len(time) - np.searchsorted(ordered, times, "left")
    events = np.searchsorted(np.sort(time[died]), times, "right")
    share = np.cumprod(1 - np.diff(events, prepend=0) / risk)
    return np.r_[1.0, share][np.searchsorted(times, at, "right")]


def coordinates(
    cohort: Cohort, frames: list[pd.DataFrame], also: list[str]
) -> tuple[list[Floats], NDArray[np.bool_]]:
    """Rows of the frames as numbers and indicators of levels, and which of them are numbers.

    A missing number has the median of the first frame and an indicator. The target is among
    the columns only where `also` names it.
    """
    rows: list[list[Floats]] = [[] for _ in frames]
    scaled: list[bool] = []
    for name in frames[0]:
        if name == cohort.target and name not in also:
            continue
        columns = [frame[name] for frame in frames]
        if name in cohort.numbers:
            median = columns[0].median()
            parts = [[c.fillna(median).to_numpy(float)] for c in columns]
            scaled.append(True)
            if any(c.isna().any() for c in columns):
                for part, c in zip(parts, columns, strict=True):
                    part.append(c.isna().to_numpy(float))
                scaled.append(False)
        else:
            texts = [c.fillna("(missing)").astype(str) for c in columns]
            levels = sorted(set().union(*map(set, texts)))
            parts = [[(c == level).to_numpy(float) for level in levels] for c in texts]
            scaled += [False] * len(levels)
        for row, part in zip(rows, parts, strict=True):
            row.extend(part)
    return [np.column_stack(row) for row in rows], np.array(scaled)
