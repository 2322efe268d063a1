"""One analysis, done alike on the original and on the synthetic table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sosie.evidence import _models as models
from sosie.evidence._analyses import (
    Analysis,
    Correlation,
    Cox,
    KaplanMeier,
    Linear,
    Logistic,
    Mean,
    Poisson,
    Proportion,
)
from sosie.evidence._design import FEWEST, Design, design
from sosie.evidence._models import Estimate, NotFitted
from sosie.evidence._variables import codes, levels, numbers, spelt
from sosie.table import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sosie.evidence._people import People

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Results", "analysed"]

Results = dict[str, Estimate | str]
"""By term, its estimate, or why there is none."""


def analysed(analysis: Analysis, original: People, synthetic: People) -> tuple[Results, Results]:
    """Do an analysis on both tables.

    Returns
    -------
    pair of dict
        Of the original, then of the synthetic; where there is no estimate of a term a reason:
        ``too_few``, ``separated``, ``collinear``, ``not_converged``, ``out_of_domain``,
        ``negative`` or ``not_binary``.

    Raises
    ------
    NotFitted
        If nothing at all can be computed on the original.
    """
    if isinstance(analysis, Linear | Logistic | Poisson | Cox):
        return _regressed(analysis, original, synthetic)
    ours = _described(analysis, original, original)
    try:
        return ours, _described(analysis, synthetic, original)
    except NotFitted as error:
        return ours, dict.fromkeys(ours, error.reason)


def _described(
    analysis: Mean | Proportion | KaplanMeier | Correlation, people: People, original: People
) -> Results:
    if isinstance(analysis, Correlation):
        return _correlated(analysis, people)
    found: Results = {}
    for group, members in _groups(analysis.by, people, original):
        match analysis:
            case Mean():
                found |= _averaged(analysis, people, group, members)
            case Proportion():
                found |= _counted(analysis, people, group, members)
            case KaplanMeier():
                found |= _survived(analysis, people, group, members)
    return found


def _groups(by: str | None, people: People, original: People) -> Iterator[tuple[str, Mask]]:
    if by is None:
        yield "", np.ones(len(people), bool)
        return
    labels = levels(original, by)
    if labels is None:
        raise NotFitted("too_many_levels")
    values = codes(people, by, labels)
    for code, label in enumerate(labels):
        yield f" | {by} = {label}", values == code


def _averaged(analysis: Mean, people: People, group: str, members: Mask) -> Results:
    values = numbers(people, analysis.column)
    values = values[members & np.isfinite(values)]
    term = analysis.column + group
    if len(values) < 2:
        return {term: "too_few"}
    return {term: replace(models.mean(values), few=len(values) < FEWEST)}


def _counted(analysis: Proportion, people: People, group: str, members: Mask) -> Results:
    values = _is_level(people, analysis.column, analysis.level)
    values = values[members & np.isfinite(values)]
    successes, trials = int(values.sum()), len(values)
    few = min(successes, trials - successes) < FEWEST
    term = f"{analysis.column} = {spelt(analysis.level)}{group}"
    return {term: replace(models.proportion(successes, trials), few=few) if trials else "too_few"}


def _survived(analysis: KaplanMeier, people: People, group: str, members: Mask) -> Results:
    durations = numbers(people, analysis.duration)
    events = _event(people, analysis.event, analysis.level)
    kept = members & np.isfinite(durations) & np.isfinite(events)
    durations, events = durations[kept], events[kept]
    terms = [f"{time:g}{group}" for time in analysis.at]
    if not len(durations):
        return dict.fromkeys(terms, "too_few")
    found: Results = {}
    estimates = models.survival(durations, events, analysis.at)
    for term, time, one in zip(terms, analysis.at, estimates, strict=True):
        # Those who had the event by then, and those still followed.
        had, followed = events[durations <= time].sum(), (durations >= time).sum()
        known = np.isfinite([one.low, one.high]).all() and followed
        found[term] = replace(one, few=bool(min(had, followed) < FEWEST)) if known else "too_few"
    return found


def _correlated(analysis: Correlation, people: People) -> Results:
    x, y = (numbers(people, name) for name in analysis.columns)
    kept = np.isfinite(x) & np.isfinite(y)
    term = ", ".join(analysis.columns)
    if kept.sum() < FEWEST:
        return {term: "too_few"}
    try:
        return {term: models.correlation(x[kept], y[kept], analysis.method)}
    except NotFitted as error:
        return {term: error.reason}


def _is_level(people: People, column: str, level: object) -> Floats:
    """Give 1 where a person has the label, 0 where another, NaN where none."""
    if people.layout.is_number(column):
        values = numbers(people, column)
        try:
            wanted = float(spelt(level))
        except ValueError as error:
            raise NotFitted("not_binary") from error
        return np.where(np.isfinite(values), (values == wanted).astype(float), np.nan)
    place = people.layout.levels[column].index(spelt(level))
    values = np.asarray(people.column(column))
    return np.where(values >= 0, (values == place).astype(float), np.nan)


def _event(people: People, column: str, level: object) -> Floats:
    if level is None:
        return numbers(people, column)
    return _is_level(people, column, level)


def _regressed(
    analysis: Linear | Logistic | Poisson | Cox, original: People, synthetic: People
) -> tuple[Results, Results]:
    formula = Formula.read(analysis.formula)
    mine, failed = _outcome(analysis, formula, original, original), ""
    try:
        theirs = _outcome(analysis, formula, synthetic, original)
    except NotFitted as error:
        theirs, failed = np.full((len(synthetic), mine.shape[1]), np.nan), error.reason
    outcomes = (mine, theirs)
    known = [np.asarray(np.isfinite(outcome).all(axis=1)) for outcome in outcomes]
    cases = [_cases(analysis, outcome) for outcome in outcomes]
    first, second = design(formula, original, synthetic, (known[0], known[1]), (cases[0], cases[1]))
    ours = _fitted(analysis, mine, first)
    if failed:
        return ours, dict.fromkeys(ours, failed)
    try:
        return ours, _fitted(analysis, theirs, second)
    except NotFitted as error:
        return ours, dict.fromkeys(ours, error.reason)


def _cases(analysis: Linear | Logistic | Poisson | Cox, outcome: Floats) -> list[Mask]:
    """Give the sets of persons of whom a contrast must have five on either side."""
    if isinstance(analysis, Cox):
        return [outcome[:, 1] == 1]
    if isinstance(analysis, Logistic):
        return [outcome[:, 0] == 1, outcome[:, 0] == 0]
    return [np.isfinite(outcome[:, 0])]


def _outcome(
    analysis: Linear | Logistic | Poisson | Cox, formula: Formula, people: People, original: People
) -> Floats:
    """Give the outcome of each person; time, event and strata for a Cox model."""
    if isinstance(analysis, Cox):
        parts = [
            numbers(people, analysis.duration),
            _event(people, analysis.event, analysis.level),
        ]
        for name in analysis.strata:
            labels = levels(original, name)
            if labels is None:
                raise NotFitted("too_many_levels")
            code = codes(people, name, labels)
            parts.append(np.where(code >= 0, code.astype(float), np.nan))
        return np.column_stack(parts)
    assert formula.outcome is not None
    if isinstance(analysis, Logistic):
        return _event(people, formula.outcome.column, analysis.level)[:, None]
    before = numbers(people, formula.outcome.column)
    after = formula.outcome.of(before)
    if (np.isfinite(before) & ~np.isfinite(after)).any():
        raise NotFitted("out_of_domain")
    return after[:, None]


def _fitted(analysis: Linear | Logistic | Poisson | Cox, outcome: Floats, made: Design) -> Results:
    if made.failed:
        raise NotFitted(made.failed)
    used = made.used
    if isinstance(analysis, Cox):
        used = used & np.array([name != "" for name in made.names])
    matrix, outcome = made.matrix[:, used], outcome[made.rows]
    if not matrix.shape[1]:
        raise NotFitted("too_few")
    found: list[Estimate] | list[Estimate | None]
    match analysis:
        case Linear():
            found = models.linear(outcome[:, 0], matrix)
        case Logistic():
            found = models.logistic(outcome[:, 0], matrix)
        case Poisson():
            found = models.poisson(outcome[:, 0], matrix)
        case Cox():
            strata = np.unique(outcome[:, 2:], axis=0, return_inverse=True)[1]
            found = models.cox(
                outcome[:, 0],
                outcome[:, 1],
                matrix,
                strata.astype(float) if analysis.strata else None,
            )
    results: Results = dict.fromkeys(made.names, "too_few")
    for place, one in zip(np.flatnonzero(used), found, strict=True):
        few = bool(made.few[place])
        if one is not None:
            results[made.names[place]] = replace(one, few=few)
        elif not few:
            results[made.names[place]] = "separated"
    results.pop("", None)
    return results
