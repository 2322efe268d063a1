"""What was agreed, what was done, who signed it; anyone can verify it, without a network."""

from importlib.util import find_spec

from sosie.errors import SosieError

if any(find_spec(library) is None for library in ("cryptography", "rfc8785")):
    raise SosieError("Signatures need more libraries; install them: pip install 'sosie[trust]'.")

from sosie.trust._agreement import AGREEMENT, Agreement
from sosie.trust._allowed import Refusal
from sosie.trust._canonical import canonical, sha256, strict_json
from sosie.trust._content import content_hash, schema_hash
from sosie.trust._envelope import Opened, Problem, add_signature, carried_keys, opened, seal
from sosie.trust._keys import Key, PublicKey
from sosie.trust._signed import SignedAgreement, differences, sign_agreement

__all__ = [
    "AGREEMENT",
    "Agreement",
    "Key",
    "Opened",
    "Problem",
    "PublicKey",
    "Refusal",
    "SignedAgreement",
    "add_signature",
    "canonical",
    "carried_keys",
    "content_hash",
    "differences",
    "opened",
    "schema_hash",
    "seal",
    "sha256",
    "sign_agreement",
    "strict_json",
]
