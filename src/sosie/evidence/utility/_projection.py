"""Original and synthetic rows in the factors of the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.errors import DataError
from sosie.evidence._finding import Finding
from sosie.evidence.utility._cells import hellinger
from sosie.evidence.utility._judged import finding_of
from sosie.evidence.utility._resampling import around, cells_apart
from sosie.evidence.utility._shown import FEWEST, round_edges
from sosie.space import FAMD, Mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]
    Points = NDArray[np.float32]

__all__ = ["Projection"]

_TARGET = 0.1
_FACTORS = 5
_BINS = 20
_GRID = 30
_MOST_LEVELS = 1_000
"""Levels of all columns together beyond which the least frequent are taken as one."""


class Projection:
    """Hellinger distance of the coordinates on the factors of the original, on average.

    The factors are the first five of a factor analysis of mixed data of the original, in
    which a missing number is the mean and a missing label a level; synthetic rows are
    projected as new ones. Each coordinate is cut in twenty cells of equal width over the range
    of the original, the first and the last open.

    - 0 for the same, 1 for clouds that nowhere overlap along any factor.
    - It sees what columns do together, along the directions in which persons differ most.
    - Noise as in :class:`Hellinger`; the control shows how much.
    - Interval: bootstrap of the rows of both tables, the factors held.

    ``detail`` holds the densities on the first two factors, cells of fewer than five rows
    None, the shares they explain, and the contributions of the columns, those of a factor
    analysis of the synthetic table beside them (a contribution has no sign).

    References
    ----------
    .. [1] J. Pagès, "Analyse factorielle de données mixtes", Revue de statistique
       appliquée 52(4), 2004.
    """

    name: ClassVar[str] = "projection_difference"

    def run(self, case: Case) -> dict[str, Finding]:
        """Project, and compare each coordinate."""
        original, synthetic, control = case.original, case.synthetic, case.control
        coding = _Coding(original)
        with threadpool_limits(1):
            try:
                famd = FAMD(_FACTORS).fit(coding.mixed(original))
            except DataError:  # nothing varies in this sample
                return {self.name: Finding(target=_TARGET, why_not="too_few")}
            ours = famd.transform(coding.mixed(original))
            theirs = famd.transform(coding.mixed(synthetic))
            fresh = None if control is None else famd.transform(coding.mixed(control))
            contributions = _contributions(famd, coding, original, synthetic)
        inner = np.linspace(ours.min(axis=0), ours.max(axis=0), _BINS + 1)[1:-1]
        by_factor, of_fresh, found = cells_apart(
            hellinger,
            lambda points: _cells(points, inner),
            (ours, theirs, fresh),
            np.full(ours.shape[1], _BINS),
            case.effort.repeats,
            case.rng(self.name),
        )
        value = float(by_factor.mean())
        ceiling = None if of_fresh is None else float(of_fresh.mean())
        detail = {
            **_densities(ours, theirs),
            "explained": famd.explained_variance_ratio_[:2].tolist(),
            "contributions": contributions,
            "factors": by_factor.tolist(),
        }
        return {
            self.name: finding_of(
                case, value, around(value, found), _TARGET, control=ceiling, detail=detail
            )
        }


class _Coding:
    """Rows without missing cells: numbers at the mean of the original, labels as a level."""

    def __init__(self, original: People) -> None:
        known = ~np.isnan(original.numbers)
        count = np.maximum(known.sum(axis=0), 1)
        self.mean = np.where(known, original.numbers, 0).sum(axis=0) / count
        self.lookup = []
        most = max(_MOST_LEVELS // max(len(original.layout.levels), 1), 2)
        for name, levels in original.layout.levels.items():
            held = np.bincount(original.column(name) + 1, minlength=len(levels) + 1)
            held = np.roll(held, -1)
            found = np.full(len(held), most - 1)
            order = np.argsort(-held, kind="stable")[: most - 1] if len(held) > most else ()
            if len(order):
                found[order] = np.arange(most - 1)
            else:
                found = np.arange(len(held))
            self.lookup.append(found.astype(np.int32))
        self.levels = tuple(int(found.max()) + 1 for found in self.lookup)

    def mixed(self, people: People) -> Mixed:
        numbers = np.where(np.isnan(people.numbers), self.mean, people.numbers)
        codes = [found[column] for found, column in zip(self.lookup, people.codes.T, strict=True)]
        stacked = np.column_stack(codes) if codes else np.empty((len(people), 0), np.int32)
        return Mixed(numbers, stacked, self.levels)


def _cells(points: Points, inner: Floats) -> NDArray[np.int32]:
    found = [
        np.searchsorted(cuts, x, side="right") for cuts, x in zip(inner.T, points.T, strict=True)
    ]
    return np.column_stack(found).astype(np.int32)


def _densities(ours: Points, theirs: Points) -> dict[str, Any]:
    """Count both clouds on a grid that reaches where at least five persons lie beyond."""
    if ours.shape[1] < 2:
        return {"x": None, "y": None, "original": None, "synthetic": None}
    beyond = max(0.005, FEWEST / len(ours))
    ends = np.quantile(ours[:, :2].astype(np.float64), [beyond, 1 - beyond], axis=0)
    x, y = (np.array(_grid(low, high)) for low, high in ends.T)
    found: dict[str, Any] = {"x": x.tolist(), "y": y.tolist()}
    for role, points in (("original", ours), ("synthetic", theirs)):
        count, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=(x, y))
        found[role] = [
            [None if c < FEWEST else round(c / len(points), 6) for c in row]
            for row in count.tolist()
        ]
    return found


def _grid(low: float, high: float) -> list[float]:
    """Give 31 edges, rounded so that none is a person's coordinate."""
    first, *_, last = round_edges(low, high, 2 * _GRID)
    return [float(f"{edge:.6g}") for edge in np.linspace(first, last, _GRID + 1)]


def _contributions(
    famd: FAMD, coding: _Coding, original: People, synthetic: People
) -> list[dict[str, Any]]:
    """Give the share of each column in factors 1 and 2, of either table."""
    try:
        other = FAMD(2).fit(coding.mixed(synthetic)).contributions_
    except DataError:
        other = None
    layout = original.layout
    found = []
    for name in layout.names:
        place = layout.place(name) + (0 if layout.is_number(name) else len(layout.numbers))
        found.append(
            {
                "name": name,
                "original": famd.contributions_[place, :2].tolist(),
                "synthetic": None if other is None else other[place].tolist(),
            }
        )
    return found
