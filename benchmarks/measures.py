"""What a synthetic table leaks and what it keeps, measured without sosie.

Every measure takes pandas frames of the same columns and a `Study`, and gives one number or a
few. `train` holds the persons that the generator saw, `control` persons of the same population
that it never saw, `synthetic` what it made, `linked` the same in the order of `train`.

Conventions shared by all: a column named in `Study.numbers` is a number, any other one is a
category, whose missing values are a level of their own.
"""

from __future__ import annotations

import warnings
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from codings import (
    Study,
    Survival,
    all_levels,
    coded,
    dummies,
    factors,
    labels,
    standardised,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 20
FALSE_POSITIVES = 0.05
MOST_ISOLATED = 0.10
ISOLATION_NEIGHBOURS = 5
FOLDS = 5


def evaluate(
    study: Study,
    train: pd.DataFrame,
    control: pd.DataFrame,
    synthetic: pd.DataFrame,
    linked: pd.DataFrame | None = None,
) -> dict[str, float]:
    """All the measures below, by name; those that need `linked` only when it is given."""
    synthetic = synthetic[list(train.columns)]
    found = membership(study, train, control, synthetic)
    found["hellinger"] = hellinger(study, train, synthetic)
    found["association"] = association(study, train, synthetic)
    found["sd_ratio"] = sd_ratio(study, train, synthetic)
    found["detector"] = detector(study, train, synthetic)
    fewer = synthetic.sample(min(len(control), len(synthetic)), random_state=0)
    found["detector_unseen"] = detector(study, control, fewer)
    found |= train_synthetic_test_real(study, train, control, synthetic)
    if study.survival is not None:
        found["hazard"] = hazard_error(study.survival, train, synthetic)
    found["copies"] = exact_copies(study, train, synthetic)
    if linked is not None:
        found |= hidden(study, train, linked[list(train.columns)])
    return found


# ------------------------------------------------------------------------------------ leak


def membership(
    study: Study, train: pd.DataFrame, control: pd.DataFrame, synthetic: pd.DataFrame
) -> dict[str, float]:
    """Tell persons of `train` from persons of `control` by their nearest synthetic row.

    Space: numbers are z-scores by the mean and sd of `train`, a missing one is the mean (0)
    with an indicator; each level is a 0/1 column divided by sqrt(2), so that two different
    levels are at distance 1; the indicator is a two-level category. Euclidean distances. The
    score of a person is minus the distance to the nearest synthetic row.

    - `auc`: area under the ROC curve, 0.5 without leak.
    - `tpr`: share of `train` scored above the 95th percentile of `control`, 0.05 without leak.
    - `isolated`: the AUC among the tenth of all persons (train and control together) whose 5
      nearest other persons are on average the farthest.
    """
    inside, outside, made = standardised(study, train, [train, control, synthetic])
    nearest = NearestNeighbors(n_neighbors=1).fit(made)
    scores_in = -nearest.kneighbors(inside)[0][:, 0]
    scores_out = -nearest.kneighbors(outside)[0][:, 0]
    member = np.r_[np.ones(len(inside)), np.zeros(len(outside))]
    score = np.r_[scores_in, scores_out]

    everyone = np.concatenate([inside, outside])
    neighbours = NearestNeighbors(n_neighbors=ISOLATION_NEIGHBOURS).fit(everyone)
    isolation = neighbours.kneighbors()[0].mean(axis=1)  # each without oneself
    isolated = isolation >= np.quantile(isolation, 1 - MOST_ISOLATED)
    return {
        "auc": roc_auc_score(member, score),
        "tpr": float((scores_in > np.quantile(scores_out, 1 - FALSE_POSITIVES)).mean()),
        "isolated": roc_auc_score(member[isolated], score[isolated]),
    }


def exact_copies(study: Study, train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Count the synthetic rows equal to a row of `train` in every column.

    Numbers are compared after rounding to 6 significant digits.
    """
    persons = set(zip(*_comparable(study, train), strict=True))
    return float(sum(row in persons for row in zip(*_comparable(study, synthetic), strict=True)))


def hidden(study: Study, train: pd.DataFrame, linked: pd.DataFrame) -> dict[str, float]:
    """Hidden rate and local cloaking: whether one's own avatar is the nearest to oneself.

    Space: the first 5 factors of a FAMD of `train` (z-scores with the population sd, missing
    as the mean; level indicators centred and divided by the square root of their share),
    avatars projected as new rows. d(i, j) is the distance from person i to avatar j.

    - `hidden`: share of persons whose nearest avatar is not their own, ties broken by the
      order of the rows, as published.
    - `cloaking`: median number of avatars nearer than one's own, ties broken likewise.
    - `hidden_safe`, `cloaking_safe`: a tie with one's own avatar hides nobody.
    """
    persons, avatars = factors(study, train, linked)
    distance = cdist(persons, avatars)
    own = distance.diagonal()[:, None]
    equal = np.abs(distance - own) <= 1e-9 * (1 + own)
    nearer = ((distance < own) & ~equal).sum(axis=1)
    tied_before = np.tril(equal, -1).sum(axis=1)
    return {
        "hidden": float((nearer + tied_before > 0).mean()),
        "cloaking": float(np.median(nearer + tied_before)),
        "hidden_safe": float((nearer > 0).mean()),
        "cloaking_safe": float(np.median(nearer)),
    }


# ------------------------------------------------------------------------------ distortion


def hellinger(study: Study, train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean over the columns of the Hellinger distance between the two distributions.

    H(p, q) = sqrt(1 - sum sqrt(p q)). p and q are the shares of the levels of a category, or,
    for a number, of 20 intervals of equal width over the range of `train` (the first and the
    last are open), with one more cell for missing values.
    """
    return float(np.mean([_hellinger(study, train[c], synthetic[c]) for c in train.columns]))


def association(study: Study, train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean over the pairs of columns of the absolute difference of their associations.

    Two numbers: Pearson's correlation, signed, over the rows where both are known. A number
    and a category: the correlation ratio eta (the square root of the share of variance between
    levels), where the number is known. Two categories: Cramér's V without bias correction.
    A pair with a constant column has association 0.
    """
    return float(np.abs(_associations(study, train) - _associations(study, synthetic)).mean())


def sd_ratio(study: Study, train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Median over the numbers of sd(synthetic) / sd(train)."""
    return float(np.nanmedian(sd_ratios(study, train, synthetic)))


def sd_ratios(study: Study, train: pd.DataFrame, synthetic: pd.DataFrame) -> pd.Series[float]:
    """sd(synthetic) / sd(train) of each number, without missing values."""
    numbers = list(study.numbers)
    return synthetic[numbers].std() / train[numbers].std().where(lambda sd: sd > 0)


def unchanged_rates(study: Study, train: pd.DataFrame, linked: pd.DataFrame) -> pd.Series[float]:
    """Share of persons whose avatar has their own level, for each category."""
    names = [c for c in train.columns if c not in study.numbers]
    same = [(labels(train[c]) == labels(linked[c])).mean() for c in names]
    return pd.Series(same, names, dtype=float)


def detector(study: Study, real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """AUC of a boosted classifier that tells real rows from synthetic ones (0.5: it cannot).

    scikit-learn's HistGradientBoostingClassifier (100 trees, defaults) on the columns, levels
    as integer codes, missing numbers as such; out-of-fold probabilities of a shuffled,
    stratified 5-fold cross-validation, pooled.

    Against `train` (`detector`) the AUC falls below 0.5 when rows stand nearer to those persons
    than a new sample would: plain copies of `train` get about 0.02. Low is then no merit.
    Against as many persons of `control` (`detector_unseen`) nearness to `train` earns nothing.
    """
    levels = all_levels(study, [real, synthetic])
    rows = np.concatenate([coded(study, frame, levels) for frame in (real, synthetic)])
    is_real = np.r_[np.ones(len(real)), np.zeros(len(synthetic))]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    boosted = HistGradientBoostingClassifier(random_state=0)
    guess = cross_val_predict(boosted, rows, is_real, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(is_real, guess))


def train_synthetic_test_real(
    study: Study, train: pd.DataFrame, control: pd.DataFrame, synthetic: pd.DataFrame
) -> dict[str, float]:
    """AUC on `control` of models of the target fitted on `synthetic` (0.5 if they cannot be).

    The target's last level, in alphabetic order, is the positive one; all other columns
    predict. `lr`: logistic regression (L2, C = 1) on standardised numbers (missing: the mean
    of `train`, with an indicator) and level indicators, the first level left out. `gb`:
    HistGradientBoostingClassifier (100 trees, defaults) on the codes of `detector`.
    """
    levels = all_levels(study, [train, control, synthetic])
    positive = levels[study.target][-1]
    learn = (labels(synthetic[study.target]) == positive).to_numpy()
    truth = (labels(control[study.target]) == positive).to_numpy()
    if learn.all() or not learn.any():
        return {"lr": 0.5, "gb": 0.5}
    reference, make, test = (f.drop(columns=study.target) for f in (train, synthetic, control))
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    boosted = HistGradientBoostingClassifier(random_state=0)
    scores = {}
    pieces: tuple[tuple[str, Any, Callable[[pd.DataFrame], Floats]], ...] = (
        ("lr", logistic, lambda f: dummies(study, f, levels, reference)),
        ("gb", boosted, lambda f: coded(study, f, levels)),
    )
    for name, model, encode in pieces:
        model.fit(encode(make), learn)
        scores[name] = float(roc_auc_score(truth, model.predict_proba(encode(test))[:, 1]))
    return scores


def hazard_error(survival: Survival, train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean absolute error of the log hazard ratios, against those of `train`.

    Cox model (lifelines, Efron ties) of (time, event) on the groups other than the reference;
    times below 0.5 count as 0.5. Not a number when a group has no row.
    """
    groups = sorted(set(labels(train[survival.group])) - {survival.reference})
    real, made = (log_hazards(survival, frame, groups) for frame in (train, synthetic))
    return float(np.abs(real - made).mean())


def log_hazards(survival: Survival, frame: pd.DataFrame, groups: list[str]) -> Floats:
    """Log hazard ratio of each of `groups` against the reference."""
    from lifelines import CoxPHFitter

    known = frame[survival.time].notna() & frame[survival.event].notna()
    frame = frame[known]
    group = labels(frame[survival.group])
    if not set(groups) <= set(group):
        return np.full(len(groups), np.nan)
    data = pd.DataFrame({g: (group == g).astype(float) for g in groups})
    data["_time"] = frame[survival.time].clip(lower=0.5)
    data["_event"] = frame[survival.event].astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(CoxPHFitter().fit(data, "_time", "_event").params_[groups])


def _comparable(study: Study, frame: pd.DataFrame) -> list[pd.Series[str]]:
    return [
        frame[c].map("{:.6g}".format) if c in study.numbers else labels(frame[c])
        for c in frame.columns
    ]


def _hellinger(study: Study, real: pd.Series[Any], made: pd.Series[Any]) -> float:
    if real.name in study.numbers:
        inner = np.linspace(real.min(), real.max(), BINS + 1)[1:-1]
        cells: list[NDArray[Any]] = [
            np.bincount(np.where(x.isna(), BINS, np.digitize(x, inner)), minlength=BINS + 1)
            for x in (real, made)
        ]
    else:
        a, b = labels(real), labels(made)
        code = {level: place for place, level in enumerate(sorted(set(a) | set(b)))}
        cells = [np.bincount(x.map(code).to_numpy(int), minlength=len(code)) for x in (a, b)]
    p, q = cells[0] / len(real), cells[1] / len(made)
    return float(np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum())))


def _associations(study: Study, frame: pd.DataFrame) -> Floats:
    columns: dict[str, NDArray[Any]] = {
        c: frame[c].to_numpy(float) if c in study.numbers else pd.factorize(labels(frame[c]))[0]
        for c in frame.columns
    }
    found = []
    for a, b in combinations(columns, 2):
        numeric = (a in study.numbers) + (b in study.numbers)
        if numeric == 1:
            number, code = (a, b) if a in study.numbers else (b, a)
            found.append(_eta(columns[number], columns[code]))
        else:
            found.append((_cramer if numeric == 0 else _pearson)(columns[a], columns[b]))
    return np.array(found)


def _pearson(x: Floats, y: Floats) -> float:
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _eta(number: Floats, code: NDArray[np.int64]) -> float:
    known = ~np.isnan(number)
    number, code = number[known], code[known]
    if len(number) < 2 or np.ptp(number) == 0:
        return 0.0
    centred = number - number.mean()
    size = np.bincount(code)
    total = np.bincount(code, centred)
    between = (total[size > 0] ** 2 / size[size > 0]).sum()
    return float(np.sqrt(between / (centred**2).sum()))


def _cramer(x: NDArray[np.int64], y: NDArray[np.int64]) -> float:
    shape = (x.max() + 1, y.max() + 1)
    if min(shape) < 2:
        return 0.0
    table = np.bincount(x * shape[1] + y, minlength=shape[0] * shape[1]).reshape(shape)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi2 = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / table.sum() / (min(shape) - 1)))
