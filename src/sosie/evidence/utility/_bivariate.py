"""How near the associations of columns are to those of the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._finding import Finding
from sosie.evidence._people import Layout, People
from sosie.evidence.utility._associations import Sums, association_matrix
from sosie.evidence.utility._judged import finding_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case

    Floats = NDArray[np.float64]

__all__ = ["AssociationDifference"]

_TARGET = 0.05
_GROUPS = 20


class AssociationDifference:
    """Absolute difference of the association of two columns, on average over the pairs.

    Two numbers: Pearson's correlation. A number and labels: the correlation ratio, the root
    of the share of the variance that lies between levels. Two columns of labels: Cramér's V,
    without bias correction. A missing label is a level; rows without a number do not count.

    - 0 where all associations are kept, 1 where each goes from none to perfect (2 for
      correlations whose sign turns).
    - Noise: correlations of two samples of n persons differ by about 1.1 / sqrt(n); the
      control shows how much.
    - Interval: jackknife over twenty groups of rows of either table, which costs two passes
      where a bootstrap costs hundreds.

    ``detail`` holds the two matrices, and as ``spearman`` the difference over the pairs of
    numbers when ranks stand for their values.

    References
    ----------
    .. [1] H. Cramér, "Mathematical methods of statistics", 1946, chapter 21.
    .. [2] K. Pearson, "On the general theory of skew correlation and non-linear
       regression", 1905.
    .. [3] P. S. Kott, "The delete-a-group jackknife", J. Official Statistics 17, 2001.
    """

    name: ClassVar[str] = "association_difference"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare each pair of columns."""
        original, synthetic, control = case.original, case.synthetic, case.control
        names = original.layout.names
        if len(names) < 2:
            return {self.name: Finding(target=_TARGET, why_not="too_few")}
        centre, scale = _scales(original)
        rng = case.rng(self.name)
        with threadpool_limits(1):
            ours, ours_without = _matrices(original, centre, scale, rng)
            theirs, theirs_without = _matrices(synthetic, centre, scale, rng)
            value = _difference(ours, theirs)
            ceiling = None
            if control is not None:
                fresh = association_matrix(Sums.of(control, centre, scale))
                ceiling = _difference(ours, fresh)
            spearman = _difference(_rank_correlations(original), _rank_correlations(synthetic))
        variance = _jackknife([_difference(m, theirs) for m in ours_without]) + _jackknife(
            [_difference(ours, m) for m in theirs_without]
        )
        half = _quantile(2 * (_GROUPS - 1)) * float(np.sqrt(variance))
        interval = max(0.0, value - half), value + half
        order = _order(original)
        detail: dict[str, Any] = {
            "names": list(names),
            "original": ours[np.ix_(order, order)].round(4).tolist(),
            "synthetic": theirs[np.ix_(order, order)].round(4).tolist(),
            "control": ceiling,
            "spearman": spearman if len(original.layout.numbers) > 1 else None,
        }
        return {
            self.name: finding_of(case, value, interval, _TARGET, control=ceiling, detail=detail)
        }


def _scales(people: People) -> tuple[Floats, Floats]:
    known = ~np.isnan(people.numbers)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, people.numbers, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, people.numbers - centre, 0) ** 2).sum(axis=0) / count)
    return centre, np.where(spread > 0, spread, 1)


def _matrices(
    people: People, centre: Floats, scale: Floats, rng: np.random.Generator
) -> tuple[Floats, list[Floats]]:
    """Give the matrix of all rows, and those without each of the groups of rows."""
    groups = np.array_split(rng.permutation(len(people)), _GROUPS)
    parts = [Sums.of(people.taken(rows), centre, scale) for rows in groups]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return association_matrix(total), [association_matrix(total - part) for part in parts]


def _difference(one: Floats, other: Floats) -> float:
    """Give the mean absolute difference over the pairs."""
    pairs = np.triu_indices(len(one), 1)
    return float(np.abs(one - other)[pairs].mean()) if len(pairs[0]) else 0.0


def _jackknife(values: list[float]) -> float:
    """Give the variance of a statistic from its values without each group."""
    return float((len(values) - 1) * np.var(values))


def _quantile(degrees: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.975, degrees))


def _rank_correlations(people: People) -> Floats:
    """Give the correlations of the ranks among known values."""
    from scipy import stats

    ranks = stats.rankdata(people.numbers, axis=0, nan_policy="omit")
    known = ~np.isnan(people.numbers)
    middle = (known.sum(axis=0) + 1) / 2
    numbers = np.where(known, (ranks - middle) / np.maximum(middle, 1), np.nan)
    names = people.layout.numbers
    ranked = People(Layout(names, names, {}), numbers, people.codes[:, :0])
    return association_matrix(Sums.of(ranked, np.zeros(len(names)), np.ones(len(names))))


def _order(people: People) -> list[int]:
    """Where the columns of the layout stand when numbers come first."""
    layout = people.layout
    return [
        layout.place(name) + (0 if layout.is_number(name) else len(layout.numbers))
        for name in layout.names
    ]
