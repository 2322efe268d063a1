"""Agreements: every change breaks the signatures, what is not allowed is refused."""

import copy
import datetime as dt
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
from lifelines import datasets

from sosie.errors import TrustError
from sosie.table import Column, Schema, Table
from sosie.trust import (
    AGREEMENT,
    Agreement,
    Key,
    SignedAgreement,
    agreement_template,
    canonical,
    differences,
    seal,
    sign_agreement,
)
from sosie.trust._disclosure import PRESETS, Disclosure
from sosie.trust._schemas import DOCUMENTS, schema_of
from sosie.trust._vocabulary import iri_of, terms_of

HOLDER, SECOND, STRANGER = Key.new("CHU de Nantes"), Key.new("Hospices de Lyon"), Key.new("Mallory")
KEYS = {key.id: key.public for key in (HOLDER, SECOND, STRANGER)}
TEMPLATE = agreement_template("en")
TODAY = dt.datetime.now(dt.UTC).date()


def content() -> dict[str, Any]:
    """Give an agreement of two holders and a recipient, with every field there is."""
    said = tomllib.loads(TEMPLATE)
    said["parties"] = [
        {"id": "nantes", "name": HOLDER.name, "roles": ["joint_controller"], "key": HOLDER.id},
        {"id": "lyon", "name": SECOND.name, "roles": ["joint_controller"], "contact": "Mme X"},
        {"id": "obs", "name": "Observatoire régional", "roles": ["recipient"]},
    ]
    first = said["data_sets"][0] | {"holder": "nantes"}
    stays = [{"name": "age", "category": "Age"}, {"name": "stay", "category": "Health"}]
    second = first | {"id": "stays", "holder": "lyon", "columns": stays}
    third = first | {"id": "alone", "columns": [{"name": "wage", "category": "Salary"}]}
    said["data_sets"] = [first, second, third]
    said["crossings"] = [{"sets": ["persons", "stays"], "on": ["age"], "how": "keyed_hash"}]
    said["analyses"] = ["glm"]
    said["disclosure"]["min_cell"] = 20
    said["charter"] = {"name": "Our charter", "version": "1.0", "sha256": "0" * 64}
    return said


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    agreement = Agreement.of(content())
    for key in (HOLDER, SECOND):
        sign_agreement(agreement, key, tmp_path / "agreement.json")
    return tmp_path / "agreement.json"


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    for step, part in steps:
        yield from leaves(part, (*at, step))
    if not steps:
        yield at


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return str(dt.date.fromisoformat(value) + dt.timedelta(1))
    if isinstance(value, str):
        return f"{value[:-1]}{'1' if value[-1:] == '0' else '0'}"
    return 1 if value is None else [*value, 1]


def test_signed_by_all_who_hold_data(signed: Path) -> None:
    read = SignedAgreement.read(signed, KEYS)
    assert [key.name for key in read.signers] == [HOLDER.name, SECOND.name]
    assert read.holds
    assert read.vouched
    assert read.sha256 == Agreement.of(content()).sha256
    unvouched = SignedAgreement.read(signed)
    assert unvouched.holds
    assert not unvouched.vouched


def test_every_field_counts(signed: Path) -> None:
    """Change one field at a time: the agreement is no longer one, or its signatures are wrong."""
    envelope = json.loads(signed.read_text())
    whole = Agreement.of(content()).content()
    tried = 0
    for path in leaves(whole):
        changed = copy.deepcopy(whole)
        at(changed, path[:-1])[path[-1]] = other(at(whole, path))
        assert (
            differences(whole, changed)
            == [".".join(str(step + 1) if isinstance(step, int) else step for step in path)]
            or at(whole, path) == []
        )
        sealed = seal(canonical(changed), AGREEMENT, [STRANGER])["payload"]
        try:
            read = SignedAgreement.of({**envelope, "payload": sealed}, KEYS)
        except TrustError:
            tried += 1
            continue
        assert not read.holds, path
        assert {problem.name for problem in read.problems} == {"wrong signature"}
        assert set(read.missing) == {party.name for party in read.agreement.holders}
        assert read.refuses()[0].item == "signature"
        tried += 1
    assert tried > 100


def test_every_field_of_the_envelope_counts(signed: Path) -> None:
    envelope = json.loads(signed.read_text())
    for path in leaves(envelope):
        changed = copy.deepcopy(envelope)
        at(changed, path[:-1])[path[-1]] = other(at(envelope, path))
        for keys in (KEYS, None):
            try:
                read = SignedAgreement.of(changed, keys)
            except TrustError:
                continue
            assert not read.holds, path
            assert read.missing or read.problems


