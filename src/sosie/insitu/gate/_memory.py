"""Everything ever released under an agreement, as a holder remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import TrustError
from sosie.insitu._aggregate import Selection, Summed
from sosie.insitu.gate._audit import Audit
from sosie.insitu.gate._holders import holders_apart
from sosie.insitu.gate._records import append, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from sosie.insitu.gate._audit import Words

    Floats = NDArray[np.float64]

__all__ = ["MOST_BLURRED", "Memory"]

MOST_BLURRED = 2
"""Models through a number of many values, of labels with cells of too few persons; of the best
three of thirty, a cell of one person is known to within 1.6, by two to within 4.5."""

_FORMAT = "sosie-released/1"


class Memory:
    """What has left under one agreement at one holder, and what was refused.

    It knows the sets of persons and the numbers of which something was told, which holders
    answered together, and what left with noise and what that cost. Of a new output it tells
    whether it adds anything about a few persons (:class:`~sosie.insitu.gate._audit.Audit`).

    Parameters
    ----------
    rows : int
        Persons of the snapshot.
    path : Path, optional
        Where all this is kept from one run to the next, for the owner alone; a file that does not
        exist yet is begun.
    snapshot : str
        SHA-256 of the data; the file holds for these alone.

    Raises
    ------
    TrustError
        If the file is of other data, or was damaged.
    DataError
        If it cannot be read or written.
    """

    def __init__(self, rows: int, path: Path | None = None, snapshot: str = "") -> None:
        self.rows = rows
        self.refusals = 0
        self.epsilon = 0.0
        self._audit = Audit(rows)
        self._noised: dict[str, dict[str, Floats]] = {}
        self._groups: set[tuple[frozenset[str], frozenset[str]]] = set()
        self._blurred: dict[str, frozenset[str]] = {}
        self._path: Path | None = None
        if path is not None:
            self._remember(path, {"format": _FORMAT, "rows": rows, "snapshot": snapshot})
            self._path = path

    def __len__(self) -> int:
        return len(self._audit)

    @property
    def columns(self) -> frozenset[str]:
        """Everything of which something was told."""
        return self._audit.columns

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
        return self._audit.allows(selections, k, summed)

    def add(self, selections: Sequence[Selection], summed: Sequence[Summed] = ()) -> None:
        """Keep sets that are released, and numbers that weighed persons.

        Raises
        ------
        DataError
            If the file cannot be written; nothing may then leave.
        """
        for words, one in self._audit.unknown(selections):
            head = {"about": sorted(one.about), "by": sorted(one.by)}
            self._write(head | ({"crossing": 1} if one.crossing else {}), words)
            self._audit.add(words, one.about, one.by, crossing=one.crossing)
        for key, values in self._audit.unsummed(summed).items():
            self._write({"summed": sorted(key[1])}, values.view(np.uint64))
            self._audit.summed[key] = values

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
        if (about, holders) not in self._groups:
            self._write({"answered": sorted(holders), "about": sorted(about)})
            self._groups.add((about, holders))

    def may_blur(self, columns: frozenset[str], question: str) -> bool:
        """Tell whether one more model may tell small cells of these columns blurred.

        Parameters
        ----------
        columns : frozenset of str
            Of the holder; none where a question tells no such cells.
        question : str
            SHA-256: all its rounds are of one model, as are those of the same question again.
        """
        others = (
            its
            for asked, its in self._blurred.items()
            if asked != question and len(its & columns) >= min(2, len(its), len(columns))
        )
        return not columns or sum(1 for _ in others) < MOST_BLURRED

    def blurred(self, columns: frozenset[str], question: str) -> None:
        """Keep that a model tells small cells of these columns blurred.

        Raises
        ------
        DataError
            If the file cannot be written; nothing may then leave.
        """
        if columns and self._blurred.get(question) != columns:
            self._write({"blurred": sorted(columns), "question": question})
            self._blurred[question] = columns

    def refused(self) -> None:
        """Count a refusal: who is refused often may be asking in order to be refused."""
        self.refusals += 1
        self._write({"refused": 1})

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
        shapes = {name: list(one.shape) for name, one in values.items()}
        flat = np.concatenate([values[name].ravel() for name in sorted(values)])
        head = {"epsilon": epsilon, "totals": totals, "shapes": shapes}
        self._write(head, flat.view(np.uint64))
        self._spent(totals, epsilon, dict(values))

    def _spent(self, totals: str, epsilon: float, values: dict[str, Floats]) -> None:
        self.epsilon += epsilon
        self._noised[totals] = values

    def _write(self, head: Mapping[str, object], *words: Words) -> None:
        if self._path is not None:
            append(self._path, head, *(one.tobytes() for one in words))

    def _remember(self, path: Path, head: dict[str, object]) -> None:
        found = records(path)
        first = next(found, None)
        if first is None:
            append(path, head)
        elif first[0] != head:
            raise TrustError(
                f"{path} is of other data: the snapshot has changed since the agreement; "
                "nothing leaves until the holders sign a new one."
            )
        for said, words in found:
            self._take(said, np.frombuffer(words, np.uint64))

    def _take(self, said: dict[str, Any], words: Words) -> None:
        if "refused" in said:
            self.refusals += 1
        elif "forgiven" in said:
            self.refusals = 0
        elif "answered" in said:
            self._groups.add((frozenset(said["about"]), frozenset(said["answered"])))
        elif "blurred" in said:
            self._blurred[said["question"]] = frozenset(said["blurred"])
        elif "summed" in said:
            one = Summed(words.view(np.float64), frozenset(said["summed"]))
            self._audit.summed |= self._audit.unsummed([one])
        elif "epsilon" in said:
            self._spent(said["totals"], said["epsilon"], _shaped(words, said["shapes"]))
        else:
            about, by = frozenset(said["about"]), frozenset(said["by"])
            self._audit.add(words, about, by, crossing="crossing" in said)


def _shaped(words: Words, shapes: Mapping[str, list[int]]) -> dict[str, Floats]:
    found, start, values = {}, 0, words.view(np.float64)
    for name in sorted(shapes):
        size = int(np.prod(shapes[name]))
        found[name] = values[start : start + size].reshape(shapes[name])
        start += size
    return found
