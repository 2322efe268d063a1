"""A holder's node: asks the hub for work, checks it all itself, and lets out what the gate lets."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import hmac
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.insitu._question import Question
from sosie.insitu.exchange._http import AbsentError
from sosie.insitu.exchange._messages import (
    Ask,
    CheckTold,
    Decline,
    Join,
    LedgerHead,
    Part,
    Poll,
    moment,
    read_message,
    sealed,
    task_of,
    time_now,
)
from sosie.insitu.exchange._parties import described
from sosie.insitu.node._frames import spelt_snapshot
from sosie.insitu.node._reading import file_sha256, read_snapshot
from sosie.insitu.node._worker import StoppedError, Worker, Workers
from sosie.table import CODED, Column, Kind, Schema
from sosie.trust import canonical, sha256
from sosie.trust._opening import committed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.exchange._way import Way
    from sosie.insitu.node._place import Place
    from sosie.trust import Floors, Key

__all__ = ["Node", "commitment_of"]

_MOST_ATTEMPTS = 100
_STALE = dt.timedelta(days=8)
_WAIT = 25.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0


class _DeclinedError(Exception):
    """A step that this holder does not take."""

    def __init__(self, why: str, *reasons: str) -> None:
        super().__init__(why)
        self.why = why
        self.reasons = list(reasons)


@dataclass
class _Taken:
    """The attempt that this node takes part in."""

    task: str
    attempt: int
    question: Question
    sites: tuple[str, ...]
    worker: Worker
    turn: int = -1
    payload: bytes = b""


def commitment_of(key: Key, content: str) -> str:
    """Commit to the content of a snapshot: only who has the key can make it, or check a guess."""
    nonce = hmac.new(key.seed, b"sosie snapshot 1", "sha256").hexdigest()
    return committed(nonce, "snapshot", content)


class Node:
    """Serves one data set under one agreement.

    Parameters
    ----------
    parties : Parties
    key : Key
        Of the holder.
    data : Path
        The table.
    place : Place
        Where the ledger is.
    way : Way
        To the hub.
    own_floors : Floors, optional
        Stricter than the agreement's where the holder wants it.
    cell_key : bool
        Whether counts have noise that is the same for the same persons.
    fresh : bool
        Whether each task has a process of its own.
    memory : int
        Bytes that a task may take.
    seconds : int
        Of computing that a task may take.

    Raises
    ------
    TrustError
        If this holder did not sign the agreement, holds nothing under it, or has other data.
    DataError
        If the file does not hold what the agreement says.
    """

    def __init__(
        self,
        parties: Parties,
        key: Key,
        data: Path,
        place: Place,
        way: Way,
        *,
        own_floors: Floors | None = None,
        cell_key: bool = False,
        fresh: bool = True,
        memory: int = 4 << 30,
        seconds: int = 600,
    ) -> None:
        self._parties = parties
        self._key = key
        self._data = data
        self._place = place
        self._way = way
        self._own_floors = own_floors
        self._cell_key = cell_key
        self.by = parties.party_of(key.public)
        if all(one.id != key.id for one in parties.signed.signers):
            raise TrustError(
                f"{key.name} has not signed the agreement with this key; nothing is served."
            )
        self._set = parties.data_set_of(self.by)
        self._place.hold()
        try:
            self._open()
            self._workers = Workers(memory, seconds, fresh=fresh)
        except BaseException:
            self._place.release()
            raise
        self._instance = sha256(secrets.token_bytes(32))
        self._taken: _Taken | None = None
        self._sent: tuple[tuple[Any, ...], dict[str, Any], bytes | None] | None = None
        self._attempts = self._former_attempts()
        self._answered = 0
        self._since = time_now()
        self._stopping = threading.Event()

    @property
    def commitment(self) -> str:
        """What the agreement may have as the snapshot of this data set."""
        return self._commitment

    def run(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Serve until stopped; where the hub is away, try again and again.

        Parameters
        ----------
        told : callable
            Told when the hub is found, and lost, in one word.
        """
        pause, state = _FIRST_PAUSE, ""
        message, payload = self._poll(), None
        try:
            while not self._stopping.is_set():
                try:
                    reply = self._way.post(message, payload, wait=_WAIT)
                except AbsentError:
                    if state != "away":
                        told("away")
                    state = "away"
                    self._tell(state)
                    self._stopping.wait(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    message, payload = self._poll(), None
                    continue
                except SosieError as error:
                    state = "refused"
                    self._tell(state, why=str(error))
                    told(str(error))
                    self._stopping.wait(_LONGEST_PAUSE)
                    message, payload = self._poll(), None
                    continue
                if state != "up":
                    told("up")
                pause, state = _FIRST_PAUSE, "up"
                self._tell("paused" if self._place.paused else "up")
                message, payload = self.step(reply)
        finally:
            self.close()

    def stop(self) -> None:
        """Stop after the present step."""
        self._stopping.set()

    def close(self) -> None:
        """End all processes, and leave the folder to others."""
        self._drop(good=False)
        self._workers.close()
        self._way.close()
        self._place.release()

    def step(self, reply: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
        """Do what the hub asks for, and give what is to be sent next.

        Parameters
        ----------
        reply : dict
            With ``work``, or None there.

        Returns
        -------
        tuple of dict and bytes or None
            A signed message, and what goes with it.
        """
        work = reply.get("work")
        if not isinstance(work, dict):
            return self._poll(), None
        step = (work.get("task"), work.get("attempt"), work.get("stage"), work.get("round"))
        if self._sent is not None and self._sent[0] == step:  # the reply was lost on the way
            return self._sent[1], self._sent[2]
        message: dict[str, Any] | None
        payload: bytes | None
        try:
            message, payload = self._done(work)
        except _DeclinedError as error:
            message, payload = self._declined(work, error), None
        except StoppedError:
            message, payload = self._declined(work, _DeclinedError("resources", "stopped")), None
        except SosieError:  # the ledger or the memory of what was released cannot be written
            message, payload = self._declined(work, _DeclinedError("resources", "folder")), None
        if message is None:
            return self._poll(), None
        self._sent = (step, message, payload)
        return message, payload

    # -- what is agreed

    def _open(self) -> None:
        refused = self._parties.agreement.allows()
        if refused:
            raise TrustError(refused[0].why)
        wanted = Schema(columns=[_column(one) for one in self._set.columns if one.kind is not None])
        if not wanted.columns:
            raise TrustError(
                "The agreement says of no column of what kind it is; analyses in place need it."
            )
        self._table, self._sha256, content = read_snapshot(self._data, wanted)
        _check_kinds(self._data, wanted, self._table.schema)
        self._stat = self._stat_now()
        self._commitment = commitment_of(self._key, content)
        agreed = self._set.snapshot
        if agreed is not None and not hmac.compare_digest(agreed, self._commitment):
            raise TrustError(
                f"{self._data} is not the data set that was agreed on: its content has changed; "
                "serve that one, or have a new agreement signed."
            )
        former = [one for one in self._place.lines() if one["event"] == "up"]
        if former and former[-1]["content"]["snapshot"] != self._commitment:
            raise TrustError(
                f"{self._data} is not what this node served before: two snapshots under one "
                "agreement could be subtracted; serve that one, or have a new agreement signed."
            )
        self._place.write(
            "up", {"agreement": self._parties.signed.sha256, "snapshot": self._commitment}
        )

    def _former_attempts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in self._place.lines():
            if line["event"] == "joined":
                content = line["content"]
                found[content["task"]] = max(found.get(content["task"], 0), content["attempt"])
        return found

    def _stat_now(self) -> tuple[int, int, int]:
        try:
            stat = self._data.stat()
        except OSError as error:
            raise DataError(f"{self._data} is not there any more.") from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _check_snapshot(self) -> None:
        try:
            now = self._stat_now()
            if now != self._stat and file_sha256(self._data) != self._sha256:
                raise _DeclinedError("snapshot", "changed")
        except DataError as error:
            raise _DeclinedError("snapshot", "absent") from error
        self._stat = now

    # -- steps

    def _done(self, work: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
        stage, task, attempt = work.get("stage"), work.get("task"), work.get("attempt")
        if stage == "join":
            return self._join(work), None
        taken = self._taken
        if stage != "part" or taken is None or (task, attempt) != (taken.task, taken.attempt):
            raise _DeclinedError("exchange", "attempt")
        if work.get("round") != taken.turn + 1:
            raise _DeclinedError("exchange", "round")
        if taken.turn < 0:
            answer = taken.worker.ask({"do": "part", "others": self._others(work, taken)})
        else:
            answer = taken.worker.ask({"do": "advance", "parts": self._parts(work, taken)})
        return self._part(taken, answer)

    def _join(self, work: dict[str, Any]) -> dict[str, Any]:
        self._drop(good=True)
        ask, question, sites = self._checked(work)
        task, attempt = str(work["task"]), int(work["attempt"])
        self._check_snapshot()
        names = [one for one in question.columns if one in self._table.schema]
        said, data = spelt_snapshot(self._table, names)
        agreement = self._parties.agreement
        worker = self._workers.take()
        self._taken = _Taken(task, attempt, question, sites, worker)
        answer = worker.ask(
            {
                "do": "join", "snapshot": said, "question": question.model_dump(mode="json"),
                "schema": self._parties.schema(question.columns).model_dump(mode="json"),
                "holders": len(sites), "recipient_holds": self._holds(ask.by),
                "floors": agreement.disclosure.floors.model_dump(mode="json"),
                "own_floors": self._own_floors and self._own_floors.model_dump(mode="json"),
                "memory": str(self._place.released.resolve()), "commitment": self._commitment,
                "secret": self._secret(), "masked": len(sites) >= 3, "name": self.by,
                "run": f"{task}/{attempt}",
            },
            data,
        )  # fmt: skip
        self._raise(answer)
        self._attempts[task] = attempt
        self._place.write(
            "joined",
            {
                "task": task, "attempt": attempt, "question": question.sha256, "by": ask.by,
                "analysis": str(question.analysis.id),
                "columns": list(question.columns), "network": worker.kept_by,
            },
        )  # fmt: skip
        message = Join(
            agreement=self._parties.signed.sha256, by=self.by, at=time_now(),
            instance=self._instance, task=task, attempt=attempt, public=answer["public"],
        )  # fmt: skip
        return sealed(message, self._key)

    def _checked(self, work: dict[str, Any]) -> tuple[Ask, Question, tuple[str, ...]]:
        """Check all that the hub says: it is believed in nothing."""
        try:
            ask = read_message(work["ask"], self._parties.keys)
            task, attempt = str(work["task"]), int(work["attempt"])
        except (KeyError, TypeError, ValueError, TrustError) as error:
            raise _DeclinedError("exchange", "ask") from error
        if not isinstance(ask, Ask) or task_of(ask) != task:
            raise _DeclinedError("exchange", "task")
        if ask.agreement != self._parties.signed.sha256:
            raise _DeclinedError("agreement", "another")
        if abs(dt.datetime.now(dt.UTC) - moment(ask.at)) > _STALE:
            raise _DeclinedError("exchange", "stale")
        if not self._attempts.get(task, 0) < attempt <= _MOST_ATTEMPTS:
            raise _DeclinedError("exchange", "attempt")
        try:
            question = Question.of(ask.question)
            sites = self._parties.sites(question.columns)
            self._parties.schema(question.columns)
        except (ParameterError, TrustError) as error:
            raise _DeclinedError("agreement", "question") from error
        refused = self._parties.signed.refuses(
            analysis=str(question.analysis.id),
            columns=question.columns,
            recipient=ask.by,
        )
        if refused or self.by not in sites:
            raise _DeclinedError("agreement", *(one.item for one in refused))
        return ask, question, sites

    def _others(self, work: dict[str, Any], taken: _Taken) -> dict[str, str]:
        """Read who takes part: exactly the holders of the agreement, each by its own word."""
        found: dict[str, str | None] = {}
        for envelope in _listed(work, "joins"):
            message = self._read(envelope)
            if not isinstance(message, Join) or not _of(message, taken):
                raise _DeclinedError("exchange", "join")
            found[message.by] = message.public
        masked = len(taken.sites) >= 3
        if set(found) != set(taken.sites) or any((p is not None) != masked for p in found.values()):
            raise _DeclinedError("exchange", "holders")
        return {by: public for by, public in found.items() if public and by != self.by}

    def _parts(self, work: dict[str, Any], taken: _Taken) -> list[str]:
        """Read the parts of all holders, as each signed its own."""
        found: dict[str, bytes] = {}
        for one in _listed(work, "parts"):
            try:
                payload = base64.b64decode(one["payload"], validate=True)
                message = self._read(one["message"])
            except (KeyError, TypeError, binascii.Error) as error:
                raise _DeclinedError("exchange", "part") from error
            good = isinstance(message, Part) and _of(message, taken)
            if not good or message.round != taken.turn:
                raise _DeclinedError("exchange", "part")
            if message.payload_sha256 != sha256(payload):
                raise _DeclinedError("exchange", "hash")
            found[message.by] = payload
        if set(found) != set(taken.sites) or found[self.by] != taken.payload:
            raise _DeclinedError("exchange", "holders")
        return [base64.b64encode(payload).decode("ascii") for payload in found.values()]

    def _part(self, taken: _Taken, answer: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        self._raise(answer)
        payload = base64.b64decode(answer["payload"])
        taken.turn, taken.payload = taken.turn + 1, payload
        self._workers.prepare()
        digest = sha256(payload)
        # What leaves is in the ledger before it leaves.
        head = self._place.write(
            "released",
            {
                "task": taken.task, "attempt": taken.attempt, "round": taken.turn,
                "sha256": digest, "gate": answer["checks"],
            },
        )  # fmt: skip
        message = Part(
            agreement=self._parties.signed.sha256, by=self.by, at=time_now(),
            instance=self._instance, task=taken.task, attempt=taken.attempt, round=taken.turn,
            payload_sha256=digest, gate=[CheckTold(check=one) for one in answer["checks"]],
            ledger=LedgerHead(lines=head.lines, sha256=head.sha256),
        )  # fmt: skip
        self._answered += 1
        return sealed(message, self._key), payload

    def _declined(self, work: dict[str, Any], error: _DeclinedError) -> dict[str, Any] | None:
        self._drop(good=False)
        task, attempt = work.get("task"), work.get("attempt")
        with contextlib.suppress(SosieError):
            self._place.write(
                "refused",
                {"task": str(task)[:64], "why": error.why, "reasons": error.reasons},
            )
        said: dict[str, Any] = {"task": task, "attempt": attempt, "why": error.why}
        try:
            message = Decline(
                agreement=self._parties.signed.sha256, by=self.by, at=time_now(),
                instance=self._instance, **said,
            )  # fmt: skip
        except ValueError:
            return None  # work that is so malformed that there is nothing to decline
        return sealed(message, self._key)

    def _raise(self, answer: dict[str, Any]) -> None:
        if "declined" in answer:
            raise _DeclinedError(answer["declined"], *answer["reasons"])

    def _read(self, envelope: Any) -> Any:
        try:
            return read_message(envelope, self._parties.keys)
        except TrustError as error:
            raise _DeclinedError("exchange", "signature") from error

    def _drop(self, *, good: bool) -> None:
        if self._taken is not None:
            self._workers.give(self._taken.worker, good=good)
            self._taken = None

    def _poll(self) -> dict[str, Any]:
        message = Poll(
            agreement=self._parties.signed.sha256, by=self.by, at=time_now(),
            instance=self._instance, paused=self._place.paused,
        )  # fmt: skip
        return sealed(message, self._key)

    def _holds(self, party: str) -> bool:
        return any(one.holder == party for one in self._parties.agreement.data_sets)

    def _secret(self) -> str | None:
        if not self._cell_key:
            return None
        of = b"sosie cell key 1" + canonical(self._parties.signed.sha256)
        return base64.b64encode(hmac.new(self._key.seed, of, "sha256").digest()).decode("ascii")

    def _tell(self, state: str, why: str = "") -> None:
        self._place.tell(
            {
                "state": state, "why": why, "since": self._since, "at": time_now(),
                "agreement": self._parties.signed.sha256, "holder": self._key.name,
                "answered": self._answered, "clock": time.time(),
            }
        )  # fmt: skip


def _of(message: Any, taken: _Taken) -> bool:
    return (message.task, message.attempt) == (taken.task, taken.attempt)


def _listed(work: dict[str, Any], name: str) -> list[Any]:
    found = work.get(name)
    if not isinstance(found, list) or len(found) > 1000:
        raise _DeclinedError("exchange", name)
    return found


def _column(agreed: Any) -> Column:
    return described(agreed)


def _check_kinds(path: Path, wanted: Schema, found: Schema) -> None:
    for column in wanted.columns:
        if column.kind not in (*CODED, Kind.NUMBER, Kind.INTEGER, Kind.DATE, Kind.DATETIME):
            continue
        if column.name not in found:
            raise DataError(f"{path}: column {column.name!a} is not of the kind that was agreed.")
