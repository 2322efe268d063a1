"""`sosie keys`, `agreement`, `charter`, `ledger`; what an agreement refuses is not computed."""

import json
import stat
import tomllib
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import tomli_w
from lifelines.datasets import load_rossi
from tests.cli.conftest import Sosie

from sosie.cli._texts import texts
from sosie.trust import Charter, verify_ledger

HOLDER, RECIPIENT = "CHU de Nîmes", "Observatoire"
SECTIONS = ("keys", "agreement", "allowed", "charter", "ledger")


@pytest.fixture
def sosie(sosie: Sosie, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sosie:
    monkeypatch.chdir(tmp_path)
    return sosie


def filled(path: Path, **changed: Any) -> None:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    for party, name in zip(said["parties"], (HOLDER, RECIPIENT), strict=True):
        party["name"] = name
    path.write_text(tomli_w.dumps(said | changed), encoding="utf-8")


@pytest.fixture
def signed(sosie: Sosie, tmp_path: Path) -> Path:
    """Give an agreement on the columns of a table of 432 persons, but for one."""
    load_rossi().to_csv(tmp_path / "rossi.csv", index=False)
    load_rossi().drop(columns="race").to_csv(tmp_path / "known.csv", index=False)
    sosie("keys", "new", "--name", HOLDER, "--out", "keys")
    sosie("agreement", "new", "--out", "agreement.toml", "--from-data", "known.csv")
    filled(tmp_path / "agreement.toml")
    key = f"keys/{HOLDER}.key"
    ran = sosie("agreement", "sign", "agreement.toml", "--key", key, "--out", "agreement.json")
    assert (ran.status, ran.err) == (0, "")
    return tmp_path / "agreement.json"


def test_keys(sosie: Sosie, tmp_path: Path) -> None:
    ran = sosie("keys", "new", "--name", HOLDER, "--out", "a/b", "--days", 30)
    assert ran.status == 0
    private, public = (tmp_path / "a/b" / f"{HOLDER}.{suffix}" for suffix in ("key", "pub"))
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    secret = json.loads(private.read_text())["private"]
    for path in (private, public, public.parent):
        shown = sosie("keys", "show", path, "--json")
        told = json.loads(shown.out)["keys"]
        assert [(key["name"], key["expired"]) for key in told] == [(HOLDER, False)]
        assert told[0]["id"] in ran.out
        assert secret not in shown.out + sosie("keys", "show", path, "--lang", "fr").out
    before = private.read_bytes()
    again = sosie("keys", "new", "--name", HOLDER, "--out", "a/b")
    assert again.status == 2
    assert "exists already" in again.err
    assert private.read_bytes() == before
    assert sosie("keys", "new", "--name", "../x", "--out", "a/b").status == 2
    assert sosie("keys", "show", "absent.pub").status == 2


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_from_nothing_to_a_signed_agreement(sosie: Sosie, tmp_path: Path, lang: str) -> None:
    assert sosie("agreement", "new", "--out", "a.toml", "--lang", lang).status == 0
    ran = sosie("agreement", "check", "a.toml", "--json")
    assert ran.status == 3
    items = json.loads(ran.out)["items"]
    assert [item["name"] for item in items if item["ok"] is False] == ["filled"]
    filled(tmp_path / "a.toml")
    assert sosie("agreement", "check", "a.toml", "--lang", lang).status == 0
    for name in (HOLDER, RECIPIENT):
        sosie("keys", "new", "--name", name, "--out", "keys")
        key = f"keys/{name}.key"
        assert sosie("agreement", "sign", "a.toml", "--key", key, "--out", "a.json").status == 0
    ran = sosie("agreement", "check", "a.json", "--keys", "keys", "--json")
    assert ran.status == 0
    checked = json.loads(ran.out)
    assert checked["verified"] is True
    assert {item["ok"] for item in checked["items"]} == {True}
    shown = sosie("agreement", "show", "a.json", "--keys", "keys", "--lang", lang)
    assert shown.status == 0
    words = {"en": "scientific research", "fr": "recherche scientifique"}
    for part in (HOLDER, RECIPIENT, checked["sha256"], words[lang], "diagnosis", "snds-11"):
        assert part in shown.out
    assert sosie("agreement", "show", "a.toml").status == 0
    before = (tmp_path / "a.toml").read_bytes()
    assert sosie("agreement", "new", "--out", "a.toml").status == 2  # it holds somebody's work
    assert (tmp_path / "a.toml").read_bytes() == before


def test_all_that_is_wrong_is_listed(sosie: Sosie, tmp_path: Path) -> None:
    sosie("agreement", "new", "--out", "a.toml")
    filled(tmp_path / "a.toml", legal_basis=[], retention="")
    ran = sosie("agreement", "check", "a.toml", "--json")
    assert ran.status == 3
    whys = [item["why"] for item in json.loads(ran.out)["items"]]
    assert [why.split(":")[0] for why in whys] == ["legal_basis", "retention"]
    filled(tmp_path / "a.toml", purpos="x")
    ran = sosie("agreement", "check", "a.toml", "--lang", "fr", "--json")
    whys = [item["why"] for item in json.loads(ran.out)["items"]]
    assert "purpos\u00a0: ce champ n'existe pas" in whys
    (tmp_path / "a.toml").write_text("title = ")
    assert sosie("agreement", "check", "a.toml").status == 2


def test_a_changed_agreement(sosie: Sosie, signed: Path) -> None:
    envelope = json.loads(signed.read_text())
    whole = signed.read_bytes()
    envelope["payload"] = f"{envelope['payload'][:-8]}{envelope['payload'][-4:]}"
    signed.write_text(json.dumps(envelope))
    assert sosie("agreement", "check", signed, "--keys", "keys").status in (2, 3)
    assert sosie("avatar", "known.csv", "--agreement", signed, "--out", "o.csv").status == 2
    signed.write_bytes(whole[:-20])
    ran = sosie("avatar", "known.csv", "--agreement", signed, "--out", "o.csv")
    assert ran.status == 2
    assert "agreement.json" in ran.err


def test_an_avatar_that_is_allowed(sosie: Sosie, signed: Path, tmp_path: Path) -> None:
    options = ("--agreement", signed, "--recipient", RECIPIENT, "--keys", "keys", "--json")
    ran = sosie("avatar", "known.csv", "--out", "o.csv", "--seed", 1, *options)
    assert ran.status == 0, ran.err
    assert HOLDER in ran.err
    told = json.loads(ran.out)["agreement"]
    assert told == json.loads(sosie("agreement", "check", signed, "--json").out)["sha256"]
    without = ("--out", "p.csv", "--seed", 1, "--drop", "race")
    assert sosie("avatar", "rossi.csv", *without, "--agreement", signed).status == 0
    assert sosie("avatar", "rossi.csv", *without, "--out", "q.csv").status == 0
    assert (tmp_path / "p.csv").read_bytes() == (tmp_path / "q.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--k", 5), "k of avatar is 5; the agreement allows 10 to 100"),
        (("--ncp", 1), "ncp of avatar is 1"),
        (("--kernel", "published"), "gibbs, rotation"),
        (("--weight", "age=11"), "weight of avatar is 11.0"),
        (("--recipient", "Mallory"), "not a recipient"),
        (("--schema", "s.toml"), "'race': not in the agreement"),
    ],
)
def test_what_is_refused_before_a_row_is_read(
    sosie: Sosie,
    signed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[object, ...],
    why: str,
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("rows were read")

    monkeypatch.setattr("sosie.table.Table.read", read)
    (tmp_path / "s.toml").write_text("drop = []")
    data = "rossi.csv" if "--schema" in options else "known.csv"
    ran = sosie("avatar", data, "--out", "o.csv", "--agreement", signed, *options)
    assert (ran.status, ran.out) == (2, "")
    assert why in ran.err
    assert not (tmp_path / "o.csv").exists()
    allowed = sosie("avatar", "known.csv", "--out", "o.csv", "--agreement", signed)
    assert (allowed.status, "AssertionError" in allowed.err) == (1, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--keep-original",), "'keep_original'"),
        (("--where", "age>=30"), "'where'"),
        (("--factor", 50), "factor of rhvae is 50"),
        (("--recipient", "Mallory"), "not a recipient"),
    ],
)
def test_what_augment_refuses(
    sosie: Sosie, signed: Path, options: tuple[object, ...], why: str
) -> None:
    ran = sosie("augment", "known.csv", "--out", "o.csv", "--agreement", signed, *options)
    assert ran.status == 2
    assert why in ran.err


