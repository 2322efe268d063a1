"""What a hub has computed for it, in this process or in one beside."""

from __future__ import annotations

import contextlib
from itertools import count
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError
from sosie.insitu._outline import Outline, check_spelt
from sosie.insitu.hub._reckoning import SORTS, Reckoning
from sosie.insitu.process import StoppedError, Workers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sosie.insitu.process import Worker
    from sosie.table import Schema

__all__ = ["STOPPED", "LostError", "Reckoner", "Sum"]

_MEMORY, _SECONDS, _OF_WORDS = 4 << 30, 30, 10.0
STOPPED = (
    "The process of the hub that adds up took more memory or time than it has; nothing was "
    "answered. Ask for less."
)


class LostError(Exception):
    """A sum was begun in a process that has ended since, for its own or another's reason."""


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
        check_spelt(question)
        return Outline.of(self._twice({"do": "outline", "question": question}))

    def apart(self, asked: Collection[str], before: Iterable[Collection[str]], fewest: int) -> bool:
        """Tell whether it tells of no few holders: :func:`sosie.insitu.gate.holders_apart`."""
        said = {"asked": list(asked), "before": [list(one) for one in before], "fewest": fewest}
        return bool(self._twice({"do": "apart", **said})["apart"])

    def begin(self, question: Outline, schema: Schema, holders: int) -> Sum:
        """Check a question against the columns of the agreement, and begin to add up.

        Raises
        ------
        ParameterError
            If it does not fit.
        """
        number = next(self._numbers)
        answer = self._twice(
            {
                "do": "begin", "number": number, "question": question.asked,
                "schema": schema.model_dump(mode="json"), "holders": holders,
            }
        )  # fmt: skip
        return Sum(self, number, tells=answer["tells"])

    def ask(
        self, said: dict[str, Any], data: bytes = b"", seconds: float = _OF_WORDS
    ) -> dict[str, Any]:
        """Ask, for so many seconds; a process that has ended is made again before.

        Raises
        ------
        StoppedError
            If the process ended, or took too long.
        LostError
            If it knows of no such sum.
        ParameterError, TrustError, DataError
            As it found.
        """
        answer = self._asked(said, data, seconds)
        sort = answer.get("raised")
        if sort == "lost":
            raise LostError
        if sort in SORTS:
            raise SORTS[sort](answer["why"])
        if sort is not None:
            raise ArithmeticError
        return answer

    def _twice(self, said: dict[str, Any]) -> dict[str, Any]:
        """Ask what a process that is made anew can answer too, where one ended meanwhile."""
        try:
            return self.ask(said)
        except StoppedError as error:
            if error.late:
                raise
            return self.ask(said)

    def wait_ready(self) -> None:
        """Wait until the process beside is there.

        Raises
        ------
        DataError
            If it does not start.
        """
        if self._workers is None:
            return
        try:
            self._own().wait_ready()
        except StoppedError as error:
            raise DataError(
                "The process of the hub that adds up does not start: are sosie and its libraries "
                "installed for this Python, and not by PYTHONPATH alone?"
            ) from error

    def forget(self, number: int) -> None:
        """Forget a sum, where the process that knows of it is still there."""
        if self._workers is None or (self._worker is not None and self._worker.alive):
            with contextlib.suppress(Exception):
                self.ask({"do": "forget", "number": number})

    def _asked(self, said: dict[str, Any], data: bytes, seconds: float) -> dict[str, Any]:
        if self._workers is None:
            return self._here.answer(dict(said), data)
        try:
            return self._own().ask(said, data, seconds)
        except StoppedError:
            self._end()
            raise

    def _own(self) -> Worker:
        assert self._workers is not None
        if self._worker is not None and not self._worker.alive:
            self._end()
        if self._worker is None:
            self._worker = self._workers.take()
        return self._worker

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def close(self) -> None:
        """End the process."""
        self._end()
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
        LostError
            If nothing is known any more of the rounds before.
        """
        said = {"do": "add", "number": self._number, "sizes": [len(one) for one in parts]}
        try:
            answer = self._reckoner.ask(said, b"".join(parts), 2.0 * _SECONDS)
        except StoppedError as error:
            if error.late:
                raise DataError(STOPPED) from error
            raise LostError from error
        self.tells = bool(answer.get("tells"))
        result: dict[str, Any] | None = answer.get("result")
        return result

    def close(self) -> None:
        """Forget it."""
        self._reckoner.forget(self._number)
