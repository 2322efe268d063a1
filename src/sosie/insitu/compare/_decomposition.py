"""What of a slope lies within areas, and what between their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Decomposition", "decomposed"]


@dataclass(frozen=True)
class Decomposition:
    r"""The identity :math:`\beta = \lambda \beta_w + (1 - \lambda) \beta_b`.

    Attributes
    ----------
    total : float
        Slope over all persons, areas ignored.
    within : float
        Slope within areas: what persons of the same area show.
    between : float
        Slope of the means of areas, weighted by persons: all that means can show. Where there
        are other covariates, of the means of what remains of the column.
    share_within : float
        :math:`\lambda`, share of the variation of the column that lies within areas.
    """

    total: float
    within: float
    between: float
    share_within: float


def decomposed(x: Floats, y: Floats, others: Floats, area: NDArray[np.integer]) -> Decomposition:
    r"""Split a slope.

    Other covariates are taken out of `x` first (Frisch, Waugh 1933), so that the total is the
    coefficient of `x` in the regression on all of them; the sums of squares and products of what
    remains then split into those about the means of areas and those of the means [1]_.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        The column that is asked about, and the outcome.
    others : ndarray of shape (n, p)
        Other covariates, the constant among them.
    area : ndarray of shape (n,), integer
        Area of each person, from 0.

    References
    ----------
    .. [1] O. D. Duncan, R. P. Cuzzort, B. Duncan, "Statistical geography", 1961, p. 65.

    Examples
    --------
    >>> x, area = np.array([0.0, 1.0, 4.0, 5.0]), np.array([0, 0, 1, 1])
    >>> y = np.array([1.0, 0.0, 5.0, 4.0])
    >>> found = decomposed(x, y, np.ones((4, 1)), area)
    >>> found.within, found.between, round(found.share_within, 4)
    (-1.0, 1.0, 0.0588)
    """
    rest = x - others @ np.linalg.lstsq(others, x, rcond=None)[0]
    n = np.bincount(area)

    def means(values: Floats) -> Floats:
        return (np.bincount(area, values) / np.maximum(n, 1))[area]

    centre, level = means(rest), means(y)
    inside = rest - centre
    within, between = float(inside @ inside), float(centre @ centre)
    product, of_means = float(inside @ (y - level)), float(centre @ (level - y.mean()))
    return Decomposition(
        float(rest @ (y - y.mean()) / (rest @ rest)),
        product / within if within > 0 else float("nan"),
        of_means / between if between > 0 else float("nan"),
        within / (within + between),
    )
