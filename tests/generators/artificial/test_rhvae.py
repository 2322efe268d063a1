"""Artificial persons: types, margins, bonds, conditions, missing cells, seeds, refusals."""

import tracemalloc
from contextlib import suppress

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors

from sosie.errors import DataError, ParameterError
from sosie.generators.artificial import RHVAE, ImageRHVAE, JointRHVAE, _room
from sosie.generators.artificial._conditions import balanced_levels
from sosie.generators.artificial._room import check_rows, row_bytes
from sosie.table import Column, Schema, Sum, Table

VAST = Column(name="count", kind="integer")
LISTED = ", ".join(f"grade {i:02}" for i in range(1, 11))
"""Ten of the levels are listed."""


@pytest.fixture(scope="module")
def persons():
    """300 invented persons: numbers, whole numbers, dates in order, levels, missing cells."""
    rng = np.random.default_rng(7)
    n = 300
    sex = rng.choice(["f", "m"], n)
    age = np.clip(rng.normal(55, 15, n), 18, 95).round()
    weight = rng.normal(np.where(sex == "f", 60, 80), 8, n).round(1)
    visit = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    return pd.DataFrame(
        {
            "sex": sex,
            "age": age.astype(int),
            "weight": np.where(rng.random(n) < age / 200, np.nan, weight),
            "cost": np.where(rng.random(n) < 0.6, 0, rng.lognormal(6, 1.4, n).round(2)),
            "visit": visit,
            "out": visit + pd.to_timedelta(rng.geometric(0.3, n) - 1, unit="D"),
            "school": rng.choice(["primary", "secondary", "degree"], n, p=[0.3, 0.5, 0.2]),
            "dead": rng.random(n) < age / 150,
        }
    )


@pytest.fixture(scope="module")
def model(persons):
    return RHVAE(seed=0, epochs=30).fit(persons)


def test_types_names_ranges_and_order_hold(model, persons):
    drawn = model.sample(400)
    pd.testing.assert_series_equal(drawn.dtypes, persons.dtypes)
    assert len(drawn) == 400
    for name in ("age", "weight", "cost", "visit"):
        assert drawn[name].min() >= persons[name].min()
        assert drawn[name].max() <= persons[name].max()
    assert (drawn["visit"] <= drawn["out"]).all()
    assert set(drawn["school"]) == set(persons["school"])


def test_margins_spikes_and_missing_cells_are_kept(model, persons):
    drawn = model.sample(600)
    assert (drawn["cost"] == 0).mean() == pytest.approx((persons["cost"] == 0).mean(), abs=0.01)
    assert drawn["weight"].isna().mean() == pytest.approx(persons["weight"].isna().mean(), abs=0.01)
    assert drawn["age"].mean() == pytest.approx(persons["age"].mean(), abs=0.3)
    assert drawn["age"].std() == pytest.approx(persons["age"].std(), rel=0.03)
    older = drawn.loc[drawn["weight"].isna(), "age"].mean() - drawn["age"].mean()
    assert older > 1  # the old miss more often


def test_no_cell_of_numbers_is_an_average(model):
    drawn = model.sample(300)
    by_sex = drawn.groupby("sex")["weight"]
    assert (by_sex.mean()["m"] - by_sex.mean()["f"]) == pytest.approx(20, abs=4)
    assert (by_sex.std() > 6).all()


def test_same_seed_same_rows(model, persons):
    again = RHVAE(seed=0, epochs=30).fit(persons).sample(50)
    pd.testing.assert_frame_equal(again, model.sample(50))
    other = RHVAE(seed=1, epochs=1).fit(persons).sample(50)
    assert not other.equals(again)


def test_what_is_asked_holds_in_every_row(model):
    asked = {"sex": "f", "age": (40, 50), "school": "degree", "dead": True}
    drawn = model.sample(40, where=asked)
    assert len(drawn) == 40
    assert set(drawn["sex"]) == {"f"}
    assert drawn["age"].between(40, 50).all()
    assert set(drawn["school"]) == {"degree"}
    assert drawn["dead"].all()
    assert model.ess_ >= 1
    exact = model.sample(20, where={"weight": 70.5})
    assert (exact["weight"] == 70.5).all()
    late = model.sample(20, where={"out": ("2022-01-01", None)})  # a date told by a step
    assert (late["out"] >= "2022-01-01").all()


