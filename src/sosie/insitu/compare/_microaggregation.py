"""Groups of at least k persons who are alike: MDAV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["groups_of"]


def groups_of(points: Floats, k: int) -> NDArray[np.intp]:
    r"""Part persons into groups of k to 2k - 1 by maximum distance to the average vector.

    While 3k are left, the person farthest from the mean of those left is put together with its
    k - 1 nearest, then the one farthest from that person likewise; of the rest two groups are
    made, or one [1]_. Time grows as :math:`n^2 / k`.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Columns on one scale.
    k : int
        Persons of a group, at least; with fewer than 2k in all there is one group.

    Returns
    -------
    ndarray of shape (n,)
        Number of each person's group, from 0.

    References
    ----------
    .. [1] J. Domingo-Ferrer, V. Torra, "Ordinal, continuous and heterogeneous k-anonymity
       through microaggregation", Data Mining and Knowledge Discovery 11, 2005, section 3
       (MDAV-generic).

    Examples
    --------
    >>> line = np.array([[0.0], [0.1], [5.0], [5.1], [9.0], [9.1]])
    >>> groups_of(line, 2).tolist()
    [0, 0, 2, 2, 1, 1]
    """
    found = np.zeros(len(points), np.intp)
    left = np.arange(len(points))
    group = 0

    def take(seed: int, left: NDArray[np.intp]) -> NDArray[np.intp]:
        """Put a person, a place among those left, together with the nearest."""
        nonlocal group
        near = _squares(points[left], points[left[seed]])
        near[seed] = -1
        chosen = np.argsort(near, kind="stable")[:k]
        found[left[chosen]] = group
        group += 1
        return np.delete(left, chosen)

    while len(left) >= 3 * k:
        far = int(_squares(points[left], points[left].mean(axis=0)).argmax())
        first = points[left[far]]
        left = take(far, left)
        left = take(int(_squares(points[left], first).argmax()), left)
    if len(left) >= 2 * k:
        left = take(int(_squares(points[left], points[left].mean(axis=0)).argmax()), left)
    found[left] = group
    return found


def _squares(points: Floats, centre: Floats) -> Floats:
    return ((points - centre) ** 2).sum(axis=1)
