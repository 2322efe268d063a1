"""A certificate in the forms of others: JSON-LD, RO-Crate, the PIA tool, a register."""

import base64
import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from sosie.report import wording
from sosie.trust import Certificate, contexts, crate_of, hash_code, pia_of, register_of

from .release import Release, make

SCHEMA = "http://schema.org/"

# What the authority's own example holds (LINCnil/pia, 2018-02-21-pia-example.json): the keys of
# each part, and of what type the tool expects them.
PIA = {
    "dbVersion": int, "tableName": str, "serverUrl": type(None), "numberOfQuestions": int,
    "created_at": str, "id": int, "objectStore": dict, "status": int, "name": str,
    "author_name": str, "evaluator_name": str, "validator_name": str, "dpo_opinion": str,
    "concerned_people_opinion": str, "rejection_reason": str, "applied_adjustments": str,
    "updated_at": str, "dpos_names": str, "people_names": str,
    "concerned_people_searched_content": str, "category": str,
}  # fmt: skip
OPEN = {"dpo_status", "concerned_people_status", "concerned_people_searched_opinion"}
TEXTS = {111, 112, 113, 121, 122, 123, 211, 212, 213, 214, 215, 221, 222, 223, 224, 225, 226, 227}
LISTS = {number + part for number in (320, 330, 340) for part in (1, 2, 3, 4)}
GAUGES = {number + part for number in (320, 330, 340) for part in (5, 6)}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def certificate(release: Release) -> Certificate:
    return Certificate.of(release.record)


def test_json_ld_expands_offline(certificate: Certificate) -> None:
    jsonld = pytest.importorskip("pyld").jsonld

    def load(url: str, _: Any = None) -> dict[str, Any]:
        return {"contextUrl": None, "documentUrl": url, "document": contexts()[url]}

    crate = crate_of(certificate)
    options = {"documentLoader": load, "base": "https://x/"}
    expanded = {one["@id"]: one for one in jsonld.expand(crate, options)}
    assert len(expanded) == len(crate["@graph"])
    root = expanded["https://x/"]
    assert root["@type"] == [f"{SCHEMA}Dataset"]
    assert root["http://purl.org/dc/terms/conformsTo"] == [{"@id": "https://w3id.org/5s-crate/0.4"}]
    record = expanded["https://x/#record"]["urn:sosie:terms#record"]
    assert record == [{"@type": "@json", "@value": certificate.content()}]
    # Every key of every entity means something: a term without meaning would be gone.
    for entity in crate["@graph"]:
        found = expanded[urljoin("https://x/", entity["@id"])]
        assert len(found) == len(entity), entity["@id"]


def test_the_graph_is_flat_and_whole(certificate: Certificate) -> None:
    graph = crate_of(certificate)["@graph"]
    named = {entity["@id"] for entity in graph}
    assert len(named) == len(graph)

    def references(value: Any) -> set[str]:
        if isinstance(value, list):
            return {one for part in value for one in references(part)}
        if isinstance(value, dict) and set(value) == {"@id"}:
            return {value["@id"]}
        assert not isinstance(value, dict) or "@value" in value
        return set()

    used = {one for entity in graph for v in entity.values() for one in references(v)}
    ours = {one for one in used if not one.startswith("http") or "5s-crate" in one}
    assert ours <= named
    assert named - used <= {"ro-crate-metadata.json", "./", "#record"}


@pytest.mark.filterwarnings("ignore")  # its own libraries warn of each other
def test_roc_validator(certificate: Certificate, tmp_path: Path, monkeypatch: Any) -> None:
    """The base profile of RO-Crate 1.2, by its validator, with the context that is shipped."""
    services = pytest.importorskip("rocrate_validator.services")
    from rocrate_validator import models
    from rocrate_validator.utils import http

    class Answer:
        status_code = 200

        def __init__(self, url: str) -> None:
            self.headers = {"Content-Type": "application/ld+json"}
            self.content = json.dumps(contexts()[url]).encode()

        def json(self) -> Any:
            return json.loads(self.content)

    monkeypatch.setattr(http.HttpRequester, "get", lambda _, url, **__: Answer(url), raising=False)
    metadata = tmp_path / "ro-crate-metadata.json"
    metadata.write_text(json.dumps(crate_of(certificate)), "utf-8")
    settings = {
        "rocrate_uri": str(tmp_path),
        "profile_identifier": "ro-crate-1.2",
        "requirement_severity": models.Severity.REQUIRED,
    }
    found = services.validate(settings)
    assert [issue.message for issue in found.get_issues()] == []


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_pia_has_the_shape_of_the_authority(certificate: Certificate, lang: str) -> None:
    begun = pia_of(certificate, "ab" * 32, lang, wording(lang))
    assert list(begun) == ["pia", "answers", "measures", "evaluations", "comments"]
    assert begun["pia"].keys() == PIA.keys() | OPEN
    for key, kind in PIA.items():
        assert isinstance(begun["pia"][key], kind), key
    assert all(begun["pia"][key] is None for key in OPEN)
    answers = {one["reference_to"]: one for one in begun["answers"]}
    assert answers.keys() == TEXTS | LISTS | GAUGES
    assert len(answers) == begun["pia"]["numberOfQuestions"]
    titles = {one["title"] for one in begun["measures"]}
    for number, one in answers.items():
        assert one.keys() == {"pia_id", "reference_to", "data", "created_at", "id"}
        data = one["data"]
        assert data.keys() == {"text", "gauge", "list"}
        if number in LISTS:
            assert data["text"] is None
            assert data["gauge"] is None
            assert data["list"]
            assert number % 10 != 4 or set(data["list"]) <= titles
        else:
            assert data["list"] == []
            assert data["gauge"] == 0  # nobody but the controller judges gravity and likelihood
            assert not re.search(r"\{\w*\}|\.\.", data["text"]), data["text"]
    for one in begun["measures"]:
        assert one.keys() == {"pia_id", "title", "content", "placeholder", "created_at", "id"}
    assert "Why nurses leave" in answers[111]["data"]["text"]
    assert "CHU de Nantes" in answers[112]["data"]["text"]


