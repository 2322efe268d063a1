"""Whether numbers, one a person, combine to numbers that are 0 for all but a few persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["about_few", "too_many"]

_MOST_WORK = 4e9
"""Multiplications, about, to make the vectors orthogonal: more are not audited."""

_WORK = 1e9
"""Multiplications, about, that all tries may take together."""

_LOOK = 50
"""Multiplications that it takes to look at one number of a combination."""

_SOME = 4
"""Groups for each vector among which as many independent ones are looked for first."""

_FEWEST_TRIES, _MOST_TRIES = 2, 16
_NULL, _WELL = 1e-9, 1e-2
_LIKELY = 0.99
"""Square of the length, in what the vectors span, of one that is about a group alone: it is 1."""
_NEAR = 1e-2
"""What all other persons weigh together, beside the few: the value of these is then known to a
hundredth of what values differ by."""


def too_many(vectors: int, groups: int) -> bool:
    """Tell whether so many numbers of so many groups of persons are more than can be audited."""
    return vectors * groups * min(vectors, groups) > _MOST_WORK


def about_few(vectors: Floats, persons: NDArray[np.integer], k: int) -> bool:
    """Tell whether some combination of vectors is found that is about fewer than k persons.

    Who knows the sums of a number y weighted by each vector knows those weighted by any
    combination of them: one that is 0 for all but a few tells the y of these few. Combinations
    are found as words of low weight of a linear code are, by information sets [1]_: persons, as
    many as vectors are independent, are drawn at random, and of the combinations that are 1 for
    one of them and 0 for the others each is looked at. One about a single person is always found;
    one about few others unless every draw has several of these.

    Parameters
    ----------
    vectors : ndarray of shape (m, a)
        Numbers of a groups of persons who have the same.
    persons : ndarray of shape (a,)
        How many are in each group.
    k : int

    References
    ----------
    .. [1] E. Prange, "The use of information sets in decoding cyclic codes", IRE Transactions on
       Information Theory 8 (1962).

    Examples
    --------
    >>> numbers = np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0]])
    >>> about_few(numbers, np.array([40, 40, 1]), 11)
    False
    >>> about_few(np.vstack([numbers, numbers[1] ** 2]), np.array([40, 40, 1]), 11)
    True
    """
    basis = _basis(vectors)
    m, groups = basis.shape
    tries = int(np.clip(_WORK / max(1, m * (m + _LOOK) * groups), _FEWEST_TRIES, _MOST_TRIES))
    # Alike whenever it is asked: who asks again has no second chance.
    rng = np.random.default_rng(0)
    return _any_alone(basis, persons, k) or any(
        _any_sparse(_reduced(basis, rng), persons, k) for _ in range(tries)
    )


def _basis(vectors: Floats) -> Floats:
    """Give orthonormal vectors that combine to the same."""
    largest = np.abs(vectors).max(axis=1, initial=0)
    scaled = vectors[largest > 0] / largest[largest > 0, None]
    turned, rest = np.linalg.qr(scaled.T)
    try:
        left, size, _ = np.linalg.svd(rest)
    except np.linalg.LinAlgError:  # LAPACK's way does not come to an end for some; the other does
        _, size, right = np.linalg.svd(rest.T)
        left = right.T
    return (turned @ left[:, size > _NULL * size.max(initial=0)]).T


def _reduced(basis: Floats, rng: np.random.Generator) -> Floats:
    """Combine vectors so that each is 1 for one of some groups, and 0 for the others of them."""
    m, groups = basis.shape
    order = rng.permutation(groups)
    chosen = _independent(basis, order[: _SOME * m])
    if len(chosen) < m:
        chosen = _independent(basis, order)
    return np.asarray(np.linalg.solve(basis[:, chosen], basis), np.float64)


def _independent(basis: Floats, order: NDArray[np.intp]) -> list[np.intp]:
    """Choose groups, the first ones of an order, for which the vectors are independent.

    Those that are nearly dependent come last: what is solved for them has errors.
    """
    found, chosen = np.empty((len(basis), len(basis))), list[np.intp]()
    for least in (_WELL, _NULL):
        for group in order:
            column, before = basis[:, group], found[: len(chosen)]
            for _ in range(2):  # once more, for what rounding left
                column = column - before.T @ (before @ column)
            size = np.linalg.norm(column)
            if size <= least or group in chosen:
                continue
            found[len(chosen)] = column / size
            chosen.append(group)
            if len(chosen) == len(basis):
                return chosen
    return chosen


def _any_alone(basis: Floats, persons: NDArray[np.integer], k: int) -> bool:
    """Tell whether a combination is about one group of fewer than k persons, but for a rest."""
    for group in np.flatnonzero((persons < k) & ((basis**2).sum(axis=0) > _LIKELY)):
        weight = (basis.T @ basis[:, group]) ** 2 * persons
        if weight.sum() - weight[group] <= _NEAR**2 * weight[group]:
            return True
    return False


def _any_sparse(found: Floats, persons: NDArray[np.integer], k: int) -> bool:
    """Tell whether one of the vectors is about fewer than k persons, but for a rest."""
    if not len(found):
        return False
    weight = found**2 * persons
    most = min(k - 1, found.shape[1])
    if most < 1:
        return False
    places = np.argpartition(-np.abs(found), most - 1, axis=1)[:, :most]
    size = np.take_along_axis(np.abs(found), places, axis=1)
    order = np.argsort(-size, axis=1)
    places = np.take_along_axis(places, order, axis=1)
    few = persons[places].cumsum(axis=1) < k
    held = (np.take_along_axis(weight, places, axis=1) * few).sum(axis=1)
    return bool((weight.sum(axis=1) - held <= _NEAR**2 * held).any())
