"""`sosie tune`: a table of settings, both files or none, one sentence for a mistake."""

import csv
import tomllib
from functools import partial
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest
from lifelines.datasets import load_rossi
from tests.cli.conftest import Sosie

from sosie.cli._tune import _weights

ASKED = (
    "k,cw,ncp,threshold,f1,auc,recall,precision,"
    "hidden_rate,local_cloaking,member_auc,hellinger,verdict"
)


@pytest.fixture
def sosie(sosie: Sosie) -> Sosie:
    return partial(sosie, "tune")


@pytest.fixture
def rossi(tmp_path: Path) -> Path:
    path = tmp_path / "rossi.csv"
    load_rossi().to_csv(path, index=False)
    return path


def test_settings_are_written_best_first_and_drawn(rossi: Path, sosie: Sosie) -> None:
    out, plot = rossi.with_name("tune.csv"), rossi.with_name("tune.png")
    ran = sosie(
        rossi, "--target", "arrest", "--k", "40", "--weight", "age=1,3", "--rounds", 1,
        "--jobs", 1, "--out", out, "--plot", plot, "--lang", "fr",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert ran.err == ""
    assert out.read_text().startswith(ASKED)
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(out.open()))
    assert rows[0]["k"] == rows[0]["verdict"] == ""
    assert 0.5 < float(rows[0]["auc"]) <= 1
    assert {(row["k"], row["cw"]) for row in rows[1:]} == {
        ("40", "1"), ("40", "age=3")
    }  # fmt: skip
    rank = [("pass", "attention", "fail").index(row["verdict"]) for row in rows[1:]]
    placed = [(r, -float(row["f1"])) for r, row in zip(rank, rows[1:], strict=True)]
    assert placed == sorted(placed)
    for row in rows[1:]:
        assert 50 < float(row["hidden_rate"]) <= 100
        assert 0.4 < float(row["member_auc"]) < 0.8
        assert 0 < float(row["hellinger"]) < 0.3
    assert "original" in ran.out
    assert ("réglage" in ran.out) or ("Choisi" in ran.out)
    if min(rank) < 2:
        assert f"k = {rows[1]['k']}" in ran.out
        assert "sosie rehearse" in ran.out


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--target", "arest"], ("'arest'", "'arrest'?")),
        (["--target", "age"], ("is a number",)),
        (["--k", ""], ("--k", "whole numbers")),
        (["--k", "5,x"], ("--k", "whole numbers")),
        (["--k", "0"], ("--k",)),
        (["--k", "216"], ("k = 216", "at most 215")),
        (["--ncp", "2.5"], ("--ncp",)),
        (["--weight", "age"], ("--weight age",)),
        (["--weight", "age=1,-3"], ("--weight age=1,-3",)),
        (["--weight", "age=1,"], ("--weight age=1,",)),
        (["--weight", "age=1", "--weight", "age=2"], ("'age' twice",)),
        (["--weight", "agee=2"], ("'agee'", "'age'?")),
        (["--kernel", "gibbs,gib"], ("'gib'", "gibbs")),
        (["--positive", "2"], ("'2'", "'arrest'")),
        (["--drop", "arrest"], ("'arrest'",)),
        (["--plot", "x.pdf"], (".png",)),
        (["--out", "tune.xlsx"], (".csv",)),
        (["--lang", "de"], ("'de'",)),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    options: list[str], parts: tuple[str, ...], rossi: Path, sosie: Sosie,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(rossi.parent)
    ran = sosie(rossi, "--target", "arrest", "--out", "tune.csv", "--plot", "tune.png", *options)
    assert ran.status == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    for part in parts:
        assert part in ran.err, ran.err
    assert [path.name for path in rossi.parent.iterdir()] == ["rossi.csv"]


def test_inputs_are_not_replaced(rossi: Path, sosie: Sosie) -> None:
    before = rossi.read_bytes()
    ran = sosie(rossi, "--target", "arrest", "--out", rossi)
    assert ran.status == 2
    assert "would replace" in ran.err
    assert rossi.read_bytes() == before


def test_weights_are_combined() -> None:
    assert _weights([]) == [{}]
    assert _weights(["a=b=1,3", "sex=2,0"]) == [
        {"a=b": 1, "sex": 2}, {"a=b": 1, "sex": 0}, {"a=b": 3, "sex": 2}, {"a=b": 3, "sex": 0}
    ]  # fmt: skip


def test_both_languages_say_the_same() -> None:
    def keys(words: dict[str, object]) -> dict[str, object]:
        return {k: keys(v) if isinstance(v, dict) else None for k, v in words.items()}

    en, fr = (
        tomllib.loads((files("sosie.cli") / f"{lang}.toml").read_text(encoding="utf-8"))["tune"]
        for lang in ("en", "fr")
    )
    assert keys(en) == keys(fr)
    for name in ("pass", "attention", "none"):
        en_fields, fr_fields = (
            {field for _, field, _, _ in Formatter().parse(words["why"][name])}
            for words in (en, fr)
        )
        assert en_fields == fr_fields
