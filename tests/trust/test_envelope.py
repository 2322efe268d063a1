"""Envelopes: ours read by another implementation and its by ours; every change is named."""

import base64
import copy
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from sosie.errors import TrustError
from sosie.trust import Key, add_signature, opened, seal
from sosie.trust._envelope import _pae

KIND = "application/vnd.sosie.test+json"
PAYLOAD = '{"said":"é"}'.encode()
A, B, STRANGER = Key.new("A hospital"), Key.new("Some institute"), Key.new("Nobody known")
KEYS = {key.id: key.public for key in (A, B)}


def theirs(key: Key) -> SSlibKey:
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.public.raw), keyid=key.id)


def their_signer(key: Key) -> CryptoSigner:
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(key.seed), theirs(key))


def test_the_example_of_the_specification() -> None:
    # DSSE, protocol.md: PAE of "http://example.com/HelloWorld" and "hello world"
    kind, payload = "http://example.com/HelloWorld", b"hello world"
    assert _pae(kind, payload) == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_another_implementation_verifies_ours() -> None:
    envelope = Envelope.from_dict(copy.deepcopy(seal(PAYLOAD, KIND, [A, B])))
    assert set(envelope.verify([theirs(A), theirs(B)], 2)) == {A.id, B.id}
    assert envelope.payload == PAYLOAD


def test_ours_verifies_that_of_another_implementation() -> None:
    envelope = Envelope(PAYLOAD, KIND, {})
    envelope.sign(their_signer(A))
    envelope.sign(their_signer(B))
    read = opened(envelope.to_dict(), KEYS, KIND)
    assert read.payload == PAYLOAD
    assert read.signers == [A.public, B.public]
    assert read.holds
    assert envelope.to_dict() == seal(PAYLOAD, KIND, [A, B])


def test_one_signs_after_the_other() -> None:
    assert add_signature(seal(PAYLOAD, KIND, [A]), B) == seal(PAYLOAD, KIND, [A, B])


def test_nobody_signs_twice() -> None:
    with pytest.raises(TrustError, match="signed this already"):
        seal(PAYLOAD, KIND, [A, A])
    with pytest.raises(TrustError, match="signed this already"):
        add_signature(seal(PAYLOAD, KIND, [A]), A)
    with pytest.raises(TrustError, match="Nobody signs"):
        seal(PAYLOAD, KIND, [])


def problems(envelope: dict[str, Any], **options: Any) -> list[str]:
    read = opened(envelope, KEYS, KIND, **options)
    assert read.holds == (bool(read.signers) and not any(p.fatal for p in read.problems))
    return [problem.name for problem in read.problems]


def test_an_unknown_key_is_told_and_is_no_failure() -> None:
    read = opened(seal(PAYLOAD, KIND, [A, STRANGER]), KEYS, KIND)
    assert read.signers == [A.public]
    assert read.holds
    assert [p.name for p in read.problems] == ["unknown key"]
    alone = opened(seal(PAYLOAD, KIND, [STRANGER]), KEYS, KIND)
    assert not alone.signers
    assert not alone.holds


def test_what_is_wrong_is_named() -> None:
    whole = seal(PAYLOAD, KIND, [A, B])
    twice = {**whole, "signatures": [whole["signatures"][0]] * 2}
    assert problems(twice) == ["duplicate signer"]
    swapped = copy.deepcopy(whole)
    swapped["signatures"][0]["keyid"], swapped["signatures"][1]["keyid"] = B.id, A.id
    assert problems(swapped) == ["wrong key id"] * 2
    renamed = copy.deepcopy(whole)
    renamed["signatures"][1]["keyid"] = STRANGER.id
    assert problems(renamed) == ["wrong key id"]
    other = {**whole, "payload": base64.b64encode(b"{}").decode()}
    assert problems(other) == ["wrong signature"] * 2
    impostor = copy.deepcopy(whole)
    impostor["signatures"][0]["sig"] = seal(PAYLOAD, KIND, [STRANGER])["signatures"][0]["sig"]
    assert problems(impostor) == ["wrong signature"]


def test_a_key_under_the_wrong_identifier() -> None:
    read = opened(seal(PAYLOAD, KIND, [A]), {B.id: A.public}, KIND)
    assert [p.name for p in read.problems] == ["wrong key id"]
    assert not read.holds


def test_an_expired_key() -> None:
    key = Key.new("For a day", days=1)
    keys = {key.id: key.public}
    envelope = seal(PAYLOAD, KIND, [key])
    assert opened(envelope, keys, KIND, on=key.expires).holds
    late = opened(envelope, keys, KIND, on=key.created + timedelta(2))
    assert not late.holds
    assert [p.name for p in late.problems] == ["expired key"]


def test_every_bit_of_a_signature_counts() -> None:
    whole = seal(PAYLOAD, KIND, [A])
    signature = base64.b64decode(whole["signatures"][0]["sig"])
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        spelt = base64.b64encode(bytes(flipped)).decode()
        assert problems({**whole, "signatures": [{"keyid": A.id, "sig": spelt}]}) == [
            "wrong signature"
        ]


def test_another_kind_of_document_does_not_pass() -> None:
    with pytest.raises(TrustError, match="is expected"):
        opened(seal(PAYLOAD, "application/json", [A]), KEYS, KIND)
    relabelled = {**seal(PAYLOAD, "application/json", [A]), "payloadType": KIND}
    assert problems(relabelled) == ["wrong signature"]


@pytest.mark.parametrize(
    "change",
    [
        {"payload": "e30"},  # no padding
        {"payload": "e31="},  # bits after the last byte
        {"payload": "e3 0="},
        {"payload": "é30="},
        {"payload": 3},
        {"payload": None},
        {"signatures": []},
        {"signatures": {}},
        {"signatures": ["a"]},
        {"signatures": [{"keyid": "a"}]},
        {"signatures": [{"keyid": 1, "sig": "AA=="}]},
        {"signatures": [{"keyid": "a", "sig": "AA==", "cert": ""}]},
        {"signatures": [{"keyid": "a", "sig": "AA=="}] * 101},
        {"payloadType": 1},
        {"more": 1},
    ],
)
def test_no_envelope(change: dict[str, Any]) -> None:
    with pytest.raises(TrustError, match=r"[Ee]nvelope"):
        opened({**seal(PAYLOAD, KIND, [A]), **change}, KEYS, KIND)


@pytest.mark.parametrize("content", [[], None, "a", {}, {"payload": ""}])
def test_nothing_like_an_envelope(content: Any) -> None:
    with pytest.raises(TrustError, match="no signed envelope"):
        opened(content, KEYS, KIND)


@pytest.mark.parametrize("spelt", ["", "AA", "A-_=", "AB==", "!!!!"])
def test_signatures_in_a_loose_spelling(spelt: str) -> None:
    whole = seal(PAYLOAD, KIND, [A])
    one = {"keyid": A.id, "sig": spelt}
    assert problems({**whole, "signatures": [one]}) == ["wrong signature"]


def test_two_signatures_and_their_verification_are_quick() -> None:
    payload = b"x" * 200_000
    durations = []
    for _ in range(5):
        started = time.perf_counter()
        assert len(opened(seal(payload, KIND, [A, B]), KEYS, KIND).signers) == 2
        durations.append(time.perf_counter() - started)
    assert min(durations) < 0.05
