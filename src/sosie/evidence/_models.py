"""Estimates with their 95 % intervals, by statsmodels, lifelines and closed forms."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats
from scipy.linalg import qr

from sosie.evidence._intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Estimate",
    "NotFitted",
    "correlation",
    "cox",
    "linear",
    "logistic",
    "mean",
    "poisson",
    "proportion",
    "survival",
]

_Z = float(stats.norm.ppf(0.975))

_WIDEST = 50.0
"""Standard error of a log ratio, over the spread of the column, beyond which nothing was
estimated: one group has all of the events, or none."""


@dataclass(frozen=True)
class Estimate:
    """An estimate with its 95 % interval.

    Attributes
    ----------
    estimate, low, high : float
    p : float or None
        Two-sided, of no effect; None where that is no question, as for a mean.
    few : bool
        Whether it is about fewer than five persons, and so is not to be shown.
    """

    estimate: float
    low: float
    high: float
    p: float | None = None
    few: bool = False

    def to_json(self) -> dict[str, float | None]:
        """Give the four numbers by name."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high, "p": self.p}


class NotFitted(Exception):  # noqa: N818 - a state of the data, which callers handle
    """A model has no estimate.

    Attributes
    ----------
    reason : str
        ``too_few``, ``collinear``, ``not_converged``, ``separated``, ``out_of_domain`` (of a
        logarithm or a root), ``negative`` (a time or a count) or ``not_binary``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def mean(values: Floats) -> Estimate:
    """Estimate a mean, with the interval of Student.

    Examples
    --------
    >>> found = mean(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (2.5, 0.446, 4.554)
    """
    n = len(values)
    if n < 2:
        raise NotFitted("too_few")
    centre = float(values.mean())
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(centre, centre - half, centre + half)


def proportion(successes: int, trials: int) -> Estimate:
    """Estimate a proportion, with the interval of Wilson."""
    if trials == 0:
        raise NotFitted("too_few")
    low, high = wilson(successes, trials)
    return Estimate(successes / trials, low, high)


def correlation(x: Floats, y: Floats, method: str = "pearson") -> Estimate:
    """Estimate a correlation, with interval and test after Fisher's z transformation.

    The variance of z is 1 / (n - 3), and (1 + r^2 / 2) / (n - 3) for ranks [1]_.

    References
    ----------
    .. [1] D. G. Bonett, T. A. Wright, "Sample size requirements for estimating Pearson,
       Kendall and Spearman correlations", Psychometrika 65, 2000.

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> found = correlation(x, np.sin(x) + x / 5)
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.832, 0.617, 0.932)
    """
    n = len(x)
    if n < 5:
        raise NotFitted("too_few")
    if method == "spearman":
        x, y = stats.rankdata(x), stats.rankdata(y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise NotFitted("collinear")
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
    if abs(r) > 1 - 1e-12:
        return Estimate(r, r, r, 0.0)
    z = np.arctanh(r)
    spread = np.sqrt((1 + r**2 / 2 if method == "spearman" else 1) / (n - 3))
    low, high = np.tanh([z - _Z * spread, z + _Z * spread])
    return Estimate(r, float(low), float(high), float(2 * stats.norm.sf(abs(z) / spread)))


def survival(durations: Floats, events: Floats, times: Sequence[float]) -> list[Estimate]:
    """Estimate the share that is free of the event at some times, after Kaplan and Meier.

    The interval is that of lifelines: Greenwood's variance on the scale of log(-log).
    """
    _check_times(durations, events)
    with _quiet():
        from lifelines import KaplanMeierFitter

        fitted = KaplanMeierFitter().fit(durations, events)
    moments = fitted.survival_function_.index.to_numpy()
    places = np.searchsorted(moments, np.asarray(times, float), side="right") - 1
    share = fitted.survival_function_.to_numpy()[places, 0]
    ends = fitted.confidence_interval_survival_function_.to_numpy()[places]
    return [
        Estimate(float(s), float(low), float(high))
        for s, (low, high) in zip(share, ends, strict=True)
    ]


def linear(outcome: Floats, design: Floats) -> list[Estimate]:
    """Fit by least squares; one estimate a column of the design."""
    _check(outcome, design)
    with _quiet():
        from statsmodels.regression.linear_model import OLS

        fitted = OLS(outcome, design).fit()
        return _estimates(fitted.params, fitted.conf_int(), fitted.pvalues)


def logistic(outcome: Floats, design: Floats) -> list[Estimate | None]:
    """Fit log odds of an outcome of 0 and 1; None for a column that separates them."""
    if not np.isin(outcome, (0, 1)).all():
        raise NotFitted("not_binary")
    if min(outcome.sum(), (1 - outcome).sum()) < 5:
        raise NotFitted("too_few")
    return _generalised(outcome, design, "Binomial")


def poisson(outcome: Floats, design: Floats) -> list[Estimate | None]:
    """Fit log rates of a count; None for a column that separates zeros from the rest."""
    if (outcome < 0).any():
        raise NotFitted("negative")
    if np.count_nonzero(outcome) < 5:
        raise NotFitted("too_few")
    return _generalised(outcome, design, "Poisson")


def _generalised(outcome: Floats, design: Floats, family: str) -> list[Estimate | None]:
    _check(outcome, design)
    with _quiet() as caught:
        from statsmodels.genmod import families
        from statsmodels.genmod.generalized_linear_model import GLM

        try:
            fitted = GLM(outcome, design, family=getattr(families, family)()).fit()
            found = _estimates(fitted.params, fitted.conf_int(), fitted.pvalues)
            errors = np.asarray(fitted.bse)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
            raise NotFitted("not_converged") from error
    if any("erfect separation" in str(warning.message) for warning in caught):
        raise NotFitted("separated")
    if not fitted.converged:
        raise NotFitted("not_converged")
    return _estimable(found, errors, design)


def cox(
    durations: Floats, events: Floats, design: Floats, strata: Floats | None = None
) -> list[Estimate | None]:
    """Fit log hazard ratios by Cox's partial likelihood, ties after Efron.

    Parameters
    ----------
    durations, events : ndarray of shape (n,)
        Time at risk; 1 where it ended in the event.
    design : ndarray of shape (n, p)
        Without intercept.
    strata : ndarray of shape (n,), optional
        Groups with a baseline hazard each.
    """
    _check_times(durations, events)
    if events.sum() < 5:
        raise NotFitted("too_few")
    _check(durations, np.column_stack([np.ones(len(design)), design]))
    with _quiet() as caught:
        import pandas as pd
        from lifelines import CoxPHFitter
        from lifelines.exceptions import ConvergenceError

        names = [f"x{j}" for j in range(design.shape[1])]
        frame = pd.DataFrame(design, columns=pd.Index(names))
        frame["duration"], frame["event"] = durations, events
        if strata is not None:
            frame["stratum"] = strata
        try:
            fitted = CoxPHFitter().fit(
                frame, "duration", "event", strata=None if strata is None else ["stratum"]
            )
        except (ConvergenceError, np.linalg.LinAlgError, ValueError) as error:
            raise NotFitted("not_converged") from error
        found = fitted.summary.loc[names]
    if any("failed to converge" in str(warning.message) for warning in caught):
        raise NotFitted("not_converged")
    bounds = fitted.confidence_intervals_.loc[names].to_numpy()
    estimates = _estimates(found["coef"].to_numpy(), bounds, found["p"].to_numpy())
    return _estimable(estimates, found["se(coef)"].to_numpy(), design)


def _check_times(durations: Floats, events: Floats) -> None:
    if (durations < 0).any():
        raise NotFitted("negative")
    if not np.isin(events, (0, 1)).all():
        raise NotFitted("not_binary")


def _check(outcome: Floats, design: Floats) -> None:
    """Refuse what has no single solution."""
    n, p = design.shape
    if n < p + 5:
        raise NotFitted("too_few")
    scale = np.sqrt((design**2).sum(axis=0))
    if (scale == 0).any():
        raise NotFitted("collinear")
    (triangle,) = qr(design / scale, mode="r", pivoting=True)[:1]
    if np.abs(np.diag(triangle)[:p]).min() < 1e-9:
        raise NotFitted("collinear")
    if np.ptp(outcome) == 0:
        raise NotFitted("too_few")


def _estimates(values: Any, bounds: Any, p: Any) -> list[Any]:
    found = np.column_stack([np.asarray(values), np.asarray(bounds), np.asarray(p)])
    if not np.isfinite(found).all():
        raise NotFitted("not_converged")
    return [Estimate(float(a), float(b), float(c), float(d)) for a, b, c, d in found]


def _estimable(found: list[Any], errors: Floats, design: Floats) -> list[Estimate | None]:
    two = [len(np.unique(column[:: max(1, len(column) // 10_000)])) <= 2 for column in design.T]
    spread = np.where(two, np.ptp(design, axis=0), design.std(axis=0))
    spread = np.where(spread > 0, spread, 1)
    return [
        one if error * scale <= _WIDEST else None
        for one, error, scale in zip(found, errors, spread, strict=True)
    ]


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep warnings of the libraries here, where they are looked at."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        yield caught
