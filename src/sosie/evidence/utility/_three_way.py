"""How near columns are to their original, three at a time."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sosie.evidence._finding import Finding
from sosie.evidence.utility._cells import Cutting, total_variation
from sosie.evidence.utility._judged import finding_of
from sosie.evidence.utility._resampling import around, cells_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

__all__ = ["ThreeWay", "triples"]

_TARGET = 0.1
_GROUPS = 4
_MOST = 60


class ThreeWay:
    """Total variation of the cells of three columns, on average over triples.

    Columns are cut in at most four groups: numbers at the quartiles of the original (missing
    is one of the groups where there is any), labels as the three most frequent and the rest.
    At most 60 triples are drawn, so that all columns serve equally often.

    - 0 for the same, 1 for tables without a cell in common.
    - It is at least the total variation of any one or two of the three columns.
    - Noise: two samples of n persons of one law are up to 4.5 / sqrt(n) apart (64 cells of
      equal shares); the control shows how much.
    - Interval: bootstrap of the rows of both tables.

    References
    ----------
    .. [1] NIST, "Differential privacy synthetic data challenge", 2018: the 3-way marginals
       score, here as a distance between 0 and 1.
    """

    name: ClassVar[str] = "three_way_difference"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare the cells of triples of columns."""
        original, synthetic, control = case.original, case.synthetic, case.control
        names = original.layout.names
        if len(names) < 3:
            return {self.name: Finding(target=_TARGET, why_not="too_few")}
        rng = case.rng(self.name)
        chosen = triples(len(names), _MOST, rng)
        cutting = Cutting.coarse(original, _GROUPS)
        by_triple, fresh, found = cells_apart(
            total_variation,
            lambda people: _crossed(cutting, people, chosen),
            (original, synthetic, control),
            _crossed_sizes(cutting, chosen),
            case.effort.repeats,
            rng,
        )
        value = float(by_triple.mean())
        ceiling = None if fresh is None else float(fresh.mean())
        detail = {
            "triples": [
                {
                    "names": [names[j] for j in triple],
                    "value": float(by_triple[t]),
                    "control": None if fresh is None else float(fresh[t]),
                }
                for t, triple in enumerate(chosen)
            ]
        }
        return {
            self.name: finding_of(
                case, value, around(value, found), _TARGET, control=ceiling, detail=detail
            )
        }


def triples(columns: int, most: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Choose at most ``most`` triples in which columns stand about equally often.

    Examples
    --------
    >>> found = triples(10, 60, np.random.default_rng(0))
    >>> len(found), np.bincount(np.array(found).ravel()).tolist()
    (60, [18, 18, 18, 18, 18, 18, 18, 18, 18, 18])
    """
    if comb(columns, 3) <= most:
        return list(combinations(range(columns), 3))
    found: dict[tuple[int, int, int], None] = {}
    used = np.zeros(columns)
    freedom = 1.0
    while len(found) < most:
        a, b, c = sorted(np.argsort(used + freedom * rng.random(columns))[:3].tolist())
        if (a, b, c) in found:
            freedom += 0.1  # the least used are all taken: let others in
        else:
            found[a, b, c] = None
            used[[a, b, c]] += 1
            freedom = 1.0
    return list(found)


def _crossed_sizes(cutting: Cutting, chosen: list[tuple[int, int, int]]) -> NDArray[np.intp]:
    return cutting.sizes[np.array(chosen)].prod(axis=1)


def _crossed(
    cutting: Cutting, people: People, chosen: list[tuple[int, int, int]]
) -> NDArray[np.int32]:
    """Give the cell of each row in each triple: (n, triples)."""
    codes, sizes = cutting.codes(people), cutting.sizes.astype(np.int32)
    a, b, c = np.array(chosen).T
    return (codes[:, a] * sizes[b] + codes[:, b]) * sizes[c] + codes[:, c]
