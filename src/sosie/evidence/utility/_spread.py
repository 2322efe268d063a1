"""Whether numbers vary as much, and rare levels are still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._finding import Finding, Verdict
from sosie.evidence._intervals import wilson
from sosie.evidence.utility._judged import finding_of, judged
from sosie.evidence.utility._resampling import around, replicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["RareLevels", "SpreadRatio"]

_TARGET = 0.9
_FEWEST, _RARE = 5, 0.02
"""Persons who hold a level, and the share below which it is rare."""


class SpreadRatio:
    """Standard deviation of a number relative to its original; the median over the numbers.

    - 1 where numbers vary as before; averages over neighbours shrink it, added noise raises it.
    - It has no unit and does not depend on any shift.
    - The target is for what is lost; a ratio surely above 1 / 0.9 calls for attention.
    - A number of which the synthetic table knows no two values has spread 0.
    - Interval: bootstrap of the rows of both tables.

    Methods that average persons keep means and lose variance: intervals and tests on their
    tables are then too sure.
    """

    name: ClassVar[str] = "sd_ratio"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare the standard deviation of each number."""
        original, synthetic, control = case.original, case.synthetic, case.control
        ours = _Moments(original, original)
        varies = ours.deviations()[:, 0] > 0
        if not varies.any():
            return {self.name: Finding(target=_TARGET, better="higher", why_not="no_number")}
        theirs = _Moments(synthetic, original)
        with threadpool_limits(1):
            by_column = _ratios(ours.deviations(), theirs.deviations())[:, 0]
            value, ceiling = float(np.median(by_column[varies])), None
            if control is not None:
                fresh = _ratios(ours.deviations(), _Moments(control, original).deviations())
                ceiling = float(np.median(fresh[varies, 0]))
            found = replicates(
                lambda w, v: _medians(_ratios(ours.deviations(w), theirs.deviations(v))[varies]),
                len(original),
                len(synthetic),
                case.effort.repeats,
                case.rng(self.name),
            )
        columns = [
            {"name": name, "ratio": float(ratio)}
            for name, ratio, kept in zip(original.layout.numbers, by_column, varies, strict=True)
            if kept
        ]
        made = finding_of(
            case,
            value,
            around(value, found, (0, np.inf)),
            _TARGET,
            better="higher",
            control=ceiling,
            detail={"columns": columns},
        )
        if made.verdict is Verdict.PASS and made.ci and made.ci[0] > 1 / _TARGET:
            made.verdict = Verdict.ATTENTION
        return {self.name: made}


class RareLevels:
    """Share of the rare levels of the original that the synthetic table has at all.

    A level is rare when five persons or more hold it, and less than 2 % of them. Levels of
    fewer persons do not count: a table that keeps those singles persons out.

    - 1 where all are kept. A fresh sample of as many persons misses a level held by five of
      them once in 150 times; the control shows how much a sample of its size misses.
    - Interval: that of Wilson, as if the levels were drawn from others like them. The verdict
      is on the count itself, which is of all there are.
    """

    name: ClassVar[str] = "rare_levels_kept"

    def run(self, case: Case) -> dict[str, Finding]:
        """Look for each rare level."""
        original, synthetic, control = case.original, case.synthetic, case.control
        if not original.layout.levels:
            return {self.name: Finding(target=_TARGET, better="higher", why_not="no_label")}
        columns: list[dict[str, Any]] = []
        rare = kept = fresh = 0
        for name in original.layout.labels:
            ours = _held(original, name)
            wanted = (ours >= _FEWEST) & (ours < _RARE * len(original))
            found = int((wanted & (_held(synthetic, name) > 0)).sum())
            columns.append({"name": name, "rare": int(wanted.sum()), "kept": found})
            rare, kept = rare + int(wanted.sum()), kept + found
            if control is not None:
                fresh += int((wanted & (_held(control, name) > 0)).sum())
        if not rare:
            return {self.name: Finding(target=_TARGET, better="higher", why_not="too_few")}
        value, interval = kept / rare, wilson(kept, rare)
        ceiling = None if control is None else fresh / rare
        return {
            self.name: Finding(
                value=value,
                ci=interval,
                control=ceiling,
                target=_TARGET,
                better="higher",
                verdict=judged(value, (value, value), _TARGET, better="higher", control=ceiling),
                n=rare,
                detail={"columns": [c for c in columns if c["rare"]]},
            )
        }


class _Moments:
    """Sums of numbers about the means of the original, for resampled rows."""

    def __init__(self, people: People, original: People) -> None:
        known_ours = ~np.isnan(original.numbers)
        count = np.maximum(known_ours.sum(axis=0), 1)
        centre = np.where(known_ours, original.numbers, 0).sum(axis=0) / count
        known = ~np.isnan(people.numbers)
        around_it = np.where(known, people.numbers - centre, 0)
        self._block = np.concatenate([known, around_it, around_it**2], axis=1)

    def deviations(self, weights: NDArray[np.float32] | None = None) -> Floats:
        """Give the standard deviations (divisor n - 1): (numbers, resamples)."""
        if weights is None:
            weights = np.ones((len(self._block), 1), np.float32)
        n, total, squares = np.split(self._block.T @ weights.astype(np.float64), 3)
        mean_square = squares - total**2 / np.maximum(n, 1)
        spread = np.where(mean_square > 1e-12 * squares, mean_square, 0) / np.maximum(n - 1, 1)
        return np.sqrt(spread)


def _ratios(ours: Floats, theirs: Floats) -> Floats:
    return np.divide(theirs, ours, np.full_like(ours, np.nan), where=ours > 0)


def _medians(ratios: Floats) -> Floats:
    """Give the median of each resample, over the numbers that vary in it."""
    found = np.full(ratios.shape[1], np.nan)
    some = ~np.isnan(ratios).all(axis=0)
    found[some] = np.nanmedian(ratios[:, some], axis=0)
    return found


def _held(people: People, name: str) -> NDArray[np.int64]:
    """Count the rows that hold each level."""
    levels = people.layout.levels[name]
    return np.bincount(people.column(name) + 1, minlength=len(levels) + 1)[1:]
