"""A holder's node: asks the hub for work, checks it all itself, and lets out what the gate lets."""

from __future__ import annotations

import base64
import contextlib
import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from sosie.errors import SosieError, TrustError
from sosie.insitu._outline import Outline
from sosie.insitu.exchange._messages import (
    Ask,
    CheckTold,
    Decline,
    Join,
    Leave,
    LedgerHead,
    Part,
    Poll,
    sealed,
    time_now,
)
from sosie.insitu.exchange._raised import AbsentError
from sosie.insitu.node._received import (
    DeclinedError,
    Taken,
    all_parts,
    allowed_sites,
    checked_ask,
    keys_of_others,
)
from sosie.insitu.node._served import Served
from sosie.insitu.process import StoppedError, Workers
from sosie.trust import canonical, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.exchange._way import Way
    from sosie.insitu.node._place import Place
    from sosie.insitu.process import Worker
    from sosie.trust import Floors, Head, Key

__all__ = ["Node"]

_WAIT, _SAID = 25.0, 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_TELL_EVERY = 5.0
_COMPUTES = "sosie.insitu.node._inside"


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
    synthetic : Path, optional
        A synthetic table that the holder made of its table, to be judged in place.
    control : Path, optional
        Persons like those of the table of whom it was not made.
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
        synthetic: Path | None = None,
        control: Path | None = None,
        own_floors: Floors | None = None,
        cell_key: bool = False,
        fresh: bool = True,
        memory: int = 4 << 30,
        seconds: int = 600,
    ) -> None:
        self._parties = parties
        self._key = key
        self._place = place
        self._way = way
        self._own_floors = own_floors
        self._cell_key = cell_key
        self.by = parties.party_of(key.public)
        if all(one.id != key.id for one in parties.signed.signers):
            raise TrustError(
                f"{key.name} has not signed the agreement with this key; nothing is served."
            )
        self._place.hold()
        try:
            place.check()
            self._attempts, snapshot = _left_by(place)
            self._served = Served(parties, key, data, synthetic, control)
            self._served.check_former(snapshot)
            place.mend()
            place.write("up", self._served.told)
            self._workers = Workers(_COMPUTES, memory, seconds, fresh=fresh)
        except BaseException:
            self._place.release()
            raise
        self._instance = sha256(secrets.token_bytes(32))
        self._taken: Taken | None = None
        self._asked: dict[str, Any] = {}
        self._sent: tuple[tuple[Any, ...], dict[str, Any], bytes | None] | None = None
        self._answered = 0
        self._told: tuple[str, str, Head | None, float] = ("", "", None, 0.0)
        self._data = "up"
        self._heard: str | None = None
        self._idle = False
        self._vain = 0
        self._since = time_now()
        self._stopping = threading.Event()

    @property
    def commitment(self) -> str:
        """What the agreement may have as the snapshot of this data set."""
        return self._served.commitment

    def run(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Serve until stopped; where the hub is away, try again and again.

        Parameters
        ----------
        told : callable
            Told when the hub is found, lost, or waited for, in one word.
        """
        pause, state = _FIRST_PAUSE, ""
        message, payload = self._poll(), None
        try:
            while True:
                says = self._sent is not None and message is self._sent[1]
                self._idle = not says  # first, so that no signal is missed
                if self._idle and self._stopping.is_set():
                    break
                try:
                    # What it says is not cut off, so the hub is not to keep its reply for long.
                    reply = self._way.post(message, payload, wait=_SAID if says else _WAIT)
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
                    if (state, self._told[1]) != ("refused", str(error)):
                        told(str(error))
                    state = "refused"
                    self._tell(state, why=str(error))
                    self._stopping.wait(_LONGEST_PAUSE)
                    message, payload = self._poll(), None
                    continue
                finally:
                    self._idle = False
                if self._stopping.is_set():
                    break  # nothing new is taken
                if "work" in reply:  # by files, nothing is there before a hub has work
                    self._heard = time_now()
                state = self._stands(state, told)
                pause = _FIRST_PAUSE
                message, payload = self.step(reply)
                state = self._stands(state, told)
                if reply.get("work") and self._vain:
                    # A hub may not fill the ledger, nor keep the node busy, with work for nothing.
                    self._stopping.wait(min(_FIRST_PAUSE * 2 ** (self._vain - 2), _LONGEST_PAUSE))
        finally:
            self._idle = False
            self.close()

    def _stands(self, state: str, told: Callable[[str], None]) -> str:
        """Tell how it stands towards the hub and its data, where that is not how it stood."""
        now = "waits" if self._heard is None and self._data == "up" else self._data
        self._tell("paused" if self._place.paused else now)
        if state != now:
            told(now)
        return now

    def stop(self) -> None:
        """Stop once the present step is done and what comes of it is said; take nothing new."""
        self._stopping.set()

    @property
    def idle(self) -> bool:
        """Whether it only waits for work: it may be left there."""
        return self._idle

    def close(self) -> None:
        """End all processes, and leave the folder to others; the hub is told of one that stops."""
        self._drop(good=False)
        self._told = ("", "", None, 0.0)
        self._tell(self._data)
        self._workers.close()
        self._way.close(self._of(Leave) if self._stopping.is_set() else None)
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
        self._vain = min(self._vain + 1, 9)
        if work.get("stage") == "join" and self._place.paused:
            return self._poll(), None
        step = (work.get("task"), work.get("attempt"), work.get("stage"), work.get("round"))
        if self._sent is not None and self._sent[0] == step:  # the reply was lost on the way
            return self._sent[1], self._sent[2]
        message: dict[str, Any] | None
        payload: bytes | None
        try:
            message, payload = self._done(work)
            self._vain = 0
        except DeclinedError as error:
            message, payload = self._declined(work, error), None
        except StoppedError:
            message, payload = self._declined(work, DeclinedError("resources", "stopped")), None
        except SosieError:  # the ledger or the memory of what was released cannot be written
            message, payload = self._declined(work, DeclinedError("resources", "folder")), None
        except Exception as error:  # whatever a hub says, its node stays up
            declined = DeclinedError("exchange", type(error).__name__)
            message, payload = self._declined(work, declined), None
        if message is None:
            return self._poll(), None
        self._sent = (step, message, payload)
        return message, payload

    # -- steps

    def _done(self, work: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
        stage, task, attempt = work.get("stage"), work.get("task"), work.get("attempt")
        if stage == "join":
            return self._join(work), None
        taken = self._taken
        if stage != "part" or taken is None or (task, attempt) != (taken.task, taken.attempt):
            raise DeclinedError("exchange", "attempt")
        if work.get("round") != taken.turn + 1:
            raise DeclinedError("exchange", "round")
        if taken.turn < 0:
            others = keys_of_others(work, taken, self._parties, self.by)
            answer = taken.worker.ask({"do": "part", "others": others})
        else:
            parts = all_parts(work, taken, self._parties, self.by)
            answer = taken.worker.ask({"do": "advance", "parts": parts})
        return self._part(taken, answer)

    def _join(self, work: dict[str, Any]) -> dict[str, Any]:
        self._drop(good=True)
        self._asked = {}
        ask = checked_ask(work, self._parties, self._attempts)
        task, attempt = work["task"], work["attempt"]
        self._asked = {"by": ask.by}
        self._taken = Taken(task, attempt, self._workers.take())
        question = self._read(self._taken.worker, ask)
        self._asked = {"by": ask.by, "asked": question.content}
        sites = self._taken.sites = allowed_sites(question, self._parties, self.by, ask.by)
        self._served.check()
        self._data = "up"
        self._place.mend()
        schema, said, data = self._served.spelt(question)
        agreement, worker = self._parties.agreement, self._taken.worker
        answer = worker.ask(
            {
                **said, "do": "join", "question": ask.question,
                "schema": schema.model_dump(mode="json"),
                "sites": list(sites), "recipient_holds": self._holds(ask.by),
                "floors": agreement.disclosure.floors.model_dump(mode="json"),
                "own_floors": self._own_floors and self._own_floors.model_dump(mode="json"),
                "memory": str(self._place.released.resolve()), "commitment": self.commitment,
                "secret": self._secret(), "epsilon": agreement.disclosure.epsilon,
                "masked": len(sites) >= 3, "name": self.by, "run": f"{task}/{attempt}",
            },
            data,
        )  # fmt: skip
        self._raise(answer)
        self._attempts[task] = attempt
        self._place.write(
            "joined",
            {
                "task": task, "attempt": attempt, "question": question.sha256, **self._asked,
                "analysis": question.analysis,
                "columns": schema.names, "network": worker.kept_by,
            },
            durable=False,  # nothing has left; the line of what leaves puts both on the disk
        )  # fmt: skip
        return self._of(Join, task=task, attempt=attempt, public=answer["public"])

    def _read(self, worker: Worker, ask: Ask) -> Outline:
        """Have a question read where the catalogue is, before any data are there."""
        answer = worker.ask({"do": "outline", "question": ask.question})
        self._raise(answer)
        return Outline.of(answer)

    def _part(self, taken: Taken, answer: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
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
                "sha256": digest, "gate": answer["checks"], "kept": self._place.kept(),
            },
        )  # fmt: skip
        self._answered += 1
        part = self._of(
            Part, task=taken.task, attempt=taken.attempt, round=taken.turn, payload_sha256=digest,
            gate=[CheckTold(check=one) for one in answer["checks"]],
            ledger=LedgerHead(lines=head.lines, sha256=head.sha256),
        )  # fmt: skip
        return part, payload

    def _declined(self, work: dict[str, Any], error: DeclinedError) -> dict[str, Any] | None:
        self._drop(good=error.why == "agreement")  # then no data were there yet
        if error.why == "snapshot":
            self._data = str(error.reasons[0])
        task, attempt = work.get("task"), work.get("attempt")
        asked = self._asked if work.get("stage") == "join" else {}
        with contextlib.suppress(SosieError):
            self._place.write(
                "refused",
                {"task": str(task)[:64], "why": error.why, "reasons": error.reasons, **asked},
            )
        try:
            return self._of(Decline, task=task, attempt=attempt, why=error.why)
        except ValueError:
            return None  # work that is so malformed that there is nothing to decline

    def _raise(self, answer: dict[str, Any]) -> None:
        if "declined" in answer:
            raise DeclinedError(answer["declined"], *answer["reasons"])

    def _drop(self, *, good: bool) -> None:
        if self._taken is not None:
            self._workers.give(self._taken.worker, good=good)
            self._taken = None

    def _poll(self) -> dict[str, Any]:
        return self._of(Poll, paused=self._place.paused)

    def _of(self, kind: type[Any], **said: Any) -> dict[str, Any]:
        message = kind(
            agreement=self._parties.signed.sha256, by=self.by, at=time_now(),
            instance=self._instance, **said,
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
        now, head = time.monotonic(), self._place.durable
        if (state, why, head) == self._told[:3] and now < self._told[3] + _TELL_EVERY:
            return  # a line of what leaves is told before it leaves
        self._told = (state, why, head, now)
        said = {
            "state": state, "why": why, "since": self._since, "at": self._heard or self._since,
            "agreement": self._parties.signed.sha256, "holder": self._key.name,
            "answered": self._answered, "clock": time.time(),
        }  # fmt: skip
        with contextlib.suppress(OSError):  # on a full disk a node goes on, and declines
            self._place.tell(said)


def _left_by(place: Place) -> tuple[dict[str, int], str | None]:
    """Tell what former nodes left: the attempts they took part in, and the last one's snapshot."""
    attempts: dict[str, int] = {}
    snapshot = None
    for line in place.lines():
        content = line["content"]
        if line["event"] == "joined":
            attempts[content["task"]] = max(attempts.get(content["task"], 0), content["attempt"])
        elif line["event"] == "up":
            snapshot = content["snapshot"]
    return attempts, snapshot
