"""`sosie impute`: known cells stay, missing ones are drawn, one sentence for a mistake."""

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
