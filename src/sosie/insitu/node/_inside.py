"""The process that computes one task: it has the columns of the question, and no key.

It is started as a program of its own, by a :class:`~sosie.insitu.process.Worker`.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError, SosieError
from sosie.insitu.process._inside import serve

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
        from sosie.insitu.node._spelt import beside_in, snapshot_in
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
        if said["do"] == "outline":
            return _outline(said["question"])
        if said["do"] == "join":
            self._task = _Task(said, data)
            return self._task.join()
        if self._task is None:
            return {"declined": "exchange", "reasons": ["order"]}
        if said["do"] == "part":
            return self._task.part(said["others"])
        return self._task.advance(said["parts"])


def _outline(content: Any) -> dict[str, Any]:
    """Read a question for the node, which has no catalogue; of data, nothing is here yet."""
    from sosie.insitu._question import Question

    try:
        return Question.of(content).outline.spelt()
    except ParameterError:
        return {"declined": "agreement", "reasons": ["question"]}
    except Exception as error:  # whatever a hub says
        return {"declined": "exchange", "reasons": [type(error).__name__]}


def main() -> None:
    """Serve tasks on standard input until it ends."""
    serve(Inside, "sosie.insitu._question", "sosie.insitu._task", "sosie.insitu.gate")


def _declined(error: Exception) -> dict[str, Any]:
    from sosie.insitu.gate import Refused, TooMuchError

    if isinstance(error, Refused):
        return {"declined": "gate", "reasons": list(error.reasons)}
    if isinstance(error, TooMuchError):
        return {"declined": "resources", "reasons": ["size"]}
    # Of the data too, whatever else it says: outside, all refusals are alike.
    return {"declined": "gate", "reasons": [type(error).__name__]}


def _spelt(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
