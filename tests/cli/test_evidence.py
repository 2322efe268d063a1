"""`sosie evidence`, `rehearse`, `report`: whole files or none, one sentence for a mistake."""

import json
from pathlib import Path

import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from tests.cli.conftest import Sosie

from sosie import Avatar
from sosie.cli._texts import texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rossi")
    rossi = load_rossi().sample(frac=1, random_state=0, ignore_index=True)
    train, control = rossi[:216], rossi[216:]
    train.to_csv(place / "train.csv", index=False)
    control.to_csv(place / "control.csv", index=False)
    Avatar(seed=1).fit_sample(train).to_csv(place / "avatars.csv", index=False)
    rossi.to_csv(place / "all.csv", index=False)
    return place


def files(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_evidence_and_its_report_in_french(folder: Path, tmp_path: Path, sosie: Sosie) -> None:
    ran = sosie(
        *("evidence", folder / "train.csv", folder / "avatars.csv"),
        *("--control", folder / "control.csv", "--target", "arrest", "--effort", "quick"),
        *("--json", tmp_path / "e.json", "--report", tmp_path / "e.html", "--lang", "fr"),
    )
    assert ran.status == 0
    assert "individualisation" in ran.out
    told = json.loads((tmp_path / "e.json").read_text())
    assert told["inputs"]["original"]["name"] == "train.csv"
    assert str(folder) not in json.dumps(told)
    assert files(tmp_path) == {"e.json", "e.html"}
    again = sosie(
        "report", tmp_path / "e.json", "--report", tmp_path / "again.html", "--lang", "fr"
    )
    assert again.status == 0
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "e.html").read_bytes()


def test_an_open_release_has_no_higher_threshold(
    folder: Path, tmp_path: Path, sosie: Sosie
) -> None:
    given = ("evidence", folder / "train.csv", folder / "avatars.csv", "--effort", "quick")
    out = tmp_path / "e.json"
    refused = sosie(*given, "--json", out, "--open-release", "--threshold", "0.1")
    assert refused.status == 2
    assert refused.err.startswith("--threshold 0.1 is above 0.02, which --open-release asks for")
    assert files(tmp_path) == set()
    for options, threshold, chosen in (
        ((), 0.05, "default"),
        (("--open-release",), 0.02, "set"),
        (("--open-release", "--threshold", "0.01"), 0.01, "set"),
    ):
        assert sosie(*given, "--json", out, *options).status == 0
        settings = json.loads(out.read_text())["settings"]
        assert (settings["threshold"], settings["threshold_is"]) == (threshold, chosen)


def test_copies_fail_and_strict_says_so(folder: Path, sosie: Sosie) -> None:
    given = (
        "evidence",
        folder / "train.csv",
        folder / "train.csv",
        "--effort",
        "quick",
        "--control",
        folder / "control.csv",
    )
    ran = sosie(*given, "--strict")
    assert ran.status == 3
    assert "Failed" in ran.out


def test_without_control_it_says_what_cannot_be_concluded(folder: Path, sosie: Sosie) -> None:
    ran = sosie("evidence", folder / "train.csv", folder / "avatars.csv", "--effort", "quick")
    assert ran.status == 0
    assert "sosie rehearse" in ran.out


def test_a_rehearsal_and_then_the_release(folder: Path, tmp_path: Path, sosie: Sosie) -> None:
    ran = sosie(
        *("rehearse", folder / "all.csv", "--k", "15", "--effort", "quick"),
        *("--json", tmp_path / "e.json", "--release", tmp_path / "avatars.csv"),
    )
    assert ran.status == 0
    told = json.loads((tmp_path / "e.json").read_text())
    assert told["judged"] == "generator"
    assert told["settings"]["generator"]["k"] == 15
    assert "seed" not in told["settings"]["generator"]
    assert len(pd.read_csv(tmp_path / "avatars.csv")) == 432


def test_with_strict_what_fails_is_not_released(folder: Path, tmp_path: Path, sosie: Sosie) -> None:
    given = (
        *("rehearse", folder / "all.csv", "--k", "2", "--kernel", "published"),
        *("--effort", "quick", "--release", tmp_path / "avatars.csv"),
    )
    for lang, said in (("en", "No release was made"), ("fr", "Aucune table à diffuser")):
        barred = sosie(*given, "--json", tmp_path / "e.json", "--strict", "--lang", lang)
        assert barred.status == 3
        assert said in barred.out
        assert "avatars.csv" not in barred.out
        assert files(tmp_path) == {"e.json"}
    assert json.loads((tmp_path / "e.json").read_text())["verdict"] == "fail"
    made = sosie(*given)
    assert made.status == 0
    assert "avatars.csv" in made.out
    assert files(tmp_path) == {"e.json", "avatars.csv"}