def test_a_condition_tells_of_other_columns(model, persons):
    heavy = model.sample(200, where={"weight": (85, None)})
    assert (heavy["sex"] == "m").mean() > 0.9
    young = model.sample(300, where={"age": (None, 40)})
    expected = persons.loc[persons["age"] <= 40, "dead"].mean()
    assert young["dead"].mean() == pytest.approx(expected, abs=0.12)


def test_rows_from_one_latent_are_worth_one_and_others_no_more_than_they_are(model, monkeypatch):
    model.sample(70)
    assert model.ess_ == 70
    asked = {"where": {"dead": True, "age": (60, 70)}}
    model.sample(40, **asked)
    assert 20 < model.ess_ <= 40
    model.sample(40, balance="sex", **asked)
    assert 20 < model.ess_ <= 40
    drawn, first = model._model.conditioned, []

    def of_one(*given):
        z, *others = drawn(*given)
        first.append(z[0])
        return np.repeat(first[0][None], len(z), axis=0), *others

    monkeypatch.setattr(model._model, "conditioned", of_one)
    model.sample(40, **asked)
    assert model.ess_ == 1


def test_classes_are_balanced(model):
    drawn = model.sample(61, balance="school")
    assert sorted(drawn["school"].value_counts()) == [20, 20, 21]
    both = model.sample(40, where={"age": (30, 60)}, balance="sex")
    assert sorted(both["sex"].value_counts()) == [20, 20]
    assert both["age"].between(30, 60).all()


def test_the_filter_leaves_none_nearer_than_persons_are(model):
    model.sample(300)
    assert 0.8 < model.kept_by_filter_ <= 1
    assert model.ess_ == 300


def test_rows_keep_off_persons_in_plain_values_too():
    rng = np.random.default_rng(3)
    skewed = np.exp(rng.normal(size=(150, 3)) @ rng.normal(size=(3, 3)))
    persons = pd.DataFrame(skewed, columns=list("abc"))
    drawn = RHVAE(latent_dim=2, seed=0, epochs=0).fit(persons).sample(300)
    scale = persons.std(ddof=0)
    index = NearestNeighbors(n_neighbors=1).fit(persons / scale)
    between, _ = index.kneighbors()
    away, _ = index.kneighbors(drawn / scale)
    assert away.min() >= np.quantile(between, 0.05) * 0.999


def test_protocol_of_generators(model, persons):
    released, linked = model.sample_tables()
    assert len(released) == len(persons)
    assert linked is None
    assert model.get_params()["seed"] == 0
    assert model.bound_ == max(model.history_)


def test_a_bend_is_kept_that_a_gaussian_copula_loses():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    bent = pd.DataFrame({"x": x, "y": x**2 + 0.2 * rng.normal(size=300)})
    bent["z"] = x + rng.normal(size=300)
    learnt = RHVAE(latent_dim=2, seed=0).fit(bent).sample(600)
    copula = RHVAE(latent_dim=2, seed=0, epochs=0).fit(bent).sample(600)  # where it begins

    def bend(frame):
        return frame["x"].abs().corr(frame["y"], method="spearman")

    assert abs(bend(copula)) < 0.25
    assert bend(learnt) > 0.6
    assert learnt["x"].corr(learnt["z"]) > 0.5


def test_filled_cells_beat_the_mean_and_their_intervals_cover():
    rng = np.random.default_rng(0)
    n = 300
    common = rng.normal(size=n)
    whole = pd.DataFrame({c: common + 0.6 * rng.normal(size=n) for c in "abcd"})
    gone = rng.random(whole.shape) < 0.15
    holed = whole.mask(gone)
    filled = RHVAE(seed=0, epochs=40).fit(holed).impute(draws=30)
    assert len(filled) == 30
    for frame in filled[:2]:
        assert not frame.isna().any(axis=None)
        np.testing.assert_array_equal(frame.to_numpy()[~gone], whole.to_numpy()[~gone])
    draws = np.stack([frame.to_numpy()[gone] for frame in filled])
    truth = whole.to_numpy()[gone]
    by_mean = np.broadcast_to(holed.mean().to_numpy(), whole.shape)[gone]
    assert ((draws.mean(0) - truth) ** 2).mean() < 0.5 * ((by_mean - truth) ** 2).mean()
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    assert 0.86 < ((truth >= low) & (truth <= high)).mean() <= 1


