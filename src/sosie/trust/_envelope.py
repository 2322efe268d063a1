"""Signed documents: DSSE envelopes, version 1 (github.com/secure-systems-lab/dsse)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sosie.errors import TrustError
from sosie.trust._keys import Key, PublicKey, binary, encoded

__all__ = ["Opened", "Problem", "add_signature", "carried_keys", "opened", "payload_of", "seal"]

_MOST_SIGNATURES = 100


@dataclass(frozen=True)
class Problem:
    """What is wrong with one signature.

    Attributes
    ----------
    name : str
        ``unknown key``, ``wrong signature``, ``wrong key id``, ``expired key`` or
        ``duplicate signer``.
    key : str
        The identifier of the key, as the envelope has it.
    why : str
        One sentence.
    fatal : bool
        Whether the envelope must be refused. A key that the reader does not know is not:
        the envelope then holds by the signers who are known.
    """

    name: str
    key: str
    why: str
    fatal: bool = True


@dataclass(frozen=True)
class Opened:
    """What an envelope holds, and who signed it.

    Attributes
    ----------
    payload : bytes
        Signed by `signers`; by nobody where there are none.
    signers : list of PublicKey
        Whose signatures hold, in the order of the envelope.
    problems : list of Problem
        Of the other signatures.
    """

    payload: bytes
    signers: list[PublicKey]
    problems: list[Problem]

    @property
    def holds(self) -> bool:
        """Whether somebody known signed it and no signature is wrong."""
        return bool(self.signers) and not any(problem.fatal for problem in self.problems)


def seal(
    payload: bytes, payload_type: str, keys: Sequence[Key], *, carry: bool = False
) -> dict[str, Any]:
    """Put a document into an envelope and sign it.

    Parameters
    ----------
    payload : bytes
        The document.
    payload_type : str
        A media type that says what the document is; it is signed too.
    keys : sequence of Key
        At least one.
    carry : bool
        Also put the public halves beside the signatures, for :func:`carried_keys`.

    Returns
    -------
    dict
        ``payload``, ``payloadType``, ``signatures``; :func:`sosie.trust.canonical` writes it.

    Raises
    ------
    TrustError
        If there is no key, one is there twice, or one has expired.

    Examples
    --------
    >>> key = Key.new("CHU de Nantes")
    >>> envelope = seal(b"{}", "application/json", [key])
    >>> opened(envelope, {key.id: key.public}, "application/json").holds
    True
    """
    if not keys:
        raise TrustError("Nobody signs: give at least one key.")
    envelope: dict[str, Any] = {
        "payload": encoded(payload),
        "payloadType": payload_type,
        "signatures": [],
    }
    for key in keys:
        envelope = _signed(envelope, payload, key, carry)
    return envelope


def add_signature(envelope: Mapping[str, Any], key: Key, *, carry: bool = False) -> dict[str, Any]:
    """Sign what is in an envelope once more; the other signatures stay.

    Raises
    ------
    TrustError
        If it is no envelope, or this key has signed it already or has expired.
    """
    return _signed(dict(envelope), payload_of(envelope), key, carry)


def payload_of(envelope: Any, payload_type: str | None = None) -> bytes:
    """Take the document out of an envelope; this does *not* say that anybody signed it.

    Parameters
    ----------
    envelope : dict
    payload_type : str, optional
        What the document must be.

    Raises
    ------
    TrustError
        If it is no envelope, or one of something else.
    """
    if not isinstance(envelope, Mapping) or set(envelope) != {
        "payload",
        "payloadType",
        "signatures",
    }:
        raise TrustError(
            "This is no signed envelope (DSSE): it must hold payload, payloadType and signatures, "
            "and nothing else."
        )
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise TrustError(f"The envelope must hold from 1 to {_MOST_SIGNATURES} signatures.")
    for place, one in enumerate(signatures, start=1):
        if (
            not isinstance(one, Mapping)
            or set(one) - {"public"} != {"keyid", "sig"}
            or not isinstance(one["keyid"], str)
            or not isinstance(one["sig"], str)
        ):
            raise TrustError(f"Signature {place} of the envelope must hold keyid and sig alone.")
        _carried(one, place)
    kind = envelope["payloadType"]
    if not isinstance(kind, str) or (payload_type is not None and kind != payload_type):
        raise TrustError(
            f"The envelope holds {ascii(kind)[:100]}, where {payload_type or 'a text'} is expected."
        )
    try:
        return binary(envelope["payload"], "payload")
    except TrustError as error:
        raise TrustError(f"The envelope cannot be opened: {error}.") from error


def carried_keys(envelope: Any) -> dict[str, PublicKey]:
    """Give the keys that an envelope carries: they only say whose they say they are.

    Returns
    -------
    dict of str to PublicKey
        By their identifiers.

    Raises
    ------
    TrustError
        If it is no envelope, or a key it carries was changed or is not that of its signature.
    """
    payload_of(envelope)
    carried = (_carried(one, place) for place, one in enumerate(envelope["signatures"], start=1))
    return {key.id: key for key in carried if key is not None}


def opened(
    envelope: Mapping[str, Any],
    keys: Mapping[str, PublicKey],
    payload_type: str,
    *,
    on: date | None = None,
) -> Opened:
    """Open an envelope and tell who signed it.

    Parameters
    ----------
    envelope : dict
        As :func:`seal` makes it, or another implementation of DSSE.
    keys : mapping of str to PublicKey
        Those trusted, by their identifiers.
    payload_type : str
        What the document must be: one kind of document cannot pass for another.
    on : date, optional
        The day on which the keys must not have expired; today where not given.

    Returns
    -------
    Opened

    Raises
    ------
    TrustError
        If it is no envelope, or one of something else.
    """
    payload = payload_of(envelope, payload_type)
    message = _pae(payload_type, payload)
    signers: list[PublicKey] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for one in envelope["signatures"]:
        outcome = _judged(one, keys, message, seen, on)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            signers.append(outcome)
    return Opened(payload, signers, problems)


def _carried(one: Mapping[str, Any], place: int) -> PublicKey | None:
    if "public" not in one:
        return None
    try:
        key = PublicKey.of(one["public"])
    except TrustError as error:
        raise TrustError(f"The key beside signature {place} of the envelope: {error}.") from error
    if key.id != one["keyid"]:
        raise TrustError(f"The key beside signature {place} of the envelope is another's.")
    return key


def _judged(
    one: Mapping[str, str],
    keys: Mapping[str, PublicKey],
    message: bytes,
    seen: set[str],
    on: date | None,
) -> PublicKey | Problem:
    named = one["keyid"]
    short = ascii(named[:16])
    if named in seen:
        return Problem("duplicate signer", named, f"Key {short} signs twice; it counts once.")
    seen.add(named)
    try:
        signature = binary(one["sig"], "sig")
    except TrustError as error:
        return Problem("wrong signature", named, f"Signature of key {short}: {error}.")
    key = keys.get(named)
    if key is not None and key.id == named and key.verifies(signature, message):
        if key.expired(on):
            why = f"The key of {key.name} expired on {key.expires}."
            return Problem("expired key", named, why)
        return key
    for other in keys.values():
        if other.verifies(signature, message):
            why = f"The signature is of the key of {other.name}, but names key {short}."
            return Problem("wrong key id", named, why)
    if key is None:
        why = f"Key {short} is not among the trusted keys; its signature says nothing."
        return Problem("unknown key", named, why, fatal=False)
    why = f"The signature of {key.name} is not of this document: one of them was changed."
    return Problem("wrong signature", named, why)


def _signed(envelope: dict[str, Any], payload: bytes, key: Key, carry: bool) -> dict[str, Any]:
    if any(one["keyid"] == key.id for one in envelope["signatures"]):
        raise TrustError(f"The key of {key.name!r} has signed this already.")
    signature = key.sign(_pae(envelope["payloadType"], payload))
    one: dict[str, Any] = {"keyid": key.id, "sig": encoded(signature)}
    if carry:
        one["public"] = key.public.content()
    return {**envelope, "signatures": [*envelope["signatures"], one]}


def _pae(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes that are signed: the pre-authentication encoding of DSSE."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
