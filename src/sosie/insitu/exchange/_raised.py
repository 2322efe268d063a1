"""What went wrong at a hub: as it says it, and as errors again."""

from __future__ import annotations

from typing import Any

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.trust import strict_json

__all__ = ["LARGEST", "AbsentError", "RefusedError", "TooManyError", "failed", "raised"]

LARGEST = 64 << 20
"""Bytes of a reply."""


class AbsentError(DataError):
    """The hub cannot be reached, or not use its database, for now."""


class RefusedError(TrustError):
    """The gate, or the agreement, refuses."""


class TooManyError(TrustError):
    """Somebody asks more often than the hub grants."""


_SORTS: tuple[tuple[str, int, type[SosieError], type[SosieError]], ...] = (
    ("many", 429, TooManyError, TooManyError),
    ("refused", 403, RefusedError, RefusedError),
    ("trust", 403, TrustError, TrustError),
    ("wrong", 422, ParameterError, ParameterError),
    ("data", 503, DataError, AbsentError),
)
"""A word and a status of HTTP for each error of a hub, and what it is to who asked."""


def failed(error: SosieError) -> tuple[int, dict[str, str]]:
    """Tell what went wrong: a status of HTTP, and one sentence with its sort."""
    found = ((code, sort) for sort, code, kind, _ in _SORTS if isinstance(error, kind))
    code, sort = next(found, (500, "data"))
    return code, {"error": str(error), "sort": sort}


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
    kinds = {sort: kind for sort, _, _, kind in _SORTS}
    raise kinds.get(str(said.get("sort")), DataError)(str(said.get("error", "The hub failed.")))