def test_a_holder_who_did_not_sign(tmp_path: Path) -> None:
    out = tmp_path / "agreement.json"
    sign_agreement(Agreement.of(content()), HOLDER, out)
    read = SignedAgreement.read(out, KEYS)
    assert read.missing == [SECOND.name]
    assert not read.holds
    assert [refusal.item for refusal in read.refuses()] == ["signature"]
    assert SECOND.name in read.refuses()[0].why


def test_a_key_of_the_right_name_and_another_identifier(tmp_path: Path) -> None:
    impostor = Key.new(HOLDER.name)
    with pytest.raises(TrustError, match="none of the parties"):
        sign_agreement(Agreement.of(content()), impostor, tmp_path / "agreement.json")
    envelope = seal(Agreement.of(content()).canonical(), AGREEMENT, [impostor, SECOND])
    read = SignedAgreement.of(envelope, {k.id: k.public for k in (impostor, SECOND)})
    assert read.missing == [HOLDER.name]
    assert [problem.name for problem in read.problems] == ["no party"]


def test_whose_key_it_is_only_the_reader_knows(signed: Path, tmp_path: Path) -> None:
    """Somebody makes keys of the same names and signs another agreement with them."""
    said = content()
    del said["parties"][0]["key"]
    forged = tmp_path / "forged.json"
    for key in (Key.new(HOLDER.name), Key.new(SECOND.name)):
        sign_agreement(Agreement.of(said), key, forged)
    assert SignedAgreement.read(forged).holds  # as the file itself says: it is told as unvouched
    read = SignedAgreement.read(forged, KEYS)
    assert not read.holds
    assert [problem.name for problem in read.problems] == ["unknown key"] * 2


def test_an_expired_key(tmp_path: Path) -> None:
    said = content()
    key = Key.new(HOLDER.name, days=1)
    said["parties"][0]["key"] = key.id
    out = tmp_path / "agreement.json"
    sign_agreement(Agreement.of(said), key, out)
    sign_agreement(Agreement.of(said), SECOND, out)
    keys = KEYS | {key.id: key.public}
    assert SignedAgreement.read(out, keys).holds
    late = SignedAgreement.read(out, keys, on=TODAY + dt.timedelta(2))
    assert [problem.name for problem in late.problems] == ["expired key"]
    assert late.missing == [HOLDER.name]


def test_signing_what_others_did_not_sign(signed: Path) -> None:
    before = signed.read_bytes()
    said = content()
    said["generators"][0]["parameters"]["k"]["lower"] = 2
    with pytest.raises(TrustError, match=r"differs .* at generators\.1\.parameters\.k\.lower"):
        sign_agreement(Agreement.of(said), HOLDER, signed)
    with pytest.raises(TrustError, match="signed this already"):
        sign_agreement(Agreement.of(content()), SECOND, signed)
    assert signed.read_bytes() == before


def test_a_file_that_cannot_be_read_is_named_once(signed: Path) -> None:
    for path, why in (
        (signed.with_name("none.json"), "does not exist"),
        (signed.parent, "directory"),
    ):
        with pytest.raises(TrustError, match=why) as refused:
            SignedAgreement.read(path, KEYS)
        assert str(refused.value).count(str(path)) == 1
    signed.write_text("{")
    with pytest.raises(TrustError, match="strict JSON") as refused:
        SignedAgreement.read(signed, KEYS)
    assert str(refused.value).count(str(signed)) == 1


def test_another_spelling_of_the_same(signed: Path) -> None:
    spelt = json.dumps(Agreement.of(content()).content()).encode()
    envelope = seal(spelt, AGREEMENT, [HOLDER, SECOND])
    with pytest.raises(TrustError, match="canonical"):
        SignedAgreement.of(envelope, KEYS)
    swapped = seal(Agreement.of(content()).canonical(), "application/json", [HOLDER, SECOND])
    with pytest.raises(TrustError, match="is expected"):
        SignedAgreement.of(swapped, KEYS)


ALLOWED: dict[str, Any] = {
    "generator": "avatar",
    "parameters": {"k": 10, "ncp": 5, "kernel": "gibbs", "weight": {"age": 2.0, "sex": 0}},
    "columns": ["age", "sex", "diagnosis"],
    "recipient": "Observatoire régional",
    "date": TODAY,
}


