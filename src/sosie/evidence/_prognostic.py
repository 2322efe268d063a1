"""Prognostic covariate adjustment: what earlier patients teach, used where it cannot mislead.

It stands in evidence and not among generators: no row is made, an effect is estimated, with
the learners that evidence has already.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import polars as pl
from scipy import stats
from threadpoolctl import threadpool_limits

from sosie.errors import DataError, ParameterError, SosieError
from sosie.evidence._learners import features
from sosie.evidence._models import Estimate
from sosie.evidence._people import Layout, People
from sosie.evidence._plain_labels import plain_labels
from sosie.evidence.utility._design import Design
from sosie.table import CODED, NUMERIC, Column, Kind, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["AdjustedEffect", "adjusted_effect", "prognostic_score"]

_FEWEST = 30
_FOLDS = 5


def prognostic_score(
    historical: Any,
    trial: Any,
    outcome: str,
    baseline: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> Floats:
    """Predict the outcome of trial patients from what they are before any treatment.

    A ridge regression and boosted trees are learnt on historical patients; the one that
    predicts those held out better gives the score. Neither the arm nor the outcome of a
    trial patient is looked at, so that the score is fixed before randomisation and may be
    named in the protocol as a covariate of the primary analysis.

    Parameters
    ----------
    historical : Table, path or dataframe
        Patients of earlier studies, under control treatment, with the outcome.
    trial : Table, path or dataframe
        Patients of the trial.
    outcome : str
        A column of numbers of the historical table, on a short scale too. Of one that is 1 or
        0, true or false, the score is a chance, which may leave this range.
    baseline : sequence of str, optional
        Columns known before treatment; by default all that both tables have but the outcome:
        name them if one of these is measured later. A column that is the same for all
        historical patients, as their arm is, tells nothing and is left out.
    seed : int
        Of the parts held out, and of the trees.

    Returns
    -------
    ndarray of shape (n,)
        The score of every patient of the trial, in the unit of the outcome.

    Raises
    ------
    DataError
        If a table cannot be read, there are fewer than 30 historical patients with an outcome,
        or it is the same for everybody.
    ParameterError
        If a column is absent, the outcome is no number, or no label of a column of the trial
        is one that historical patients have.

    References
    ----------
    .. [1] A. Schuler et al., "Increasing the efficiency of randomized trial estimates via
       linear adjustment for a prognostic score", International Journal of Biostatistics 18,
       2022.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(60, 10, 300)
    >>> earlier = pl.DataFrame({"age": age, "pain": age / 10 + rng.normal(0, 1, 300)})
    >>> prognostic_score(earlier, pl.DataFrame({"age": [50.5, 70.25]}), "pain").round()
    array([5., 7.])
    """
    names = _baseline(historical, trial, outcome, baseline)
    earlier = _kept("historical", historical, [*names, outcome])
    truth = _outcome_of(earlier, outcome)
    known = np.flatnonzero(~np.isnan(truth))
    if len(known) < _FEWEST:
        raise DataError(
            f"{len(known)} historical patients have the outcome {outcome!r}: a prognostic model "
            f"needs at least {_FEWEST}."
        )
    if not np.ptp(truth[known]):
        raise DataError(
            f"The outcome {outcome!r} is the same for everybody in the historical table: there is "
            "nothing to predict."
        )
    names = _telling(earlier, names)
    said = [
        # A whole number before may have decimals now.
        Column(name=c.name, kind=Kind.NUMBER if c.kind is Kind.INTEGER else c.kind)
        for c in earlier.schema.columns
        if c.name in names
    ]
    patients, n = _patients(trial, names, Schema(columns=said, max_levels=10**9))
    learn, apply = _coded(earlier, patients, names)
    return _predicted(learn.taken(known), truth[known], apply, seed)[:n]


@dataclass(frozen=True)
class AdjustedEffect:
    """A treatment effect, adjusted for a prognostic score, with its 95 % interval.

    Attributes
    ----------
    estimate, low, high : float
        Difference of means, treated less control, in the unit of the outcome.
    p : float
        Two-sided, of no effect.
    standard_error : float
        Robust.
    unadjusted : Estimate
        The same without the score.
    variance_ratio : float
        Variance of the adjusted estimate over that of the unadjusted one: about 1 - r^2, of
        the correlation of score and outcome within arms. So many of the patients are needed.
    n : int
    """

    estimate: float
    low: float
    high: float
    p: float
    standard_error: float
    unadjusted: Estimate
    variance_ratio: float
    n: int


def adjusted_effect(outcome: ArrayLike, treated: ArrayLike, score: ArrayLike) -> AdjustedEffect:
    """Estimate a treatment effect in a randomised trial, with the score as a covariate.

    Least squares of the outcome on arm and score, with standard errors that need neither
    equal variances nor the right model (HC3 [1]_), and the t distribution with n - 3 degrees
    of freedom. By randomisation the estimate is right, and its error rate kept, whatever the
    score is worth: a useless one costs almost nothing, a good one saves patients.

    Parameters
    ----------
    outcome, treated, score : array of shape (n,)
        Outcome; whether the patient was treated, true or false; score of
        :func:`prognostic_score`. By place, not by index: Series of pandas have the same.

    Raises
    ------
    DataError
        If a value is missing, or an arm has fewer than 5 patients.
    ParameterError
        If the lengths or the indexes differ, or ``treated`` is not made of two values, true and
        false.

    References
    ----------
    .. [1] J. S. Long, L. H. Ervin, "Using heteroscedasticity consistent standard errors in
       the linear regression model", The American Statistician 54, 2000.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(size=200)
    >>> treated = rng.permutation(200) < 100
    >>> found = adjusted_effect(score + treated + rng.normal(0, 0.5, 200), treated, score)
    >>> bool(0.8 < found.low < 1 < found.high < 1.2), bool(found.variance_ratio < 0.4)
    (True, True)
    """
    y, given, z = (np.asarray(values) for values in (outcome, treated, score))
    if not y.shape == given.shape == z.shape or y.ndim != 1:
        raise ParameterError("Outcome, treated and score have one value a patient, all of them.")
    _check_indexes(outcome, treated, score)
    try:
        y, z, arm = y.astype(np.float64), z.astype(np.float64), given.astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError(
            "Outcome and score are numbers, and treated is true or false."
        ) from None
    if np.isinf([y, z]).any():
        raise DataError("An outcome or score is infinite: give numbers.")
    if np.isnan([y, z, arm]).any():
        raise DataError(
            "An outcome, arm or score is missing: how the analysis treats such patients has to "
            "be decided first."
        )
    if not np.isin(arm, (0, 1)).all():
        raise ParameterError("treated is true or false (or 1 or 0) for every patient.")
    if min(arm.sum(), len(arm) - arm.sum()) < 5:
        raise DataError("An arm has fewer than 5 patients: nothing can be estimated.")
    if np.ptp(z) and not any(np.ptp(z[arm == one]) for one in (0, 1)):
        raise DataError(
            "The score is the same for all patients of an arm, and another in the other arm: it "
            "tells the arm, and no effect can be told from it. Give the score of prognostic_score, "
            "of what is known before treatment."
        )
    adjusted, error = _effect(y, arm, z)
    unadjusted, plain = _effect(y, arm)
    assert adjusted.p is not None
    return AdjustedEffect(
        adjusted.estimate,
        adjusted.low,
        adjusted.high,
        adjusted.p,
        error,
        unadjusted,
        (error / plain) ** 2 if plain else 1.0,
        len(y),
    )


def _check_indexes(*given: ArrayLike) -> None:
    """Refuse Series of which one place is another patient: aligned silently, nobody would know."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return
    first, *others = [one.index for one in given if isinstance(one, pandas.Series)] or [None]
    if not all(first.equals(other) for other in others):
        raise ParameterError(
            "Outcome, treated and score are Series of pandas with different indexes: put the "
            "patients of all in one order, under the same index."
        )


