"""A number of which many are zero: who has it, and how much, are two questions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sosie import RHVAE
from sosie.generators.artificial._coding import Coding
from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._spikes import spikes_of
from sosie.space import Columns
from sosie.table import Schema, Table


def hurdle(n: int, seed: int) -> pl.DataFrame:
    """Give persons of whom ``w`` tells who smokes, and ``x`` how much smokers do."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, n))
    smokes = rng.random(n) < 1 / (1 + np.exp(-2 * w))
    packs = np.where(smokes, np.exp(1 + 0.6 * x + 0.2 * rng.standard_normal(n)), 0.0)
    return pl.DataFrame({"x": x, "w": w, "packs": packs})


def found(frame: pl.DataFrame, **said: object) -> dict[str, float]:
    return Cohort(Table.of(frame), None, **said).spikes.at


def bonds(frame: pl.DataFrame) -> tuple[float, float, float]:
    """Bond of w and of x to who smokes, and of x to how much smokers do."""
    some = frame.filter(pl.col("packs") > 0)
    smokes = frame["packs"].to_numpy() > 0
    return (
        float(np.corrcoef(frame["w"], smokes)[0, 1]),
        float(np.corrcoef(frame["x"], smokes)[0, 1]),
        float(np.corrcoef(some["x"], np.log(some["packs"]))[0, 1]),
    )


@pytest.fixture(scope="module")
def persons() -> pl.DataFrame:
    return hurdle(400, 0)


@pytest.fixture(scope="module")
def model(persons: pl.DataFrame) -> RHVAE:
    return RHVAE(seed=0, epochs=0, stratum=None).fit(persons)


def test_what_one_score_cannot_tell_is_parted(persons: pl.DataFrame) -> None:
    assert found(persons) == {"packs": 0.0}
    assert found(persons.with_columns(packs=60 - pl.col("packs"))) == {"packs": 60.0}


@pytest.mark.parametrize("seed", range(4))
def test_what_one_score_tells_stays_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(500)
    far = 0.7 * x + 0.7 * rng.standard_normal(500)
    censored = pl.DataFrame({"x": x, "w": rng.standard_normal(500), "y": np.maximum(far, 0)})
    assert found(censored) == {}


def test_a_value_in_the_midst_of_others_is_one_of_them() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(500)
    often = np.where(rng.random(500) < 0.4, 0, x)
    assert found(pl.DataFrame({"x": x, "y": often, "z": rng.standard_normal(500)})) == {}


def test_bonds_to_who_and_to_how_much_are_both_kept(persons: pl.DataFrame, model: RHVAE) -> None:
    drawn = model.sample(2000)
    assert np.allclose(bonds(drawn), bonds(persons), atol=0.1)
    assert (drawn["packs"] == 0).mean() == pytest.approx((persons["packs"] == 0).mean(), abs=0.01)
    some = persons.filter(pl.col("packs") > 0)["packs"]
    assert drawn.filter(pl.col("packs") > 0)["packs"].is_between(some.min(), some.max()).all()


@pytest.mark.parametrize(
    ("asked", "low", "high"),
    [(0, 0, 0), ((0.5, 3.0), 0.5, 3.0), ((None, 2.0), 0, 2.0), ((1, None), 1, np.inf)],
)
def test_conditions_on_either_part_or_both(model: RHVAE, asked: object, low, high) -> None:
    drawn = model.sample(200, where={"packs": asked})["packs"]
    assert drawn.is_between(low, high).all()
    assert (drawn == 0).any() == (low == 0)
    assert (drawn > 0).any() == (high > 0)


