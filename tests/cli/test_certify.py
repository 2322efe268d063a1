"""`sosie certify`, `verify`, `show`, `export`, and `report` with a certificate."""

import json
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Sosie

from sosie.cli._texts import texts

from ..trust.release import Release, evidence, make


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make(tmp_path_factory.mktemp("release"))


def asked(release: Release, out: Path, **changed: object) -> list[object]:
    given = {
        "--agreement": release.agreement,
        "--evidence": release.folder / "evidence.json",
        "--original": release.original,
        "--synthetic": release.synthetic,
        "--key": release.keys / "CHU de Nantes.key",
        "--out": out,
        **changed,
    }
    return ["certify", *(part for pair in given.items() for part in pair if pair[1] is not None)]


def test_from_evidence_to_a_verified_certificate(
    release: Release, tmp_path: Path, sosie: Sosie
) -> None:
    out, run = tmp_path / "c.json", release.folder / "run.json"
    made = sosie(*asked(release, out, **{"--run": run}))
    assert (made.status, made.err) == (0, "")
    assert "Région still to sign" in made.out
    opening = tmp_path / "c.opening.json"
    assert stat.S_IMODE(opening.stat().st_mode) == 0o600
    given = ("--keys", release.keys, "--synthetic", release.synthetic, "--agreement",
             release.agreement, "--original", release.original)  # fmt: skip
    one = sosie("verify", out, *given)
    assert one.status == 3
    assert "NOT verified: All who must sign." in one.out
    added = sosie("certify", "--add-signature", out, "--key", release.keys / "Région.key")
    assert (added.status, added.err) == (0, "")
    assert "all who must sign did" in added.out
    both = sosie("verify", out, *given, "--json")
    assert both.status == 0
    told = json.loads(both.out)
    assert told["verified"] is True
    assert [one["ok"] for one in told["items"]] == [True] * 10
    assert all(one.keys() == {"name", "ok", "why"} and one["why"] for one in told["items"])
    assert "signature of Région" in [one["name"] for one in told["items"]]
    french = sosie("verify", out, "--keys", release.keys, "--lang", "fr")
    assert french.status == 0
    assert "Vérifié" in french.out
    assert "Signé par tous ceux qui le doivent" in french.out
    assert "N’a pu être vérifié : Convention, Table synthétique, Original." in french.out


def test_not_verified(release: Release, tmp_path: Path, sosie: Sosie) -> None:
    alone = sosie("verify", release.certificate, "--json")
    assert alone.status == 3
    assert json.loads(alone.out)["verified"] is False
    lie = tmp_path / "synthetic.csv"
    lie.write_text(release.synthetic.read_text("utf-8").replace("surgery", "Surgery", 1), "utf-8")
    ran = sosie("verify", release.certificate, "--keys", release.keys, "--synthetic", lie, "--json")
    assert ran.status == 3
    items = {one["name"]: one["ok"] for one in json.loads(ran.out)["items"]}
    assert items["synthetic"] is False
    assert items["signers"] is True
    nothing = tmp_path / "nothing.json"
    nothing.write_bytes(b"")
    assert sosie("verify", nothing, "--keys", release.keys).status == 3
    french = sosie("verify", nothing, "--keys", release.keys, "--lang", "fr")
    assert "Illisible comme JSON strict\u00a0: une valeur est attendue, ligne 1" in french.out
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    french = sosie(
        "verify", release.certificate, "--keys", release.keys, "--synthetic", empty, "--lang", "fr"
    )
    assert "empty.csv est vide" in french.out


def test_wrong_use(release: Release, tmp_path: Path, sosie: Sosie) -> None:
    out, keys, cert = tmp_path / "c.json", release.keys, release.certificate
    empty = tmp_path / "empty"
    empty.mkdir()
    nurse = release.keys / "CHU de Nantes.key"
    for arguments in (
        ["verify", tmp_path / "none.json", "--keys", keys],
        ["verify", cert, "--keys", empty],
        ["verify", cert, "--keys", tmp_path / "none"],
        ["verify", cert, "--keys", keys, "--synthetic", tmp_path / "none.csv"],
        ["verify", cert, "--keys", keys, "--lang", "de"],
        asked(release, out, **{"--evidence": None}),
        asked(release, out, **{"--out": None}),
        asked(release, tmp_path / "c.txt"),
        asked(release, tmp_path / "none" / "c.json"),
        asked(release, release.folder / "evidence.json"),
        asked(release, out, **{"--key": keys / "CHU de Nantes.pub"}),
        asked(release, out, **{"--synthetic": release.original}),
        asked(release, out, **{"--evidence": release.synthetic}),
        asked(release, out, **{"--agreement": cert}),
        asked(release, out, **{"--exception": "none needed"}),
        asked(release, out, **{"--run": release.agreement}),
        ["certify", "--add-signature", cert, "--key", nurse],
        ["certify", "--add-signature", release.agreement, "--key", nurse],
        ["certify", "--add-signature", cert, "--key", nurse, "--out", out],
        ["show", cert, "--html", tmp_path / "page.pdf"],
        ["show", release.synthetic, "--html", tmp_path / "page.html"],
        ["export", cert],
        ["export", cert, "--pia", tmp_path / "pia.csv"],
        ["export", cert, "--rocrate", release.folder],
        ["export", release.agreement, "--article30", tmp_path / "line.csv"],
    ):
        ran = sosie(*arguments)
        assert ran.status == 2, arguments
        assert ran.err.count("\n") == 1, ran.err
        assert "Traceback" not in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"empty"}


