"""A made-up record of a certificate: a release of a table nobody owns."""

import base64
import hashlib
from typing import Any

from sosie.trust import Key, sha256
from sosie.trust._judged import Judged
from sosie.trust._opinion import opinion_of

from ..report.sample import evidence as evidence_of

HOSTILE = 'a<script>alert("x")</script> & {{ 7*7 }} </textarea>'


def evidence(original: bytes = b"", synthetic: bytes = b"", **more: Any) -> dict[str, Any]:
    """Make evidence of two files, as ``evidence.json`` holds it."""
    made = evidence_of(**more)
    for role, content in (("original", original), ("synthetic", synthetic)):
        made["inputs"][role]["sha256"] = hashlib.sha256(content).hexdigest()
    return made


def signer(key: Key, *, required: bool = True) -> dict[str, Any]:
    public = base64.b64encode(key.public.raw).decode()
    return {"name": key.name, "key": key.id, "public": public, "required": required}


def record(keys: list[Key], judged: dict[str, Any]) -> dict[str, Any]:
    """Make the record of a certificate that these keys sign."""
    opinion = opinion_of(Judged.model_validate(judged)).model_dump(mode="json")
    return {
        "format": "sosie-certificate/1",
        "id": "urn:uuid:0f6e8a3c-95c1-4a57-9d3e-1a2b3c4d5e6f",
        "made_at": "2026-11-22T10:00:00Z",
        "signers": [signer(key) for key in keys],
        "agreement": {
            "id": "urn:uuid:11111111-2222-4333-8444-555555555555",
            "sha256": sha256(b"agreement"),
            "title": "Retention of nurses",
            "parties": [
                {"name": "CHU de Nantes", "roles": ["controller"]},
                {"name": "Observatoire régional", "roles": ["recipient"]},
            ],
            "purpose": "Understand why nurses leave.",
            "purpose_terms": ["https://w3id.org/dpv#ScientificResearch"],
            "legal_basis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
            "uses": ["descriptive statistics"],
            "recipients": ["Observatoire régional"],
            "valid_from": "2026-11-01",
            "valid_until": "2099-11-01",
            "retention": "Two years after the release.",
            "withdrawal": "By letter to the holder.",
            "charter": "Charter 1.0",
        },
        "original": {
            "columns": [{"name": "age", "kind": "integer", "category": None}],
            "rows": 5000,
            "schema_sha256": sha256(b"schema"),
            "commitment": sha256(b"commitment"),
        },
        "crossings": [],
        "computation": {
            "generator": "avatar",
            "version": "sosie 0.1.0",
            "parameters": {"k": 10, "kernel": "gibbs", "weights": {"age": 2.0}},
            "seed_commitment": sha256(b"seed"),
        },
        "evidence": judged,
        "opinion": opinion,
        "results": [
            {
                "name": "synthetic.csv",
                "media_type": "text/csv",
                "rows": 5000,
                "columns": ["age"],
                "sha256": sha256(b"file"),
                "content_sha256": sha256(b"content"),
            }
        ],
        "expires": "2099-11-01",
        "decisions": [
            {
                "who": keys[0].name,
                "what": "release",
                "at": "2026-11-22T10:00:00Z",
                "exceptions": [],
            }
        ],
        "ledgers": [],
        "environment": {
            "python": "3.11.2",
            "sosie": "0.1.0",
            "code_sha256": sha256(b"code"),
            "packages": {"numpy": "2.4.6"},
            "packages_sha256": sha256(b"lock"),
        },
        "article_30": {
            "controllers": ["CHU de Nantes"],
            "purposes": "Understand why nurses leave.",
            "persons_and_data": "Nurses; age",
            "recipients": ["Observatoire régional"],
            "transfers": "None.",
            "erasure": "Two years after the release.",
            "security": ["synthetic_data"],
        },
        "not_proved": ["data_quality"],
    }