def _bad(folder: Path, name: str) -> tuple[object, ...]:
    train = pd.read_csv(folder / "train.csv")
    bad = folder / f"{name}.csv"
    question = folder / f"{name}.toml"
    question.write_text("[[analysis]\nname = 1")
    made = {
        "other_columns": train.rename(columns={"age": "years"}),
        "few": train[:50],
        "words": train.assign(age=["old", "young"] * 108),
        "all_missing": train.assign(age=float("nan")),
        "one_class": pd.read_csv(folder / "control.csv").assign(arrest=0),
    }
    options: dict[str, tuple[object, ...]] = {
        "overlap": ("--control", folder / "train.csv"),
        "question": ("--question", question),
        "target": ("--target", "arest"),
        "one_class": ("--target", "arrest", "--control", bad),
        "short_linked": ("--linked", folder / "all.csv"),
        "suffix": ("--report", folder / "r.docx"),
        "folder": ("--json", folder / "absent" / "e.json"),
        "itself": ("--json", folder / "train.json", "--report", folder / "train.json"),
        "effort": ("--effort", "heroic"),
        "absent": ("--control", folder / "absent.csv"),
    }
    if name in made:
        made[name].to_csv(bad, index=False)
    synthetic = bad if name in made and name != "one_class" else folder / "avatars.csv"
    return ("evidence", folder / "train.csv", synthetic, *options.get(name, ()))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("other_columns", "lacks 'age'"),
        ("few", "50 rows"),
        ("words", "'age'"),
        ("all_missing", "no value at all"),
        ("one_class", "one value only"),
        ("overlap", "rows of the original"),
        ("question", "question.toml"),
        ("target", "did you mean 'arrest'"),
        ("short_linked", "row i"),
        ("suffix", ".pdf or .html"),
        ("folder", "does not exist"),
        ("itself", "train.json"),
        ("effort", "quick, standard, thorough"),
        ("absent", "does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(
    name: str, said: str, folder: Path, sosie: Sosie
) -> None:
    given = _bad(folder, name)
    before = files(folder)
    ran = (
        sosie(*given, "--json", folder / "never.json")
        if name in ("few", "words")
        else sosie(*given)
    )
    assert ran.status == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert "young" not in ran.err
    assert files(folder) == before


def test_evidence_of_another_format_is_refused(tmp_path: Path, sosie: Sosie) -> None:
    (tmp_path / "e.json").write_text('{"format": "other"}')
    ran = sosie("report", tmp_path / "e.json", "--report", tmp_path / "r.html")
    assert ran.status == 2
    assert files(tmp_path) == {"e.json"}


def test_evidence_that_was_changed_is_refused(folder: Path, tmp_path: Path, sosie: Sosie) -> None:
    out = tmp_path / "e.json"
    given = ("evidence", folder / "train.csv", folder / "avatars.csv", "--effort", "quick")
    assert sosie(*given, "--control", folder / "control.csv", "--json", out).status == 0
    good = out.read_text()

    def refused(**changed: object) -> str:
        out.write_text(json.dumps({**json.loads(good), **changed}))
        ran = sosie("report", out, "--report", tmp_path / "r.html")
        assert (ran.status, ran.err.count("\n")) == (2, 1)
        assert files(tmp_path) == {"e.json"}
        return ran.err

    verdict = "attention" if json.loads(good)["verdict"] == "pass" else "pass"
    assert "not what its findings say" in refused(verdict=verdict)
    for part, name, detail in (
        ("privacy", "membership_auc", {"roc": {"fpr": [1], "tpr": "x"}}),
        ("privacy", "membership_auc", {"distances": {"edges": [1], "original": [1, 2, 3]}}),
        ("privacy", "linkability", {"by_split": [{"value": "x", "control": {}}]}),
        ("utility", "hellinger_mean", {"columns": [{"name": "age", "edges": ["a", {}]}]}),
        ("utility", "association_difference", {"names": ["a", "b"], "original": 1, "synthetic": 2}),
    ):
        told = json.loads(good)[part]
        told[name]["detail"] = detail
        assert "is not evidence" in refused(**{part: told})


def test_both_catalogues_have_the_same_keys() -> None:
    def keys(section: dict[str, object], path: str = "") -> set[str]:
        found = set()
        for key, value in section.items():
            inner = keys(value, f"{path}{key}.") if isinstance(value, dict) else {path + key}
            found |= inner
        return found

    assert keys(texts("en")["evidence"]) == keys(texts("fr")["evidence"])
