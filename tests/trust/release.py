"""A small release, whole: tables, evidence made up for them, a signed agreement, a certificate."""

import base64
import datetime as dt
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sosie.evidence import Finding
from sosie.evidence._criteria import ATTACKS_OF_TABLES, judge
from sosie.trust import (
    PAYLOAD_TYPE,
    Agreement,
    Certified,
    Key,
    SignedAgreement,
    canonical,
    certify,
    seal,
    sha256,
    sign_agreement,
    statement_of,
)

from ..report.sample import evidence as evidence_of
from ..report.sample import finding

TODAY = dt.datetime.now(dt.UTC).date()
RUN = {"rows": 300, "k": 10, "ncp": 5, "kernel": "gibbs", "seed": 20261122, "out": "s.csv"}
COLUMNS = ("age", "sex", "ward")
MEASURES = (*ATTACKS_OF_TABLES, "hidden_rate", "hellinger_mean", "sd_ratio")
"""Few, as every place of a certificate is changed one at a time."""


def table(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "age": rng.integers(20, 65, 300),
            "sex": rng.choice(["f", "m"], 300),
            "ward": rng.choice(["surgery", "emergency", "paediatrics"], 300),
        }
    )


def evidence(original: Path, synthetic: Path, verdict: str = "pass", **more: Any) -> dict[str, Any]:
    """Make evidence of these files, as ``evidence.json`` holds it."""
    made = evidence_of(list(COLUMNS) * 4, verdict=verdict) | {
        "made_on": TODAY.isoformat(),
        "review_by": (TODAY + dt.timedelta(365)).isoformat(),
        **more,
    }
    made["privacy"] |= {
        "moved_copies": finding(why_not="no_number"),
        "attribute_inference_max": {
            **made["privacy"]["attribute_inference_max"],
            "verdict": verdict,
        },
    }
    for part in ("privacy", "utility"):
        made[part] = {
            name: {**one, "detail": {}} for name, one in made[part].items() if name in MEASURES
        }
    found = {name: Finding(**one) for name, one in made["privacy"].items()}
    judged, _ = judge(found, control=True)
    made["criteria"] = {name: one.model_dump(mode="json") for name, one in judged.items()}
    for role, path in (("original", original), ("synthetic", synthetic)):
        made["inputs"][role] = {**made["inputs"][role], "sha256": sha256(path.read_bytes())}
    return made


def agreement(**changed: Any) -> Agreement:
    return Agreement.of(
        {
            "format": "sosie-agreement/1",
            "id": f"urn:uuid:{uuid.uuid4()}",
            "title": "Why nurses leave",
            "parties": [
                {"id": "chu", "name": "CHU de Nantes", "roles": ["controller"]},
                {"id": "region", "name": "Région", "roles": ["joint_controller"]},
                {"id": "lab", "name": "Laboratoire", "roles": ["recipient"]},
            ],
            "purpose": {"description": "Know why nurses leave.", "terms": ["PublicBenefit"]},
            "legal_basis": ["A6-1-e"],
            "data_sets": [
                {
                    "id": "nurses",
                    "title": "Nurses",
                    "holder": "chu",
                    "persons": "Nurses of the hospital",
                    "columns": [{"name": name, "category": "PersonalData"} for name in COLUMNS],
                }
            ],
            "uses": ["Descriptive statistics."],
            "generators": [
                {
                    "name": "avatar",
                    "parameters": {
                        "k": {"lower": 5, "upper": 50},
                        "ncp": {"lower": 2},
                        "kernel": {"one_of": ["gibbs"]},
                        "weight": {"lower": 0, "upper": 3},
                    },
                }
            ],
            "disclosure": {"preset": "snds-11"},
            "evidence": {"threshold": 0.05, "accept": ["pass"], "effort": "standard"},
            "retention": "Two years.",
            "transfers": "None.",
            "validity": {
                "starts": (TODAY - dt.timedelta(10)).isoformat(),
                "ends": (TODAY + dt.timedelta(300)).isoformat(),
            },
            "withdrawal": "By letter.",
            **changed,
        }
    )


@dataclass(frozen=True)
class Release:
    """Where everything of a release lies."""

    folder: Path
    holder: Key
    region: Key

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def known(self) -> dict[str, Any]:
        return {key.id: key.public for key in (self.holder, self.region)}

    @property
    def original(self) -> Path:
        return self.folder / "original.csv"

    @property
    def synthetic(self) -> Path:
        return self.folder / "synthetic.csv"

    @property
    def agreement(self) -> Path:
        return self.folder / "agreement.json"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.json"

    @property
    def envelope(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.certificate.read_bytes())
        return read

    @property
    def statement(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(base64.b64decode(self.envelope["payload"]))
        return read

    @property
    def record(self) -> dict[str, Any]:
        graph = self.statement["predicate"]["@graph"]
        found: dict[str, Any] = next(e for e in graph if e["@id"] == "#record")
        value: dict[str, Any] = found["record"]["@value"]
        return value

    def sealed(self, statement: Any, *keys: Key) -> dict[str, Any]:
        """Sign another statement as the parties would."""
        return seal(canonical(statement), PAYLOAD_TYPE, keys or (self.holder, self.region))

    def certified(self, told: dict[str, Any], **more: Any) -> Certified:
        """Certify with this evidence."""
        return certify(
            SignedAgreement.read(self.agreement),
            json.dumps(told).encode(),
            self.original,
            self.synthetic,
            self.holder,
            **more,
        )


def make(folder: Path) -> Release:
    """Make a release that verifies."""
    release = Release(folder, Key.new("CHU de Nantes"), Key.new("Région"))
    release.keys.mkdir()
    for key in (release.holder, release.region):
        key.write(release.keys)
        sign_agreement(agreement_of(folder), key, release.agreement)
    table(0).write_csv(release.original)
    table(1).write_csv(release.synthetic)
    told = evidence(release.original, release.synthetic)
    (folder / "evidence.json").write_text(json.dumps(told), "utf-8")
    (folder / "run.json").write_text(json.dumps(RUN), "utf-8")
    made = release.certified(told, run=json.dumps(RUN).encode())
    envelope = release.sealed(statement_of(made.certificate))
    release.certificate.write_bytes(canonical(envelope) + b"\n")
    (folder / "certificate.opening.json").write_bytes(made.opening.content())
    return release


def agreement_of(folder: Path) -> Agreement:
    """Give the one agreement of a folder."""
    path = folder / "agreement.draft.json"
    if not path.exists():
        path.write_bytes(agreement().canonical())
    return Agreement.of(json.loads(path.read_bytes()))