def test_cells_are_missing_as_often_and_are_filled_without_bias() -> None:
    persons = hurdle(1000, 1)
    rng = np.random.default_rng(2)
    # Missing at random: those of a large x miss it, of whom smokers smoke most.
    gone = rng.random(1000) < 1 / (1 + np.exp(0.8 - 1.5 * persons["x"].to_numpy()))
    holes = persons.with_columns(
        packs=pl.when(pl.lit(pl.Series(gone))).then(None).otherwise("packs")
    )
    model = RHVAE(seed=0, epochs=0, stratum=None).fit(holes)
    drawn = model.sample(1000)
    assert drawn["packs"].null_count() == pytest.approx(gone.sum(), abs=30)
    tables = model.impute(4)
    assert all(t["packs"].null_count() == 0 for t in tables)
    known = holes["packs"].is_not_null()
    assert all(t.filter(known).equals(persons.filter(known)) for t in tables)
    truth = persons["packs"].mean()
    assert np.mean([t["packs"].mean() for t in tables]) == pytest.approx(truth, abs=0.2)
    assert holes["packs"].mean() < truth - 0.4
    slope = np.mean([np.polyfit(t["x"], t["packs"], 1)[0] for t in tables])
    assert slope == pytest.approx(np.polyfit(persons["x"], persons["packs"], 1)[0], abs=0.3)


def test_rules_bands_and_missing_cells_hold_beside() -> None:
    rng = np.random.default_rng(3)
    n = 300
    frame = hurdle(n, 3)
    days = np.where(rng.random(n) < 0.5, 0, np.round(np.exp(2 + 0.8 * frame["x"].to_numpy())))
    begun = np.datetime64("2020-01-01") + rng.integers(0, 900, n).astype("timedelta64[D]")
    frame = frame.with_columns(
        entry=pl.Series(begun).cast(pl.Date),
        exit=pl.Series(begun + days.astype("timedelta64[D]")).cast(pl.Date),
        smoker=pl.when(pl.col("packs") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
    )
    gone = pl.lit(pl.Series(rng.random(n) < 0.15))
    frame = frame.with_columns(
        pl.when(gone).then(None).otherwise(pl.col(name)).alias(name) for name in ("packs", "smoker")
    )
    table = Table.of(frame, Schema(order=[["entry", "exit"]]))
    model = RHVAE(seed=0, epochs=0).fit(table)
    cohort = model._cohort
    assert set(cohort.spikes.found) == {"packs", "exit"}
    drawn = model.sample(600)
    assert drawn.equals(model.sample(600))
    assert (drawn["entry"] <= drawn["exit"]).all()
    assert drawn["packs"].is_null().equals(drawn["smoker"].is_null())
    assert (drawn["packs"] > 0).drop_nulls().equals((drawn["smoker"] == "yes").drop_nulls())
    for smoker in ("yes", "no"):
        rows = model.sample(50, where={"smoker": smoker})
        assert ((rows["packs"] > 0) == (smoker == "yes")).all()


def test_a_model_read_again_parts_alike(persons: pl.DataFrame, model: RHVAE, tmp_path) -> None:
    model.save(tmp_path / "model")
    again = RHVAE.load(tmp_path / "model", persons)
    assert again.sample(50).equals(model.sample(50))


def test_a_column_of_the_same_name_stays(persons: pl.DataFrame) -> None:
    named = persons.with_columns((pl.col("w") * pl.col("x") > 0).alias("packs is 0.0"))
    cohort = Cohort(Table.of(named), None)
    assert cohort.spikes.found == {"packs": "packs is 0.0."}
    rebuilt = cohort.rebuilt(cohort.columns.arrays()).frame
    assert rebuilt.equals(named.select(rebuilt.columns))


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, 60, elements=st.one_of(st.just(0.0), st.floats(-5, 5), st.just(np.nan))))
def test_parted_and_put_together_is_the_same(values: np.ndarray) -> None:
    values = np.r_[values, np.zeros(60), np.arange(1.0, 61)]
    x = np.where(values == 0, np.random.default_rng(0).standard_normal(180) + 5, 0.1 * values)
    missing = np.isnan(values)
    masks = (missing,) if missing.any() else ()
    columns = Columns(
        {"x": np.nan_to_num(x), "y": np.where(missing, 1.0, values)},
        {},
        {},
        masks,
        {"y": 0} if masks else {},
    )
    coding = Coding(columns, set(), None)
    spikes = spikes_of(columns, coding, coding.coded(columns))
    again = spikes.undone(spikes.taken(columns).arrays())
    assert np.array_equal(again["y"], values, equal_nan=True)