def test_what_is_allowed() -> None:
    agreement = Agreement.of(content())
    assert agreement.allows(**ALLOWED) == []
    assert agreement.allows(**{**ALLOWED, "generator": "Avatar", "recipient": "obs"}) == []
    assert agreement.allows(columns=["sex", "stay"]) == []  # the two sets may meet
    assert agreement.allows(analysis="glm", date=TODAY + dt.timedelta(365)) == []
    assert agreement.allows(generator="rhvae", parameters={"balance": True}) == []


@pytest.mark.parametrize(
    ("asked", "item", "why"),
    [
        ({"generator": "gan"}, "generator", "gan"),
        ({"parameters": {"k": 9}}, "parameter", "k of avatar is 9; .* 10 to 100"),
        ({"parameters": {"k": 101}}, "parameter", "101"),
        ({"parameters": {"k": float("nan")}}, "parameter", "nan"),
        ({"parameters": {"k": "10"}}, "parameter", "'10'"),
        ({"parameters": {"k": True}}, "parameter", "True"),
        ({"parameters": {"k": None}}, "parameter", "None"),
        ({"parameters": {"kernel": "published"}}, "parameter", "gibbs, rotation"),
        ({"parameters": {"weight": {"age": 1, "sex": 99}}}, "parameter", "99"),
        ({"parameters": {"linked": True}}, "parameter", "'linked' .* not mentioned"),
        ({"generator": "rhvae", "parameters": {"balance": 1}}, "parameter", "balance"),
        ({"columns": ["age", "phone"]}, "column", "'phone'"),
        ({"columns": ["age", "\u0430ge"]}, "column", "u0430"),
        ({"columns": ["Age"]}, "column", "'Age'"),
        ({"columns": ["age", "wage"]}, "column", "another data set"),
        ({"recipient": "Mallory"}, "recipient", "Mallory"),
        ({"recipient": "CHU de Nantes"}, "recipient", "not a recipient"),
        ({"recipient": "observatoire régional"}, "recipient", "not a recipient"),
        ({"analysis": "cox"}, "analysis", "cox"),
        ({"date": TODAY - dt.timedelta(1)}, "validity", "begins on"),
        ({"date": TODAY + dt.timedelta(366)}, "validity", "ended on"),
    ],
)
def test_what_is_not(asked: dict[str, Any], item: str, why: str) -> None:
    refused = Agreement.of(content()).allows(**{**ALLOWED, **asked})
    assert [one.item for one in refused] == [item]
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(refused[0].why)


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("parties", 0, "name"), "CHU\u200b de Nantes", r"parties\.1\.name.*U\+200B"),
        (("parties", 0, "name"), "CHU dе Nantes", "CYRILLIC, LATIN"),
        (("parties", 2, "name"), "Chu de nantes", "taken for one another"),
        (("parties", 2, "name"), "Hospices dé Lyon", "taken for one another"),
        (("parties", 0, "roles"), [], r"parties\.1\.roles"),
        (("parties", 0, "roles"), ["king"], "joint_controller"),
        (("parties", 0, "id"), "lyon", "twice"),
        (("parties", 0, "key"), "abc", r"parties\.1\.key"),
        (("purpose", "terms"), ["Fun"], "AcademicResearch"),
        (("purpose", "description"), "a\u202eb", r"U\+202E"),
        (("legal_basis",), ["A9-2-j"], "article 6"),
        (("legal_basis",), ["A6-1-e"], r"special category .* article 9"),
        (("legal_basis",), ["A7"], "A6-1-a"),
        (("data_sets", 0, "holder"), "nobody", "who is no party"),
        (("data_sets", 0, "columns"), [{"name": "a", "category": "Colour"}], "none of the categ"),
        (("data_sets", 1, "columns", 0, "name"), "stay", "twice"),
        (("data_sets", 1, "id"), "persons", "twice"),
        (("crossings", 0, "sets"), ["persons", "x"], "does not exist"),
        (("crossings", 0, "on"), ["sex"], "not a column of 'stays'"),
        (("generators", 0, "parameters", "k"), {}, "one_of"),
        (("generators", 0, "parameters", "k"), {"lower": 2, "one_of": [1]}, "one_of"),
        (("generators", 0, "parameters", "k"), {"lower": 2, "upper": 1}, "above upper"),
        (("generators", 1, "name"), "avatar", "twice"),
        (("disclosure", "min_cell"), 10, r"stricter than in snds-11 \(11\)"),
        (("disclosure", "preset"), "own", "snds-11"),
        (("evidence", "threshold"), 0, "greater than 0"),
        (("evidence", "accept"), ["fail"], "attention"),
        (("validity", "ends"), "2001-01-01", "before it starts"),
        (("title",), "", "title"),
        (("more",), 1, "more"),
        (("format",), "sosie-agreement/2", "format"),
        (("id",), "x", "id"),
    ],
)
def test_what_is_no_agreement(path: tuple[Any, ...], value: Any, why: str) -> None:
    said = content()
    at(said, path[:-1])[path[-1]] = value
    with pytest.raises(TrustError, match=why):
        Agreement.of(said)


