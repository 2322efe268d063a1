"""Pairs of values that nobody has are not drawn, and the margins stay."""

import numpy as np
import pandas as pd
import pytest

from sosie import RHVAE
from sosie.errors import DataError
from sosie.generators.artificial._cohort import Cohort
from sosie.table import Table

N = 400


def persons(seed=0):
    """Patients of two sexes, with cancers of either sex alone, and a drug that some never take."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], N)
    of_men, of_women = (rng.choice(sites, N) for sites in (MEN, WOMEN))
    smokes = rng.choice(["never", "before", "now"], N)
    return pd.DataFrame(
        {
            "age": rng.normal(60, 10, N).round(1),
            "sex": sex,
            "site": np.where(sex == "m", of_men, of_women),
            "pregnant": np.where((sex == "f") & (rng.random(N) < 0.3), "yes", "no"),
            "smokes": smokes,
            "packs": np.where(smokes == "never", 0.0, rng.gamma(2, 10, N).round(1) + 0.1),
            "bmi": rng.normal(26, 4, N).round(1),
        }
    )


MEN, WOMEN = ["prostate", "lung", "colon"], ["breast", "lung", "colon", "ovary"]


@pytest.mark.parametrize("stratum", [None, "sex", "smokes"])
def test_what_nobody_has_is_not_drawn_and_margins_stay(stratum):
    frame = persons()
    drawn = RHVAE(seed=0, epochs=0, stratum=stratum).fit(frame).sample(1500)
    assert set(drawn.loc[drawn["sex"] == "m", "site"]) == set(MEN)
    assert set(drawn.loc[drawn["sex"] == "f", "site"]) == set(WOMEN)
    assert (drawn.loc[drawn["pregnant"] == "yes", "sex"] == "f").all()
    assert ((drawn["packs"] == 0) == (drawn["smokes"] == "never")).all()
    for name in ("sex", "site", "pregnant", "smokes"):
        shares = (t[name].value_counts(normalize=True) for t in (frame, drawn))
        assert pd.concat(shares, axis=1).diff(axis=1).iloc[:, 1].abs().sum() / 2 < 0.06, name


def test_cells_known_with_values_with_which_they_never_are():
    """Nobody knows the occupation without the class, and whoever works has both."""
    rng = np.random.default_rng(1)
    kind = rng.choice(["private", "public", "none"], N)
    job = rng.choice(["clerk", "sales", "craft"], N)
    frame = pd.DataFrame({"age": rng.normal(40, 9, N).round(1), "kind": kind, "job": job})
    frame.loc[frame["kind"] == "none", "job"] = None
    unknown = rng.random(N) < 0.2
    frame.loc[unknown, ["kind", "job"]] = None
    drawn = RHVAE(seed=0, epochs=0).fit(frame).sample(1000)
    none = drawn["kind"].isna() | (drawn["kind"] == "none")
    assert (drawn["job"].isna() == none).all()
    assert drawn["kind"].isna().mean() == pytest.approx(unknown.mean(), abs=0.04)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_that_chance_leaves_out_stay_possible(seed):
    """Ten wards, levels of 2 % and a spike, all independent: any pair may come."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "ward": rng.choice(list("abcdefghij"), N),
            "rare": rng.choice(["x", "y", "z"], N, p=[0.02, 0.48, 0.5]),
            "sex": rng.choice(["f", "m"], N),
            "dose": np.where(rng.random(N) < 0.3, 0.0, rng.normal(10, 2, N).round(2)),
        }
    )
    frame.loc[rng.random(N) < 0.1, "dose"] = np.nan
    assert Cohort(Table.of(frame), "auto").possible.pairs == 0


def test_what_one_alone_has_is_not_told():
    """One man with a cancer that only women have else: no row drawn says that there is one."""
    frame = persons()
    frame.loc[(frame["sex"] == "m").idxmax(), "site"] = "breast"
    drawn = RHVAE(seed=0, epochs=0).fit(frame).sample(1500)
    assert "breast" not in set(drawn.loc[drawn["sex"] == "m", "site"])


def test_pairs_of_levels_are_counted():
    """Of 2 sexes x 5 sites, ovary and breast in men and prostate in women; pregnant men."""
    frame = persons()[["age", "sex", "site", "pregnant"]]
    counts = pd.crosstab(frame["sex"], frame["site"])
    assert int((counts == 0).to_numpy().sum()) == 3
    found = Cohort(Table.of(frame), None).possible.pairs
    of_site = pd.crosstab(frame["site"], frame["pregnant"]) == 0
    assert found == 3 + 1 + int(of_site.to_numpy().sum())


def test_who_asks_for_what_nobody_has_is_told():
    model = RHVAE(seed=0, epochs=0).fit(persons())
    with pytest.raises(DataError, match="has at once what is asked of 'sex', 'site'"):
        model.sample(20, where={"sex": "m", "site": "breast"})
    drawn = model.sample(20, where={"sex": "f", "site": "breast"})
    assert set(drawn["site"]) == {"breast"}


def test_one_row_on_a_condition_is_drawn():
    """With nobody to exchange values with, a row is drawn again."""
    model = RHVAE(seed=0, epochs=0).fit(persons())
    for seed in range(25):
        model._draw_seed = np.random.SeedSequence(seed)
        assert model.sample(1, where={"sex": "f"})["sex"].tolist() == ["f"]
