"""Whether cells are missing as often, and together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence.utility._judged import finding_of
from sosie.evidence.utility._resampling import around, replicates
from sosie.evidence.utility._shown import share_or_none

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._finding import Finding
    from sosie.evidence._people import People

    Weights = NDArray[np.float32]
    Floats = NDArray[np.float64]

__all__ = ["MissingDifference"]

_TARGET = 0.02


class MissingDifference:
    """Absolute difference of the share of missing cells, on average over the columns.

    - 0 where every column is missing as often, 1 where each goes from full to empty.
    - ``detail["pairs"]`` is the same of the share of rows in which two columns are missing
      together, on average over the pairs of columns that are missing anywhere.
    - Interval: bootstrap of the rows of both tables.

    References
    ----------
    .. [1] D. B. Rubin, "Inference and missing data", Biometrika 63(3), 1976.
    """

    name: ClassVar[str] = "missing_difference"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare each column, and each pair."""
        original, synthetic, control = case.original, case.synthetic, case.control
        ours, theirs = _missing(original), _missing(synthetic)
        value = _mean_difference(ours, theirs)
        fresh = None if control is None else _missing(control)
        ceiling = None if fresh is None else _mean_difference(ours, fresh)
        interval = (0.0, 0.0)
        anywhere = np.any(ours, axis=0) | np.any(theirs, axis=0)
        if anywhere.any():
            one, other = (m[:, anywhere].astype(np.float32) for m in (ours, theirs))
            with threadpool_limits(1):
                found = replicates(
                    lambda w, v: np.abs(_shares(one, w) - _shares(other, v)).mean(axis=0),
                    len(ours),
                    len(theirs),
                    case.effort.repeats,
                    case.rng(self.name),
                )
            interval = around(value, found * anywhere.mean())
        detail = {
            "columns": [
                {
                    "name": name,
                    "original": share_or_none(int(ours[:, j].sum()), len(ours)),
                    "synthetic": round(float(theirs[:, j].mean()), 6),
                }
                for j, name in enumerate(original.layout.names)
                if anywhere[j]
            ],
            "pairs": _pairs_difference(ours[:, anywhere], theirs[:, anywhere]),
        }
        return {
            self.name: finding_of(case, value, interval, _TARGET, control=ceiling, detail=detail)
        }


def _missing(people: People) -> NDArray[np.bool_]:
    return np.stack([people.missing(name) for name in people.layout.names], axis=1)


def _mean_difference(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(np.abs(one.mean(axis=0) - other.mean(axis=0)).mean())


def _shares(missing: Weights, weights: Weights) -> Floats:
    return (missing.T @ weights).astype(np.float64) / len(missing)


def _pairs_difference(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    if one.shape[1] < 2:
        return 0.0
    pairs = np.triu_indices(one.shape[1], 1)
    both = [(m.T.astype(np.float32) @ m.astype(np.float32))[pairs] / len(m) for m in (one, other)]
    return float(np.abs(both[0] - both[1]).mean())
