"""The prognostic score: error rate, gain and intervals against theory and statsmodels."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_diabetes
from statsmodels.api import OLS, add_constant

from sosie.errors import DataError, ParameterError
from sosie.evidence import adjusted_effect, prognostic_score
from sosie.table import Table


@pytest.fixture(scope="module")
def cohorts():
    """300 earlier patients with the outcome, and 142 of a trial without."""
    frame = load_diabetes(as_frame=True, scaled=False).frame.rename(columns={"target": "y"})
    frame = frame.assign(sex=np.where(frame["sex"] == 1, "f", "m"))
    order = np.random.default_rng(0).permutation(len(frame))
    return frame.iloc[order[:300]].reset_index(drop=True), frame.iloc[order[300:]]


def test_the_score_predicts_and_reads_nothing_but_the_baseline(cohorts):
    earlier, trial = cohorts
    score = prognostic_score(earlier, trial.drop(columns="y"), "y")
    assert np.corrcoef(score, trial["y"])[0, 1] ** 2 > 0.35
    rng = np.random.default_rng(1)
    other = trial.assign(y=rng.permutation(trial["y"]), arm=rng.random(len(trial)) < 0.5)
    np.testing.assert_array_equal(prognostic_score(earlier, other, "y"), score)
    np.testing.assert_array_equal(prognostic_score(earlier, trial.assign(y=np.nan), "y"), score)


def test_only_the_columns_named_are_read(cohorts):
    earlier, trial = cohorts
    named = prognostic_score(earlier, trial, "y", ["bmi", "s5", "sex"])
    only = ["bmi", "s5", "sex"]
    np.testing.assert_array_equal(
        prognostic_score(earlier[[*only, "y"]], pl.from_pandas(trial[only]), "y"), named
    )
    assert np.corrcoef(named, prognostic_score(earlier, trial, "y", ["s2"]))[0, 1] < 0.9


def test_what_is_the_same_for_all_historical_patients_tells_nothing(cohorts):
    earlier, trial = cohorts
    one = earlier.assign(arm="pbo", study=7, centre="Lyon")
    arms = np.where(np.arange(len(trial)) % 2, "drug", "pbo")
    both = trial.assign(arm=arms, study=8.5, centre=np.repeat(["Nice", "Lyon"], len(trial) // 2))
    np.testing.assert_array_equal(
        prognostic_score(one, both, "y"), prognostic_score(earlier, trial, "y")
    )
    with pytest.raises(ParameterError, match="levels that vary"):
        prognostic_score(one, both, "y", ["arm", "study"])


def test_bends_are_learnt_and_missing_cells_and_new_labels_taken():
    rng = np.random.default_rng(0)

    def patients(n):
        x, ward = rng.normal(size=n), rng.choice(["a", "b"], n)
        y = 3 * np.abs(x) + (ward == "a") + rng.normal(0, 0.5, n)
        return pd.DataFrame({"x": x, "ward": ward, "y": y})

    earlier, trial = patients(600), patients(300)
    earlier.loc[rng.random(600) < 0.1, "x"] = np.nan
    earlier.loc[:20, "y"] = np.nan
    score = prognostic_score(earlier, trial, "y")
    assert np.corrcoef(score, trial["y"])[0, 1] ** 2 > 0.75  # 0 for a straight line
    odd = trial.assign(ward=np.where(trial.index < 9, "c", trial["ward"]))
    odd.loc[3, "x"] = np.nan
    found = prognostic_score(earlier, odd, "y")
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[9:], score[9:])


def test_labels_are_the_same_whole_or_with_a_point():
    rng = np.random.default_rng(0)
    earlier = pd.DataFrame({"stage": rng.integers(1, 5, 300), "age": rng.integers(30, 80, 300)})
    earlier["y"] = 10.0 * earlier["stage"] + rng.normal(0, 2, 300)
    trial = pd.DataFrame({"stage": [1, 4] * 20, "age": [50] * 40})
    score = prognostic_score(earlier, trial, "y")
    assert score[:2] == pytest.approx([10, 40], abs=1)
    assert (prognostic_score(earlier, trial.astype({"stage": float}), "y") == score).all()
    assert (prognostic_score(earlier.astype({"stage": float}), trial, "y") == score).all()
    trial.loc[39, "stage"] = np.nan
    assert (prognostic_score(earlier, trial, "y")[:39] == score[:39]).all()
    trial["stage"] = ["low", "high"] * 20
    with pytest.raises(ParameterError, match="No label of column 'stage' of the trial"):
        prognostic_score(earlier, trial, "y")


def _pain(n, rng):
    """Give patients with a pain of 0 to 6 that their age tells."""
    age = rng.normal(60, 10, n)
    pain = np.clip((age - 30) / 10 + rng.normal(0, 0.7, n), 0, 6).round().astype(int)
    return pd.DataFrame({"age": age, "pain": pain})


@pytest.mark.parametrize(
    "spelt",
    [
        lambda frame: frame,
        lambda frame: frame.astype({"pain": float}),
        lambda frame: frame.astype({"pain": pd.CategoricalDtype(range(7), ordered=True)}),
        lambda frame: frame.astype({"pain": str}),
        lambda frame: Table.of(frame),
        pl.from_pandas,
    ],
)
def test_an_outcome_on_a_short_scale_is_a_number(spelt):
    rng = np.random.default_rng(0)
    earlier, trial = _pain(400, rng), _pain(200, rng)
    earlier.loc[:9, "pain"] = 0
    score = prognostic_score(spelt(earlier), trial, "pain", ["age"])
    assert np.abs(score - trial["pain"]).mean() < 0.8
    # The same outcome with decimals, which no table takes for levels.
    fine = earlier.assign(pain=earlier["pain"] + rng.normal(0, 1e-9, 400))
    np.testing.assert_allclose(score, prognostic_score(fine, trial, "pain", ["age"]), atol=1e-3)


def test_serial_numbers_and_yes_or_no_are_outcomes_too():
    rng = np.random.default_rng(0)
    earlier, trial = _pain(400, rng), _pain(200, rng)
    order = earlier.assign(pain=earlier["age"].rank().astype(int))
    assert np.corrcoef(prognostic_score(order, trial, "pain"), trial["age"])[0, 1] > 0.95
    severe = earlier["pain"] >= 4
    found = [
        prognostic_score(earlier.assign(pain=said), trial, "pain")
        for said in (severe, severe.astype(int), severe.astype(float).where(earlier.index > 5))
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[2] - found[0]).mean() < 0.05
    assert abs(found[0].mean() - (trial["pain"] >= 4).mean()) < 0.1


def test_an_outcome_that_is_the_same_for_everybody_is_told_as_such():
    earlier = _pain(400, np.random.default_rng(0))
    for same in (3, 2.5, True, np.where(np.arange(400) % 2, 3.0, np.nan)):
        with pytest.raises(DataError, match="'pain' is the same for everybody"):
            prognostic_score(earlier.assign(pain=same), earlier, "pain")
    with pytest.raises(ParameterError, match="give a number"):
        prognostic_score(earlier.assign(pain="mild"), earlier, "pain")


def test_a_refusal_names_the_table(cohorts, tmp_path):
    earlier, trial = cohorts
    named = {"historical": earlier, "trial": trial}
    for which, frame in named.items():
        odd = frame.assign(age=frame["age"].replace(frame["age"].iloc[0], np.inf))
        with pytest.raises(DataError, match=f"^The {which} table: .*column 'age'"):
            prognostic_score(*(named | {which: odd}).values(), "y")
    text = trial.assign(age="old")
    with pytest.raises(DataError, match=r"^The trial table: .*'age': 142 cells do not read as n"):
        prognostic_score(earlier, text, "y")
    text.to_csv(tmp_path / "patients.csv", index=False)
    with pytest.raises(DataError, match=r"^[^:]*patients\.csv, column 'age': 142 cells"):
        prognostic_score(earlier, tmp_path / "patients.csv", "y")


def test_estimate_and_interval_are_those_of_statsmodels():
    rng = np.random.default_rng(3)
    score, treated = rng.normal(size=80), rng.random(80) < 0.4
    y = score + 0.7 * treated + rng.normal(size=80) * (1 + treated)
    found = adjusted_effect(y, treated, score)
    for design, ours in (
        (np.column_stack([treated, score]), found),
        (treated.astype(float), found.unadjusted),
    ):
        theirs = OLS(y, add_constant(design)).fit(cov_type="HC3", use_t=True)
        assert ours.estimate == pytest.approx(theirs.params[1])
        assert (ours.low, ours.high) == pytest.approx(tuple(theirs.conf_int()[1]))
        assert ours.p == pytest.approx(theirs.pvalues[1])
    assert found.n == 80


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_error_rate_is_kept_and_the_gain_is_that_of_theory(share):
    """2,000 trials of 200 without effect, the score telling a share r^2 of the variance."""
    rng = np.random.default_rng(int(10 * share))
    n, runs = 200, 2_000
    rejected, adjusted, plain, ratios = 0, [], [], []
    for _ in range(runs):
        score, treated = rng.normal(size=n), rng.permutation(n) < n // 2
        y = np.sqrt(share) * score + np.sqrt(1 - share) * rng.normal(size=n)
        found = adjusted_effect(y, treated, score)
        rejected += found.p < 0.05
        adjusted.append(found.estimate)
        plain.append(found.unadjusted.estimate)
        ratios.append(found.variance_ratio)
    assert 0.035 < rejected / runs < 0.065  # 3 standard errors
    assert np.var(adjusted) / np.var(plain) == pytest.approx(1 - share, abs=0.05)
    assert np.mean(ratios) == pytest.approx(1 - share, abs=0.02)


def test_a_score_that_is_the_same_for_all_changes_nothing():
    rng = np.random.default_rng(0)
    y, treated = rng.normal(size=50), rng.permutation(50) < 25
    found = adjusted_effect(y, treated, np.full(50, 3.0))
    assert found.estimate == pytest.approx(found.unadjusted.estimate)
    assert found.variance_ratio == pytest.approx(1)


def test_what_cannot_be_scored_is_told(cohorts):
    earlier, trial = cohorts
    for error, match, given in (
        (ParameterError, "no column 'z'", (earlier, trial, "z")),
        (ParameterError, "no column 'z'", (earlier, trial, "y", ["bmi", "z"])),
        (ParameterError, "'bmi'", (earlier, trial.drop(columns="bmi"), "y", ["bmi"])),
        (ParameterError, "cannot be a baseline", (earlier, trial, "y", ["y"])),
        (ParameterError, "give a number", (earlier, trial, "sex")),
        (ParameterError, "in common", (earlier, trial[["y"]], "y")),
        (DataError, "at least 30", (earlier.head(20), trial, "y")),
    ):
        with pytest.raises(error, match=match):
            prognostic_score(*given)


def test_what_cannot_be_estimated_is_told():
    y, treated, score = np.arange(20.0), np.arange(20) % 2 == 0, np.arange(20.0) ** 2
    for error, match, given in (
        (DataError, "missing", (np.where(y == 3, np.nan, y), treated, score)),
        (DataError, "fewer than 5", (y, y < 3, score)),
        (ParameterError, "one value a patient", (y, treated[:19], score)),
        (ParameterError, "true or false", (y, y, score)),
        (ParameterError, "true or false", (y, np.where(treated, "drug", "none"), score)),
    ):
        with pytest.raises(error, match=match):
            adjusted_effect(*given)


def test_series_are_of_the_same_patients_place_by_place(cohorts):
    earlier, trial = cohorts
    score = prognostic_score(earlier, trial, "y")
    y, arm = trial["y"], pd.Series(np.arange(len(trial)) % 3 == 0, trial.index)
    truth = adjusted_effect(y.to_numpy(), arm.to_numpy(), score)
    for same in (
        (y, arm, score),
        (y, arm, pd.Series(score, trial.index, name="score")),
        (y.to_numpy(), arm, score.tolist()),
        (pl.Series(y.to_numpy()), arm, pl.Series(score)),
        (y.reset_index(drop=True), arm.reset_index(drop=True), pd.Series(score)),
    ):
        assert adjusted_effect(*same) == truth
    for other in (
        (y, arm.sample(frac=1, random_state=1), score),
        (y, arm.to_numpy(), pd.Series(score)),
        (y, arm, pd.Series(score, trial.index).sort_index()),
    ):
        with pytest.raises(ParameterError, match="different indexes"):
            adjusted_effect(*other)


@pytest.mark.parametrize(("far", "unit"), [(1e6, 1.0), (1e9, 1.0), (0.0, 1e200), (0.0, 1e-200)])
def test_the_effect_is_the_same_far_from_zero_and_in_every_unit(far, unit):
    rng = np.random.default_rng(0)
    score, arm = rng.normal(10, 2, 200), rng.permutation(200) < 100
    y = score + 0.5 * arm + rng.normal(size=200)
    design = np.c_[arm, score, np.ones(200)]
    golden = OLS(y, design).fit(cov_type="HC3", use_t=True)
    found = adjusted_effect((y + far) * unit, arm, (score + far) * unit)
    assert found.estimate / unit == pytest.approx(golden.params[0], rel=1e-6)
    assert found.standard_error / unit == pytest.approx(golden.bse[0], rel=1e-6)
    assert found.p == pytest.approx(golden.pvalues[0], rel=1e-5)


def test_a_score_that_tells_the_arm_is_none():
    rng = np.random.default_rng(0)
    y, arm = rng.normal(size=60), np.arange(60) % 2
    with pytest.raises(DataError, match="tells the arm"):
        adjusted_effect(y, arm, 3.0 * arm)
    with pytest.raises(DataError, match="infinite"):
        adjusted_effect(y, arm, np.where(np.arange(60) == 4, np.inf, y))


def test_patients_are_scored_one_by_one(cohorts):
    earlier, trial = cohorts
    whole = earlier.assign(age=earlier["age"].round().astype(int))
    exact = trial.assign(age=trial["age"] + 0.5)
    score = prognostic_score(whole, exact, "y")
    assert prognostic_score(whole, exact.iloc[:1], "y") == pytest.approx(score[:1])
    one = pl.from_pandas(exact.iloc[1:2])
    assert prognostic_score(whole, one, "y") == pytest.approx(score[1:2])


def test_a_time_is_no_outcome(cohorts):
    earlier, trial = cohorts
    with pytest.raises(ParameterError, match="holds dates or times"):
        prognostic_score(earlier.assign(y=pd.to_timedelta(earlier["y"], unit="h")), trial, "y")
