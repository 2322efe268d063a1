"""`sosie blind`: a folder whole or absent, nothing that tells on the sheet, scores."""

import json
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from sklearn.datasets import load_digits
from tests.cli.conftest import Sosie


@pytest.fixture
def sosie(sosie: Sosie) -> Sosie:
    return partial(sosie, "blind")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rossi = load_rossi()
    rossi.insert(0, "person_id", [f"Zorglub-{i:03}" for i in range(len(rossi))])
    rossi.iloc[::2].to_csv(tmp_path / "real.csv", index=False)
    rossi.iloc[1::2].drop(columns="person_id").to_csv(tmp_path / "made.csv", index=False)
    return tmp_path


def test_a_sheet_its_answers_and_its_key(place: Path, sosie: Sosie) -> None:
    out = place / "test"
    ran = sosie(place / "real.csv", place / "made.csv", "--n", 60, "--out", out, "--seed", 3)
    assert ran.status == 0, ran.err
    assert "rows of real persons" in ran.err
    assert "toss of a coin" in ran.out
    assert {p.name for p in out.iterdir()} == {"sheet.html", "answers.csv", "key.json"}
    assert all(p.stat().st_mode & 0o077 == 0 for p in (out, *out.iterdir()))
    page, key = (out / "sheet.html").read_text(), (out / "key.json").read_bytes()
    seal = sha256(key).hexdigest()
    assert seal in page
    assert seal in ran.out
    assert "Zorglub" not in page
    assert "person_id" in ran.out
    assert page.count('class="name"') == 60
    assert "<script" not in page
    lines = (out / "answers.csv").read_text().splitlines()
    assert lines[:2] == ["case,answer", f"c{seal[:4]}-001,"]
    assert len(lines) == 61
    again = place / "again"
    sosie(place / "real.csv", place / "made.csv", "--n", 60, "--out", again, "--seed", 3)
    for name in ("sheet.html", "answers.csv", "key.json"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_columns_are_left_out_of_both(place: Path, sosie: Sosie) -> None:
    out = place / "test"
    told = ("--n", 60, "--out", out, "--seed", 3, "--drop", "prio", "--drop", "person_id")
    ran = sosie(place / "real.csv", place / "made.csv", *told)
    assert ran.status == 0, ran.err
    page = (out / "sheet.html").read_text()
    assert "prio" not in page
    assert "age" in page


def test_images_in_french(tmp_path: Path, sosie: Sosie) -> None:
    digits = load_digits().images
    for name, images in (("real", digits[:80]), ("made", digits[80:160])):
        np.savez(tmp_path / f"{name}.npz", images=(images * 15).astype(np.uint8))
    out = tmp_path / "test"
    ran = sosie(
        tmp_path / "real.npz", tmp_path / "made.npz", "--out", out, "--n", 20, "--lang", "fr"
    )
    assert ran.status == 0, ran.err
    page = (out / "sheet.html").read_text()
    assert page.count("data:image/png;base64,") == 20
    assert "Réel ou artificiel" in page
    sheet = pd.read_csv(out / "answers.csv", sep=";", encoding="utf-8-sig")
    assert list(sheet) == ["cas", "réponse"]
    sheet["réponse"] = ["réel", *["artificiel"] * 19]
    sheet.to_csv(tmp_path / "Léa.csv", sep=";", index=False, encoding="cp1252")
    ran = sosie("--score", tmp_path / "Léa.csv", "--key", out / "key.json", "--json")
    assert json.loads(ran.out)["raters"][0]["answered"] == 20


def test_answers_are_scored(place: Path, sosie: Sosie) -> None:
    out = place / "test"
    said = sosie(place / "real.csv", place / "made.csv", "--out", out, "--json")
    assert json.loads(said.out)["cases"] == 100
    key = out / "key.json"
    truth = json.loads(key.read_text())["truth"]
    cases = [line.split(",")[0] for line in (out / "answers.csv").read_text().splitlines()[1:]]
    for name, answers in (("anne", truth), ("paul", ["real"] * 100)):
        rows = [f"{case},{answer}" for case, answer in zip(cases, answers, strict=True)]
        (place / f"{name}.csv").write_text("\n".join(["case,answer", *rows]))
    told = ("--score", place / "anne.csv", "--score", place / "paul.csv", "--key", key)
    found = json.loads(sosie(*told, "--json").out)
    anne, paul = found["raters"]
    assert (anne["rater"], anne["accuracy"], anne["verdict"]) == ("anne", 1, "told apart")
    assert anne["interval"] == [pytest.approx(0.025 ** (1 / 100), abs=1e-4), 1]
    assert paul["accuracy"] == truth.count("real") / 100
    assert paul["artificial_found"] == 0
    assert found["kappa"] == pytest.approx(0)
    assert "± 10 points" in found["notice"]
    ran = sosie(*told)
    assert "± 10 points" in ran.out
    assert "Cohen" in ran.out
    assert "told apart" in ran.out
    assert "un lecteur qui devine" in sosie(*told, "--lang", "fr").out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((), "Give two tables"),
        (("real.csv",), "Give two tables"),
        (("real.csv", "made.csv"), "--out"),
        (("real.csv", "made.csv", "--out", "t", "--n", 5), "10 or more"),
        (("real.csv", "made.csv", "--out", "t", "--n", 2000), "ask for about"),
        (("real.csv", "none.csv", "--out", "t"), "none.csv does not exist"),
        (("real.csv", "made.csv", "--out", "full"), "is there already"),
        (("real.csv", "full", "--out", "t"), "two sets of images"),
        (("real.csv", "made.csv", "--out", "t", "--key", "k"), "Give tables and --out"),
        (("--score", "made.csv"), "both --score and --key"),
        (("--score", "none.csv", "--key", "none"), "none.csv could not be read"),
        (("--score", "made.csv", "--key", "none"), "give a column case"),
        (("--score", "answers.csv", "--key", "none"), "none could not be read"),
        (("--score", "answers.csv", "--key", "real.csv"), "not one that sosie blind wrote"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    arguments: tuple[object, ...], part: str, place: Path, sosie: Sosie,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(place)
    (place / "full").mkdir()
    (place / "full" / "a").touch()
    (place / "answers.csv").write_text("case,answer\nab-001,real\n")
    before = {path.name for path in place.iterdir()}
    ran = sosie(*arguments)
    assert ran.status == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert part in ran.err, ran.err
    assert {path.name for path in place.iterdir()} == before
