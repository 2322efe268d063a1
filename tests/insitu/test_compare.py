"""One question by every way of sharing, against what other libraries find."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from statsmodels.datasets import anes96, fair

from sosie.errors import ParameterError
from sosie.insitu import Gate, Question, Refused, run_in_place
from sosie.insitu.analyst import Answer, sentences_of, texts_of
from sosie.insitu.compare import _releases as releases
from sosie.insitu.compare import compare_ways, decomposed
from sosie.insitu.compare._microaggregation import groups_of
from sosie.insitu.compare._texts import texts
from sosie.table import Column, Schema, Table

ASKED = {"analysis": {"id": "linear", "formula": "left_right ~ party"}}


@pytest.fixture(scope="module")
def voters():
    """944 voters of 1996: party and place from left to right, by education."""
    data = anes96.load_pandas().data
    return pd.DataFrame(
        {
            "left_right": data["selfLR"].astype(int),
            "party": data["PID"].astype(int),
            "education": data["educ"].astype(int).map("level {}".format),
        }
    )


def split(frame, holders=3):
    columns = [
        Column(name=name, kind="category", levels=sorted(frame[name].unique()))
        if frame[name].dtype == object
        else Column(name=name, kind="integer" if frame[name].dtype == int else "number")
        for name in frame
    ]
    schema = Schema(columns=columns)
    site = np.random.default_rng(0).integers(0, holders, len(frame))
    return [Table.of(frame[site == s].reset_index(drop=True), schema) for s in range(holders)]


@pytest.fixture(scope="module")
def found(voters):
    return compare_ways(split(voters), ASKED, "party", area="education", artificial=False)


def test_grouping_turns_the_sign_on_real_data(voters, found):
    pooled = smf.ols("left_right ~ party", voters).fit()
    np.testing.assert_allclose(found.pooled.estimate, pooled.params["party"], rtol=1e-12)
    np.testing.assert_allclose(found.pooled.se, pooled.bse["party"], rtol=1e-12)
    groups = voters.groupby("education")
    means = groups[["left_right", "party"]].mean().assign(n=groups.size())
    of_areas = smf.wls("left_right ~ party", means, weights=means["n"]).fit()
    way = found["area_means"]
    np.testing.assert_allclose(way.estimate, of_areas.params["party"], rtol=1e-9)
    np.testing.assert_allclose([way.low, way.high], of_areas.conf_int().loc["party"], rtol=1e-9)
    bias = (of_areas.params["party"] - pooled.params["party"]) / pooled.bse["party"]
    np.testing.assert_allclose(way.bias, bias, rtol=1e-9)
    assert found.pooled.estimate > 0.35
    assert way.estimate < -0.25
    assert way.sign_kept is False
    assert way.overlap == 0
    assert way.fewest == groups.size().min()


def test_in_place_is_the_pooled_answer(voters, found):
    pooled = smf.ols("left_right ~ party", voters).fit()
    way = found["in_place"]
    np.testing.assert_allclose(way.estimate, pooled.params["party"], atol=1e-9)
    np.testing.assert_allclose([way.low, way.high], pooled.conf_int().loc["party"], atol=1e-9)
    assert abs(way.bias) < 1e-7
    assert way.overlap > 1 - 1e-7


def test_identity_of_within_and_between(voters, found):
    parts = found.decomposition
    within = smf.ols("left_right ~ party + C(education)", voters).fit().params["party"]
    np.testing.assert_allclose(parts.within, within, rtol=1e-9)
    np.testing.assert_allclose(parts.between, found["area_means"].estimate, rtol=1e-9)
    total = parts.share_within * parts.within + (1 - parts.share_within) * parts.between
    assert abs(total - found.pooled.estimate) < 1e-12


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(0, 3))
def test_identity_whatever_the_data(seed, areas, others):
    rng = np.random.default_rng(seed)
    area = np.r_[np.arange(areas), rng.integers(0, areas, 80)]
    x, y = rng.normal(size=(2, len(area))) + rng.normal(size=(2, areas))[:, area]
    covariates = np.column_stack([np.ones(len(area)), rng.normal(size=(len(area), others))])
    parts = decomposed(x, y, covariates, area)
    expected = np.linalg.lstsq(np.column_stack([x, covariates]), y, rcond=None)[0][0]
    assert abs(parts.total - expected) < 1e-10
    total = parts.share_within * parts.within + (1 - parts.share_within) * parts.between
    assert abs(total - parts.total) < 1e-12


def test_adjusted_for_areas(voters):
    asked = {"analysis": {"id": "linear", "formula": "left_right ~ party + education"}}
    found = compare_ways(split(voters, 1), asked, "party", area="education", artificial=False)
    within = smf.ols("left_right ~ party + C(education)", voters).fit()
    np.testing.assert_allclose(found.pooled.estimate, within.params["party"], rtol=1e-9)
    assert found["area_means"].sign_kept is False


def test_groups_of_k():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(503, 3))
    groups = groups_of(points, 7)
    sizes = np.bincount(groups)
    assert sizes.min() >= 7
    assert sizes.max() <= 13

    def spread(labels):
        means = (
            np.stack([np.bincount(labels, c) for c in points.T]).T / np.bincount(labels)[:, None]
        )
        return ((points - means[labels]) ** 2).sum()

    # Groups of neighbours: far tighter than groups drawn at random.
    assert spread(groups) < 0.25 * spread(rng.permutation(groups))


def test_noise_weakens_a_slope_as_theory_says():
    rng = np.random.default_rng(2)
    x = rng.normal(size=40_000)
    frame = pd.DataFrame(
        {"x": x, "y": x + rng.normal(size=len(x)), "sex": x + rng.normal(size=len(x)) > 0}
    )
    frame["sex"] = np.where(frame["sex"], "m", "f")
    from sosie.insitu._rows import Rows
    from sosie.insitu.compare._persons import Persons
    from sosie.trust import PRESETS

    table = split(frame, 1)[0]
    persons = Persons.of(Rows(table, table.schema, (), PRESETS["snds-11"]), list(frame), 0, None)
    noisy = releases.noised(persons, 1.0, rng).rows
    slope = np.polyfit(noisy.values("x"), noisy.values("y"), 1)[0]
    assert abs(slope - 0.5) < 0.02  # reliability 1 / (1 + 1)
    before = np.polyfit(persons.values("sex"), persons.values("x"), 1)[0]
    after = np.polyfit(noisy.values("sex"), persons.values("x"), 1)[0]
    assert abs(after / before - 0.5) < 0.03


def test_risk_is_that_of_what_is_shared(voters, monkeypatch):
    frame = voters.assign(age=np.random.default_rng(5).permutation(len(voters)).astype(float))
    asked = {"analysis": {"id": "linear", "formula": "left_right ~ party + age"}}
    tables = split(frame, 1)
    sharp = compare_ways(tables, asked, "party", area="education", noise=1e-6, artificial=False)
    # A copy: everybody is found, everybody recognised, and the outcome read off.
    copy = sharp["noise"].risk
    assert copy.found.value > 0.99
    assert copy.recognised.value > 0.99
    assert copy.guessed.value > 0.5
    assert copy.verdict == "fail"
    # Means of areas and groups of k: as many persons as are behind them.
    half = frame["education"].value_counts() / 2
    assert abs(sharp["area_means"].risk.found.value - 7 / half.sum()) < 0.004
    assert 0.03 < sharp["k_anonymous"].risk.found.value <= 0.1 + 1e-9
    # In place and in noise that drowns everything, nobody.
    blurred = compare_ways(tables, asked, "party", area="education", noise=50.0, artificial=False)
    for risk in (sharp["in_place"].risk, blurred["noise"].risk):
        assert risk.found.value < 0.02
        assert 0.45 < risk.recognised.value < 0.55
        assert abs(risk.guessed.value) < 0.05
    # Something is found in avatars, and far less than in a copy.
    assert sharp["avatars"].risk.found.value < 0.05


def test_cox_and_logistic(gbsg2):
    asked = {
        "analysis": {"id": "cox", "duration": "time", "event": "cens", "formula": "age + horTh"}
    }
    found = compare_ways(gbsg2.tables, asked, "horTh[T.yes]", artificial=False)
    site = np.repeat(np.arange(3), [len(part) for part in gbsg2.parts])
    frame = gbsg2.pooled[["time", "cens", "age"]].assign(
        yes=gbsg2.pooled["horTh"] == "yes", site=site
    )
    expected = CoxPHFitter().fit(frame.astype(float), "time", "cens", strata="site").params_["yes"]
    np.testing.assert_allclose(found.pooled.estimate, expected, atol=1e-6)
    assert abs(found["in_place"].estimate - found.pooled.estimate) < 1e-8
    assert found["area_means"].why_not == "too_few_areas"
    assert found.decomposition is None
    asked = {
        "analysis": {"id": "logistic", "formula": "cens ~ log(pnodes)"},
        "derive": [{"rule": "cut", "name": "size", "column": "tsize", "edges": [20, 25, 30, 40]}],
    }
    found = compare_ways(gbsg2.tables, asked, "log(pnodes)", area="size", artificial=False)
    pooled = smf.logit("cens ~ np.log(pnodes)", gbsg2.pooled).fit(disp=0)
    np.testing.assert_allclose(found.pooled.estimate, pooled.params.iloc[1], atol=1e-6)
    assert abs(found["in_place"].bias) < 1e-6
    assert found["area_means"].estimate is not None


def test_holders_compare_and_only_averages_leave(voters):
    """The same as an analysis of the catalogue: each holder tries the ways on its own rows."""
    tables = split(voters)
    groups = {"school": ["level 1", "level 2", "level 3"], "college": ["level 4", "level 5"],
              "degree": ["level 6"], "higher": ["level 7"]}  # fmt: skip
    asked = {
        "analysis": {
            "id": "compare_ways",
            "of": ASKED["analysis"],
            "term": "party",
            "area": "school",
        },
        "derive": [{"rule": "recode", "name": "school", "column": "education", "groups": groups}],
    }
    found = run_in_place(tables, Question.of(asked), [Gate() for _ in tables], tables[0].schema)
    ways = {row["way"]: row for row in found.tables["ways"]}
    fits = [smf.ols("left_right ~ party", t.frame.to_pandas()).fit() for t in tables]
    # An average by precision of the holders' own slopes, as of a meta-analysis.
    weights = np.array([1 / ((hi - lo) / 2 / 1.959964) ** 2
                        for lo, hi in (fit.conf_int().loc["party"] for fit in fits)])  # fmt: skip
    expected = weights @ [fit.params["party"] for fit in fits] / weights.sum()
    # Each is told to a hundredth of its standard error.
    off = 0.01 / np.sqrt(weights.sum())
    np.testing.assert_allclose(ways["in_place"]["estimate"], expected, atol=off)
    assert ways["in_place"]["bias_in_se"] == 0
    assert ways["area_means"]["sign_kept"] is False
    assert abs(ways["avatars"]["bias_in_se"]) < 2
    assert ways["artificial"]["estimate"] is None
    assert ways["artificial"]["why_not"] == "left_out"
    assert ways["avatars"]["why_not"] is None
    assert found.values["n"] == len(voters)
    assert not found.exact
    asked["analysis"]["area"] = "education"  # 13 persons never went to high school
    with pytest.raises(Refused):
        run_in_place(tables, Question.of(asked), [Gate() for _ in tables], tables[0].schema)


def test_ways_that_give_no_answer(voters, monkeypatch):
    tables = split(voters)
    monkeypatch.setattr(releases, "find_spec", lambda name: None)
    gates = [Gate(own=Gate().floors.model_copy(update={"min_cell": 900})) for _ in tables]
    found = compare_ways(tables, ASKED, "party", area="education", gates=gates)
    assert found["artificial"].why_not == "not_installed"
    assert found["in_place"].why_not == "refused"
    assert found["avatars"].estimate is not None


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_ways_asked_in_place_say_in_words_why_they_have_no_answer(voters, lang):
    tables = split(voters)
    groups = {"low": ["level 1", "level 2", "level 3", "level 4"],
              "high": ["level 5", "level 6", "level 7"]}  # fmt: skip
    asked = {
        "analysis": {"id": "compare_ways", "area": "school", "term": "party",
                     "of": {"id": "linear", "formula": "left_right ~ party + I(party ** 2)"}},
        "derive": [{"rule": "recode", "name": "school", "column": "education", "groups": groups}],
    }  # fmt: skip
    found = run_in_place(tables, Question.of(asked), [Gate() for _ in tables], tables[0].schema)
    # Two areas' means, three coefficients.
    assert {row["way"]: row["why_not"] for row in found.tables["ways"] if row["why_not"]} == {
        "area_means": "too_few_areas", "artificial": "left_out"
    }  # fmt: skip
    content = {"analysis": "compare_ways", "result": found.content()}
    words = texts_of(lang, "compare_ways")
    told = sentences_of(Answer(content), words)
    for row, sentence in zip(("area_means", "artificial"), told, strict=False):
        assert words["ways"][row] in sentence
        assert words["why_not"][ways_reason(found, row)] in sentence


def ways_reason(found, way):
    return next(row["why_not"] for row in found.tables["ways"] if row["way"] == way)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_card(found, lang, tmp_path):
    import matplotlib.image

    found.picture(tmp_path / "card.png", lang)
    drawn = matplotlib.image.imread(tmp_path / "card.png")
    assert drawn.shape[1] > 1500
    edge = np.concatenate(
        [drawn[:, :8, :3].ravel(), drawn[:, -8:, :3].ravel(), drawn[-8:, :, :3].ravel()]
    )
    assert (edge == 1).all()  # nothing runs over the edge
    assert [p.name for p in tmp_path.iterdir()] == ["card.png"]


def test_both_languages_say_the_same_things():
    def keys(content, path=()):
        for key, value in content.items():
            yield from keys(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]

    assert list(keys(texts("en"))) == list(keys(texts("fr")))


def test_content_is_json_and_repeats(voters, found):
    again = compare_ways(split(voters), ASKED, "party", area="education", artificial=False)
    assert json.dumps(again.content(), allow_nan=False) == json.dumps(found.content())
    assert {row["way"] for row in found.table()} == {
        "area_means", "k_anonymous", "noise", "avatars", "artificial", "in_place",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("question", "term", "area", "said"),
    [
        ({"analysis": {"id": "means", "columns_of": ["party"]}}, "party", None, "not 'means'"),
        (ASKED, "age", None, "its terms are party"),
        (ASKED, "party", "party", "does not have 2 to 40 labels"),
        (ASKED, "party", "nowhere", "nowhere"),
    ],
)
def test_bad_input(voters, question, term, area, said):
    with pytest.raises(Exception, match=said) as caught:
        compare_ways(split(voters), question, term, area=area, artificial=False)
    assert "sosie.errors" in type(caught.value).__module__
    with pytest.raises(ParameterError, match="k of at least 2"):
        compare_ways(split(voters), ASKED, "party", k=1)


def test_means_of_ages_say_the_contrary_of_women():
    """6,366 women: the happier the marriage the fewer affairs, at every age; not so the means."""
    data = fair.load_pandas().data
    frame = data[["affairs", "rate_marriage"]].assign(years=data["age"].map("{:g} years".format))
    tables = split(frame)
    asked = {"id": "within_between", "x": "rate_marriage", "y": "affairs", "by": "years"}
    question = Question.of({"analysis": asked})
    gates = [Gate("datashield-3") for _ in tables]  # few of the youngest had affairs
    found = run_in_place(tables, question, gates, tables[0].schema).values
    within = smf.ols("affairs ~ rate_marriage + C(years)", frame).fit()
    groups = frame.groupby("years")
    means = groups[["affairs", "rate_marriage"]].mean().assign(n=groups.size())
    of_means = smf.wls("affairs ~ rate_marriage", means, weights=means["n"]).fit()
    np.testing.assert_allclose(found["slope_within"], within.params["rate_marriage"], rtol=1e-9)
    np.testing.assert_allclose(found["slope_between"], of_means.params["rate_marriage"], rtol=1e-9)
    # Both surely: the intervals leave out 0 on either side.
    assert within.conf_int().loc["rate_marriage"].max() < -0.3
    assert of_means.conf_int().loc["rate_marriage"].min() > 0.3
    parts = decomposed(
        frame["rate_marriage"].to_numpy(), frame["affairs"].to_numpy(),
        np.ones((len(frame), 1)), frame["years"].astype("category").cat.codes.to_numpy(),
    )  # fmt: skip
    total = parts.share_within * parts.within + (1 - parts.share_within) * parts.between
    assert abs(total - found["slope"]) < 1e-12