def _effect(y: Floats, arm: Floats, *scores: Floats) -> tuple[Estimate, float]:
    """Give the difference between arms, and its standard error (HC3).

    Outcome and scores are put about their means and on a scale of one first, which changes no
    difference, and squares of values far from zero would leave nothing of what differs.
    """
    middle, scale = _standard(y)
    y = y / scale - middle
    told = [
        score / size - mean
        for score in scores
        for mean, size in [_standard(score)]
        # One that is the same for all adds nothing, and must not divide by nothing.
        if np.ptp(score) > 1e-12 * np.abs(score).max()
    ]
    design = np.column_stack([arm, np.ones(len(y)), *told])
    n, p = design.shape
    basis, triangle = np.linalg.qr(design)
    weight = np.linalg.solve(triangle, basis.T)
    value = float(weight[0] @ y)
    residual = y - design @ (weight @ y)
    leverage = np.minimum((basis**2).sum(1), 1 - 1e-9)
    error = float(np.sqrt(((weight[0] * residual / (1 - leverage)) ** 2).sum()))
    half = float(stats.t.ppf(0.975, n - p)) * error
    t = abs(value) / error if error else np.inf
    found = Estimate(
        scale * value,
        scale * (value - half),
        scale * (value + half),
        float(2 * stats.t.sf(t, n - p)),
    )
    return found, scale * error


