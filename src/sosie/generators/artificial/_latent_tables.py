"""The latent space of a model of a table: where persons are, and the way between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sosie.errors import ParameterError
from sosie.generators.artificial._choices import check_whole
from sosie.generators.artificial._draws import Draws
from sosie.generators.artificial._latent_metric import metric_of
from sosie.generators.artificial._latent_paths import path_between
from sosie.generators.artificial._pictures import map_of, path_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from sosie.generators.artificial._geodesic import Geodesic
    from sosie.generators.artificial._rhvae import RHVAE

    Floats = NDArray[np.float64]

__all__ = ["geodesic", "interpolate", "latent", "latent_map", "latent_path"]


def latent(model: RHVAE) -> tuple[Floats, Floats]:
    """Give the posterior of the latent of the persons of a model.

    Parameters
    ----------
    model : RHVAE
        That was fitted.

    Returns
    -------
    mean, sigma : ndarray of shape (n, latent_dim_)

    Raises
    ------
    ParameterError
        If the model was not fitted.
    """
    model._check_fitted()
    return model._model.mean.copy(), model._model.spread.copy()


def geodesic(model: RHVAE, a: int, b: int, segments: int = 32) -> Geodesic:
    """Find the shortest path between two persons, by their rows, in the metric of all.

    Raises
    ------
    ParameterError
        If there is no such row.
    """
    mean, sigma = latent(model)
    for row in (a, b):
        check_whole("the row of a person", row, 0)
        if row >= len(mean):
            raise ParameterError(f"There is no row {row}: they go from 0 to {len(mean) - 1}.")
    return path_between(metric_of(mean, sigma), mean[a], mean[b], segments)


def interpolate(model: RHVAE, a: int, b: int, steps: int = 8) -> Any:
    """Give rows along the geodesic between two persons.

    Each is the middle of what could stand there: the median of a number, the likeliest of the
    levels. They are of nobody, and no draws: the spread of persons about the path is not in
    them. The stratum is that of the first person for the first half, then that of the second.

    Parameters
    ----------
    model : RHVAE
    a, b : int
        Rows of the table, from 0.
    steps : int
        Rows to give, the two ends included.

    Returns
    -------
    dataframe
        Of the kind that was given to ``fit``.

    Raises
    ------
    ParameterError
        If there is no such row, or nothing was learnt yet.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.generators.artificial import RHVAE
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(50, 10, 60).round()
    >>> persons = pl.DataFrame({"age": age, "dose": age + rng.normal(0, 1, 60)})
    >>> model = RHVAE(latent_dim=1, seed=0, epochs=0).fit(persons)
    >>> young, old = int(age.argmin()), int(age.argmax())
    >>> bool(interpolate(model, young, old, 5)["age"].is_sorted())
    True
    """
    check_whole("steps", steps, 2)
    points = np.asarray(geodesic(model, a, b, steps - 1).points, np.float64)
    cohort, learnt = model._cohort, model._model
    shape = cohort.coding.shape
    strata = np.where(np.arange(steps) < steps / 2, learnt.strata[a], learnt.strata[b])
    strata = strata.astype(np.int32)
    output = learnt.outputs(points, strata)
    levels = np.empty((steps, len(shape.levels)), np.int32)
    first = shape.n_scores
    for i, k in enumerate(shape.levels):
        levels[:, i] = output[:, first : first + k].argmax(1)
        first += k
    drawn = Draws(output[:, : shape.n_scores], levels, strata)
    places = learnt.places(drawn, np.random.default_rng(0), ranked=False)
    rebuilt = cohort.rebuilt(cohort.arrays(drawn, places, filled=True))
    return cohort.table.restored(rebuilt, seed=0).native()


def latent_map(model: RHVAE, column: str | None = None) -> Figure:
    """Draw persons in the latent space, on the volume element of the metric.

    Parameters
    ----------
    model : RHVAE
    column : str, optional
        That colours them: numbers of many values by a scale, all else by a colour each.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    mean, sigma = latent(model)
    return map_of(mean, metric_of(mean, sigma), _labels(model, column), column)


def latent_path(model: RHVAE, a: int, b: int, column: str | None = None) -> Figure:
    """Draw the geodesic between two persons against the straight line."""
    mean, sigma = latent(model)
    path = geodesic(model, a, b)
    return path_of(mean, metric_of(mean, sigma), path, _labels(model, column), title=column)


def _labels(model: RHVAE, column: str | None) -> Any:
    if column is None:
        return None
    if column not in model.table_.names:
        raise ParameterError(f"There is no column {column!r} to colour by; check its spelling.")
    values = model.table_.frame[column]
    return values.cast(pl.Float64).to_numpy() if values.dtype.is_numeric() else values.to_list()
