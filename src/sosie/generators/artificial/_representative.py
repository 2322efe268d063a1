"""Of many rows drawn, those that together stand for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["representative"]

_SWEEPS = 3
"""Times that every point taken is looked at again."""


def representative(
    points: Floats, n: int, allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.intp]:
    """Choose the n points whose law is nearest to that of all, by energy distance [1]_.

    Twice the mean distance of the points chosen to all, less their mean distance to each
    other: one after the other is chosen so that it is least, and then each is exchanged for
    a better one while there are any. What a sample has too many of by chance, and too few,
    levels out.

    Parameters
    ----------
    points : ndarray of shape (m, v)
    n : int
        At most as many as are allowed.
    allowed : ndarray of shape (m,), optional
        Which may be chosen: they stand for the others, too. All by default.

    Returns
    -------
    ndarray of shape (n,)
        Their numbers.

    References
    ----------
    .. [1] S. Mak, V. R. Joseph, "Support points", Annals of Statistics 46 (2018), section 2.

    Examples
    --------
    >>> sorted(representative(np.arange(9.0)[:, None], 3).tolist())
    [1, 4, 7]
    """
    apart = cdist(points, points)
    to_all, to_chosen = apart.mean(1), np.zeros(len(points))
    free = np.ones(len(points), bool) if allowed is None else allowed.copy()
    chosen = np.empty(n, np.intp)

    def choose(k: int, of: int) -> None:
        chosen[k] = np.where(free, to_all - to_chosen / of, np.inf).argmin()
        free[chosen[k]] = False
        to_chosen[:] += apart[chosen[k]]

    for k in range(n):
        choose(k, k + 1)
    for _ in range(_SWEEPS):
        before = chosen.copy()
        for k in range(n):
            free[chosen[k]] = True
            to_chosen -= apart[chosen[k]]
            choose(k, n)
        if (before == chosen).all():
            break
    return chosen
