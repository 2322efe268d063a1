"""The statement that is signed: which files it is about, and the certificate as a crate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.errors import TrustError
from sosie.trust._canonical import canonical, strict_json
from sosie.trust._certificate import Certificate
from sosie.trust._crate import crate_of, record_in

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PAYLOAD_TYPE", "PREDICATE_TYPE", "certificate_in", "read_envelope", "statement_of"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:sosie:process-certificate:1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_LARGEST = 16 << 20


def statement_of(certificate: Certificate) -> dict[str, Any]:
    """State a certificate: in-toto Statement, version 1, about the files that are released.

    Returns
    -------
    dict
        Each subject has the SHA-256 of the file and, as ``sosieContent1``, that of its content.
    """
    return {
        "_type": _STATEMENT,
        "subject": [
            {
                "name": one.name,
                "digest": {"sha256": one.sha256, "sosieContent1": one.content_sha256},
            }
            for one in certificate.results
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": crate_of(certificate),
    }


def certificate_in(payload: bytes) -> Certificate:
    """Read a certificate out of what was signed; this does *not* say who signed it.

    Raises
    ------
    TrustError
        If it is no certificate, is not in its canonical spelling, or its parts say different
        things: the subjects and the crate must be those that the record makes.
    """
    content = strict_json(payload)
    kinds = ("_type", "subject", "predicateType", "predicate")
    if not isinstance(content, dict) or set(content) != set(kinds):
        raise TrustError("What is signed is not an in-toto statement.")
    if content["_type"] != _STATEMENT or content["predicateType"] != PREDICATE_TYPE:
        raise TrustError("What is signed is not a process certificate of this version.")
    certificate = Certificate.of(record_in(content["predicate"]))
    made = statement_of(certificate)
    if canonical(made) == payload:
        return certificate
    for part, name in (("subject", "list of files"), ("predicate", "crate")):
        if canonical(made[part]) != canonical(content[part]):
            raise TrustError(f"The {name} of the statement is not the one that its record makes.")
    raise TrustError("What is signed is not in canonical JSON (RFC 8785).")


def read_envelope(path: Path) -> dict[str, Any]:
    """Read the file of a certificate as a signed envelope.

    Raises
    ------
    TrustError
        If it is too large, or not strict JSON.
    """
    with path.open("rb") as file:
        content = strict_json(file.read(_LARGEST + 1), largest=_LARGEST)
    if not isinstance(content, dict):
        raise TrustError("This is no signed envelope.")
    signatures = content.get("signatures")
    if isinstance(signatures, list) and any(
        isinstance(one, dict) and "public" in one for one in signatures
    ):
        raise TrustError("A key stands beside a signature: a certificate names its keys itself.")
    return content
