"""Boosted trees, as an attacker or an analyst would train them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["boosted", "features", "probability_of"]

_MOST_LEVELS = 255


def features(people: People, names: list[str] | tuple[str, ...]) -> Floats:
    """Give columns as trees take them: codes of labels as numbers, NaN where missing."""
    columns = []
    for name in names:
        values = people.column(name).astype(np.float64)
        if not people.layout.is_number(name):
            values = np.where(values < 0, np.nan, values)
        columns.append(values)
    return np.column_stack(columns) if columns else np.empty((len(people), 0))


def boosted(
    learn: Floats, truth: NDArray[Any], seed: int, *, number: bool, rounds: int = 15
) -> Any:
    """Fit boosted trees, on one thread: short fits wait for threads longer than they work.

    Parameters
    ----------
    learn : ndarray of shape (n, columns)
    truth : ndarray of shape (n,)
        Numbers, or codes of labels.
    seed : int
    number : bool
        Whether ``truth`` is a number, whose median is then learned.
    rounds : int
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings: dict[str, Any] = {
        "max_iter": rounds,
        "learning_rate": 0.3,
        "max_bins": 63,
        "max_leaf_nodes": 15,
        "early_stopping": False,
        "random_state": seed,
    }
    if number:
        model = HistGradientBoostingRegressor(loss="absolute_error", **settings)
    else:
        model = HistGradientBoostingClassifier(**settings)
    with threadpool_limits(1):
        return model.fit(learn, truth)


def probability_of(one: People, other: People, people: People, seed: int) -> Floats:
    """Give the probability that rows come from ``one`` rather than from ``other``."""
    names = one.layout.names
    learn = np.concatenate([features(one, names), features(other, names)])
    truth = np.r_[np.ones(len(one)), np.zeros(len(other))]
    model = boosted(learn, truth, seed, number=False)
    with threadpool_limits(1):
        return model.predict_proba(features(people, names))[:, 1]
