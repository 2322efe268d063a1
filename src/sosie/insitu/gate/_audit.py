"""Everything ever released under an agreement, and what a new output would add to it."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from sosie.errors import DataError, TrustError
from sosie.insitu._aggregate import Summed
from sosie.insitu.gate._atoms import atoms_of, members_of, packed, single_out
from sosie.insitu.gate._combinations import about_few, too_many
from sosie.insitu.gate._holders import holders_apart
from sosie.trust import canonical, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Selection

    Floats = NDArray[np.float64]
    Words = NDArray[np.uint64]

__all__ = ["Memory", "mend"]

_AT_ONCE = 64
_MOST_ATOMS = 20_000
_MOST_SETS = 2_000
_SHARED = 10
"""Persons, about, who are in the same sets where these are many: they are looked at as one."""
_HEAD = struct.Struct("<I")
_FORMAT = "sosie-released/1"


class _Told(NamedTuple):
    """A set of which something has left, by its hash."""

    digest: bytes
    about: frozenset[str]
    by: frozenset[str]
    crossing: bool


class Memory:
    """The sets of persons of which something has left, under one agreement, at one holder.

    Three audits are made of a new set, and of one that is a crossing the first. Against every
    earlier one that tells of a column in common: fewer than `k` persons in one and not in the
    other could be had by subtraction. Among those
    chosen by the same columns or some of them: no sum or difference of any number of them, with
    any weights, may be about fewer than `k` persons alone (a tracker) [1]_ [2]_. And among all
    that tell of a column in common, with the numbers by which models weigh persons: none that
    :func:`about_few` finds, however they were chosen.

    Parameters
    ----------
    rows : int
        Persons of the snapshot.
    path : Path, optional
        Where the sets, and what was spent of differential privacy, are kept from one run to the
        next, for the owner alone; a file that does not exist yet is begun.
    snapshot : str
        SHA-256 of the data; the file holds for these alone.

    Raises
    ------
    TrustError
        If the file is of other data, or was damaged.

    References
    ----------
    .. [1] D. E. Denning, J. Schlörer, "A fast procedure for finding a tracker in a statistical
       database", ACM TODS 5, 1980.
    .. [2] F. Y. Chin, G. Özsoyoğlu, "Auditing and inference control in statistical databases",
       IEEE Trans. Software Engineering 8, 1982.
    """

    def __init__(self, rows: int, path: Path | None = None, snapshot: str = "") -> None:
        self.rows = rows
        self.refusals = 0
        self.epsilon = 0.0
        self._noised: dict[str, dict[str, Floats]] = {}
        self._path = path
        self._words = np.empty((0, (rows + 63) // 64), np.uint64)
        self._m = 0
        self._told: list[_Told] = []
        self._sizes: list[int] = []
        self._known: set[_Told] = set()
        self._summed: dict[tuple[bytes, frozenset[str]], Floats] = {}
        self._groups: set[tuple[frozenset[str], frozenset[str]]] = set()
        if path is not None:
            self._open(path, {"format": _FORMAT, "rows": rows, "snapshot": snapshot})

    def __len__(self) -> int:
        return self._m

    @property
    def columns(self) -> frozenset[str]:
        """Everything of which something was told."""
        return frozenset().union(*(about for _, about, _, _ in self._told))

    def allows(
        self, selections: Sequence[Selection], k: int, summed: Sequence[Summed] = ()
    ) -> tuple[bool, bool]:
        """Audit sets that would be released together, and numbers that weigh persons.

        Parameters
        ----------
        selections : sequence of Selection
        k : int
            Persons that nothing may be about fewer of.
        summed : sequence of Summed

        Returns
        -------
        pair of bool
            Whether no two sets differ by 1 to k - 1 persons; whether no combination of more does.
        """
        new = self._unknown(selections)
        pairs = all(self._pairs_hold(words, one, k) for words, one in new)
        for place, (words, one) in enumerate(new):
            for other, earlier in new[:place]:
                if one.about & earlier.about:
                    apart = int(np.bitwise_count(words ^ other).sum())
                    pairs &= not 0 < apart < k
        whole = [(words, one) for words, one in new if not one.crossing]
        combined = all(self._no_tracker(by, about, whole, k) for by, about in _families(whole))
        combined &= self._no_combination(whole, self._unsummed(summed), k)
        return pairs, combined

    def add(self, selections: Sequence[Selection], summed: Sequence[Summed] = ()) -> None:
        """Keep sets that are released, and numbers that weighed persons.

        Raises
        ------
        DataError
            If the file cannot be written; nothing may then leave.
        """
        for words, one in self._unknown(selections):
            if self._path is not None:
                head = {"about": sorted(one.about), "by": sorted(one.by)}
                _append(self._path, head | ({"crossing": 1} if one.crossing else {}), words)
            self._keep(words, one.about, one.by, crossing=one.crossing)
        for key, values in self._unsummed(summed).items():
            if self._path is not None:
                _append(self._path, {"summed": sorted(key[1])}, values.view(np.uint64))
            self._summed[key] = values

    def holders_hold(self, about: frozenset[str], holders: frozenset[str], fewest: int) -> bool:
        """Tell whether an answer of these holders tells of no few alone: `holders_apart`.

        Parameters
        ----------
        about : frozenset of str
            Columns of which it tells.
        holders : frozenset of str
        fewest : int
        """
        before = [group for told, group in self._groups if told & about]
        return holders_apart(holders, before, fewest)

    def answered(self, about: frozenset[str], holders: frozenset[str]) -> None:
        """Keep which holders answer a question.

        Raises
        ------
        DataError
            If the file cannot be written; nothing may then leave.
        """
        if (about, holders) in self._groups:
            return
        if self._path is not None:
            head = {"answered": sorted(holders), "about": sorted(about)}
            _append(self._path, head, np.empty(0, np.uint64))
        self._groups.add((about, holders))

    def refused(self) -> None:
        """Count a refusal: who is refused often may be asking in order to be refused."""
        self.refusals += 1
        if self._path is not None:
            _append(self._path, {"refused": 1}, np.empty(0, np.uint64))

    def noised(self, totals: str) -> dict[str, Floats] | None:
        """Give what has left with noise before, of the same question at the same place.

        Parameters
        ----------
        totals : str
            Digest of the question and of all totals before this round.
        """
        return self._noised.get(totals)

    def spend(self, totals: str, epsilon: float, values: Mapping[str, Floats]) -> None:
        """Keep what leaves with noise, and what it cost: epsilons add up.

        Raises
        ------
        DataError
            If the file cannot be written; nothing may then leave.
        """
        if self._path is not None:
            shapes = {name: list(one.shape) for name, one in values.items()}
            head = {"epsilon": epsilon, "totals": totals, "shapes": shapes}
            flat = np.concatenate([values[name].ravel() for name in sorted(values)])
            _append(self._path, head, flat.view(np.uint64))
        self._spent(totals, epsilon, dict(values))

    def _spent(self, totals: str, epsilon: float, values: dict[str, Floats]) -> None:
        self.epsilon += epsilon
        self._noised[totals] = values

    def _unknown(self, selections: Sequence[Selection]) -> list[tuple[Words, Selection]]:
        found, seen = [], set(self._known)
        for one in selections:
            words = packed(one.rows)
            key = _Told(_digest(words), one.about, one.by, one.crossing)
            if words.any() and key not in seen:
                seen.add(key)
                found.append((words, one))
        return found

    def _unsummed(self, summed: Sequence[Summed]) -> dict[tuple[bytes, frozenset[str]], Floats]:
        found = {}
        for one in summed:
            values = _scaled(np.asarray(one.values, np.float64))
            found[_digest(values.view(np.uint64)), one.about] = values
        return {key: values for key, values in found.items() if key not in self._summed}

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
        first, sizes = atoms_of(stacked, self.rows)
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
        numbers = dict(summed) | {key: v for key, v in self._summed.items() if key[1] & about}
        different = list({digest: values for (digest, _), values in numbers.items()}.values())
        m = len(sets) + len(different)
        # Where they are too many, sets alone have the other two audits; numbers have none.
        if too_many(m, self.rows // _SHARED):
            return not different
        stacked = np.array(list(sets.values()), np.uint64).reshape(-1, self._words.shape[1])
        first, sizes = atoms_of(stacked, self.rows, different)
        if too_many(m, len(first)):
            return not different
        members = members_of(stacked, first).astype(np.float64)
        vectors = np.vstack([members, *(values[first] for values in different)])
        return not about_few(vectors, sizes, k)

    def _keep(
        self, words: Words, about: frozenset[str], by: frozenset[str], *, crossing: bool
    ) -> None:
        if self._m == len(self._words):
            more = np.empty((max(16, 2 * self._m), self._words.shape[1]), np.uint64)
            more[: self._m] = self._words[: self._m]
            self._words = more
        self._words[self._m] = words
        self._m += 1
        told = _Told(_digest(words), about, by, crossing)
        self._told.append(told)
        self._sizes.append(_size(words))
        self._known.add(told)

    def _open(self, path: Path, head: dict[str, object]) -> None:
        try:
            if not path.exists():
                _append(path, head, np.empty(0, np.uint64))
                return
            data = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} could not be read ({error.strerror}).") from error
        place, first = 0, True
        while place < len(data):
            said, words, place = _record(data, place, path)
            if first and said != head:
                raise TrustError(
                    f"{path} is of other data: the snapshot has changed since the agreement; "
                    "nothing leaves until the holders sign a new one."
                )
            if "refused" in said:
                self.refusals += 1
            elif "forgiven" in said:
                self.refusals = 0
            elif "answered" in said:
                self._groups.add((frozenset(said["about"]), frozenset(said["answered"])))
            elif "summed" in said:
                one = Summed(words.view(np.float64), frozenset(said["summed"]))
                self._summed |= self._unsummed([one])
            elif "epsilon" in said:
                self._spent(said["totals"], said["epsilon"], _shaped(words, said["shapes"]))
            elif not first:
                about, by = frozenset(said["about"]), frozenset(said["by"])
                self._keep(words, about, by, crossing="crossing" in said)
            first = False


def forgive(path: Path) -> None:
    """Begin to count refusals anew, as the holder says who has looked at them.

    Parameters
    ----------
    path : Path
        Of a :class:`Memory`; no other process may be writing it. What was released stays.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    _append(path, {"forgiven": 1}, np.empty(0, np.uint64))


