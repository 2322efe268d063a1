"""A question on its way: the holder's side, the hub's side, and both in one process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._beside import Beside
from sosie.insitu._derive import derived
from sosie.insitu._result import Result
from sosie.insitu._rows import Rows
from sosie.insitu.gate import Gate, Judgement, Path, SecureSum, added, total_of
from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sosie.insitu._aggregate import Part
    from sosie.insitu._analysis import State
    from sosie.insitu._question import Question
    from sosie.insitu._snapshot import Snapshot
    from sosie.insitu.gate import Cleared
    from sosie.table import Schema, Table

__all__ = ["HubTask", "NodeTask", "run_in_place"]


class NodeTask:
    """One question at one holder.

    Parameters
    ----------
    question : Question
    table : Table or Snapshot
        What the holder froze when the agreement was signed.
    schema : Schema
        Of the agreement: the same at every holder.
    gate : Gate
        Of this agreement at this holder.
    holders : int
        Who take part.
    recipient_holds : bool
        Whether the recipient of the result is one of them.
    secure : SecureSum, optional
        Where there are three holders or more.
    beside : Beside, optional
        What the holder has beside its table.
    sites : collection of str, optional
        The holders by their names.

    Raises
    ------
    ParameterError
        If the question does not fit the columns of the agreement.
    """

    def __init__(
        self,
        question: Question,
        table: Table | Snapshot,
        schema: Schema,
        gate: Gate,
        *,
        holders: int,
        recipient_holds: bool = True,
        secure: SecureSum | None = None,
        beside: Beside[Table | Snapshot] | None = None,
        sites: Collection[str] = (),
    ) -> None:
        self._analysis = question.analysis
        self._question = question.sha256
        self._state = _started(question, schema)
        self._epsilon = question.epsilon
        self._beside = beside or Beside()
        self._rows = Rows(table, schema, question.derive, gate.floors, self._beside)
        self._gate = gate
        self._holders = holders
        self._sites = sites
        self._to_holders = recipient_holds or self._analysis.rounds_seen
        self._secure = secure
        self._path = Path(holders)
        self._part: Part | None = None
        self._told = False
        self._payload = b""
        self._totals = question.sha256

    @property
    def total_sha256(self) -> str:
        """SHA-256 of all totals taken so far, one after the other; of the question before.

        Each holder signs it with its part and goes on only where those of the others are the
        same. Masks are drawn from it besides: where a hub tells holders different totals, what
        they send next adds up to noise.
        """
        return self._totals

    def part(self) -> Cleared:
        """Compute this round's part and pass it through the gate.

        Raises
        ------
        Refused
            If the gate lets it not out; also where the rows cannot be used, in the same words.
        TooMuchError
            If it may leave, but is more than one message carries.
        """
        if self._part is not None or self._told:
            raise self._gate.refuse("path")
        try:
            with np.errstate(all="ignore"):
                found = self._analysis.local(self._rows, self._state)
        except DataError as error:
            raise self._gate.refuse("rows") from error
        if isinstance(found, Judgement):
            self._told = True
            return self._gate.judgement(found, self._beside.accept)
        self._part = found
        cleared = self._gate.part(
            self._part,
            question=self._question,
            turn=self._path.turn,
            holders=self._holders,
            to_holders=self._to_holders,
            secure=self._secure,
            totals=self._totals,
            epsilon=self._each_round(),
            sites=self._sites,
        )
        self._part, self._payload = cleared.left, cleared.payload
        return cleared

    def _each_round(self) -> float | None:
        return None if self._epsilon is None else self._epsilon / self._analysis.private_rounds

    def advance(self, total: bytes) -> None:
        """Take the total of the round, and compute the next state from it.

        Raises
        ------
        Refused
            If the total cannot be that of the round.
        """
        if self._part is None:
            raise self._gate.refuse("path")
        read = total_of(total, self._question, self._path.turn)
        self._totals = sha256((self._totals + sha256(total)).encode())
        if not self._path.accepts(self._part, read):
            raise self._gate.refuse("path")
        found = self._analysis.combine(read, self._state)
        if isinstance(found, Result):
            raise self._gate.refuse("path")
        self._state, self._part = found, None

    def advance_with(self, parts: Sequence[bytes]) -> None:
        """Add up the parts of all holders, and go on from their total.

        Masked parts tell a holder nothing but their total, so the hub may hand them on: it then
        has no total to forge.

        Parameters
        ----------
        parts : sequence of bytes
            One a holder, whose signatures the caller verified.

        Raises
        ------
        Refused
            If this holder's part is not among them, or there are not as many as holders.
        TrustError
            If a part is malformed, or of another question or round.
        """
        if self._part is None or len(parts) != self._holders or self._payload not in parts:
            raise self._gate.refuse("path")
        self.advance(added(parts, self._question, self._path.turn))


class HubTask:
    """One question at the hub, which sees no row and, with masks, no part.

    Parameters
    ----------
    question : Question
    schema : Schema
        Of the agreement.
    holders : int
    """

    def __init__(self, question: Question, schema: Schema, holders: int) -> None:
        self._analysis = question.analysis
        self._question = question.sha256
        self._state = _started(question, schema)
        self._epsilon = question.epsilon
        self._holders = holders
        self._off = 0
        self.turn = 0

    @property
    def tells(self) -> bool:
        """Whether this round is told a holder at a time."""
        return self._analysis.tells(self._state)

    def add(self, parts: Sequence[bytes]) -> Result | bytes:
        """Add up the parts of a round; or put together what is told a holder at a time.

        Parameters
        ----------
        parts : sequence of bytes
            One a holder, in their order.

        Returns
        -------
        Result or bytes
            The answer; or the total, which every holder is sent.

        Raises
        ------
        ParameterError
            If a part is missing.
        DataError
            If the pooled data have no such result.
        TrustError
            If a part is malformed, or of another question or round.
        """
        if len(parts) != self._holders:
            raise ParameterError(f"{self._holders} parts are due, not {len(parts)}.")
        if self.tells:
            return _told_off(self._analysis.gathered(parts, self._state), self._off)
        total = added(parts, self._question, self.turn)
        read = total_of(total, self._question, self.turn)
        self._off = max(self._off, read.off)
        with np.errstate(all="ignore"):
            found = self._analysis.combine(read, self._state)
        if isinstance(found, Result):
            found = _told_off(found, self._off)
            return found if self._epsilon is None else _told_noise(found, self._epsilon)
        self._state = found
        self.turn += 1
        return total


def run_in_place(
    tables: Sequence[Table],
    question: Question,
    gates: Sequence[Gate],
    schema: Schema | None = None,
    *,
    recipient_holds: bool = True,
) -> Result:
    """Ask a question of several holders in one process, as over a network.

    Parameters
    ----------
    tables : sequence of Table
        One a holder.
    question : Question
    gates : sequence of Gate
        One a holder.
    schema : Schema, optional
        Of the agreement; that of the first table where not given.
    recipient_holds : bool
        Whether a holder receives the result.

    Raises
    ------
    Refused
        If a gate lets something not out.
    ParameterError
        If the question does not fit the columns.
    DataError
        If the pooled data have no such result.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.insitu import Gate, Question
    >>> from sosie.table import Table
    >>> rng = np.random.default_rng(0)
    >>> tables = [Table.of(pl.DataFrame({"age": rng.normal(60, 9, 50)})) for _ in range(3)]
    >>> asked = Question.of({"analysis": {"id": "means", "columns_of": ["age"]}})
    >>> run_in_place(tables, asked, [Gate() for _ in tables]).tables["means"][0]["n"]
    150.0
    """
    schema = schema or tables[0].schema
    secures = _secures(len(tables))
    nodes = [
        NodeTask(
            question, table, schema, gate, holders=len(tables),
            recipient_holds=recipient_holds, secure=secure,
        )
        for table, gate, secure in zip(tables, gates, secures, strict=True)
    ]  # fmt: skip
    hub = HubTask(question, schema, len(tables))
    while True:
        found = hub.add([node.part().payload for node in nodes])
        if isinstance(found, Result):
            return found
        for node in nodes:
            node.advance(found)


def _started(question: Question, schema: Schema) -> State:
    columns = derived(schema, question.derive)
    if question.epsilon is None:
        return question.analysis.start(columns)
    return question.analysis.start_privately(columns)


def _told_noise(found: Result, epsilon: float) -> Result:
    noise = f"Each holder added Laplace noise of differential privacy, epsilon {epsilon:g}"
    return replace(found, exact=False, bound=f"{noise}; no interval here takes it into account.")


def _told_off(found: Result, off: int) -> Result:
    if not off:
        return found
    softened = (
        f"Counts are rounded or have noise: that of a cell is at most {off} from the true one, "
        "and each holder weighs in means, squares and products by its counts as told. No interval, "
        "test or bound here takes that into account."
    )
    values = {**found.values, "count_off": off}
    bound = f"{found.bound} {softened}".strip()
    return replace(found, values=values, exact=False, bound=bound)


def _secures(holders: int) -> list[SecureSum | None]:
    if holders < 3:
        return [None] * holders
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    keys = {str(i): X25519PrivateKey.generate() for i in range(holders)}
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
    return [
        SecureSum(key, {o: raw for o, raw in public.items() if o != name}, name, "in one process")
        for name, key in keys.items()
    ]