def _standard(values: Floats) -> tuple[float, float]:
    """Give a scale of values, and their mean in it."""
    scale = float(np.ptp(values)) or float(np.abs(values).max()) or 1.0
    return float((values / scale).mean()), scale


def _baseline(historical: Any, trial: Any, outcome: str, asked: Sequence[str] | None) -> list[str]:
    there, here = _names(historical), _names(trial)
    if outcome not in there:
        raise ParameterError(f"The historical table has no column {outcome!r} for the outcome.")
    if asked is None:
        found = [name for name in there if name in here and name != outcome]
        if not found:
            raise ParameterError("The two tables have no baseline column in common.")
        return found
    names = [asked] if isinstance(asked, str) else list(asked)
    if outcome in names:
        raise ParameterError(f"The outcome {outcome!r} cannot be a baseline column.")
    for which, present in (("historical", there), ("trial", here)):
        absent = [name for name in names if name not in present]
        if absent:
            raise ParameterError(f"The {which} table has no column {absent[0]!r}.")
    if not names:
        raise ParameterError("Give at least one baseline column.")
    return names


def _names(source: Any) -> list[str]:
    if isinstance(source, Table):
        return source.names
    if isinstance(source, str | Path):
        return Table.read(source, Schema(max_levels=10**9)).names
    if hasattr(source, "column_names"):
        return list(source.column_names)
    return list(source.columns) if hasattr(source, "columns") else Table.of(source).names


def _kept(which: str, source: Any, names: list[str], said: Schema | None = None) -> Table:
    """Read some columns of a table; the others need not even be known yet."""
    said = said or Schema(max_levels=10**9)
    said = said.model_copy(update={"drop": [n for n in _names(source) if n not in names]})
    if isinstance(source, Table):
        source = source.labelled()
    if isinstance(source, str | Path):
        return Table.read(source, said)
    try:
        return Table.of(source, said)
    except SosieError as error:  # a dataframe has no name of its own, as files have
        raise type(error)(f"The {which} table: {error}") from error


def _patients(trial: Any, names: list[str], said: Schema) -> tuple[Table, int]:
    """Read the patients of the trial, and count them: one alone is read twice over."""
    frame = nw.from_native(trial, eager_only=True, pass_through=True)
    alone = isinstance(frame, nw.DataFrame) and len(frame) == 1
    if alone:  # a table of one row is none
        trial = nw.concat([frame, frame]).to_native()
    table = _kept("trial", trial, names, said)
    return table, 1 if alone else len(table)


