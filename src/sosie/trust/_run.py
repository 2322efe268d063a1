"""What made a table: the generator, its parameters, its seed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from sosie.errors import TrustError
from sosie.trust._canonical import canonical, strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Run"]

_TOLD = frozenset({"k", "ncp", "kernel", "weights", "drop", "recreate"})
"""Of what `sosie avatar --json` prints, what is a parameter."""
_CALLED = {"n_factors": "ncp"}
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,59}")


@dataclass(frozen=True)
class Run:
    """A generator as it ran; without a name where nobody recorded it.

    Attributes
    ----------
    generator : str or None
        In lower case.
    parameters : dict
        Without those that are empty.
    seed : int or None
    made : str or None
        SHA-256 of the file that it wrote, where it told.
    agreement : str or None
        SHA-256 of the agreement under which it ran, where it told.

    Examples
    --------
    >>> Run.read(b'{"k": 10, "kernel": "gibbs", "seed": 5, "rows": 300}').parameters
    {'k': 10, 'kernel': 'gibbs'}
    """

    generator: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    made: str | None = None
    agreement: str | None = None

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what ``sosie avatar --json`` printed.

        Raises
        ------
        TrustError
            If it is not that.
        """
        said = strict_json(content)
        if not isinstance(said, dict) or not {"k", "kernel", "seed"} <= said.keys():
            raise TrustError("--run: give a file of what `sosie avatar --json` printed.")
        parameters = {name: value for name, value in said.items() if name in _TOLD}
        made, agreement = said.get("sha256"), said.get("agreement")
        if not isinstance(made, str | None) or not isinstance(agreement, str | None):
            raise TrustError("--run: give a file of what `sosie avatar --json` printed.")
        return replace(cls._of("avatar", parameters, said["seed"]), made=made, agreement=agreement)

    @classmethod
    def of_generator(cls, said: Mapping[str, Any] | None) -> Self:
        """Take the generator that evidence judged; no name where it judged a table."""
        if not said:
            return cls()
        parameters = {_CALLED.get(k, k): v for k, v in said.items() if k != "name"}
        return cls._of(str(said.get("name", "")).lower(), parameters, None)

    @classmethod
    def _of(cls, name: str, parameters: Mapping[str, Any], seed: Any) -> Self:
        if not _WORD.fullmatch(name) or not isinstance(seed, int | None):
            raise TrustError("The generator is not told as sosie tells it.")
        kept = {key: value for key, value in parameters.items() if value not in (None, {}, [])}
        for key, value in kept.items():
            if not _WORD.fullmatch(key) or not _plain(value):
                raise TrustError(f"Parameter {ascii(key)[:60]} is not told as sosie tells it.")
        return cls(name, kept, seed)

    def same_as(self, other: Run) -> bool:
        """Tell whether the two are one generator with the same parameters."""
        mine, theirs = ((one.generator, canonical(one.parameters)) for one in (self, other))
        return self.generator is not None and mine == theirs


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(one, int | float) for one in value.values())
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, bool | int | float | str)