def test_nobody_controls() -> None:
    said = content()
    for party in said["parties"]:
        party["roles"] = ["recipient"]
    with pytest.raises(TrustError, match="no party is a controller"):
        Agreement.of(said)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_one_begins_with(lang: Any, tmp_path: Path) -> None:
    """Once its names are filled in it is an agreement; before, nobody can sign it."""
    table = Table.of(datasets.load_lung().assign(patient_id=range(228)))
    for schema in (None, table.schema):
        text = agreement_template(lang, schema, 'l\'étude "a"')
        agreement = Agreement.of(tomllib.loads(text))
        assert agreement.unfilled() == ["parties.1.name", "parties.2.name"]
        with pytest.raises(TrustError, match=r"not filled in: parties\.1\.name"):
            sign_agreement(agreement, HOLDER, tmp_path / "no.json")
        jsonschema.validate(agreement.content(), json.loads(schema_of("agreement")))
        parameters = {"k": 10, "ncp": 5, "kernel": "gibbs"}  # what `sosie avatar` does by itself
        assert agreement.allows(generator="avatar", parameters=parameters) == []
    assert '"patient_id"' in text
    names = [column.name for column in agreement.data_sets[0].columns]
    assert names == [name for name in table.names if name != "patient_id"]


def test_names_of_columns_cannot_say_anything_else() -> None:
    name = 'a"]\nformat = "x" # $id \\ é'
    frame = pl.DataFrame({name: [0.5, 1.5, 2.5], "b": ["u", "v", "w"]})
    text = agreement_template("en", Table.of(frame).schema, '"]\n[x]')
    agreement = Agreement.of(tomllib.loads(text))
    assert [column.name for column in agreement.data_sets[0].columns] == [name, "b"]


def test_levels_are_listed_where_some_are_known_and_few() -> None:
    levels = {"none": [], "some": ["f", "m"], "many": list(range(41))}
    columns = [Column(name=name, kind="category", levels=of) for name, of in levels.items()]
    text = agreement_template("en", Schema(columns=columns))
    told = {c.name: c.levels for c in Agreement.of(tomllib.loads(text)).data_sets[0].columns}
    assert told == {"none": None, "some": ["f", "m"], "many": None}
    assert "a label that few persons have" in text
    assert "a label" not in agreement_template("en", Schema(columns=columns[::2]))


@pytest.mark.parametrize("document", list(DOCUMENTS))
def test_published_schemas(document: str) -> None:
    published = files("sosie.trust") / "schemas" / f"{document}.schema.json"
    # If the model was changed on purpose, write schema_of(document) there.
    assert published.read_text(encoding="utf-8") == schema_of(document)
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_of(document)))


def test_presets() -> None:
    # CASD's rule for health data; ACRO's default.yaml; dsBase's nfilter.tab and nfilter.glm.
    assert PRESETS["snds-11"].min_cell == 11
    assert (PRESETS["acro-10"].min_cell, PRESETS["acro-10"].min_degrees) == (10, 10)
    assert PRESETS["datashield-3"].min_cell == 3
    assert PRESETS["datashield-3"].max_parameters == 0.33
    # OpenSAFELY redacts counts of 7 or fewer, then rounds to 5.
    assert (PRESETS["opensafely-7-5"].min_cell, PRESETS["opensafely-7-5"].round_to) == (8, 5)
    assert Disclosure(preset="acro-10", max_share=0.5).floors.max_share == 0.5
    assert Disclosure(preset="acro-10").floors == PRESETS["acro-10"]
    with pytest.raises(ValueError, match="not laxer"):
        Disclosure(preset="acro-10", zero_discloses=False)


def test_terms() -> None:
    # As healthdata catalogues spell it.
    assert iri_of("legal_bases", "A9-2-j") == "https://w3id.org/dpv/legal/eu/gdpr#A9-2-j"
    assert iri_of("categories", "Health") == "https://w3id.org/dpv/pd#Health"
    assert len(terms_of("legal_bases")) == 16  # six of article 6(1), ten of article 9(2)