def mend(path: Path, least: int = 0) -> None:
    """Take away a last record of a :class:`Memory` that was cut while it was written.

    Parameters
    ----------
    path : Path
        No other process may be writing it.
    least : int
        Bytes that it had when something last left.

    Raises
    ------
    TrustError
        If it has fewer whole records than `least`: what left cannot be known then.
    DataError
        If it cannot be read or written.
    """
    whole = 0
    try:
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            while (end := _end_of(file, whole)) <= size:
                whole = end
            # A record is whole, and its end in the ledger, before what it tells of leaves. So
            # beyond `least` nothing has left, and a cut record is of a task that came to nothing.
            if least <= whole < size:
                file.truncate(whole)
                os.fsync(file.fileno())
        if not whole and not least:
            path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise DataError(f"{path} could not be mended ({error.strerror}).") from error
    if whole < least:
        raise TrustError(
            f"{path} has lost some of what was released before; nothing leaves until it is put "
            "back."
        )


def _end_of(file: BinaryIO, place: int) -> int:
    """Tell where a record ends that begins at a place; far away where its lengths are cut."""
    for _ in ("head", "words"):
        file.seek(place)
        length = file.read(_HEAD.size)
        if len(length) < _HEAD.size:
            return sys.maxsize
        place += _HEAD.size + _HEAD.unpack(length)[0]
    return place + 32


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


