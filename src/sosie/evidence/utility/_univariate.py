"""How near each column is to its original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sosie.evidence.utility._cells import (
    Cutting,
    Tally,
    hellinger,
    kolmogorov,
    tally,
    total_variation,
)
from sosie.evidence.utility._judged import finding_of
from sosie.evidence.utility._resampling import around, cells_apart, replicates
from sosie.evidence.utility._shown import edges_of, shares_shown, spread_over
from sosie.space import largest_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._finding import Finding
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Hellinger", "UnivariateDistance"]

_TARGET = 0.1
_MOST_LEVELS = 30
"""Levels of a column that a figure shows; the rest stand together."""

_REST = "…"
_DAYS = 1e8
"""Dates beyond, in days, are moments in microseconds."""


class Hellinger:
    r"""Hellinger distance of each column to its original, on average.

    :math:`H(p, q) = \sqrt{1 - \sum \sqrt{p q}}`, of the shares of levels, or for a number
    of 20 intervals of equal width over the range of the original, the first and the last
    open; missing is one more cell.

    - 0 for the same shares, 1 for shares that have no cell in common.
    - Noise: two samples of n persons of one law are about
      :math:`\sqrt{(\text{cells} - 1) / 4n}` apart; the control shows how much.
    - Interval: bootstrap of the rows of both tables.

    ``detail["columns"]`` holds for each column ``hellinger``, that of the control as
    ``hellinger_control``, the ``distance`` of :class:`UnivariateDistance`, and the shares of
    each table to draw, between round ``edges`` or by ``levels``.

    References
    ----------
    .. [1] E. Hellinger, "Neue Begründung der Theorie quadratischer Formen von
       unendlichvielen Veränderlichen", J. reine angew. Math. 136, 1909.
    .. [2] L. Le Cam, G. L. Yang, "Asymptotics in statistics", 2nd ed., 2000, chapter 3.
    """

    name: ClassVar[str] = "hellinger_mean"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare each column."""
        original, synthetic, control = case.original, case.synthetic, case.control
        cutting = Cutting.equal_width(original)
        by_column, fresh, found = cells_apart(
            hellinger,
            cutting.codes,
            (original, synthetic, control),
            cutting.sizes,
            case.effort.repeats,
            case.rng(self.name),
        )
        value = float(by_column.mean())
        ceiling = None if fresh is None else float(fresh.mean())
        interval = around(value, found)
        distances = _distances(original, synthetic)
        columns = []
        for j, column in enumerate(original.layout.names):
            entry: dict[str, Any] = {
                "name": column,
                "kind": _kind(original, column),
                "hellinger": float(by_column[j]),
                "hellinger_control": None if fresh is None else float(fresh[j]),
                "distance": float(distances[j]),
            }
            columns.append(entry | _drawn(column, original, synthetic, control))
        return {
            self.name: finding_of(
                case, value, interval, _TARGET, control=ceiling, detail={"columns": columns}
            )
        }


