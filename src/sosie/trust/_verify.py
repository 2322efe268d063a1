"""Everything that a certificate lets a reader check, item by item, without a network."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sosie.errors import SosieError, TrustError
from sosie.table import Table
from sosie.trust._agreed import agreement_item
from sosie.trust._canonical import sha256
from sosie.trust._content import content_hash
from sosie.trust._envelope import opened, payload_of
from sosie.trust._item import Item
from sosie.trust._names import check_distinct, check_name
from sosie.trust._opening import Opening, committed
from sosie.trust._opinion import opinion_of
from sosie.trust._statement import PAYLOAD_TYPE, certificate_in, read_envelope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sosie.trust._certificate import Certificate
    from sosie.trust._envelope import Opened, Problem
    from sosie.trust._keys import PublicKey

__all__ = ["Verification", "verify"]

_REASONS = {
    "wrong signature": "signature_bad",
    "wrong key id": "signature_key",
    "expired key": "key_expired",
    "duplicate signer": "signed_twice",
}


@dataclass(frozen=True)
class Verification:
    """What holds, what does not, and what could not be checked.

    Attributes
    ----------
    items : list of Item
    certificate : Certificate or None
        None where the document could not be read as one.
    digest : str or None
        SHA-256 of what is signed.
    """

    items: list[Item]
    certificate: Certificate | None = field(default=None, repr=False)
    digest: str | None = None

    @property
    def verified(self) -> bool:
        """Whether somebody known signed it, all who must did, and no item is broken."""
        good = {item.kind for item in self.items if item.ok}
        broken = any(item.ok is False for item in self.items)
        return not broken and {"signature", "signers"} <= good


def verify(
    path: Path,
    keys: Mapping[str, PublicKey],
    *,
    synthetic: Path | None = None,
    original: Path | None = None,
    agreement: Path | None = None,
    on: date | None = None,
) -> Verification:
    """Verify a certificate, and what is at hand of the rest.

    Parameters
    ----------
    path : Path
        The certificate.
    keys : mapping of str to PublicKey
        Those that the reader trusts, by their identifiers.
    synthetic, original, agreement : Path, optional
        What to compare with what the certificate says. For the original, the file that
        ``sosie certify`` wrote beside the certificate for its holder must lie beside the
        certificate or beside the original.
    on : date, optional
        The day on which it must hold; today where not given.

    Returns
    -------
    Verification
        Whatever the file holds: a document that is no certificate is one broken item.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    on = on or datetime.now(UTC).date()
    items: list[Item] = []
    try:
        envelope = read_envelope(path)
        payload = payload_of(envelope, PAYLOAD_TYPE)
        items.append(Item("file", ok=True, reason="file_good"))
    except TrustError as error:
        return Verification([Item("file", ok=False, reason="said", values={"error": str(error)})])
    digest = sha256(payload)
    try:
        certificate = certificate_in(payload)
        items.append(Item("document", ok=True, reason="document_good"))
    except TrustError as error:
        items.append(Item("document", ok=False, reason="said", values={"error": str(error)}))
        # Who signed what is not a certificate says where it was broken.
        items += _signatures(opened(envelope, keys, PAYLOAD_TYPE, on=on), None)
        return Verification(items, None, digest)
    found = opened(envelope, keys, PAYLOAD_TYPE, on=on)
    items += _signatures(found, certificate)
    items.append(_signers(found, certificate))
    items.append(_dates(certificate, on))
    items.append(_findings(certificate))
    items.append(agreement_item(certificate, agreement, keys, on))
    items.append(_synthetic(certificate, synthetic))
    items.append(_original(certificate, original, path))
    if certificate.ledgers:
        names = ", ".join(one.name for one in certificate.ledgers)
        items.append(Item("ledgers", ok=None, reason="ledgers_quoted", values={"names": names}))
    return Verification(items, certificate, digest)


