"""The process that computes one task: it has the columns of the question, and no key.

It is started by :mod:`sosie.insitu.node._worker`, as a program of its own.
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sosie.errors import SosieError
from sosie.insitu.node._frames import BEGIN, END, read_frame, snapshot_in, write_frame
from sosie.insitu.node._limits import confine, confine_half

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from sosie.insitu._task import NodeTask
    from sosie.insitu.gate import Gate

__all__ = ["Inside", "main"]


class _Task:
    """One attempt at one question."""

    def __init__(self, said: dict[str, Any], data: bytes) -> None:
        self._said = said
        self._data = data
        self._own: X25519PrivateKey | None = None
        self._task: NodeTask | None = None
        self._gate: Gate | None = None

    def join(self) -> dict[str, Any]:
        """Make the key of this attempt, where parts are masked."""
        if not self._said["masked"]:
            return {"public": None}
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        self._own = X25519PrivateKey.generate()
        return {"public": _spelt(self._own.public_key().public_bytes_raw())}

    def part(self, others: dict[str, str]) -> dict[str, Any]:
        """Compute the part of the first round."""
        self._task = self._made(others)
        return self._cleared()

    def advance(self, parts: list[str]) -> dict[str, Any]:
        """Add up the parts of a round, and compute that of the next."""
        if self._task is None:
            return {"declined": "exchange", "reasons": ["order"]}
        self._task.advance_with([base64.b64decode(one) for one in parts])
        return self._cleared()

    def refuse(self, error: Exception) -> Exception:
        """Count an error as a refusal, where the gate is there to count it."""
        name = type(error).__name__
        return error if self._gate is None else self._gate.refuse(name)

    def _made(self, others: dict[str, str]) -> NodeTask:
        from sosie.insitu._question import Question
        from sosie.insitu._task import NodeTask
        from sosie.insitu.gate import Gate, Memory, SecureSum
        from sosie.insitu.node._beside import beside_in
        from sosie.table import Schema
        from sosie.trust import Floors

        said = self._said
        snapshot = snapshot_in(said["snapshot"], self._data)
        own = None if said["own_floors"] is None else Floors.model_validate(said["own_floors"])
        memory = Memory(len(snapshot), Path(said["memory"]), said["commitment"])
        secret = None if said["secret"] is None else base64.b64decode(said["secret"])
        self._gate = gate = Gate(
            Floors.model_validate(said["floors"]), own,
            memory=memory, secret=secret, epsilon=said["epsilon"],
        )  # fmt: skip
        secure = None
        if self._own is not None:
            public = {name: base64.b64decode(raw) for name, raw in others.items()}
            secure = SecureSum(self._own, public, said["name"], said["run"])
        return NodeTask(
            Question.of(said["question"]), snapshot, Schema.model_validate(said["schema"]), gate,
            holders=len(said["sites"]), recipient_holds=said["recipient_holds"], secure=secure,
            beside=beside_in(said["beside"], self._data), sites=said["sites"],
        )  # fmt: skip

    def _cleared(self) -> dict[str, Any]:
        assert self._task is not None
        cleared = self._task.part()
        checks = [one.check for one in cleared.verdicts]
        return {"payload": _spelt(cleared.payload), "checks": checks}


class Inside:
    """Answers the requests of a node, one attempt after the other."""

    def __init__(self) -> None:
        self._task: _Task | None = None

    def answer(self, said: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Do what a node asks for; whatever goes wrong is an answer too."""
        try:
            return self._done(said, data)
        except SosieError as error:
            return _declined(error)
        except MemoryError:
            return {"declined": "resources", "reasons": ["memory"]}
        except Exception as error:
            # What went wrong stays here: the message of an error may hold the value of a person.
            # That it went wrong may tell of the rows, so it is told, and counted, as a refusal.
            return _declined(self._task.refuse(error) if self._task else error)

    def _done(self, said: dict[str, Any], data: bytes) -> dict[str, Any]:
        if said["do"] == "join":
            self._task = _Task(said, data)
            return self._task.join()
        if self._task is None:
            return {"declined": "exchange", "reasons": ["order"]}
        if said["do"] == "part":
            return self._task.part(said["others"])
        return self._task.advance(said["parts"])


def main() -> None:
    """Serve tasks on standard input until it ends.

    Where each has a process of its own, this one has read the libraries and reads no data: it
    divides itself for each task, and the half that computes ends with it.
    """
    source, out = _channels()
    memory, seconds, divides = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "divide"

    import sosie.insitu._question
    import sosie.insitu._task
    import sosie.insitu.gate  # noqa: F401 - before it is confined, and before it is needed

    kept_by = confine(memory, 0 if divides else seconds, divides=divides)
    write_frame(out, {"ready": kept_by})
    while (frame := read_frame(source)) is not None:
        if frame[0]["do"] != BEGIN:
            continue
        if not divides:
            _serve(source, out)
        elif (child := os.fork()) == 0:
            confine_half(seconds)
            _serve(source, out)
            os._exit(0)
        elif os.waitpid(child, 0)[1] != 0:
            write_frame(out, {"declined": "resources", "reasons": ["stopped"]})


def _serve(source: BinaryIO, out: BinaryIO) -> None:
    """Serve one task until it is over."""
    inside = Inside()
    while (frame := read_frame(source)) is not None and frame[0]["do"] != END:
        write_frame(out, inside.answer(*frame))


def _declined(error: Exception) -> dict[str, Any]:
    from sosie.insitu.gate import Refused, TooMuchError

    if isinstance(error, Refused):
        return {"declined": "gate", "reasons": list(error.reasons)}
    if isinstance(error, TooMuchError):
        return {"declined": "resources", "reasons": ["size"]}
    # Of the data too, whatever else it says: outside, all refusals are alike.
    return {"declined": "gate", "reasons": [type(error).__name__]}


def _channels() -> tuple[Any, BinaryIO]:
    """Take the pipes for frames alone: whatever a library prints goes nowhere."""
    # Nothing is read ahead: what follows a frame may be for another process.
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return source, out


def _spelt(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
