"""How well a linear model tells synthetic rows from persons, against pure chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._case import drawn
from sosie.evidence._finding import Finding, Verdict
from sosie.evidence.utility._design import Design
from sosie.evidence.utility._logistic import logistic, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Propensity"]

_MOST = 10_000
_RIDGE = 1e-4


class Propensity:
    r"""Propensity mean squared error, as a ratio to what chance gives.

    A logistic model of the main effects of all columns gives each row its probability
    :math:`\hat p_i` of being synthetic. With N rows, a share c of them synthetic, and k
    coefficients (the intercept is one),
    :math:`\text{pMSE} = \frac1N \sum (\hat p_i - c)^2`. If the synthetic rows are drawn from
    the original as it is, its expectation is :math:`(k - 1)(1 - c)^2 c / N`. The value is
    the ratio of the two.

    - 1 where synthetic rows follow the original itself; fresh persons, who follow the
      population, get :math:`1 / (1 - c)`, which is 2 for tables of one size: see the control.
      Copies get 0.
    - It grows with the number of rows wherever the laws differ at all.
    - At most 10,000 rows of either table are drawn.
    - Interval: :math:`(k - 1)` times the ratio is close to a noncentral :math:`\chi^2` of
      :math:`k - 1` degrees, whose variance gives it.

    References
    ----------
    .. [1] J. Snoke, G. M. Raab, B. Nowok, C. Dibben, A. Slavkovic, "General and specific
       utility measures for synthetic data", JRSS A 181(3), 2018, section 2.1.
    """

    name: ClassVar[str] = "pmse"

    def run(self, case: Case) -> dict[str, Finding]:
        """Fit the model, of the original and of the control against the synthetic table."""
        rng = case.rng(self.name)
        original = drawn(case.original, _MOST, rng)
        with threadpool_limits(1):
            error, expected, terms = _pmse(original, drawn(case.synthetic, _MOST, rng))
            ceiling = None
            if case.control is not None:
                fresh, chance, count = _pmse(original, drawn(case.control, _MOST, rng))
                ceiling = fresh / chance if count else None
        if not terms:
            return {self.name: Finding(why_not="too_few")}
        ratio = error / expected
        spread = np.sqrt(2 * terms + 4 * max(ratio - 1, 0) * terms) / terms
        half = 1.959964 * float(spread)
        return {
            self.name: Finding(
                value=ratio,
                ci=(max(0.0, ratio - half), ratio + half),
                control=ceiling,
                verdict=Verdict.INFORMATION,
                n=len(original),
                n_control=None if case.control is None else len(case.control),
                detail={"pmse": error, "expected": expected, "terms": terms},
            )
        }


def _pmse(real: People, synthetic: People) -> tuple[float, float, int]:
    """Give the error, its expectation by chance, and the terms without the intercept."""
    both = real.with_(synthetic)
    x = Design().fit(both, both.layout.names).matrix(both)
    made = np.repeat([0, 1], [len(real), len(synthetic)])
    share = float(made.mean())
    gram = np.linalg.eigvalsh(x.T @ x / len(x))
    terms = int((gram > 1e-9 * gram[-1]).sum()) - 1
    fitted = probability(x @ logistic(x, made, penalty=_RIDGE))
    error = float(((fitted - share) ** 2).mean())
    return error, terms * (1 - share) ** 2 * share / len(x), terms
