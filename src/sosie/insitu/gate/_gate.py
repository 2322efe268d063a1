"""The one gate through which anything leaves a holder or a hub."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import TrustError
from sosie.insitu.gate._checks import CHECKS, Verdict, holders_suffice
from sosie.insitu.gate._floors import strictest
from sosie.insitu.gate._judgement import MOST_TOLD, TooMuchError, checked, remembered, said
from sosie.insitu.gate._memory import Memory
from sosie.insitu.gate._private import noised_privately
from sosie.insitu.gate._refused import Refused
from sosie.insitu.gate._secure_sum import as_words
from sosie.insitu.gate._softened import Softening
from sosie.insitu.gate._wire import spelt
from sosie.trust import PRESETS, Floors, canonical, sha256

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Part
    from sosie.insitu._result import Result
    from sosie.insitu.gate._judgement import Judgement
    from sosie.insitu.gate._secure_sum import SecureSum

    Floats = NDArray[np.float64]

__all__ = ["MOST_REFUSALS", "Cleared", "Gate"]

MOST_REFUSALS = 50
"""Under one agreement; then nothing leaves until the holder has looked at the ledger."""

_SOURCES = {
    "holders": "vantage6, minimum of organisations",
    "differencing": "OpenSAFELY, output checking; dsBase nfilter.subset, which only warns",
    "tracker": "Chin, Özsoyoğlu 1982",
    "blurred": "Dobra, Fienberg 2001: what is released bounds cells",
    "epsilon": "the agreement's budget of differential privacy; OpenDP",
    "refusals": "DataSHIELD, disclosure settings: a refusal is an answer too",
}


@dataclass(frozen=True)
class Cleared:
    """What passed.

    Attributes
    ----------
    payload : bytes
        What leaves: canonical JSON.
    verdicts : tuple of Verdict
        Of all checks, in their order; they hold, and may be told.
    left : Part, optional
        What the payload says, without masks; it stays at the holder.
    """

    payload: bytes
    verdicts: tuple[Verdict, ...]
    left: Part | None = field(default=None, repr=False)

    @property
    def sha256(self) -> str:
        """Of the payload, for the ledger and the certificate."""
        return sha256(self.payload)


class Gate:
    """Checks what leaves, and alone writes it.

    Parameters
    ----------
    floors : Floors or str
        Of the agreement (``agreement.disclosure.floors``), or the name of a preset.
    own : Floors, optional
        Of the holder; of each floor the stricter holds, and no request can lower it.
    memory : Memory, optional
        What has left before, under this agreement; without one, only what leaves by this gate.
    secret : bytes, optional
        Of the holder: counts then have cell-key noise, and sums over persons go with them.
    epsilon : float, optional
        Budget of differential privacy (``agreement.disclosure.epsilon``): every question must
        then say what it spends, and gets noise for it.

    Examples
    --------
    >>> Gate("datashield-3", PRESETS["snds-11"]).floors.min_cell
    11
    """

    def __init__(
        self,
        floors: Floors | str = "snds-11",
        own: Floors | None = None,
        *,
        memory: Memory | None = None,
        secret: bytes | None = None,
        epsilon: float | None = None,
    ) -> None:
        if isinstance(floors, str):
            if floors not in PRESETS:
                raise TrustError(f"There is no preset {floors!r}: {', '.join(PRESETS)}.")
            floors = PRESETS[floors]
        self.floors = strictest(floors, own)
        self._memory = memory
        self._softening = Softening(self.floors.round_to, secret)
        self._budget = epsilon

    def part(
        self,
        part: Part,
        *,
        question: str,
        turn: int,
        holders: int,
        to_holders: bool,
        secure: SecureSum | None = None,
        totals: str = "",
        epsilon: float | None = None,
        sites: Collection[str] = (),
    ) -> Cleared:
        """Check a part, and write it.

        Every check is made whatever the others found, so that the time tells nothing.

        Parameters
        ----------
        part : Part
        question : str
            SHA-256 of the question.
        turn : int
            Number of the round, from 0.
        holders : int
            Who take part.
        to_holders : bool
            Whether a holder will see the total.
        secure : SecureSum, optional
            Masks the part.
        totals : str
            What the masks are drawn from besides: all that this holder was told so far.
        epsilon : float, optional
            Of differential privacy, to spend on this round; nothing where the same part has
            left before, with the same noise.
        sites : collection of str, optional
            The holders by their names, where there are several.

        Raises
        ------
        Refused
            In the same words whatever the reason.
        """
        memory = self._memory_for(part)
        told = [
            Verdict(name, source, check(part, self.floors))
            for name, (source, check) in CHECKS.items()
        ]
        about, group = frozenset().union(*(s.about for s in part.selections)), frozenset(sites)
        sets = [one for one in part.selections if not one.blurred]
        cells = frozenset().union(*(one.by for one in part.selections if one.blurred))
        many = holders_suffice(holders, self.floors, to_holders=to_holders)
        many &= memory.holders_hold(about, group, self.floors.min_holders)
        pairs, combined = memory.allows(sets, self.floors.min_cell, part.summed)
        for name, holds in (
            ("holders", many),
            ("differencing", pairs),
            ("tracker", combined),
            ("blurred", memory.may_blur(cells, question)),
            ("epsilon", self._affords(part, totals, epsilon)),
            ("refusals", memory.refusals < MOST_REFUSALS),
        ):
            told.append(Verdict(name, _SOURCES[name], holds))
        if not all(one.holds for one in told):
            memory.refused()
            raise Refused(tuple(one.check for one in told if not one.holds))
        memory.add(sets, part.summed)
        memory.blurred(cells, question)
        memory.answered(about, group)
        off = 0
        if epsilon is None:
            values = {name: self._softening.values(one) for name, one in part.arrays.items()}
            if any(one.kind != "vote" for one in part.arrays.values()):
                off = self._softening.off
        else:
            values = self._noised(part, totals, epsilon)
        softened = {name: replace(one, values=values[name]) for name, one in part.arrays.items()}
        arrays = {}
        for name, one in softened.items():
            words = as_words(one.values)
            if secure is not None:
                words = secure.masked(words, turn, name, totals)
            arrays[name] = (one.values.shape, words)
        left = replace(part, arrays=softened)
        return Cleared(spelt(arrays, question, turn, 1, off), tuple(told), left)

    def refuse(self, reason: str) -> Refused:
        """Count a refusal that has another reason than a part, and give it to raise."""
        if self._memory is not None:
            self._memory.refused()
        return Refused((reason,))

    def judgement(self, found: Judgement, accept: Collection[str] = ("pass",)) -> Cleared:
        """Check what would be told of a synthetic table, and write it.

        Parameters
        ----------
        found : Judgement
            Of the table, by the evidence room; with its rows where they are to leave too.
        accept : collection of str
            Verdicts with which rows leave (``agreement.evidence.accept``).

        Raises
        ------
        Refused
            In the same words whatever the reason.
        TooMuchError
            If it may leave, but is more than one message carries; it then does not.
        """
        if self._memory is None:
            self._memory = Memory(found.persons)
        memory = self._memory
        told = checked(found, self.floors, memory, accept)
        for name, holds in (
            ("epsilon", self._budget is None),
            ("refusals", memory.refusals < MOST_REFUSALS),
        ):
            told.append(Verdict(name, _SOURCES[name], holds))
        if not all(one.holds for one in told):
            memory.refused()
            raise Refused(tuple(one.check for one in told if not one.holds))
        payload = canonical(said(found, self.floors))
        if len(payload) > MOST_TOLD:
            raise TooMuchError("The rows are more than one message carries.")
        memory.add([remembered(found, np.ones(memory.rows, bool))])
        return Cleared(payload, tuple(told))

    def result(self, result: Result) -> Cleared:
        """Write a result at the hub, made of parts that every holder's gate let pass.

        Nothing is checked again, so no verdict is given; what is not finite is written as null.
        """
        return Cleared(canonical(result.content()), ())

    def _memory_for(self, part: Part) -> Memory:
        rows = len(part.selections[0].rows) if part.selections else 0
        if self._memory is None:
            self._memory = Memory(rows)
        if rows and self._memory.rows != rows:
            raise TrustError("The snapshot has another number of rows than when it was agreed on.")
        return self._memory

    def _affords(self, part: Part, totals: str, epsilon: float | None) -> bool:
        if self._budget is None or epsilon is None:
            return self._budget is None and epsilon is None
        if any(one.sensitivity is None for one in part.arrays.values()):
            return False
        memory = self._memory_for(part)
        again = memory.noised(totals) is not None
        return again or memory.epsilon + epsilon <= self._budget * (1 + 1e-9)

    def _noised(self, part: Part, totals: str, epsilon: float) -> dict[str, Floats]:
        """Give the noise of before, or draw it and spend: of each array an equal share."""
        memory = self._memory_for(part)
        values = memory.noised(totals)
        if values is None:
            share = epsilon / len(part.arrays)
            values = {name: noised_privately(one, share) for name, one in part.arrays.items()}
            memory.spend(totals, epsilon, values)
        return values