def test_filled_dates_stay_in_order(persons):
    holed = persons.assign(visit=persons["visit"].mask(persons.index % 3 == 0))
    holed["out"] = holed["out"].mask(persons.index % 4 == 0)
    (frame,) = RHVAE(latent_dim=2, seed=0, epochs=0).fit(holed).impute(1)
    assert (frame["visit"] <= frame["out"]).all()
    assert frame["visit"].nunique() > holed["visit"].nunique()
    for name in ("visit", "out"):
        seen = holed[name].notna()
        assert (frame.loc[seen, name] == holed.loc[seen, name]).all()


def test_a_part_of_a_known_total_is_what_the_others_leave():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 20, 200) / 10, "b": rng.normal(5, 1, 200).round(1)})
    frame["total"] = (frame["a"] + frame["b"]).round(1)
    holed = frame.assign(a=frame["a"].mask(rng.random(200) < 0.3), x=rng.normal(size=200))
    said = Schema(sums=[Sum(total="total", parts=["a", "b"])])
    (filled,) = RHVAE(latent_dim=2, seed=0, epochs=0).fit(Table.of(holed, said)).impute(1)
    assert filled["a"].tolist() == frame["a"].tolist()  # to the digit


def test_cells_missing_by_another_column_are_filled_without_its_bias():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    whole = pd.DataFrame({"x": x, "y": 0.8 * x + 0.6 * rng.normal(size=400)})
    whole["z"] = whole["y"] + 0.6 * rng.normal(size=400)
    gone = rng.random(400) < 1 / (1 + np.exp(-2 * x))
    holed = whole.assign(y=whole["y"].mask(gone))
    model = RHVAE(seed=0, epochs=0).fit(holed)
    filled = model.impute(draws=5)
    guess = np.mean([frame["y"][gone] for frame in filled], axis=0)
    truth = whole["y"][gone]
    assert abs(holed["y"].mean() - truth.mean()) > 0.6
    assert guess.mean() == pytest.approx(truth.mean(), abs=0.15)
    assert np.corrcoef(guess, truth)[0, 1] > 0.75
    drawn = model.sample(600)  # whose cells that are not missing are as those of persons
    assert drawn["y"].isna().mean() == pytest.approx(gone.mean(), abs=0.01)
    assert drawn["y"].mean() == pytest.approx(holed["y"].mean(), abs=0.03)
    assert drawn["y"].std() == pytest.approx(holed["y"].std(), rel=0.05)
    assert drawn["x"][drawn["y"].isna()].mean() > drawn["x"].mean() + 0.2


def test_a_table_of_labels_only_is_learnt():
    rng = np.random.default_rng(3)
    ward = rng.integers(0, 3, 240)
    drug = np.where(rng.random(240) < 0.7, ward, rng.integers(0, 3, 240))
    whole = pd.DataFrame({"ward": np.array(list("xyz"))[ward], "drug": np.array(list("uvw"))[drug]})
    model = RHVAE(latent_dim=2, seed=0, epochs=40).fit(whole)
    drawn = model.sample(2000)
    seen, got = (pd.crosstab(f["ward"], f["drug"], normalize=True) for f in (whole, drawn))
    assert np.abs(seen - got).to_numpy().sum() / 2 < 0.2  # 0.4 were there no bond


def test_other_kinds_of_frames(persons):
    frame = pl.from_pandas(persons)
    drawn = RHVAE(latent_dim=2, seed=0, epochs=0, stratum=None).fit(frame).sample(5)
    assert drawn.schema == frame.schema


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda f: (RHVAE(), f.head(29)), "29 persons"),
        (lambda f: (RHVAE(latent_dim=200), f), "latent_dim = 200"),
        (lambda f: (RHVAE(), f.assign(age=np.nan)), "'age' holds no value at all"),
        (lambda f: (RHVAE(stratum="age"), f), "'age' cannot be the stratum or outcome"),
        (lambda f: (RHVAE(temper=2), f), "temper"),
        (lambda f: (RHVAE(latent_dim=0), f), "latent_dim"),
        (lambda f: (RHVAE(), f[["age"]]), "one column only"),
    ],
)
def test_what_cannot_be_learnt_is_told(persons, build, match):
    generator, frame = build(persons)
    with pytest.raises((DataError, ParameterError), match=match):
        generator.fit(frame)


