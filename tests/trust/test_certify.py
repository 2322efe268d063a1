"""What a certificate says is so, what it must not say is not in it, what must not be is refused."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sosie.errors import SosieError, TrustError
from sosie.table import Table
from sosie.trust import (
    Certificate,
    Key,
    Opening,
    SignedAgreement,
    certify,
    content_hash,
    sign_agreement,
)

from .release import RUN, TODAY, Release, agreement, evidence, make

CANARIES = ("Zébulon Quintrelle", "RARE_LABEL_Q77", "FR-ID-000913", "19.873421")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make(tmp_path_factory.mktemp("release"))


def test_what_it_says_is_so(release: Release) -> None:
    record, statement = release.record, release.statement
    file = hashlib.sha256(release.synthetic.read_bytes()).hexdigest()
    content = content_hash(Table.read(release.synthetic))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [
        {"name": "synthetic.csv", "digest": {"sha256": file, "sosieContent1": content}}
    ]
    assert record["agreement"]["sha256"] == SignedAgreement.read(release.agreement).sha256
    assert record["original"]["rows"] == 300
    assert [one["name"] for one in record["original"]["columns"]] == ["age", "sex", "ward"]
    assert record["computation"]["parameters"] == {"k": 10, "ncp": 5, "kernel": "gibbs"}
    assert [one["name"] for one in record["signers"] if one["required"]] == [
        "Région",
        "CHU de Nantes",
    ]
    assert record["expires"] == (TODAY + dt.timedelta(300)).isoformat()
    told = json.loads((release.folder / "evidence.json").read_text("utf-8"))
    findings = record["evidence"]["privacy"]
    assert findings.keys() == told["privacy"].keys()
    for name, one in told["privacy"].items():
        if not findings[name]["hidden"]:
            assert findings[name]["value"] == pytest.approx(one["value"], abs=1e-4)
            assert findings[name]["difference_ci"] == pytest.approx(one["difference_ci"], abs=1e-4)
        assert findings[name]["verdict"] == one["verdict"]
        assert findings[name]["target"] == one["target"]


def test_the_phases_of_the_five_safes(release: Release) -> None:
    graph = {entity["@id"]: entity for entity in release.statement["predicate"]["@graph"]}
    phases = {
        graph[one["@id"]]["additionalType"]["@id"].removeprefix("https://w3id.org/shp#"): one["@id"]
        for one in graph["./"]["mentions"]
        if "additionalType" in graph[one["@id"]]
    }
    assert phases == {
        "CheckValue": "#check",
        "ValidationCheck": "#validation",
        "SignOff": "#sign-off",
        "DisclosureCheck": "#disclosure",
        "GenerateCheckValue": "#publishing",
    }
    execution = graph["#execution"]
    assert execution["@type"] == "CreateAction"
    file = graph[execution["result"]["@id"]]
    # RFC 6920, section 3: the name of a file is its hash.
    digest = base64.urlsafe_b64encode(bytes.fromhex(file["sha256"])).decode().rstrip("=")
    assert file["@id"] == f"ni:///sha-256;{digest}"
    assert graph["./"]["conformsTo"] == {"@id": "https://w3id.org/5s-crate/0.4"}


def test_the_original_is_committed_to_not_hashed(release: Release) -> None:
    """Two certificates of one table do not show that it is one; the opening shows it."""
    told = json.loads((release.folder / "evidence.json").read_text("utf-8"))
    made = [release.certified(told, run=json.dumps(RUN).encode()) for _ in range(2)]
    first, second = (one.certificate.original.commitment for one in made)
    assert first != second
    content = content_hash(Table.read(release.original))
    nonce = bytes.fromhex(made[0].opening.original)
    said = f'["original","{content}"]'.encode()
    assert hmac.new(nonce, said, hashlib.sha256).hexdigest() == first
    nonce = bytes.fromhex(made[0].opening.seed)
    seed = hmac.new(nonce, b'["seed","20261122"]', hashlib.sha256).hexdigest()
    assert made[0].certificate.computation.seed_commitment == seed
    text = json.dumps(release.statement)
    file = hashlib.sha256(release.original.read_bytes()).hexdigest()
    for secret in (content, file, "20261122", Opening.find(release.record["id"], release.folder)):
        assert secret is not None
        assert str(getattr(secret, "original", secret)) not in text


def canary_release(release: Release, folder: Path) -> tuple[Release, dict[str, Any]]:
    """Plant what only persons have into the tables and into every corner of the evidence."""
    shutil.copytree(release.folder, folder, dirs_exist_ok=True)
    planted = Release(folder, release.holder, release.region)
    name, label, identity, number = CANARIES
    frame = pl.read_csv(release.original).with_columns(
        ward=pl.when(pl.int_range(300) == 3).then(pl.lit(label)).otherwise("ward"),
        sex=pl.when(pl.int_range(300) == 3).then(pl.lit(name)).otherwise("sex"),
        age=pl.col("age") + float(number) * (pl.int_range(300) == 3),
    )
    frame.write_csv(planted.original)
    told = evidence(planted.original, planted.synthetic)
    for findings in (told["privacy"], told["utility"]):
        for one in findings.values():
            one["detail"] = {"levels": [label], name: {"value": float(number), "id": identity}}
    told["replication"] = [{"label": label, "who": name}]
    told["controls"]["planted"] |= {"persons": 3, "tried": [{"found_by": [label], "persons": 2}]}
    told["inputs"]["original"] |= {"name": f"{name}.csv", "rows": 297, "columns": 3}
    told["inputs"]["left_out"] = {identity: label}
    told["settings"] |= {"secrets": [label], "known": [name], "target": identity}
    told["settings"]["sampled"] = {label: [3, 4]}
    told["privacy"]["exact_copies"] |= {
        "value": 4 / 300, "ci": [0.0036, 0.0338], "control": 0.0, "difference": 4 / 300,
        "difference_ci": [0.001, 0.03], "n": 300, "n_control": 300,
    }  # fmt: skip
    told["privacy"]["unique_copies"] |= {"value": 0.5, "n": 9, "control": 0.4, "n_control": 7}
    return planted, told


def test_no_person_and_no_small_count(release: Release, tmp_path: Path) -> None:
    planted, told = canary_release(release, tmp_path / "canaries")
    certificate = planted.certified(told).certificate
    text = json.dumps(certificate.content(), ensure_ascii=False)
    escaped = json.dumps(certificate.content())
    for canary in (*CANARIES, "Zébulon", "Q77", "000913", "19.87"):
        assert canary not in text
        assert canary not in escaped
    copies = certificate.evidence.privacy["exact_copies"]
    assert copies.hidden
    assert {copies.value, copies.ci, copies.difference, copies.difference_ci, copies.control} == {
        None
    }
    assert certificate.evidence.privacy["unique_copies"].hidden
    assert counts(certificate.content()) == []
    assert counts({"rows": [{"n": 7}, {"n": 13}, {"n": 20}]}) == [7, 13]
    assert certificate.original.rows == 300


def counts(value: Any) -> list[int]:
    """Find every count of persons or rows that is not rounded, or is small."""
    found = []
    if isinstance(value, dict):
        for key, part in value.items():
            if key in ("rows", "attacks", "n", "persons") and isinstance(part, int):
                found += [part] if 0 < part < 11 or part % 10 else []
            found += counts(part)
    elif isinstance(value, list):
        found = [one for part in value for one in counts(part)]
    return found


def test_words_of_evidence_are_words(release: Release) -> None:
    """Nobody smuggles a sentence through a name of a measure, a reason or a driver."""
    for place in ("name", "why", "driver", "effort"):
        told = evidence(release.original, release.synthetic)
        if place == "name":
            told["privacy"][CANARIES[0]] = told["privacy"]["linkability"]
        elif place == "why":
            told["privacy"]["linkability"]["why_not"] = CANARIES[0]
        elif place == "driver":
            told["criteria"]["linkability"]["drivers"] = [CANARIES[0]]
        else:
            told["settings"]["effort"] = CANARIES[0]
        with pytest.raises(TrustError, match="This is not evidence") as refused:
            release.certified(told)
        assert CANARIES[0] not in str(refused.value) or place == "name"


def refused(release: Release, told: dict[str, Any], **more: Any) -> str:
    with pytest.raises(SosieError) as error:
        release.certified(told, **more)
    return str(error.value)


def test_what_is_not_certified(release: Release, tmp_path: Path) -> None:
    good = evidence(release.original, release.synthetic)

    def told(**changed: Any) -> dict[str, Any]:
        return {**good, **changed}

    inputs = good["inputs"]
    swapped = told(inputs={**inputs, "original": inputs["synthetic"]})
    assert "judged another original" in refused(release, swapped)
    swapped = told(inputs={**inputs, "synthetic": inputs["original"]})
    assert "judged another synthetic table" in refused(release, swapped)
    old = told(made_on="2020-01-01", review_by="2021-01-01")
    assert "make it again" in refused(release, old)
    assert "there is none to make" in refused(release, good, exception="why not")
    forged = evidence(release.original, release.synthetic, "fail")
    forged["verdict"] = "pass"
    assert "better than that of one of its criteria" in refused(release, forged)
    forged = evidence(release.original, release.synthetic, "fail")
    for one in (forged, *forged["criteria"].values()):
        one["verdict"] = "pass"
    assert "better than that of one of its attacks" in refused(release, forged)
    assert "controls did not all end as expected" in refused(release, told(controls={}))
    missed = {**good["controls"], "planted": {**good["controls"]["planted"], "found": False}}
    assert "controls did not all end as expected" in refused(release, told(controls=missed))
    few = json.dumps({**RUN, "k": 2}).encode()
    assert "k of avatar is 2" in refused(release, good, run=few)
    published = json.dumps({**RUN, "kernel": "published"}).encode()
    assert "kernel of avatar" in refused(release, good, run=published)
    assert "sosie avatar --json" in refused(release, good, run=b"{}")
    for key, why in (("sha256", "wrote another file"), ("agreement", "another agreement")):
        run = json.dumps({**RUN, key: "0" * 64}).encode()
        assert why in refused(release, good, run=run)
    generator = told(judged="generator")
    assert "other parameters" in refused(release, generator)


def test_less_than_was_agreed_is_told_to_every_reader(release: Release) -> None:
    good = evidence(release.original, release.synthetic)
    settings = good["settings"]
    for told, item, found, asked in (
        (
            evidence(release.original, release.synthetic, "attention"),
            "verdict",
            "attention",
            "pass",
        ),
        (evidence(release.original, release.synthetic, "fail"), "verdict", "fail", "pass"),
        ({**good, "settings": {**settings, "threshold": 0.2}}, "threshold", "0.2", "0.05"),
        ({**good, "settings": {**settings, "effort": "quick"}}, "effort", "quick", "standard"),
    ):
        for reason in (None, "  "):
            (one,) = release.certified(told, exception=reason).certificate.exceptions
            assert (one.item, one.found, one.asked) == (item, found, asked)
            assert "no reason given" in one.reason
    assert release.certified(good).certificate.exceptions == []


def test_an_exception_is_written_down(release: Release) -> None:
    told = evidence(release.original, release.synthetic, "fail")
    made = release.certified(told, exception="In a closed room only.").certificate
    (one,) = made.exceptions
    assert (one.item, one.found, one.asked, one.reason) == (
        "verdict", "fail", "pass", "In a closed room only.",
    )  # fmt: skip
    assert made.opinion.conclusion == "detailed_analysis_needed"
    assert made.decisions[0].who == "CHU de Nantes"


def signed(tmp_path: Path, *keys: Key, **changed: Any) -> SignedAgreement:
    path, asked = tmp_path / f"{len(list(tmp_path.iterdir()))}.json", agreement(**changed)
    for key in keys:
        sign_agreement(asked, key, path)
    return SignedAgreement.read(path)


def test_agreements_that_do_not_allow_it(release: Release, tmp_path: Path) -> None:
    told = json.dumps(evidence(release.original, release.synthetic)).encode()

    def why(allowed: SignedAgreement, key: Key) -> str:
        with pytest.raises(TrustError) as error:
            certify(allowed, told, release.original, release.synthetic, key)
        return str(error.value)

    both = (release.holder, release.region)
    ended = {"starts": "2020-01-01", "ends": "2020-12-31"}
    assert "ended on 2020-12-31" in why(signed(tmp_path, *both, validity=ended), release.holder)
    unsigned = signed(tmp_path, release.region)
    assert "has not signed the agreement" in why(unsigned, release.region)
    sets = agreement().content()["data_sets"]
    sets[0]["columns"] = sets[0]["columns"][:2]
    without = signed(tmp_path, *both, data_sets=sets)
    assert "'ward'" in why(without, release.holder)
    assert "none of the parties" in why(signed(tmp_path, *both), Key.new("Mallory"))


def test_the_original_is_not_released(release: Release, tmp_path: Path) -> None:
    copy = tmp_path / "copy.parquet"
    pl.read_csv(release.original).write_parquet(copy)
    told = json.dumps(evidence(release.original, copy)).encode()
    with pytest.raises(TrustError, match="cell for cell"):
        certify(
            SignedAgreement.read(release.agreement), told, release.original, copy, release.holder
        )


def test_a_controller_who_did_not_sign_the_agreement_is_asked_for(
    release: Release, tmp_path: Path
) -> None:
    told = json.dumps(evidence(release.original, release.synthetic)).encode()
    allowed = signed(tmp_path, release.holder)
    made = certify(allowed, told, release.original, release.synthetic, release.holder).certificate
    region = made.signers[0]
    assert (region.name, region.key, region.required) == ("Région", None, True)


def test_a_record_is_nothing_else(release: Release) -> None:
    record = release.record
    for wrong in (
        {**record, "more": 1},
        {k: v for k, v in record.items() if k != "opinion"},
        {**record, "expires": "soon"},
        {**record, "results": []},
        {**record, "decisions": []},
    ):
        with pytest.raises(TrustError, match="not as it must be"):
            Certificate.of(wrong)
