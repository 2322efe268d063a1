"""What every kernel owes the table: shape, types, rules, missing cells, seeds."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import sosie
from sosie.generators import KERNELS, Avatar, Gibbs

ALL = pytest.mark.parametrize("kernel", list(KERNELS))
RULES = pytest.mark.parametrize("kernel", [k for k in KERNELS if k != "published"])


@ALL
def test_same_columns_types_and_number_of_rows(mixed, kernel):
    avatars = Avatar(seed=0, kernel=kernel).fit_sample(mixed)
    assert isinstance(avatars, pd.DataFrame)
    pd.testing.assert_series_equal(avatars.dtypes, mixed.dtypes)
    assert len(avatars) == len(mixed)
    assert set(avatars["school"]) == set(mixed["school"])


@pytest.mark.parametrize("to", [pl.from_pandas, pa.Table.from_pandas], ids=["polars", "arrow"])
def test_the_kind_of_frame_that_came_in_goes_out(rossi, to):
    avatars = Avatar(seed=0).fit_sample(to(rossi))
    assert type(avatars) is type(to(rossi))
    assert avatars.schema == to(rossi).schema


@ALL
def test_a_seed_gives_the_same_avatars_and_another_seed_others(rossi, kernel):
    first, again = (Avatar(kernel=kernel, seed=3).fit_sample(rossi) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = Avatar(kernel=kernel, seed=4).fit_sample(rossi)
    assert not first.equals(other)


def test_threads_do_not_change_the_avatars(mixed, monkeypatch):
    many = pd.concat([mixed] * 14)  # more than one block
    whole = Avatar(seed=0).fit_sample(many)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    pd.testing.assert_frame_equal(Avatar(seed=0).fit_sample(many), whole)


def test_linked_is_the_release_in_the_order_of_the_persons(rossi):
    avatar = Avatar(seed=1).fit(rossi)
    released, linked = avatar.sample(), avatar.sample(linked=True)
    columns = list(rossi.columns)
    assert not released.equals(linked)
    pd.testing.assert_frame_equal(
        released.sort_values(columns, ignore_index=True),
        linked.sort_values(columns, ignore_index=True),
    )
    tables = avatar.sample_tables()
    assert [table.sensitive for table in tables] == [False, True]


def test_linked_rows_are_nearer_to_their_person_and_released_ones_are_not(cancer):
    """Order is the link: it must be there in one and gone from the other."""
    numbers = cancer.drop(columns="target")
    avatar = Avatar(seed=0).fit(cancer)

    def tie(frame):
        return np.corrcoef(frame["mean radius"], numbers["mean radius"])[0, 1]

    assert tie(avatar.sample(linked=True)) > 0.6
    assert abs(tie(avatar.sample())) < 0.15


@RULES
def test_dates_keep_their_order_and_their_steps(mixed, kernel):
    avatars = Avatar(seed=0, kernel=kernel).fit_sample(mixed)
    assert (avatars["birth"] <= avatars["visit"]).all()
    assert (avatars["visit"] <= avatars["out"]).all()
    ours = (avatars["out"] - avatars["visit"]).dt.days
    theirs = (mixed["out"] - mixed["visit"]).dt.days
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.1)


@RULES
def test_what_a_column_determines_it_still_does(mixed, kernel):
    avatars = Avatar(seed=0, kernel=kernel).fit_sample(mixed)
    pairs = set(zip(mixed["school"], mixed["years"], strict=True))
    assert set(zip(avatars["school"], avatars["years"], strict=True)) == pairs


@RULES
def test_shapes_of_numbers_are_kept(mixed, kernel):
    avatars = Avatar(seed=0, kernel=kernel).fit_sample(mixed)
    assert (avatars["dose"] % 5 == 0).all()
    assert (avatars["charge"] == 0).mean() == pytest.approx((mixed["charge"] == 0).mean(), abs=0.01)
    assert avatars["charge"].skew() == pytest.approx(mixed["charge"].skew(), rel=0.35)
    assert avatars["charge"].std() == pytest.approx(mixed["charge"].std(), rel=0.1)
    assert avatars["charge"].between(0, mixed["charge"].max()).all()
    assert (avatars["weight"] == avatars["weight"].round(1)).all()


@ALL
def test_the_pattern_of_missing_cells_is_kept(rossi, kernel):
    avatars = Avatar(seed=0, kernel=kernel).fit_sample(rossi)
    assert (avatars["prio"].isna() == avatars["educ2"].isna()).all()
    by_work = rossi["prio"].isna().groupby(rossi["wexp"]).mean()
    found = avatars["prio"].isna().groupby(avatars["wexp"]).mean()
    assert found[0] == pytest.approx(by_work[0], abs=0.12)
    assert found[1] == pytest.approx(by_work[1], abs=0.06)


def test_sums_and_bounds_declared_in_a_schema_hold(mixed):
    frame = mixed[["age", "weight", "charge"]].assign(extra=mixed["weight"] * 2)
    frame["total"] = frame["charge"] + frame["extra"]
    schema = sosie.Schema.model_validate(
        {
            "sums": [{"total": "total", "parts": ["charge", "extra"]}],
            "columns": [{"name": "age", "kind": "integer", "lower": 18, "upper": 95}],
        }
    )
    table = sosie.Table.of(frame, schema)
    avatars = Avatar(seed=0).fit(table).sample()
    np.testing.assert_allclose(avatars["total"], avatars["charge"] + avatars["extra"], atol=1e-6)
    assert avatars["age"].between(18, 95).all()


def test_correlations_are_kept_beyond_what_chance_allows(cancer):
    """Moments are kept: nearer to the sample than a fresh sample would be."""
    numbers = cancer.drop(columns="target")
    halves = numbers.sample(frac=1, random_state=0)
    chance = np.abs(halves[:284].corr() - halves[284:].corr()).to_numpy().mean()
    avatars = Avatar(seed=0).fit_sample(cancer).drop(columns="target")
    assert np.abs(avatars.corr() - numbers.corr()).to_numpy().mean() < 0.75 * chance
    ratio = avatars.std() / numbers.std()
    assert ratio.median() == pytest.approx(1, abs=0.02)
    assert ratio.between(0.9, 1.1).all()


def test_the_default_copies_no_person_where_the_published_kernel_hides_badly(cancer):
    """Median distance to the nearest person, over that among persons themselves."""
    numbers = (cancer.drop(columns="target") - cancer.mean(numeric_only=True)) / cancer.std(
        numeric_only=True
    )
    x = numbers.to_numpy()

    def nearest(y, itself):
        gaps = ((y[:, None, :] - x[None]) ** 2).sum(axis=2)
        if itself:
            np.fill_diagonal(gaps, np.inf)
        return np.sqrt(gaps.min(axis=1))

    def avatars(kernel, k):
        frame = Avatar(seed=0, kernel=kernel, k=k).fit_sample(cancer).drop(columns="target")
        return ((frame - cancer.mean(numeric_only=True)) / cancer.std(numeric_only=True)).to_numpy()

    persons = np.median(nearest(x, itself=True))
    ours = nearest(avatars("gibbs", 10), itself=False)
    assert (ours > 0).all()
    assert np.median(ours) > 0.85 * persons
    assert np.median(nearest(avatars("published", 20), itself=False)) < 0.75 * persons


def test_weight_zero_takes_a_column_out_of_neighbourhoods(cancer):
    frame = cancer[["mean radius", "mean texture", "mean smoothness", "target"]]
    names = list(frame.columns)

    def own(weights):
        linked = Avatar(seed=0, kernel="rotation", column_weights=weights, n_factors=3)
        drawn = linked.fit(frame).sample(linked=True)
        return np.corrcoef(drawn["mean texture"], frame["mean texture"])[0, 1]

    assert own(dict.fromkeys(names, 1) | {"mean texture": 0}) < own(None) - 0.3


@pytest.mark.parametrize("n", [2, 3, 11, 12, 25])
@ALL
def test_few_persons(kernel, n):
    rng = np.random.default_rng(n)
    frame = pd.DataFrame(
        {"x": rng.normal(size=n), "y": rng.integers(0, 1000, n), "z": rng.random(n) < 0.5}
    )
    frame.loc[:1, "z"] = [True, False]
    assert len(Avatar(seed=0, k=min(10, n - 1), kernel=kernel).fit_sample(frame)) == n


@ALL
def test_one_kind_of_column_alone(mixed, kernel):
    for names in (["weight"], ["sex", "school", "dead"], ["age", "charge"]):
        assert Avatar(seed=0, kernel=kernel).fit_sample(mixed[names]).shape == (3000, len(names))


def test_a_kernel_may_be_given_made(rossi):
    avatars = Avatar(seed=0, kernel=Gibbs(sweeps=2)).fit_sample(rossi)
    assert not avatars.equals(Avatar(seed=0).fit_sample(rossi))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"k": 0}, "k is a whole number of at least 1"),
        ({"k": 432}, "at most 431"),
        ({"n_factors": 0}, "n_factors is a whole number of at least 1"),
        ({"k": 2.5}, "whole number"),
        ({"seed": -1}, "at least 0"),
        ({"kernel": "magic"}, "gibbs, rotation, gaussian, published"),
        ({"column_weights": {"agee": 2}}, "did you mean 'age'"),
        ({"column_weights": {"age": -1}}, "must be a number from 0"),
    ],
)
def test_parameters_out_of_range(rossi, parameters, words):
    with pytest.raises(sosie.ParameterError, match=words):
        Avatar(**parameters).fit(rossi)


def test_get_params_gives_what_the_constructor_took():
    given = {"k": 7, "n_factors": 3, "column_weights": None, "kernel": "rotation", "seed": 5}
    assert Avatar(**given).get_params() == given


def test_a_known_seed_tells_nothing_of_the_order_without_the_table(rossi):
    """Else a recipient could run the release again and read the order off."""
    avatar = Avatar(seed=1).fit(rossi)
    released, linked = avatar.sample(), avatar.sample(linked=True)
    again = Avatar(seed=1).fit(released)
    theirs, by_row = again.sample_tables()

    def order(shuffled, whole):
        keys = [tuple(row) for row in whole.astype(str).to_numpy()]
        places = {key: i for i, key in enumerate(keys)}
        return np.array([places[tuple(row)] for row in shuffled.astype(str).to_numpy()])

    same = order(released, linked) == order(theirs.native(), by_row.native())
    assert same.mean() < 0.05


def test_without_a_seed_each_run_differs_and_says_its_seed(rossi):
    first, second = Avatar().fit(rossi), Avatar().fit(rossi)
    assert first.seed_ != second.seed_
    again = Avatar(seed=first.seed_).fit_sample(rossi)
    pd.testing.assert_frame_equal(first.sample(), again)


def test_rare_labels_are_counted():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "dx": rng.choice(["a", "b"], 200)})
    frame.loc[:2, "dx"] = ["p", "q", "q"]
    assert Avatar(seed=0, k=10).fit(frame).rare_labels_ == {"dx": 2}


def test_a_mark_or_nothing_is_kept():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=400)})
    frame["died"] = np.where(frame["x"] > 0.3, "X", None)
    avatars = Avatar(seed=0).fit_sample(frame)
    assert avatars["died"].notna().mean() == pytest.approx(frame["died"].notna().mean(), abs=0.04)
    assert avatars.groupby("died", dropna=False)["x"].mean().loc["X"] > 0.5


def test_a_column_that_fewer_than_k_have_is_refused():
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=100), "y": np.nan})
    frame.loc[[3, 5, 9], "y"] = [1.25, 7.5, 3.0]
    with pytest.raises(sosie.DataError, match="Fewer than k = 10 persons have a value in: 'y'"):
        Avatar(seed=0).fit(frame)


def test_levels_of_columns_with_missing_cells_keep_their_shares(rossi):
    """A missing cell is no level: it must not come out as the first one."""
    rng = np.random.default_rng(0)
    n = 1500
    frame = pd.DataFrame({"x": rng.normal(size=n), "y": rng.choice(list("abcd"), n)})
    frame.loc[rng.random(n) < 0.6, "y"] = None
    share = frame["y"].value_counts(normalize=True).sort_index()
    for kernel in KERNELS:
        avatars = Avatar(kernel=kernel, seed=0).fit_sample(frame)
        found = avatars["y"].value_counts(normalize=True).sort_index()
        np.testing.assert_allclose(found, share, atol=0.06)
        assert avatars["y"].isna().mean() == pytest.approx(0.6, abs=0.04)
