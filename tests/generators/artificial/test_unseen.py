"""Cells that do not apply to some persons: found, kept empty in draws, left so on request."""

import numpy as np
import pandas as pd
import pytest

from sosie import RHVAE
from sosie.generators.artificial._unseen import unseen
from sosie.table import Table

N = 240


def persons(seed=0, status=("alive", "dead"), unknown=0.2):
    """Patients of whom only the dead have a day of death, and of these not all."""
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 10, N).round(1)
    dead = rng.random(N) < 1 / (1 + np.exp(-(age - 62) / 6))
    day = (300 + 12 * (75 - age) + rng.normal(0, 60, N)).round(1)
    day[~dead | (rng.random(N) < unknown)] = np.nan
    names = np.array(status[:-1])[rng.integers(len(status) - 1, size=N)]
    return pd.DataFrame({"age": age, "status": np.where(dead, status[-1], names), "day": day})


@pytest.mark.parametrize("seed", range(3))
def test_what_is_never_known_with_a_value_is_found(seed):
    frame = persons(seed)
    living = int((frame["status"] == "alive").sum())
    found = unseen(Table.of(frame))
    assert [tuple(one) for one in found] == [("day", "status", "alive", living)]


@pytest.mark.parametrize("seed", range(5))
def test_cells_missing_at_random_are_no_finding(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=N) for name in "xyz"})
    frame["ward"] = rng.choice(list("abcdefghij"), N)
    frame["sex"] = rng.choice(["f", "m"], N)
    for name, share in (("x", 0.9), ("y", 0.5), ("z", 0.1), ("sex", 0.3)):
        frame.loc[rng.random(N) < share, name] = None
    assert unseen(Table.of(frame)) == []


@pytest.mark.parametrize(
    ("status", "stratum"),
    [
        (("alive", "dead"), None),
        (("alive", "dead"), "status"),
        (("at home", "moved", "in hospital", "dead"), None),
    ],
)
def test_draws_have_no_such_cell_and_the_others_as_often(status, stratum):
    frame = persons(1, status)
    drawn = RHVAE(seed=0, epochs=0, stratum=stratum).fit(frame).sample(2000)
    assert drawn.loc[drawn["status"] != "dead", "day"].isna().all()
    share, drawn_share = (t.loc[t["status"] == "dead", "day"].isna().mean() for t in (frame, drawn))
    assert drawn_share == pytest.approx(share, abs=0.03)
    days = frame["day"].dropna()
    assert drawn["day"].mean() == pytest.approx(days.mean(), abs=0.1 * days.std())
    of_age = [t[["age", "day"]].corr().iloc[0, 1] for t in (frame, drawn)]
    assert of_age[1] == pytest.approx(of_age[0], abs=0.15)


def test_where_nobody_else_misses_it():
    frame = persons(2, unknown=0.0)
    drawn = RHVAE(seed=0, epochs=0).fit(frame).sample(500)
    assert (drawn["day"].isna() == (drawn["status"] == "alive")).all()


def test_who_is_asked_for_with_such_a_cell_is_another():
    model = RHVAE(seed=0, epochs=0).fit(persons(3))
    drawn = model.sample(50, where={"day": (300, 500)})
    assert (drawn["status"] == "dead").all()
    assert drawn["day"].between(300, 500).all()


def test_filling_leaves_them_on_request():
    frame = persons(4)
    model = RHVAE(seed=0, epochs=0).fit(frame)
    assert [one[:3] for one in model.unseen_] == [("day", "status", "alive")]
    for filled in model.impute(2):
        assert not filled["day"].isna().any()
    for filled in model.impute(2, leave_unseen=True):
        assert (filled["day"].isna() == (frame["status"] == "alive")).all()
        known = frame["day"].notna()
        assert (filled["day"][known] == frame["day"][known]).all()


def test_a_number_tells_to_whom_cells_do_not_apply():
    """A test made from 50 on: whether, is told by bands of the age."""
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 300).round(1)
    frame = pd.DataFrame({"age": age, "over": np.where(age >= 50, "yes", "no")})
    frame["psa"] = np.where(age >= 50, rng.gamma(2, 2, 300).round(2), np.nan)
    drawn = RHVAE(seed=0, epochs=0).fit(frame).sample(600)
    assert (drawn["psa"].isna() == (drawn["over"] == "no")).all()


def test_who_dropped_out_stays_out():
    """Twelve visits: who misses one misses all that follow, as often as persons do."""
    rng = np.random.default_rng(0)
    last = rng.integers(1, 30, 300)
    visits = rng.normal(0, 1, (300, 12)).cumsum(1).round(2)
    visits[last[:, None] <= np.arange(12)] = np.nan
    frame = pd.DataFrame(visits, columns=[f"v{i:02}" for i in range(12)])
    frame["v00"] = rng.normal(size=300)
    drawn = RHVAE(seed=0, epochs=0).fit(frame).sample(300)
    gone = drawn[sorted(frame)].isna().to_numpy()
    assert (gone[:, 2:] >= gone[:, 1:-1]).mean() > 0.99
    assert abs(gone.mean() - frame.isna().to_numpy().mean()) < 0.03


def test_filling_leaves_them_where_the_reason_was_filled_too():
    frame = persons(5, unknown=0.0)
    gone = np.random.default_rng(0).random(N) < 0.1
    frame.loc[gone, "status"] = None
    for filled in RHVAE(seed=0, epochs=0).fit(frame).impute(2, leave_unseen=True):
        living = filled["status"] == "alive"
        known = frame["day"].notna()
        assert filled["day"][living & ~known].isna().all()
        assert (filled["day"][known] == frame["day"][known]).all()
