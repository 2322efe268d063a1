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
from sosie.insitu.node._frames import read_frame, snapshot_in, write_frame
from sosie.insitu.node._limits import confine

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from sosie.insitu._task import NodeTask

__all__ = ["main"]


class _Task:
    """One attempt at one question."""

    def __init__(self, said: dict[str, Any], data: bytes) -> None:
        self._said = said
        self._data = data
        self._own: X25519PrivateKey | None = None
        self._task: NodeTask | None = None

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

    def _made(self, others: dict[str, str]) -> NodeTask:
        from sosie.insitu._question import Question
        from sosie.insitu._task import NodeTask
        from sosie.insitu.gate import Gate, Memory, SecureSum
        from sosie.table import Schema
        from sosie.trust import Floors

        said = self._said
        snapshot = snapshot_in(said["snapshot"], self._data)
        own = None if said["own_floors"] is None else Floors.model_validate(said["own_floors"])
        memory = Memory(len(snapshot), Path(said["memory"]), said["commitment"])
        secret = None if said["secret"] is None else base64.b64decode(said["secret"])
        gate = Gate(Floors.model_validate(said["floors"]), own, memory=memory, secret=secret)
        secure = None
        if self._own is not None:
            public = {name: base64.b64decode(raw) for name, raw in others.items()}
            secure = SecureSum(self._own, public, said["name"], said["run"])
        return NodeTask(
            Question.of(said["question"]), snapshot, Schema.model_validate(said["schema"]), gate,
            holders=said["holders"], recipient_holds=said["recipient_holds"], secure=secure,
        )  # fmt: skip

    def _cleared(self) -> dict[str, Any]:
        assert self._task is not None
        cleared = self._task.part()
        checks = [one.check for one in cleared.verdicts]
        return {"payload": _spelt(cleared.payload), "checks": checks}


def main() -> None:
    """Serve tasks on standard input until it ends; the first may be the only one."""
    source, out = _channels()
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    import sosie.insitu._question
    import sosie.insitu._task
    import sosie.insitu.gate  # noqa: F401 - before it is confined, and before it is needed

    write_frame(out, {"ready": confine(memory, seconds)})
    task: _Task | None = None
    while (frame := read_frame(source)) is not None:
        said, data = frame
        try:
            if said["do"] == "join":
                task = _Task(said, data)
                answer = task.join()
            elif task is None:
                answer = {"declined": "exchange", "reasons": ["order"]}
            elif said["do"] == "part":
                answer = task.part(said["others"])
            else:
                answer = task.advance(said["parts"])
        except SosieError as error:
            answer = _declined(error)
        except MemoryError:
            answer = {"declined": "resources", "reasons": ["memory"]}
        except Exception as error:
            # What went wrong stays here: the message of an error may hold the value of a person.
            answer = {"declined": "resources", "reasons": [type(error).__name__]}
        write_frame(out, answer)


def _declined(error: SosieError) -> dict[str, Any]:
    from sosie.insitu.gate import Refused

    if isinstance(error, Refused):
        return {"declined": "gate", "reasons": list(error.reasons)}
    # Of the data too, whatever else it says: outside, all refusals are alike.
    return {"declined": "gate", "reasons": [type(error).__name__]}


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes for frames alone: whatever a library prints goes nowhere."""
    source = os.fdopen(os.dup(0), "rb")
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return source, out


def _spelt(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