@pytest.mark.parametrize(
    ("n", "asked", "match"),
    [
        (0, {}, "n is a whole number"),
        (5, {"where": {"sexe": "f"}}, "did you mean 'sex'"),
        (5, {"where": {"sex": "x"}}, "no level as asked"),
        (5, {"where": {"age": 200}}, "Nobody in the table"),
        (5, {"where": {"age": (200, 300)}}, "Nobody in the table"),
        (5, {"where": {"age": (50, 40)}}, "ends before"),
        (5, {"where": {"age": "old"}}, "holds numbers"),
        (5, {"where": {"visit": "soon"}}, "holds dates"),
        (5, {"balance": "age"}, "only a column of levels"),
        (5, {"balance": "nobody"}, "There is no column"),
        (5, {"balance": "sex", "where": {"sex": "f"}}, "leaves nothing to balance"),
    ],
)
def test_what_cannot_be_drawn_is_told(model, n, asked, match):
    with pytest.raises(ParameterError, match=match):
        model.sample(n, **asked)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"high": 40, "low": 5}, " as asked; it has: high, low."),
        ({"high": 40, "low": 5, "rare": 4, "superrare": 1}, "; it has, among others: high, low."),
        ({f"grade {i:02}": 4 + i for i in range(20)}, f": {LISTED}."),
        ({f"grade {i}": 4 for i in range(20)}, "Column 'grade' has no level as asked."),
    ],
)
def test_a_refusal_names_no_level_that_few_persons_have(counts, told):
    grade = [level for level, n in counts.items() for _ in range(n)] + [None] * 9
    frame = pd.DataFrame({"grade": grade, "age": np.arange(len(grade)) % 40})
    with pytest.raises(ParameterError) as refused:
        RHVAE(seed=0, epochs=0, latent_dim=1).fit(frame).sample(5, where={"grade": "xx"})
    assert str(refused.value).endswith(told)
    assert not [level for level, n in counts.items() if n < 5 and level in str(refused.value)]


def test_the_memory_that_is_told_is_that_which_is_taken(model):
    """By what Python counts while rows are drawn, blocks of fixed size left aside."""
    peaks = []
    for n in (12_000, 16_000):
        tracemalloc.start()
        model.sample_table(n)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert 0.4 < (peaks[1] - peaks[0]) / 4_000 / row_bytes(model.table_) < 2.5


def test_it_is_cloned_and_set_as_scikit_learn_does():
    for model in (RHVAE(latent_dim=3, temper=0.5), ImageRHVAE(seed=4), JointRHVAE(epochs=2)):
        again = clone(model)
        assert type(again) is type(model)
        assert again.get_params() == model.get_params()
    assert RHVAE().set_params(seed=7).seed == 7
    with pytest.raises(ParameterError, match="no parameter 'depth'; it has latent_dim, seed"):
        RHVAE().set_params(depth=2)


def test_completed_rows_keep_their_index(persons):
    named = persons.set_index(pd.Index([f"p{i}" for i in range(len(persons))]))
    for frame in RHVAE(latent_dim=2, seed=0, epochs=0).fit(named).impute(2):
        assert frame.index.equals(named.index)
        assert frame["age"].equals(named["age"])


def test_a_number_that_the_column_cannot_hold(model):
    with pytest.raises(ParameterError, match="holds whole numbers: ask for one of these, or for"):
        model.sample(5, where={"age": 40.5})
    with pytest.raises(ParameterError, match="holds numbers of 1 decimal:"):
        model.sample(5, where={"weight": 70.55})
    with pytest.raises(ParameterError, match="'school' is one of levels: ask for one of them"):
        model.sample(5, where={"school": ("primary", None)})
    assert (model.sample(5, where={"age": 40.0})["age"] == 40).all()