def test_signatures_and_dates_that_do_not_hold(sosie: Sosie, signed: Path, tmp_path: Path) -> None:
    ran = sosie("avatar", "known.csv", "--out", "o.csv", "--agreement", "agreement.toml")
    assert ran.status == 2  # nobody signed this one
    sosie("keys", "new", "--name", "Another", "--out", "others")
    ran = sosie("avatar", "known.csv", "--out", "o.csv", "--agreement", signed, "--keys", "others")
    assert ran.status == 2
    assert "has not signed" in ran.err
    sosie("keys", "new", "--name", RECIPIENT, "--out", "keys")
    arguments = ("--key", f"keys/{RECIPIENT}.key", "--out", "only.json")
    sosie("agreement", "sign", "agreement.toml", *arguments)
    ran = sosie("avatar", "known.csv", "--out", "o.csv", "--agreement", "only.json")
    assert ran.status == 2
    assert f"{HOLDER} holds data and has not signed" in ran.err
    past = {"starts": "2001-01-01", "ends": "2001-12-31"}
    filled(tmp_path / "agreement.toml", validity=past)
    arguments = ("--key", f"keys/{HOLDER}.key", "--out", "past.json")
    assert sosie("agreement", "sign", "agreement.toml", *arguments).status == 0
    ran = sosie("avatar", "known.csv", "--out", "o.csv", "--agreement", "past.json")
    assert ran.status == 2
    assert "ended on 2001-12-31" in ran.err
    assert sosie("agreement", "check", "past.json").status == 3
    ran = sosie("avatar", "known.csv", "--out", "o.csv", "--recipient", RECIPIENT)
    assert ran.status == 2
    assert "--agreement" in ran.err
    for lang, told in (("en", "does not exist"), ("fr", "n'existe pas")):
        ran = sosie(
            "avatar", "known.csv", "--out", "o.csv", "--agreement", "no.json", "--lang", lang
        )
        assert ran.status == 2
        assert f"no.json {told}" in ran.err
        assert ran.err.count("no.json") == 1
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_charter(sosie: Sosie, tmp_path: Path, lang: str) -> None:
    path = tmp_path / "charter.toml"
    assert sosie("charter", "new", "--out", path, "--lang", lang).status == 0
    ran = sosie("charter", "check", path, "--json")
    assert ran.status == 3
    ids = [item["name"] for item in json.loads(ran.out)["items"] if not item["ok"]]
    assert len(ids) == 14
    asked = {"finality", "proportionality", "transparency", "equity", "sovereignty", "sobriety",
             "benefit", "no_reidentification"}  # fmt: skip
    assert asked <= set(ids)
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    for principle in said["principles"]:
        principle |= {"answer": "The protocol, page 3.", "by": "Mme Y"}
    said["principles"][4]["by"] = "  "
    said["principles"][7]["answer"] = "<which undertaking>"
    path.write_text(tomli_w.dumps(said), encoding="utf-8")
    ran = sosie("charter", "check", path, "--lang", lang)
    assert ran.status == 3
    last = ran.out.strip().splitlines()[-1]
    assert said["principles"][4]["title"] in last
    assert said["principles"][7]["title"] in last
    assert said["principles"][0]["title"] not in last
    said["principles"][4]["by"] = "M. Z"
    said["principles"][7]["answer"] = "The undertaking of March."
    path.write_text(tomli_w.dumps(said), encoding="utf-8")
    ran = sosie("charter", "check", path, "--json")
    assert ran.status == 0
    assert json.loads(ran.out)["sha256"] == Charter.read(path).sha256
    said["principles"].append(said["principles"][0])
    path.write_text(tomli_w.dumps(said), encoding="utf-8")
    assert sosie("charter", "check", path).status == 2
    assert sosie("charter", "new", "--out", path).status == 2