def _shaped(words: Words, shapes: Mapping[str, list[int]]) -> dict[str, Floats]:
    found, start, values = {}, 0, words.view(np.float64)
    for name in sorted(shapes):
        size = int(np.prod(shapes[name]))
        found[name] = values[start : start + size].reshape(shapes[name])
        start += size
    return found


def _digest(words: Words) -> bytes:
    return hashlib.blake2b(words.tobytes(), digest_size=16).digest()


def _append(path: Path, head: Mapping[str, object], words: Words) -> None:
    body = canonical(head)
    body = _HEAD.pack(len(body)) + body + _HEAD.pack(8 * len(words)) + words.tobytes()
    body += bytes.fromhex(sha256(body))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.write(file, body) != len(body):
                raise OSError(28, os.strerror(28))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}).") from error


def _record(data: bytes, place: int, path: Path) -> tuple[dict[str, Any], Words, int]:
    start = place
    try:
        (length,) = _HEAD.unpack_from(data, place)
        said = json.loads(data[place + 4 : place + 4 + length])
        place += 4 + length
        (length,) = _HEAD.unpack_from(data, place)
        words = np.frombuffer(data[place + 4 : place + 4 + length], np.uint64)
        place += 4 + length
        if data[place : place + 32].hex() != sha256(data[start:place]):
            raise ValueError
    except (struct.error, ValueError) as error:
        raise TrustError(
            f"{path} is damaged: what was released before cannot be known, so nothing leaves."
        ) from error
    return said, words, place + 32
