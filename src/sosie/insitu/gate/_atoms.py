"""Sets of persons as bits, and whether sums over many of them can be about a few alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

__all__ = ["atoms_of", "members_of", "packed", "single_out"]

_BLOCK = 256
"""Words of 64 persons at a time: what is in hand stays in the cache of the processor."""

_SWAPS = (
    (7, 0x00AA00AA00AA00AA),
    (14, 0x0000CCCC0000CCCC),
    (28, 0x00000000F0F0F0F0),
)

_NULL = 1e-10
_SOMETHING = 1e-6


def packed(rows: NDArray[np.bool_]) -> Words:
    """Write a set as bits, 64 persons a word, the last word filled up with 0.

    Examples
    --------
    >>> packed(np.array([True, False, True])).tolist()
    [5]
    """
    bits = np.packbits(rows, bitorder="little")
    return np.concatenate([bits, np.zeros(-len(bits) % 8, np.uint8)]).view(np.uint64)


def atoms_of(
    sets: Words, rows: int, numbers: Sequence[NDArray[np.float64]] = ()
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the groups of persons who are in the same sets, and have the same numbers.

    Parameters
    ----------
    sets : ndarray of uint64, shape (m, w)
        Of :func:`packed`, one set a row.
    rows : int
        Persons.
    numbers : sequence of ndarray of shape (rows,)

    Returns
    -------
    first : ndarray of shape (a,)
        The first person of each group, an atom, in their order: whatever the hash, the same.
    sizes : ndarray of shape (a,)
        How many are in it.

    Examples
    --------
    >>> both = np.stack([packed(np.arange(9) < 5), packed(np.arange(9) < 7)])
    >>> first, sizes = atoms_of(both, 9)
    >>> first.tolist(), sizes.tolist()
    ([0, 5, 7], [5, 2, 2])
    """
    m, width = sets.shape
    groups = -(-m // 8)
    # Universal hashing: persons who are not in the same sets fall together by chance alone.
    rng = np.random.default_rng()
    marks = rng.integers(0, 2**64, groups + len(numbers), np.uint64, endpoint=False)
    signature = np.zeros(64 * width, np.uint64)
    for start in range(0, width if m else 0, _BLOCK):
        block = np.ascontiguousarray(sets[:, start : start + _BLOCK]).view(np.uint8)
        filled = np.zeros((8 * groups, block.shape[1]), np.uint8)
        filled[:m] = block
        codes = _turned(filled.reshape(groups, 8, -1))
        place = 64 * start
        signature[place : place + codes.shape[1]] = (codes * marks[:groups, None]).sum(axis=0)
    for values, mark in zip(numbers, marks[groups:], strict=True):
        signature[:rows] += np.unique(values, return_inverse=True)[1].astype(np.uint64) * mark
    _, first, sizes = np.unique(signature[:rows], return_index=True, return_counts=True)
    order = np.argsort(first)
    return first[order], sizes[order]


def members_of(sets: Words, first: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Tell of each set, a row, which of some persons it holds.

    Examples
    --------
    >>> members_of(packed(np.arange(9) < 5)[None], np.array([4, 5])).tolist()
    [[1, 0]]
    """
    bits = sets[:, first >> 6] >> (first & 63).astype(np.uint64)
    return (bits & np.uint64(1)).astype(np.uint8)


def _turned(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn 8 x 8 bits, of sets by persons to persons by sets (Warren, "Hacker's delight", 7-3)."""
    x = np.ascontiguousarray(bits.transpose(0, 2, 1)).view(np.uint64)[:, :, 0]
    for shift, mask in _SWAPS:
        swap = (x ^ (x >> np.uint64(shift))) & np.uint64(mask)
        x = x ^ swap ^ (swap << np.uint64(shift))
    return x.view(np.uint8)


def single_out(members: NDArray[np.uint8], small: NDArray[np.bool_]) -> bool:
    """Tell whether some combination of sums over sets is about small atoms alone.

    Parameters
    ----------
    members : ndarray of shape (m, a)
        Of :func:`members_of`.
    small : ndarray of shape (a,), bool

    Examples
    --------
    >>> members = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], np.uint8)
    >>> single_out(members, np.array([True, False, False]))
    True
    >>> single_out(members[:2], np.array([True, False, False]))
    False
    """
    large = members[:, ~small].astype(float)
    values, weights = np.linalg.eigh(large @ large.T)
    null = weights[:, values <= _NULL * max(1.0, float(values[-1]))]
    told = np.abs(null.T @ members[:, small].astype(float))
    return bool((told > _SOMETHING).any())
