"""A signed message and the bytes that go with it, as one JSON object: the same on every way."""

from __future__ import annotations

from typing import Any

from sosie.errors import TrustError
from sosie.insitu.exchange._messages import NO_MESSAGE
from sosie.trust._keys import binary, encoded

__all__ = ["letter", "read_letter"]


def letter(message: dict[str, Any], payload: bytes | None = None) -> dict[str, Any]:
    """Put a message and its bytes together.

    Examples
    --------
    >>> letter({}, b"sosie")
    {'message': {}, 'payload': 'c29zaWU='}
    """
    return {"message": message} | ({} if payload is None else {"payload": encoded(payload)})


def read_letter(said: Any) -> tuple[Any, bytes | None]:
    """Take a message and its bytes apart; this does not say who signed it.

    Raises
    ------
    TrustError
        If it is none.

    Examples
    --------
    >>> read_letter({"message": {}, "payload": "c29zaWU="})
    ({}, b'sosie')
    """
    if not isinstance(said, dict) or "message" not in said:
        raise TrustError(NO_MESSAGE)
    spelt = said.get("payload")
    try:
        return said["message"], None if spelt is None else binary(spelt, "payload")
    except TrustError as error:
        raise TrustError(NO_MESSAGE) from error
