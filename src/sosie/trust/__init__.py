"""What was agreed, what was done, who signed it; anyone can verify it, without a network."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from sosie._on_demand import on_demand
from sosie.errors import SosieError

if any(find_spec(library) is None for library in ("cryptography", "rfc8785")):
    raise SosieError("Signatures need more libraries; install them: pip install 'sosie[trust]'.")

if TYPE_CHECKING:
    from sosie.trust._agreement import AGREEMENT, Agreement
    from sosie.trust._allowed import Refusal
    from sosie.trust._canonical import canonical, sha256, strict_json
    from sosie.trust._certificate import Certificate
    from sosie.trust._certify import Certified, certify, quoted
    from sosie.trust._charter import Charter, Principle, charter_template
    from sosie.trust._code import hash_code
    from sosie.trust._content import content_hash, schema_hash
    from sosie.trust._crate import contexts, crate_of
    from sosie.trust._disclosure import PRESETS, Disclosure, Floors
    from sosie.trust._envelope import (
        Opened,
        Problem,
        add_signature,
        carried_keys,
        opened,
        payload_of,
        seal,
    )
    from sosie.trust._item import Item
    from sosie.trust._judged import EvidenceFile, judged_of
    from sosie.trust._keys import Key, PublicKey
    from sosie.trust._ledger import Head, append, head_of
    from sosie.trust._ledger_check import Broken, checkpoint, verify_ledger
    from sosie.trust._opening import Opening
    from sosie.trust._page import page
    from sosie.trust._pia import pia_of
    from sosie.trust._register import register_of
    from sosie.trust._signed import SignedAgreement, differences, sign_agreement
    from sosie.trust._statement import PAYLOAD_TYPE, certificate_in, read_envelope, statement_of
    from sosie.trust._template import agreement_template
    from sosie.trust._texts import LANGUAGES
    from sosie.trust._verify import Verification, verify
else:
    # A holder's task needs the floors and the canonical spelling, and no certificate.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_agreement": "AGREEMENT Agreement",
            "_allowed": "Refusal",
            "_canonical": "canonical sha256 strict_json",
            "_certificate": "Certificate",
            "_certify": "Certified certify quoted",
            "_charter": "Charter Principle charter_template",
            "_code": "hash_code",
            "_content": "content_hash schema_hash",
            "_crate": "contexts crate_of",
            "_disclosure": "PRESETS Disclosure Floors",
            "_envelope": "Opened Problem add_signature carried_keys opened payload_of seal",
            "_item": "Item",
            "_judged": "EvidenceFile judged_of",
            "_keys": "Key PublicKey",
            "_ledger": "Head append head_of",
            "_ledger_check": "Broken checkpoint verify_ledger",
            "_opening": "Opening",
            "_page": "page",
            "_pia": "pia_of",
            "_register": "register_of",
            "_signed": "SignedAgreement differences sign_agreement",
            "_statement": "PAYLOAD_TYPE certificate_in read_envelope statement_of",
            "_template": "agreement_template",
            "_texts": "LANGUAGES",
            "_verify": "Verification verify",
        },
    )

__all__ = [
    "AGREEMENT",
    "LANGUAGES",
    "PAYLOAD_TYPE",
    "PRESETS",
    "Agreement",
    "Broken",
    "Certificate",
    "Certified",
    "Charter",
    "Disclosure",
    "EvidenceFile",
    "Floors",
    "Head",
    "Item",
    "Key",
    "Opened",
    "Opening",
    "Principle",
    "Problem",
    "PublicKey",
    "Refusal",
    "SignedAgreement",
    "Verification",
    "add_signature",
    "agreement_template",
    "append",
    "canonical",
    "carried_keys",
    "certificate_in",
    "certify",
    "charter_template",
    "checkpoint",
    "content_hash",
    "contexts",
    "crate_of",
    "differences",
    "hash_code",
    "head_of",
    "judged_of",
    "opened",
    "page",
    "payload_of",
    "pia_of",
    "quoted",
    "read_envelope",
    "register_of",
    "schema_hash",
    "seal",
    "sha256",
    "sign_agreement",
    "statement_of",
    "strict_json",
    "verify",
    "verify_ledger",
]
