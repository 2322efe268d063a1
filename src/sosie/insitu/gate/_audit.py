"""What a new output would add to all that was released about the same persons."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sosie.insitu.gate._atoms import atoms_of, members_of, packed, single_out
from sosie.insitu.gate._combinations import about_few, too_many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Selection, Summed

    Floats = NDArray[np.float64]
    Words = NDArray[np.uint64]

__all__ = ["Audit"]

_AT_ONCE = 64
_MOST_ATOMS = 20_000
_MOST_SETS = 2_000
_SHARED = 10
"""Persons, about, who are in the same sets where these are many: they are looked at as one."""


class _Told(NamedTuple):
    """A set of which something has left, by its hash."""

    digest: bytes
    about: frozenset[str]
    by: frozenset[str]
    crossing: bool


class Audit:
    """The sets of persons, and numbers of persons, of which something has left.

    Three audits are made of a new set, and of one that is a crossing the first. Against every
    earlier one that tells of a column in common: fewer than `k` persons in one and not in the
    other could be had by subtraction. Among those chosen by the same columns or some of them: no
    sum or difference of any number of them, with any weights, may be about fewer than `k` persons
    alone (a tracker) [1]_ [2]_. And among all that tell of a column in common, with the numbers by
    which models weigh persons: none that :func:`about_few` finds, however they were chosen.

    Parameters
    ----------
    rows : int
        Persons.

    Attributes
    ----------
    summed : dict
        The numbers, by their hash and what they tell of.

    References
    ----------
    .. [1] D. E. Denning, J. Schlörer, "A fast procedure for finding a tracker in a statistical
       database", ACM TODS 5, 1980.
    .. [2] F. Y. Chin, G. Özsoyoğlu, "Auditing and inference control in statistical databases",
       IEEE Trans. Software Engineering 8, 1982.
    """

    def __init__(self, rows: int) -> None:
        self.summed: dict[tuple[bytes, frozenset[str]], Floats] = {}
        self._rows = rows
        self._words = np.empty((0, (rows + 63) // 64), np.uint64)
        self._told: list[_Told] = []
        self._sizes: list[int] = []
        self._known: set[_Told] = set()

    def __len__(self) -> int:
        return len(self._told)

    @property
    def nbytes(self) -> int:
        """Bytes that the sets take."""
        return self._words.nbytes

    @property
    def columns(self) -> frozenset[str]:
        """Everything of which something was told."""
        return frozenset().union(*(about for _, about, _, _ in self._told))

    def allows(
        self, selections: Sequence[Selection], k: int, summed: Sequence[Summed] = ()
    ) -> tuple[bool, bool]:
        """Tell whether no pair, and whether no combination, is about fewer than k persons."""
        new = self.unknown(selections)
        pairs = all(self._pairs_hold(words, one, k) for words, one in new)
        for place, (words, one) in enumerate(new):
            for other, earlier in new[:place]:
                if one.about & earlier.about:
                    apart = int(np.bitwise_count(words ^ other).sum())
                    pairs &= not 0 < apart < k
        whole = [(words, one) for words, one in new if not one.crossing]
        combined = all(self._no_tracker(by, about, whole, k) for by, about in _families(whole))
        combined &= self._no_combination(whole, self.unsummed(summed), k)
        return pairs, combined

    def add(
        self, words: Words, about: frozenset[str], by: frozenset[str], *, crossing: bool
    ) -> None:
        """Keep a set, as bits, of which something leaves."""
        m = len(self._told)
        if m == len(self._words):
            more = np.empty((max(16, 2 * m), self._words.shape[1]), np.uint64)
            more[:m] = self._words[:m]
            self._words = more
        self._words[m] = words
        told = _Told(_digest(words), about, by, crossing)
        self._told.append(told)
        self._sizes.append(_size(words))
        self._known.add(told)

    def unknown(self, selections: Sequence[Selection]) -> list[tuple[Words, Selection]]:
        """Give the sets that are new, and somebody's, as bits."""
        found, seen = [], set(self._known)
        for one in selections:
            words = packed(one.rows)
            key = _Told(_digest(words), one.about, one.by, one.crossing)
            if words.any() and key not in seen:
                seen.add(key)
                found.append((words, one))
        return found

    def unsummed(self, summed: Sequence[Summed]) -> dict[tuple[bytes, frozenset[str]], Floats]:
        """Give the numbers that are new, but for their scale."""
        found = {}
        for one in summed:
            values = _scaled(np.asarray(one.values, np.float64))
            found[_digest(values.view(np.uint64)), one.about] = values
        return {key: values for key, values in found.items() if key not in self.summed}

    def _pairs_hold(self, words: Words, one: Selection, k: int) -> bool:
        size = _size(words)
        shared = [
            i
            for i, (_, about, _, _) in enumerate(self._told)
            # Sets whose sizes are k apart differ by k persons or more.
            if about & one.about and abs(self._sizes[i] - size) < k
        ]
        for start in range(0, len(shared), _AT_ONCE):
            block = self._words[shared[start : start + _AT_ONCE]]
            apart = np.bitwise_count(block ^ words).sum(axis=1, dtype=np.int64)
            if ((apart > 0) & (apart < k)).any():
                return False
        return True

    def _no_tracker(
        self,
        by: frozenset[str],
        about: frozenset[str],
        new: Sequence[tuple[Words, Selection]],
        k: int,
    ) -> bool:
        """Tell whether no combination of the sets chosen by these columns is about a few alone."""
        sets = {_digest(w): w for w, one in new if one.by <= by and one.about & about}
        sets |= {
            digest: self._words[i]
            for i, (digest, told, chosen, crossing) in enumerate(self._told)
            if chosen <= by and told & about and not crossing
        }
        if len(sets) > _MOST_SETS:
            return False
        stacked = np.stack(list(sets.values()))
        first, sizes = atoms_of(stacked, self._rows)
        if (sizes >= k).all():
            return True
        if len(sizes) > _MOST_ATOMS:
            return False
        return not single_out(members_of(stacked, first), sizes < k)

    def _no_combination(
        self,
        new: Sequence[tuple[Words, Selection]],
        summed: Mapping[tuple[bytes, frozenset[str]], Floats],
        k: int,
    ) -> bool:
        """Tell whether all that tells of the same columns combines to nothing about a few."""
        if not (new or summed):
            return True
        about = frozenset().union(*(one.about for _, one in new), *(told for _, told in summed))
        sets = {_digest(words): words for words, _ in new}
        sets |= {
            digest: self._words[i]
            for i, (digest, told, _, crossing) in enumerate(self._told)
            if told & about and not crossing
        }
        numbers = dict(summed) | {key: v for key, v in self.summed.items() if key[1] & about}
        different = list({digest: values for (digest, _), values in numbers.items()}.values())
        m = len(sets) + len(different)
        # Where they are too many, sets alone have the other two audits; numbers have none.
        if too_many(m, self._rows // _SHARED):
            return not different
        stacked = np.array(list(sets.values()), np.uint64).reshape(-1, self._words.shape[1])
        first, sizes = atoms_of(stacked, self._rows, different)
        if too_many(m, len(first)):
            return not different
        members = members_of(stacked, first).astype(np.float64)
        vectors = np.vstack([members, *(values[first] for values in different)])
        return not about_few(vectors, sizes, k)


def _families(
    new: Sequence[tuple[Words, Selection]],
) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Give the choices of columns to audit, but those within a wider one, which is the stricter."""
    told: dict[frozenset[str], frozenset[str]] = {}
    for _, one in new:
        told[one.by] = told.get(one.by, frozenset()) | one.about
    return [
        (by, about)
        for by, about in told.items()
        if not any(by < wider and about <= more for wider, more in told.items())
    ]


def _size(words: Words) -> int:
    return int(np.bitwise_count(words).sum(dtype=np.int64))


def _scaled(values: Floats) -> Floats:
    """Write numbers so that all their multiples are the same, and no zero has a sign."""
    largest = values[np.abs(values).argmax()] if values.size else 0.0
    return np.asarray(np.round(values / (largest or 1.0), 12) + 0.0, np.float64)


def _digest(words: Words) -> bytes:
    return hashlib.blake2b(words.tobytes(), digest_size=16).digest()
