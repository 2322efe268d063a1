"""What a hub says went wrong, as errors again."""

from __future__ import annotations

from typing import Any

from sosie.errors import DataError, ParameterError, TrustError
from sosie.trust import strict_json

__all__ = ["LARGEST", "AbsentError", "RefusedError", "TooManyError", "raised"]

LARGEST = 64 << 20
"""Bytes of a reply."""


class AbsentError(DataError):
    """The hub cannot be reached, or not use its database, for now."""


class RefusedError(TrustError):
    """The gate, or the agreement, refuses."""


class TooManyError(TrustError):
    """Somebody asks more often than the hub grants."""


def raised(status: int, data: bytes, name: str) -> dict[str, Any]:
    """Read a reply; raise what it tells went wrong."""
    try:
        said = strict_json(data, largest=LARGEST)
        if not isinstance(said, dict):
            raise TrustError("It is no object.")
    except TrustError as error:
        raise AbsentError(f"What answers at {name} is no hub of sosie.") from error
    if status == 200:
        return said
    kinds = {
        "refused": RefusedError, "trust": TrustError, "many": TooManyError,
        "wrong": ParameterError, "data": AbsentError,
    }  # fmt: skip
    raise kinds.get(str(said.get("sort")), DataError)(str(said.get("error", "The hub failed.")))
