"""The analyst's side: ask under an agreement, receive checked answers."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.insitu._question import Question
from sosie.insitu.analyst._answer import Answer
from sosie.insitu.analyst._asked import asked
from sosie.insitu.analyst._before import check_question
from sosie.insitu.exchange._certificate import verify_in_place
from sosie.insitu.exchange._http import Http
from sosie.insitu.exchange._messages import (
    Ask,
    Certify,
    Listing,
    Login,
    Wait,
    new_nonce,
    read_message,
    sealed,
    time_now,
)
from sosie.insitu.exchange._parties import Parties
from sosie.insitu.exchange._raised import AbsentError, RefusedError
from sosie.trust import Key, PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sosie.insitu.exchange._messages import _Message
    from sosie.insitu.exchange._way import Way

__all__ = ["Connection", "connect"]

_LONG_POLL, _AGAIN = 25.0, 1.0
_TASK = re.compile("[0-9a-f]{64}")


class Connection:
    """Asks questions under one agreement.

    Parameters
    ----------
    parties : Parties
    key : Key
        Of a recipient.
    way : Way
        To the hub.
    """

    def __init__(self, parties: Parties, key: Key, way: Way) -> None:
        self._parties = parties
        self._key = key
        self._way = way
        self._by = parties.party_of(key.public)
        self._ends = 0.0

    @property
    def analyses(self) -> list[str]:
        """What the agreement lets be asked."""
        return list(self._parties.agreement.analyses)

    def ask(
        self,
        analysis: str,
        *,
        derive: Sequence[Mapping[str, Any]] = (),
        wait: float = 300.0,
        **parameters: Any,
    ) -> Answer:
        """Ask one question and wait for its answer.

        Parameters
        ----------
        analysis : str
            Of the catalogue, as ``logistic``.
        derive : sequence of mapping
            Columns to make first.
        wait : float
            Seconds.
        **parameters
            Of the analysis, as ``formula="y ~ a + b"``.

        Raises
        ------
        RefusedError
            If the gate of a holder, or the agreement, refuses.
        ParameterError
            If the question does not fit.
        DataError
            If there is no answer: the hub or a holder is away, or the data have no such result.
        """
        return self.fetch(self.send(asked(analysis, parameters, derive)), wait=wait)

    def send(self, question: Question) -> str:
        """Send a question; its answer may be fetched later.

        Returns
        -------
        str
            The name of the task.

        Raises
        ------
        RefusedError
            If the agreement does not allow it; then nothing is sent.
        ParameterError
            If the question does not fit what the agreement says of its columns.
        """
        check_question(self._parties, question, self._by)
        message = self._of(Ask, question=question.model_dump(mode="json"), nonce=new_nonce())
        said = self._post(message)
        if "task" not in said:  # by files: the hub has not read it yet
            from sosie.insitu.exchange._messages import task_of

            return task_of(message)
        return str(said["task"])

    def fetch(self, task: str, *, wait: float = 300.0) -> Answer:
        """Wait for the answer to a question that was sent.

        Raises
        ------
        ParameterError
            If there is no such task.
        RefusedError, DataError
            As :meth:`ask`.
        TrustError
            If what the hub gives is not certified for this question.
        """
        if not _TASK.fullmatch(task):
            raise ParameterError(f"--task: {task!r} is no task; give its 64 letters and digits.")
        until = time.monotonic() + wait
        while True:
            left = until - time.monotonic()
            try:
                said = self._post(self._of(Wait, task=task), wait=max(0.0, min(_LONG_POLL, left)))
            except AbsentError as error:  # a hub that starts again has kept the question
                said = {"why": str(error)}
                time.sleep(max(0.0, min(_AGAIN, left)))
            state = said.get("state")
            if state == "done":
                return self._checked(said["answer"], task)
            if state == "refused":
                raise RefusedError(str(said["why"]))
            if state == "failed":
                raise DataError(str(said["why"]))
            if left <= 0:
                why = said.get("why") or "The holders have not answered yet."
                raise DataError(f"{why} The question waits: fetch its answer with --task {task}.")

    def _checked(self, content: dict[str, Any], task: str) -> Answer:
        """Take an answer that is certified for this very question, of all its holders."""
        try:
            items, record = verify_in_place(
                content["certificate"],
                {key.id: key for key in self._parties.keys.values()},
                answers=[content],
                agreement=self._parties.signed.sha256,
            )
            if record is None or not all(item.ok for item in items):
                raise TrustError("It does not hold.")
            (found,) = record.results
            ask = read_message(found.asked, self._parties.keys)
            sites = self._parties.sites(Question.of(ask.question).columns)
            whole = found.task == task and ask.by == self._by and tuple(found.sites) == sites
        except (SosieError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise TrustError(
                "What the hub gave is not the certified answer to this question; it is not used."
            )
        return Answer(content, task)

    def certificate(self, tasks: Sequence[str]) -> dict[str, Any]:
        """Ask for one certificate of several answers."""
        said = self._post(self._of(Certify, tasks=list(tasks)))
        found: dict[str, Any] = said["certificate"]
        return found

    def tasks(self) -> list[dict[str, Any]]:
        """List what was asked, and how it stands."""
        found: list[dict[str, Any]] = self._post(self._of(Listing))["tasks"]
        return found

    def close(self) -> None:
        """Close the connection."""
        self._way.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _of(self, kind: type[Any], **said: Any) -> Any:
        return kind(agreement=self._parties.signed.sha256, by=self._by, at=time_now(), **said)

    def _post(self, message: _Message, wait: float = 0.0) -> dict[str, Any]:
        if isinstance(self._way, Http) and time.monotonic() > self._ends:
            said = self._sent(self._of(Login, nonce=new_nonce()))
            self._way.bear(str(said["token"]))
            self._ends = time.monotonic() + 0.8 * float(said["seconds"])
        return self._sent(message, wait)

    def _sent(self, message: _Message, wait: float = 0.0) -> dict[str, Any]:
        envelope = sealed(message, self._key)
        try:
            return self._way.post(envelope, wait=wait)
        except AbsentError:
            # An idle connection may have been closed by the other side: once more, on a new one.
            return self._way.post(envelope, wait=wait)


def connect(
    agreement: str | Path,
    hub: str | None = None,
    *,
    key: str | Path,
    keys: str | Path | None = None,
    drop: str | Path | None = None,
) -> Connection:
    """Connect to the hub of an agreement.

    Parameters
    ----------
    agreement : str or Path
        As its holders signed it.
    hub : str, optional
        URL of the hub.
    key : str or Path
        The ``.key`` file of a recipient.
    keys : str or Path, optional
        Folder of the ``.pub`` files that are trusted; the keys that the agreement carries where
        not given.
    drop : str or Path, optional
        A folder of files instead of a hub on the network.

    Returns
    -------
    Connection

    Raises
    ------
    TrustError
        If the agreement does not hold, or the key is of none of its parties.
    ParameterError
        If neither or both of `hub` and `drop` are given.
    """
    if (hub is None) == (drop is None):
        raise ParameterError("Give --hub or --drop: one way to the hub.")
    parties = Parties.read(Path(agreement), PublicKey.read_folder(keys) if keys else None)
    own = Key.read(key)
    by = parties.party_of(own.public)
    way: Way
    if hub is not None:
        way = Http(hub, own, parties.hub)
    else:
        from sosie.insitu.exchange._drop import Drop

        way = Drop(Path(str(drop)), by)
    return Connection(parties, own, way)