def _outcome_of(earlier: Table, name: str) -> Floats:
    """Give the outcome as numbers: few different ones are levels to a table, or a constant."""
    kind, cells = earlier.schema[name].kind, earlier.frame[name]
    if cells.dtype.is_temporal():
        raise ParameterError(f"The outcome {name!r} holds dates or times: give a number.")
    if kind in NUMERIC:
        return earlier.numbers(name)
    if not (cells.dtype.is_numeric() or cells.dtype == pl.Boolean):
        cells = cells.cast(pl.String)
    found = cells.cast(pl.Float64, strict=False)
    if found.null_count() > cells.null_count() or not found.is_finite().all():
        raise ParameterError(f"The outcome {name!r} is of kind {kind}: give a number.")
    return found.fill_null(np.nan).to_numpy()


def _telling(earlier: Table, names: list[str]) -> list[str]:
    """Leave out what tells nothing of earlier patients: constants, as the arm, and names."""
    kinds = {c.name: c.kind for c in earlier.schema.columns}
    used = [name for name in names if kinds[name] in NUMERIC or kinds[name] in CODED]
    if not used:
        raise ParameterError("No baseline column has numbers or levels that vary.")
    return used


def _coded(earlier: Table, patients: Table, names: list[str]) -> tuple[People, People]:
    """Code both tables by the levels of the first; a level that it has not is missing."""
    kinds = {c.name: c.kind for c in earlier.schema.columns}
    numbers = tuple(name for name in names if kinds[name] in NUMERIC)
    labels = [name for name in names if kinds[name] in CODED]
    levels = {name: tuple(_spelt(earlier, name)) for name in labels}
    layout = Layout(tuple(names), numbers, levels)

    def coded(table: Table) -> People:
        values = [table.numbers(name) for name in numbers]
        codes = []
        for name in labels:
            place = {level: i for i, level in enumerate(levels[name])}
            own = [place.get(level, -1) for level in _spelt(table, name)]
            if own and max(own) < 0:
                raise ParameterError(
                    f"No label of column {name!r} of the trial is one of the historical table: "
                    "spell them alike, or leave the column out of the baseline."
                )
            codes.append(np.array([*own, -1], np.int32)[table.codes(name)])
        n = len(table)
        return People(
            layout,
            np.column_stack(values) if values else np.empty((n, 0)),
            np.column_stack(codes) if codes else np.empty((n, 0), np.int32),
        )

    return coded(earlier), coded(patients)


def _spelt(table: Table, name: str) -> list[str]:
    return plain_labels(pl.Series(map(str, table.schema[name].levels), dtype=pl.String)).to_list()


def _predicted(learn: People, truth: Floats, apply: People, seed: int) -> Floats:
    """Predict by the model with the smaller squared error on patients held out."""
    fold = np.random.default_rng(seed).permutation(len(learn)) % _FOLDS
    models = (_ridge, _trees)
    errors = np.zeros(len(models))
    with threadpool_limits(1):
        for k in range(_FOLDS):
            others, held = learn.taken(np.flatnonzero(fold != k)), np.flatnonzero(fold == k)
            for i, model in enumerate(models):
                found = model(others, truth[fold != k], learn.taken(held), seed)
                errors[i] += ((found - truth[held]) ** 2).sum()
        return models[int(errors.argmin())](learn, truth, apply, seed)


def _ridge(learn: People, truth: Floats, apply: People, _: int) -> Floats:
    from sklearn.linear_model import RidgeCV

    design = Design().fit(learn, learn.layout.names)
    model = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(design.matrix(learn)[:, 1:], truth)
    return model.predict(design.matrix(apply)[:, 1:])


def _trees(learn: People, truth: Floats, apply: People, seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        learning_rate=0.05, max_leaf_nodes=8, early_stopping=False, random_state=seed
    )
    names = learn.layout.names
    return model.fit(features(learn, names), truth).predict(features(apply, names))
