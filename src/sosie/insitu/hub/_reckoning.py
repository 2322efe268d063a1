"""The process in which a hub reads questions and adds up: it has no key and no network."""

from __future__ import annotations

from typing import Any

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.insitu.process._inside import serve

__all__ = ["SORTS", "Reckoning", "main"]

SORTS = {"wrong": ParameterError, "trust": TrustError, "data": DataError}
"""What may go wrong with a question or with parts, by a word for it."""


class Reckoning:
    """Answers the requests of a hub: the catalogue and the library of arrays are here."""

    def __init__(self) -> None:
        self._sums: dict[int, Any] = {}

    def answer(self, said: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Do what is asked for; whatever goes wrong is an answer too."""
        try:
            found: dict[str, Any] = getattr(self, f"_{said.pop('do')}")(**said, data=data)
        except SosieError as error:
            sort = next((s for s, kind in SORTS.items() if isinstance(error, kind)), "data")
            return {"raised": sort, "why": str(error)}
        except Exception:  # numbers of which nothing can be made; what they are, nobody is told
            return {"raised": "other"}
        return found

    def _outline(self, question: Any, data: bytes) -> dict[str, Any]:
        from sosie.insitu._question import Question

        return Question.of(question).outline.spelt()

    def _apart(
        self, asked: list[str], before: list[list[str]], fewest: int, data: bytes
    ) -> dict[str, Any]:
        from sosie.insitu.gate import holders_apart

        return {"apart": holders_apart(asked, before, fewest)}

    def _begin(
        self, number: int, question: Any, schema: Any, holders: int, data: bytes
    ) -> dict[str, Any]:
        from sosie.insitu._question import Question
        from sosie.insitu._task import HubTask
        from sosie.table import Schema

        made = HubTask(Question.of(question), Schema.model_validate(schema), holders)
        self._sums[number] = made
        return {"tells": made.tells}

    def _add(self, number: int, sizes: list[int], data: bytes) -> dict[str, Any]:
        from sosie.insitu._result import Result

        if number not in self._sums:  # it was begun in a process that has ended
            return {"raised": "lost"}
        parts, start = [], 0
        for size in sizes:
            parts.append(data[start : start + size])
            start += size
        found = self._sums[number].add(parts)
        if isinstance(found, Result):
            return {"result": found.content()}
        return {"tells": self._sums[number].tells}

    def _forget(self, number: int, data: bytes) -> dict[str, Any]:
        self._sums.pop(number, None)
        return {}


def main() -> None:
    """Serve a hub on standard input until it ends."""
    serve(Reckoning, "sosie.insitu._question", "sosie.insitu._task", "sosie.insitu.gate")