def test_the_two_charters_ask_the_same() -> None:
    from sosie.trust import charter_template

    english, french = (Charter.of(tomllib.loads(charter_template(x))) for x in ("en", "fr"))
    assert [(p.id, p.kind) for p in english.principles] == [
        (p.id, p.kind) for p in french.principles
    ]
    assert english.unanswered() == list(english.principles)


def test_a_ledger(sosie: Sosie, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    for i in range(3):
        ran = sosie("ledger", "add", path, "release", "--say", f"table=t{i}")
        assert ran.status == 0
    head = ran.out.split()[-1]
    assert sosie("ledger", "verify", path, "--head", head).status == 0
    sosie("keys", "new", "--name", HOLDER, "--out", "keys")
    assert sosie("ledger", "sign", path, "--key", f"keys/{HOLDER}.key").status == 0
    ran = sosie("ledger", "verify", path, "--keys", "keys", "--json")
    assert ran.status == 0
    assert json.loads(ran.out)["verified"] is True
    assert verify_ledger(path).broken == []
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for broken, name in (
        (lines[0] + lines[2], "line 2"),
        (lines[0] + lines[1], "line 3"),
        (lines[0] + lines[1].replace(b"t1", b"t9") + lines[2], "line 2"),
        (whole[:-1], "line 3"),
        (lines[0] + lines[2] + lines[1], "line 3"),
    ):
        path.write_bytes(broken)
        ran = sosie("ledger", "verify", path, "--json")
        assert ran.status == 3
        items = json.loads(ran.out)["items"]
        assert [item["name"] for item in items if item["ok"] is False] == [name]
        assert sosie("ledger", "verify", path, "--lang", "fr").status == 3
    assert sosie("ledger", "verify", "absent").status == 2
    assert sosie("ledger", "verify", path, "--head", "x").status == 2
    assert sosie("ledger", "add", path, "release", "--say", "x").status == 2


@pytest.mark.parametrize("section", SECTIONS)
def test_both_languages_say_the_same_things(section: str) -> None:
    def holes(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: holes(part) for key, part in value.items()}
        return sorted({field for _, field, _, _ in Formatter().parse(value) if field})

    english, french = texts("en")[section], texts("fr")[section]
    assert holes(english) == holes(french)