class UnivariateDistance:
    """Largest distance in probability of each column to its original, on average.

    For numbers that of Kolmogorov and Smirnov, the largest distance between the distribution
    functions, over known values; for labels the total variation, half the sum of the absolute
    differences of the shares, missing being one more level.

    - 0 for the same, 1 for columns that have nothing in common; for a number that the
      synthetic table never holds, 1.
    - It does not depend on the unit of a number, nor on any increasing transformation.
    - Interval: bootstrap of the rows of both tables, numbers there on 200 cells.

    References
    ----------
    .. [1] F. J. Massey, "The Kolmogorov-Smirnov test for goodness of fit", JASA 46, 1951.
    """

    name: ClassVar[str] = "univariate_distance"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare each column."""
        original, synthetic, control = case.original, case.synthetic, case.control
        by_column = _distances(original, synthetic)
        value = float(by_column.mean())
        fresh = None if control is None else _distances(original, control)
        ceiling = None if fresh is None else float(fresh.mean())
        cutting = Cutting.fine(original, synthetic)
        sizes = cutting.sizes
        ours = Tally(cutting.codes(original), sizes)
        theirs = Tally(cutting.codes(synthetic), sizes)
        found = replicates(
            lambda w, v: _mean_distance(cutting, ours.shares(w), theirs.shares(v)),
            len(original),
            len(synthetic),
            case.effort.repeats,
            case.rng(self.name),
        )
        detail = {
            "columns": [
                {
                    "name": column,
                    "distance": float(by_column[j]),
                    "control": None if fresh is None else float(fresh[j]),
                }
                for j, column in enumerate(original.layout.names)
            ]
        }
        return {
            self.name: finding_of(
                case, value, around(value, found), _TARGET, control=ceiling, detail=detail
            )
        }


def _distances(original: People, other: People) -> Floats:
    """Give the exact distance of each column: (columns,)."""
    found = []
    for name in original.layout.names:
        levels = original.layout.levels.get(name)
        count = None if levels is None else len(levels)
        found.append(largest_distance(original.column(name), other.column(name), count))
    return np.array(found)


def _mean_distance(cutting: Cutting, p: Floats, q: Floats) -> Floats:
    sizes = cutting.sizes
    ends = np.cumsum(sizes)
    variation = total_variation(p, q, sizes)
    for j, name in enumerate(cutting.layout.names):
        if name in cutting.inner:
            span = slice(ends[j] - sizes[j], ends[j])
            variation[j] = kolmogorov(p[span], q[span])
    return variation.mean(axis=0)


def _kind(people: People, name: str) -> str:
    if name in people.layout.dates:
        return "date"
    return "number" if people.layout.is_number(name) else "label"


def _drawn(
    name: str, original: People, synthetic: People, control: People | None
) -> dict[str, Any]:
    """Give the shares that a figure draws; missing has none, so that they sum to the known."""
    tables = {"original": original, "synthetic": synthetic, "control": control}
    given = {role: table for role, table in tables.items() if table is not None}
    detail: dict[str, Any]
    if original.layout.is_number(name):
        place = original.layout.place(name)
        edges = edges_of(original.numbers[:, place])
        detail = {"edges": edges}
        if name in original.layout.dates:
            largest = np.nanmax(np.abs(original.column(name)), initial=0)
            detail["unit"] = "microseconds" if largest > _DAYS else "days"
        counts = {
            role: spread_over(table.numbers[:, place], edges) if edges else np.empty(0, int)
            for role, table in given.items()
        }
    else:
        detail, counts = _levels_drawn(name, given)
    for role, table in tables.items():
        if table is None:
            detail[role] = None
        elif role == "synthetic":  # rows of no person: nothing to hide
            detail[role] = [round(c / len(table), 6) for c in counts[role].tolist()]
        else:
            detail[role] = shares_shown(counts[role], len(table))
    return detail


def _levels_drawn(
    name: str, tables: dict[str, People]
) -> tuple[dict[str, Any], dict[str, NDArray[np.int64]]]:
    """Count the levels of the original that five persons hold, and the rest together."""
    levels = tables["original"].layout.levels[name]
    sizes = np.array([len(levels) + 1])
    codes = {role: table.column(name)[:, None] for role, table in tables.items()}
    counts = {
        role: tally(np.where(c < 0, len(levels), c), sizes)[0][:-1] for role, c in codes.items()
    }
    ours = counts["original"]
    frequent = np.argsort(-ours, kind="stable")[:_MOST_LEVELS]
    kept = np.sort(frequent[ours[frequent] >= 5])
    rest = np.setdiff1d(np.arange(len(levels)), kept)
    names = [levels[k] for k in kept]
    if any(count[rest].any() for count in counts.values()):
        names.append(_REST)
        return {"levels": names}, {
            role: np.append(count[kept], count[rest].sum()) for role, count in counts.items()
        }
    return {"levels": names}, {role: count[kept] for role, count in counts.items()}
