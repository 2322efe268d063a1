"""One attempt at one task, as the hub sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sosie.insitu.exchange._certificate import Answered
from sosie.insitu.exchange._letter import letter
from sosie.trust import canonical, sha256

if TYPE_CHECKING:
    from sosie.insitu._outline import Outline
    from sosie.insitu.exchange._messages import Join, Part
    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.hub._reckoner import Reckoner, Sum

__all__ = ["Running"]


@dataclass
class Running:
    """An attempt: all holders join, then give their parts, round after round.

    The hub relays what holders sign to each other; each adds up by itself, so that there is no
    total which the hub could make up.
    """

    task: str
    attempt: int
    by: str
    ask: dict[str, Any]
    question: Outline
    sites: tuple[str, ...]
    parties: Parties
    reckoner: Reckoner
    instances: dict[str, str] = field(default_factory=dict)
    joins: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    former: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    turn: int = 0
    handed: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    _sum: Sum | None = None

    def afresh(self, attempt: int) -> Running:
        """Give another attempt at the same task, which knows nothing of this one."""
        self.close()
        return Running(
            self.task, attempt, self.by, self.ask, self.question, self.sites, self.parties,
            self.reckoner,
        )  # fmt: skip

    def close(self) -> None:
        """End it: what was added up is forgotten."""
        if self._sum is not None:
            self._sum.close()
            self._sum = None

    def begin(self) -> Sum:
        """Check the question against the columns of the agreement, and begin to add up."""
        if self._sum is None:
            schema = self.parties.schema(self.question.columns)
            self._sum = self.reckoner.begin(self.question, schema, len(self.sites))
        return self._sum

    @property
    def full(self) -> bool:
        """Whether all holders take part."""
        return len(self.joins) == len(self.sites)

    @property
    def tells(self) -> bool:
        """Whether this round is told a holder at a time."""
        return self.full and self._sum is not None and self._sum.tells

    @property
    def seconds(self) -> float:
        """How long this step may take at a holder, beyond what any may."""
        return self.question.seconds if self.tells else 0.0

    def due(self, site: str) -> bool:
        """Tell whether a holder has something to do."""
        if site not in self.sites:
            return False
        if not self.full:
            return site not in self.joins
        return site not in self.parts

    def work(self, site: str) -> dict[str, Any]:
        """Give a holder what it needs for its next step."""
        said: dict[str, Any] = {"task": self.task, "attempt": self.attempt, "ask": self.ask}
        if not self.full:
            return said | {"stage": "join"}
        said |= {"stage": "part", "round": self.turn}
        if self.turn == 0:
            return said | {"joins": list(self.joins.values())}
        return said | {"parts": [letter(*one) for one in self.former.values()]}

    def joined(self, message: Join, envelope: dict[str, Any]) -> None:
        """Keep that a holder takes part.

        Raises
        ------
        ParameterError, DataError
            If it is the last, and nothing can be added up.
        """
        self.instances[message.by] = message.instance
        self.joins[message.by] = envelope
        if self.full:
            self.begin()

    def gave(
        self, message: Part, envelope: dict[str, Any], payload: bytes
    ) -> dict[str, Any] | None:
        """Keep a part; give the result once there are all of the last round.

        Raises
        ------
        DataError, TrustError, ArithmeticError
            If the parts make no result.
        LostError
            If nothing is known any more of the rounds before.
        """
        self.parts[message.by] = (envelope, payload)
        self.told.append(envelope)
        if len(self.parts) < len(self.sites):
            return None
        found = self.begin().add([self.parts[site][1] for site in self.sites])
        if found is not None:
            return found
        self.former, self.parts = self.parts, {}
        self.turn += 1
        return None

    def answered(self, content: dict[str, Any]) -> Answered:
        """Tell all that led to a result."""
        return Answered(
            analysis=self.question.analysis,
            task=self.task,
            attempt=self.attempt,
            rounds=self.turn + 1,
            sites=list(self.sites),
            asked=self.ask,
            parts=self.told,
            result_sha256=sha256(canonical(content)),
        )
