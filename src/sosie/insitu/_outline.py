"""What of a question can be told without the catalogue: what it reads, and what it takes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sosie.errors import ParameterError
from sosie.trust import canonical, sha256

__all__ = ["Outline", "check_size", "check_spelt"]

_LONGEST = 30_000  # bytes, so that it and the names of its columns fit into a line of a ledger


def check_size(size: int) -> None:
    """Refuse a question of so many bytes.

    Raises
    ------
    ParameterError
        If they are too many.
    """
    if size > _LONGEST:
        raise ParameterError(
            f"The question takes {size:,} bytes; {_LONGEST:,} are the most, for each holder keeps "
            "it: give fewer columns, labels or edges."
        )


def check_spelt(content: Any) -> None:
    """Refuse a question that is too long however it is spelt, before anybody reads it.

    Raises
    ------
    ParameterError
        Also if things are within each other without end.
    """
    try:
        size = len(json.dumps(content, ensure_ascii=False, default=str, skipkeys=True))
    except (RecursionError, ValueError) as error:
        raise ParameterError("The question is nested too deeply.") from error
    if size > 4 * _LONGEST:
        check_size(size)


@dataclass(frozen=True)
class Outline:
    """A question to those who pass it on and compute nothing: a hub, and a node.

    The catalogue, and the library of arrays that it computes with, are in the processes that
    compute alone; :attr:`sosie.insitu.Question.outline` makes it there.

    Attributes
    ----------
    analysis : str
        The identifier in the catalogue.
    columns : tuple of str
        Those of the holders that are read.
    needs : tuple of str
        What is read beside the table.
    seconds : float
        That a step that is told a holder at a time may take, beyond those that any may.
    generator : str or None
        Whose rows leave; None where no row does.
    parameters : dict
        Of that generator.
    content : dict
        All that is asked, as JSON.
    """

    analysis: str
    columns: tuple[str, ...]
    needs: tuple[str, ...]
    seconds: float
    generator: str | None
    parameters: dict[str, Any]
    content: dict[str, Any]

    @property
    def asked(self) -> dict[str, Any]:
        """The question itself, of which the content tells the version besides."""
        return {name: said for name, said in self.content.items() if name != "version"}

    @property
    def made(self) -> tuple[str, ...]:
        """Names of the columns that its rules make."""
        return tuple(rule["name"] for rule in self.content["derive"])

    @property
    def sha256(self) -> str:
        """Of the content, as canonical JSON."""
        return sha256(canonical(self.content))

    def spelt(self) -> dict[str, Any]:
        """Spell it as JSON, for :meth:`of`."""
        return asdict(self)

    @classmethod
    def of(cls, said: dict[str, Any]) -> Outline:
        """Read what :meth:`spelt` spelt."""
        return cls(**said | {"columns": tuple(said["columns"]), "needs": tuple(said["needs"])})