@pytest.mark.parametrize("there", ["c.json", "c.opening.json"])
def test_what_there_is_is_not_replaced(
    release: Release, tmp_path: Path, sosie: Sosie, there: str
) -> None:
    (tmp_path / there).write_text("the only one", "utf-8")
    ran = sosie(*asked(release, tmp_path / "c.json"))
    assert ran.status == 2
    assert ran.err.startswith(f"{tmp_path / there} exists already")
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["the only one"]


def test_evidence_that_was_changed_is_not_certified(
    release: Release, tmp_path: Path, sosie: Sosie
) -> None:
    told = evidence(release.original, release.synthetic, "fail")
    told["verdict"] = "pass"
    for one in told["criteria"].values():
        one |= {"verdict": "pass", "drivers": []}
    told["privacy"]["attribute_inference_max"]["verdict"] = "attention"
    (tmp_path / "e.json").write_text(json.dumps(told), "utf-8")
    ran = sosie(*asked(release, tmp_path / "c.json", **{"--evidence": tmp_path / "e.json"}))
    assert ran.status == 2
    assert "its verdict is not what its findings say" in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"e.json"}


def test_an_exception(release: Release, tmp_path: Path, sosie: Sosie) -> None:
    failed = tmp_path / "failed.json"
    failed.write_text(json.dumps(evidence(release.original, release.synthetic, "fail")), "utf-8")
    out = tmp_path / "c.json"
    silent = tmp_path / "silent.json"
    warned = sosie(*asked(release, silent, **{"--evidence": failed}))
    assert warned.status == 0
    assert "no reason given" in warned.err
    made = sosie(
        *asked(release, out, **{"--evidence": failed, "--exception": "In a closed room."}),
        *("--lang", "fr"),
    )
    assert made.status == 0
    told = made.err.replace("\u00a0", " ")
    assert "Accepté contre la convention" in told
    assert "« échec », là où est demandé « conforme »" in told
    assert "fail" not in told
    sosie("certify", "--add-signature", out, "--key", release.keys / "Région.key")
    shown = sosie("verify", out, "--keys", release.keys, "--agreement", release.agreement)
    assert shown.status == 0
    assert "In a closed room." in shown.out


def test_show_and_export(release: Release, tmp_path: Path, sosie: Sosie) -> None:
    page = tmp_path / "page.html"
    assert sosie("show", release.certificate, "--html", page).status == 0
    assert page.read_bytes().startswith(b"<!doctype html>")
    pia, line, crate = (tmp_path / name for name in ("pia.json", "line.csv", "crate"))
    ran = sosie(
        *("export", release.certificate, "--pia", pia, "--article30", line, "--rocrate", crate),
        *("--lang", "fr"),
    )
    assert ran.status == 0
    assert "sosie verify" in ran.err
    assert json.loads(pia.read_text("utf-8"))["pia"]["name"].startswith("Why nurses leave")
    assert "Responsables" in line.read_text("utf-8-sig")
    assert {path.name for path in crate.iterdir()} == {
        "ro-crate-metadata.json",
        "ro-crate-preview.html",
        "certificate.json",
    }
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text("utf-8"))
    assert metadata == release.statement["predicate"]
    assert sosie("verify", crate / "certificate.json", "--keys", release.keys).status == 0


def test_a_report_with_its_certificate(release: Release, tmp_path: Path, sosie: Sosie) -> None:
    told, out = release.folder / "evidence.json", tmp_path / "report.html"
    ran = sosie("report", told, "--report", out, "--certificate", release.certificate)
    assert (ran.status, ran.err) == (0, "")
    text = out.read_text("utf-8")
    assert release.record["id"] in text
    assert text.count('<img class="code" src="data:image/svg+xml;base64,') == 1
    other = tmp_path / "other.json"
    other.write_text(json.dumps(evidence(release.original, release.synthetic, "fail")), "utf-8")
    refused = sosie("report", other, "--report", out, "--certificate", release.certificate)
    assert refused.status == 2
    assert "of other evidence" in refused.err
    assert out.read_text("utf-8") == text


def test_every_reason_has_a_text(release: Release) -> None:
    source = Path(__file__).parents[2] / "src" / "sosie"
    files = ("trust/_verify.py", "trust/_agreed.py", "insitu/exchange/_certificate.py",
             "cli/_verify.py")  # fmt: skip
    written = "".join((source / file).read_text("utf-8") for file in files)
    english, french = texts("en")["verify"], texts("fr")["verify"]
    for part in ("items", "reasons", "words"):
        assert english[part].keys() == french[part].keys()
    for reason in english["reasons"]:
        assert f'"{reason}"' in written or reason.startswith("findings_"), reason