def _signatures(found: Opened, certificate: Certificate | None) -> list[Item]:
    said = {one.key: one.name for one in certificate.signers if one.key} if certificate else {}
    items = []
    for key in found.signers:
        claimed = said.get(key.id, key.name)
        same = claimed == key.name
        values = {"name": key.name, "claimed": claimed, "key": key.id[:16]}
        reason = "signature_good" if same else "signature_name"
        items.append(Item("signature", ok=same, reason=reason, values=values))
    return items + [_problem(one, said) for one in found.problems]


def _problem(problem: Problem, said: Mapping[str, str]) -> Item:
    values = {"name": said.get(problem.key, ascii(problem.key[:16])), "error": problem.why}
    if not problem.fatal:
        return Item("signature", ok=None, reason="key_unknown", values=values)
    return Item("signature", ok=False, reason=_REASONS[problem.name], values=values)


def _signers(found: Opened, certificate: Certificate) -> Item:
    """Tell whether all who must sign did, under keys that are known here."""
    signed = {key.id for key in found.signers} | {(key.name, None) for key in found.signers}
    required = [one.name for one in certificate.signers if one.required]
    missing = [
        one.name
        for one in certificate.signers
        if one.required and (one.key or (one.name, None)) not in signed
    ]
    values = {"names": ", ".join(missing or required)}
    if not required:
        return Item("signers", ok=False, reason="signers_none")
    good = not missing
    return Item("signers", ok=good, reason="signers_good" if good else "missing", values=values)


def _dates(certificate: Certificate, on: date) -> Item:
    made, ends = certificate.made_at[:10], certificate.expires
    agreement, today = certificate.agreement, on.isoformat()
    if made > today:
        return Item("dates", ok=False, reason="dates_early", values={"day": made})
    if not agreement.valid_from <= made <= agreement.valid_until or ends > agreement.valid_until:
        return Item("dates", ok=False, reason="dates_outside", values={"day": made})
    if ends < today:
        return Item("dates", ok=False, reason="dates_late", values={"day": ends})
    return Item("dates", ok=True, reason="dates_good", values={"day": ends})


def _findings(certificate: Certificate) -> Item:
    """Tell whether the opinion follows from the findings, and what was accepted."""
    try:
        names = [one.name for one in certificate.signers]
        for name in (*names, *(one.name for one in certificate.agreement.parties)):
            check_name(name)
        check_distinct(names)
        opinion = opinion_of(certificate.evidence)
    except TrustError as error:
        return Item("findings", ok=False, reason="said", values={"error": str(error)})
    if opinion != certificate.opinion:
        return Item("findings", ok=False, reason="opinion_other")
    if certificate.exceptions:
        return Item("findings", ok=True, reason="findings_accepted")
    return Item("findings", ok=True, reason=f"findings_{certificate.evidence.verdict}")


def _synthetic(certificate: Certificate, path: Path | None) -> Item:
    if path is None:
        return Item("synthetic", ok=None, reason="synthetic_absent")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    values = {"file": path.name}
    if any(one.sha256 == digest for one in certificate.results):
        return Item("synthetic", ok=True, reason="synthetic_same", values=values)
    try:
        content = content_hash(Table.read(path))
    except SosieError as error:
        values["error"] = str(error)
        return Item("synthetic", ok=False, reason="synthetic_unread", values=values)
    if any(one.content_sha256 == content for one in certificate.results):
        return Item("synthetic", ok=True, reason="synthetic_content", values=values)
    return Item("synthetic", ok=False, reason="synthetic_other", values=values)


def _original(certificate: Certificate, path: Path | None, beside: Path) -> Item:
    if path is None:
        return Item("original", ok=None, reason="original_absent")
    values = {"file": path.name}
    opening = Opening.find(certificate.id, beside.parent, path.parent)
    if opening is None:
        return Item("original", ok=False, reason="no_opening", values=values)
    try:
        content = content_hash(Table.read(path))
    except SosieError as error:
        values["error"] = str(error)
        return Item("original", ok=False, reason="original_unread", values=values)
    made = committed(opening.original, "original", content)
    same = hmac.compare_digest(made, certificate.original.commitment)
    reason = "original_same" if same else "original_other"
    return Item("original", ok=same, reason=reason, values=values)
