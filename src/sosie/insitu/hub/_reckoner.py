"""What a hub has computed for it, in this process or in one beside."""

from __future__ import annotations

import contextlib
from itertools import count
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError
from sosie.insitu._outline import Outline
from sosie.insitu.hub._reckoning import SORTS, Reckoning
from sosie.insitu.process import StoppedError, Workers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sosie.insitu.process import Worker
    from sosie.table import Schema

__all__ = ["Reckoner", "Sum"]

_MEMORY, _SECONDS = 4 << 30, 150
_STOPPED = (
    "The process of the hub that adds up took more memory or time than it has; nothing was "
    "answered. Ask for less."
)


class Reckoner:
    """Reads questions and adds up, for a hub that has neither catalogue nor arrays.

    What holders send is read where there is no key and no network, and where too large a number
    of anything ends a process that is made again.

    Parameters
    ----------
    beside : bool
        Whether it is in a process of its own; here otherwise.

    Examples
    --------
    >>> reckoner = Reckoner(beside=False)
    >>> reckoner.outline({"analysis": {"id": "counts", "column": "sex"}}).columns
    ('sex',)
    """

    def __init__(self, *, beside: bool) -> None:
        self._workers = None
        self._worker: Worker | None = None
        if beside:
            module = "sosie.insitu.hub._reckoning"
            self._workers = Workers(module, _MEMORY, _SECONDS, fresh=False)
        else:
            self._here = Reckoning()
        self._numbers = count()

    def outline(self, question: Any) -> Outline:
        """Read a question.

        Raises
        ------
        ParameterError
            If it is none.
        """
        return Outline.of(self.again({"do": "outline", "question": question}))

    def apart(self, asked: Collection[str], before: Iterable[Collection[str]], fewest: int) -> bool:
        """Tell whether it tells of no few holders: :func:`sosie.insitu.gate.holders_apart`."""
        said = {"asked": list(asked), "before": [list(one) for one in before], "fewest": fewest}
        return bool(self.again({"do": "apart", **said})["apart"])

    def begin(self, question: Outline, schema: Schema, holders: int) -> Sum:
        """Check a question against the columns of the agreement, and begin to add up.

        Raises
        ------
        ParameterError
            If it does not fit.
        """
        number = next(self._numbers)
        answer = self.again(
            {
                "do": "begin", "number": number, "question": question.asked,
                "schema": schema.model_dump(mode="json"), "holders": holders,
            }
        )  # fmt: skip
        return Sum(self, number, tells=answer["tells"])

    def again(self, said: dict[str, Any]) -> dict[str, Any]:
        """Ask what another process can answer as well, where one has ended."""
        try:
            return self.once(said)
        except StoppedError:
            return self.once(said)

    def once(self, said: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        """Ask.

        Raises
        ------
        StoppedError
            If the process ended, or took too long.
        ParameterError, TrustError, DataError
            As it found.
        """
        answer = self._asked(said, data)
        sort = answer.get("raised")
        if sort == "stopped":
            raise StoppedError(_STOPPED)
        if sort in SORTS:
            raise SORTS[sort](answer["why"])
        if sort is not None:
            raise ArithmeticError
        return answer

    def _asked(self, said: dict[str, Any], data: bytes) -> dict[str, Any]:
        if self._workers is None:
            return self._here.answer(dict(said), data)
        if self._worker is None:
            self._worker = self._workers.take()
        try:
            return self._worker.ask(said, data)
        except StoppedError:
            self._worker.close()
            self._worker = None
            raise

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        if self._workers is not None:
            self._workers.close()


class Sum:
    """One attempt at one question, as it is added up.

    Attributes
    ----------
    tells : bool
        Whether this round is told a holder at a time.
    """

    def __init__(self, reckoner: Reckoner, number: int, *, tells: bool) -> None:
        self._reckoner = reckoner
        self._number = number
        self.tells = tells

    def add(self, parts: Sequence[bytes]) -> dict[str, Any] | None:
        """Add up the parts of a round, one a holder; give the result after the last.

        Raises
        ------
        DataError, TrustError, ParameterError, ArithmeticError
            If they make none.
        """
        said = {"do": "add", "number": self._number, "sizes": [len(one) for one in parts]}
        try:
            answer = self._reckoner.once(said, b"".join(parts))
        except StoppedError as error:
            raise DataError(_STOPPED) from error
        self.tells = bool(answer.get("tells"))
        result: dict[str, Any] | None = answer.get("result")
        return result

    def close(self) -> None:
        """Forget it."""
        with contextlib.suppress(StoppedError):
            self._reckoner.once({"do": "forget", "number": self._number})