def test_labels_that_differ_in_capitals_alone_are_told_apart():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"type": rng.choice(["A", "a", "B"], 90), "x": rng.normal(size=90)})
    model = RHVAE(latent_dim=1, seed=0, epochs=0).fit(frame)
    for asked, drawn in [("a", "a"), ("A", "A"), ("b", "B")]:
        assert set(model.sample(5, where={"type": asked})["type"]) == {drawn}


def test_nothing_heaps_at_the_ends_of_a_range():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    frame = pd.DataFrame({"x": x, "y": x + rng.normal(size=60), "age": rng.integers(20, 80, 60)})
    model = RHVAE(latent_dim=1, seed=0, epochs=0, stratum=None).fit(frame)
    narrow = model.sample(200, where={"x": (0.5, 0.7)})["x"]
    assert narrow.between(0.5, 0.7, inclusive="neither").all()
    assert narrow.nunique() == 200
    ages = model.sample(300, where={"age": (40, 44)})["age"]
    assert set(ages) <= {40, 41, 42, 43, 44}


def test_a_range_that_nobody_of_a_stratum_reaches_is_refused():
    rng = np.random.default_rng(1)
    ill = np.arange(120) % 2
    frame = pd.DataFrame({"x": rng.uniform(0, 1, 120) + ill, "ill": np.where(ill, "yes", "no")})
    model = RHVAE(latent_dim=1, seed=0, epochs=0, stratum="ill").fit(frame)
    assert (model.sample(20, where={"x": (1.5, None)})["ill"] == "yes").all()
    with pytest.raises(DataError, match="of one 'ill' nobody comes as far"):
        model.sample(5, where={"x": (1.5, None), "ill": "no"})
    with pytest.raises(DataError, match="of one 'ill' nobody comes as far"):
        model.sample(6, where={"x": (1.5, None)}, balance="ill")


def test_a_cell_of_one_person_alone_is_not_learnt(persons):
    alone = persons.assign(bill=np.where(np.arange(len(persons)) == 3, 48217.35, np.nan))
    with pytest.raises(DataError, match="Of one person only is known: 'bill'") as refused:
        RHVAE(seed=0, epochs=0, latent_dim=1).fit(alone)
    assert "48217" not in str(refused.value)


def test_whole_numbers_that_floats_do_not_tell_apart_are_refused(persons):
    vast = persons.assign(count=2**60 + np.arange(len(persons)) % 7)
    with pytest.raises(DataError, match="beyond 2\\^53 stand in 'count'"):
        RHVAE(seed=0, epochs=0, latent_dim=1).fit(Table.of(vast, Schema(columns=[VAST])))


def test_writing_into_the_latents_changes_no_draw(persons):
    model = RHVAE(seed=0, epochs=0, latent_dim=1).fit(persons)
    before = model.sample(20)
    model.latent()[0][:] = 9
    pd.testing.assert_frame_equal(model.sample(20), before)


def test_a_day_told_by_a_step_is_the_day_asked_for(model, persons):
    """No row of another day, whether somebody has it or not."""
    days = pd.date_range(persons["out"].quantile(0.3), periods=30).normalize()
    for day in days[::10]:
        with suppress(DataError):  # too rare to be drawn
            drawn = model.sample(4, where={"out": day.to_pydatetime()})
            assert (drawn["out"] == day).all()


def test_a_container_may_take_less_than_the_machine_has(persons, monkeypatch, tmp_path):
    table = Table.of(persons)
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(_room, "_LIMITS", (limit, tmp_path / "none"))
    limit.write_text(f"{1000 * row_bytes(table)}\n")
    check_rows(table, 1000)
    with pytest.raises(ParameterError, match="at most 1,000 at a time"):
        check_rows(table, 1001)
    limit.write_text("max\n")
    check_rows(table, 1001)


def test_one_class_to_balance(persons):
    with pytest.raises(ParameterError, match="one class only"):
        balanced_levels(Table.of(persons.assign(arm="a")), "arm")


def test_nothing_is_drawn_before_it_is_learnt():
    with pytest.raises(ParameterError, match="call fit first"):
        RHVAE().sample(3)
