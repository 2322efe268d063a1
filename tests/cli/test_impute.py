"""`sosie impute`: known cells stay, missing ones are drawn, one sentence for a mistake."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from tests.cli.conftest import Sosie


@pytest.fixture
def sosie(sosie: Sosie) -> Sosie:
    return lambda *arguments: sosie("impute", *arguments, "--epochs", "0")


def persons() -> tuple[pd.DataFrame, pd.DataFrame]:
    """200 patients whose s1 and s2 tell each other, with names; and the same with holes."""
    frame = load_diabetes(as_frame=True, scaled=False).frame[["age", "s1", "s2", "bmi"]]
    whole = frame.head(200).reset_index(drop=True).astype(float)
    rng = np.random.default_rng(1)
    whole.insert(0, "patient_id", [f"P-{i:03}" for i in rng.permutation(200)])
    whole["grade"] = np.where(whole["bmi"] > 27, "high", "low")
    holed = whole.copy()
    for name in ("s1", "bmi", "grade"):
        holed.loc[rng.random(200) < 0.2, name] = None
    return whole, holed


@pytest.fixture
def holed(tmp_path: Path) -> Path:
    persons()[1].to_csv(tmp_path / "holed.csv", index=False)
    return tmp_path / "holed.csv"


def test_one_table_keeps_what_is_known(holed: Path, sosie: Sosie) -> None:
    out = holed.with_name("full.csv")
    ran = sosie(holed, "--out", out, "--seed", 1)
    assert ran.status == 0, ran.err
    before, after = pd.read_csv(holed), pd.read_csv(out)
    assert not after.isna().any(axis=None)
    assert list(after.columns) == list(before.columns)
    pd.testing.assert_frame_equal(after.where(before.notna()), before)
    for name in ("s1", "bmi"):
        assert after[name].between(before[name].min(), before[name].max()).all()
    assert set(after["grade"]) == {"high", "low"}
    assert str(int(before.isna().sum().sum())) in ran.out
    assert "'patient_id'" in ran.out
    assert "too narrow" in ran.out
    assert "as sensitive as the original" in ran.err
    assert out.stat().st_mode & 0o077 == 0


def test_known_cells_stay_spelt_as_they_are(holed: Path, sosie: Sosie) -> None:
    """As csv of Python reads both files: decimal commas, zeros that say nothing, two of missing."""
    before = pd.read_csv(holed)
    gone = before.isna()
    zeros = np.array(["", "0", "00"])[np.arange(200) % 3]
    odd = before.astype(object).assign(
        s1=[f"{x:.1f}{z}".replace(".", ",") for x, z in zip(before["s1"], zeros, strict=True)],
        grade='"' + before["grade"] + '"',
    )
    odd = odd.where(~gone, np.where(np.arange(200) % 4, "NA", "")[:, None].repeat(gone.shape[1], 1))
    lines = [";".join(map(str, row)) for row in (odd.columns, *odd.itertuples(index=False))]
    odd_file, out = holed.with_name("odd.csv"), holed.with_name("full.csv")
    odd_file.write_bytes("\r\n".join(lines).encode("latin-1"))
    assert sosie(odd_file, "--out", out, "--draws", 2).status == 0

    def cells(path: Path) -> "np.ndarray[tuple[int, int], np.dtype[np.str_]]":
        rows = list(csv.reader(path.read_text("latin-1").splitlines(), delimiter=";"))
        return np.array(rows[1:])

    first, second = cells(out)[:200, 2:], cells(out)[200:, 2:]
    for drawn in (first, second):
        assert (drawn == cells(odd_file))[~gone.to_numpy()].all()
        assert not np.isin(drawn[gone.to_numpy()], ["NA", ""]).any()
        assert all("," in cell for cell in drawn[gone["s1"], list(before.columns).index("s1")])
    assert (first != second).any()


def test_several_tables_stand_below_each_other(holed: Path, sosie: Sosie) -> None:
    out = holed.with_name("full.csv")
    ran = sosie(holed, "--out", out, "--draws", 20, "--seed", 1, "--json")
    assert ran.status == 0, ran.err
    said = json.loads(ran.out)
    truth, given = persons()
    assert said["filled"] == {n: int(k) for n, k in given.isna().sum().items() if k}
    assert said["aside"] == ["patient_id"]
    stacked = pd.read_csv(out)
    assert list(stacked.columns) == [".imp", ".id", *given.columns]
    assert stacked[".imp"].tolist() == np.repeat(np.arange(1, 21), 200).tolist()
    assert stacked[".id"].tolist() == np.tile(np.arange(1, 201), 20).tolist()
    drawn = stacked["s1"].to_numpy().reshape(20, 200)
    gone = given["s1"].isna().to_numpy()
    assert (drawn[:, ~gone].std(0) == 0).all()
    assert (drawn[:, gone].std(0) > 0).mean() > 0.9
    # s2 tells s1 (correlation .9): draws are about the truth, and not all at one place.
    error = drawn[:, gone].mean(0) - truth["s1"][gone]
    assert (error**2).mean() < 0.5 * truth["s1"].var()
    low, high = np.quantile(drawn[:, gone], [0, 1], axis=0)
    assert ((low <= truth["s1"][gone]) & (truth["s1"][gone] <= high)).mean() > 0.7


def test_the_seed_decides(holed: Path, sosie: Sosie) -> None:
    made = [holed.with_name(f"{name}.csv") for name in "abc"]
    for path, seed in zip(made, (1, 1, 2), strict=True):
        assert sosie(holed, "--out", path, "--seed", seed).status == 0
    one, same, other = (path.read_bytes() for path in made)
    assert one == same != other


@pytest.mark.parametrize(
    ("change", "options", "part"),
    [
        (lambda f: f.fillna({"s1": 1, "bmi": 1, "grade": "low"}), (), "no missing cell"),
        (lambda f: f.head(29), (), "29 persons"),
        (lambda f: f.assign(s2=np.nan), (), "'s2'"),
        (lambda f: f, ("--draws", 0), "--draws"),
        (lambda f: f, ("--draws", 10**9), "GiB of memory"),
        (lambda f: f, ("--latent-dim", 300), "latent_dim = 300"),
        (lambda f: f, ("--out", "holed.csv"), "would replace"),
        (lambda f: f, ("--drop", "s9"), "'s9'"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    change: Callable[[pd.DataFrame], pd.DataFrame], options: tuple[object, ...], part: str,
    holed: Path, sosie: Sosie, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(holed.parent)
    change(persons()[1]).to_csv(holed, index=False)
    ran = sosie("holed.csv", "--out", "full.csv", *options)
    assert ran.status == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert part in ran.err
    assert [path.name for path in holed.parent.iterdir()] == ["holed.csv"]


def test_dates_that_are_drawn_stay_in_order_beside_an_identifier(
    tmp_path: Path, sosie: Sosie
) -> None:
    rng, n = np.random.default_rng(5), 120
    entry = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    frame = pd.DataFrame({"patient_id": [f"P-{i:03}" for i in range(n)], "entry": entry})
    frame["exit"] = frame["entry"] + pd.to_timedelta(rng.geometric(0.1, n), unit="D")
    gone = rng.random(n) < 0.3
    frame.loc[gone, "exit"] = pd.NaT
    frame.to_csv(tmp_path / "stays.csv", index=False)
    ran = sosie(tmp_path / "stays.csv", "--out", tmp_path / "full.csv", "--seed", 1)
    assert ran.status == 0, ran.err
    full = pd.read_csv(tmp_path / "full.csv", parse_dates=["entry", "exit"])
    assert full["exit"].notna().all()
    assert (full["exit"] >= full["entry"]).all()


def test_cells_that_may_not_apply_are_named_and_left_on_request(
    tmp_path: Path, sosie: Sosie
) -> None:
    frame = persons()[0].drop(columns="patient_id")
    frame["dose"] = np.where(frame["grade"] == "high", (frame["bmi"] / 3).round(1), np.nan)
    low = frame["grade"] == "low"
    frame.loc[~low & (np.random.default_rng(0).random(200) < 0.2), "dose"] = np.nan
    source, out = tmp_path / "doses.csv", tmp_path / "full.csv"
    frame.to_csv(source, index=False, na_rep="-", sep=";", decimal=",")
    ran = sosie(source, "--out", out, "--seed", 1, "--missing", "-")
    assert ran.status == 0, ran.err
    assert f"known of none of the {low.sum()} persons with 'grade' = low" in ran.out
    assert "--leave-unseen" in ran.out
    assert not pd.read_csv(out, sep=";", decimal=",").isna().any(axis=None)
    ran = sosie(source, "--out", out, "--seed", 1, "--missing", "-", "--leave-unseen", "--json")
    said = json.loads(ran.out)
    cells = {"column": "dose", "by": "grade", "value": "low", "cells": int(low.sum())}
    assert said["unseen"] == [cells]
    assert said["filled"] == {"dose": int(frame["dose"].isna().sum() - low.sum())}
    read = list(csv.DictReader(out.open(encoding="utf-8"), delimiter=";"))
    assert [row["dose"] == "-" for row in read] == low.tolist()
