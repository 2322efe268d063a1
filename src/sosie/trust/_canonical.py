"""One spelling of a document, so that its hash is that of what it says."""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from typing import Any

import rfc8785

from sosie.errors import TrustError

__all__ = ["LARGEST", "canonical", "sha256", "strict_json"]

LARGEST = 16 << 20
"""Bytes that a document has at most: a certificate has a few hundred thousand."""

_DEEPEST = 64
_LARGEST_WHOLE = 2**53 - 1
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""UTF-8 holds no half of a character: only an escape can."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical(value: Any) -> bytes:
    """Spell a JSON value in the one way of RFC 8785 (JSON Canonicalization Scheme).

    Parameters
    ----------
    value : dict, list, str, int, float, bool or None
        Whole numbers below 2**53 in size; no NaN, no infinity.

    Returns
    -------
    bytes
        UTF-8: keys in order of their UTF-16 units, no white space, numbers as ECMAScript has them.

    Raises
    ------
    TrustError
        If the value is none of JSON.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": ["é", None]}).decode()
    '{"a":["é",null],"b":1}'
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise TrustError(f"This cannot be written as canonical JSON: {error}.") from error
    except RecursionError as error:
        raise TrustError(f"This is nested more than {_DEEPEST} deep.") from error


def sha256(data: bytes) -> str:
    """Give the SHA-256 of bytes, in hexadecimal.

    Examples
    --------
    >>> sha256(b"")[:16]
    'e3b0c44298fc1c14'
    """
    return hashlib.sha256(data).hexdigest()


def strict_json(data: bytes, *, largest: int = LARGEST) -> Any:
    """Read JSON that every reader would understand in the same way (RFC 7493, I-JSON).

    Two keys of one name, NaN, a number that a double cannot hold or half a character are read
    in one way by one program and in another by the next: a signature must not depend on that.

    Parameters
    ----------
    data : bytes
        UTF-8.
    largest : int
        Bytes there are at most.

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    TrustError
        If it is too large, no UTF-8, no JSON, nested more than 64 deep, names a key twice, or
        holds NaN, an infinity, a whole number that no double holds, or half a character.

    Examples
    --------
    >>> strict_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> strict_json(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    sosie.errors.TrustError: Not readable as strict JSON: key 'a' is given twice.
    """
    if len(data) > largest:
        raise TrustError(
            f"Not readable as strict JSON: {len(data):,} bytes, where at most {largest:,} are read."
        )
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        _check_depth(value)
        if _HALF.search(data):
            _check_halves(value)
    except UnicodeDecodeError as error:
        raise TrustError(
            f"Not readable as strict JSON: byte {error.start + 1} is not of UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        raise TrustError(
            f"Not readable as strict JSON: {error.msg} on line {error.lineno}, "
            f"column {error.colno}."
        ) from error
    except RecursionError as error:
        raise _refusal(f"nested more than {_DEEPEST} deep") from error
    return value


def _refusal(why: str) -> TrustError:
    return TrustError(f"Not readable as strict JSON: {why}.")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _refusal(f"key {key[:80]!r} is given twice")
            seen.add(key)
    return read


def _no_constant(spelt: str) -> float:
    raise _refusal(f"{spelt} is no number of JSON")


def _finite(spelt: str) -> float:
    number = float(spelt)
    if not math.isfinite(number):
        raise _refusal("a number is too large")
    return number


def _whole(spelt: str) -> float:
    if len(spelt) <= 17 and abs(number := int(spelt)) <= _LARGEST_WHOLE:
        return number
    # Canonical JSON spells the double 1e17 as 100000000000000000.
    double = _finite(spelt)
    if rfc8785.dumps(double) != spelt.encode():
        raise _refusal("a whole number is not one that a double holds")
    return double


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one) if isinstance(part, dict | list)]
        if not level:
            return
    raise _refusal(f"nested more than {_DEEPEST} deep")


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_halves(value: Any) -> None:
    if isinstance(value, str) and _SURROGATE.search(value):
        raise _refusal("a text holds half a character")
    if isinstance(value, dict):
        for key in value:
            _check_halves(key)
    for part in _parts(value):
        _check_halves(part)