def test_texts_of_the_pia_are_no_markup(release: Release) -> None:
    record = release.record
    record["agreement"]["title"] = "<b>&</b>"
    begun = pia_of(Certificate.of(record), "ab" * 32, "en", wording("en"))
    text = next(one["data"]["text"] for one in begun["answers"] if one["reference_to"] == 111)
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in text


@pytest.mark.parametrize(("lang", "mark"), [("en", ","), ("fr", ";")])
def test_a_line_of_the_register(release: Release, lang: str, mark: str) -> None:
    record = release.record
    record["article_30"]["purposes"] = '=HYPERLINK("http://x";"y")'
    content = register_of(Certificate.of(record), lang).decode("utf-8-sig")
    head, line = csv.reader(io.StringIO(content), delimiter=mark)
    assert [title[:1] for title in head[3:]] == (["("] * 7 if lang == "en" else list("abcdefg"))
    assert line[0] == record["id"]
    assert line[3] == "CHU de Nantes, Région"
    assert line[4] == '\'=HYPERLINK("http://x";"y")'


def test_french_forms_are_in_french(release: Release) -> None:
    record = release.record
    record["article_30"]["persons_and_data"] = "Nurses (2024) (Gender, Age, PersonalData)"
    record["evidence"]["threshold"] = 0.005
    record["decisions"][0]["exceptions"] = [
        {"item": "verdict", "found": "fail", "asked": "pass, attention", "reason": "Closed room."},
        {"item": "threshold", "found": "0.1", "asked": "0.05", "reason": "Closed room."},
    ]
    certificate = Certificate.of(record)
    line = register_of(certificate, "fr").decode("utf-8-sig")
    assert ";Nurses (2024) (genre ou sexe, âge, autre donnée personnelle);" in line
    begun = pia_of(certificate, "ab" * 32, "fr", wording("fr"))
    told = json.dumps(begun, ensure_ascii=False).replace("\u00a0", " ").replace("\u202f", " ")
    asked = "verdict des preuves « échec », là où est demandé « conforme » ou « attention »"
    assert asked in told
    assert "seuil 0,1, là où est demandé 0,05 : Closed room." in told
    assert "au seuil de 0,5 points" in told
    assert "CEPD 28/2024 ; règles de sosie" in told
    assert "Individualisation : conforme ; Corrélation : conforme" in told
    assert not re.search(r"EDPB|\bfail\b|\bpass\b|réussi\)", told)


def test_the_code_is_a_qr_code() -> None:
    """Three finders, and as many modules as ISO/IEC 18004 has for 71 bytes at level Q."""
    svg = hash_code("0123456789abcdef" * 4).decode()
    size = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0]) - 4
    assert size == 41  # version 6: 74 bytes at level Q; version 5 has 60
    rows = drawn(svg, size)
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        assert [row[left : left + 7] for row in rows[top : top + 7]] == finder
    other = drawn(hash_code("1123456789abcdef" * 4).decode(), size)
    assert other != rows


def drawn(svg: str, size: int) -> list[str]:
    """Read the modules out of the lines of the drawing."""
    modules = [["0"] * size for _ in range(size)]
    x = y = 0.0
    for kind, across, down in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", svg):
        if kind == "h":
            start = int(x) - 2
            modules[int(y) - 2][start : start + int(across)] = ["1"] * int(across)
            x += float(across)
        elif kind == "M":
            x, y = float(across), float(down)
        else:
            x, y = x + float(across), y + float(down)
    return ["".join(row) for row in modules]


def test_every_result_is_named_by_its_hash(certificate: Certificate) -> None:
    for entity in crate_of(certificate)["@graph"]:
        if entity["@type"] == "File":
            name = entity["@id"].removeprefix("ni:///sha-256;")
            assert base64.urlsafe_b64decode(name + "=").hex() == entity["sha256"]
