"""Replication against statsmodels, lifelines and SciPy used directly, and planted changes."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sosie.errors import ParameterError
from sosie.evidence._case import Case
from sosie.evidence._finding import Verdict
from sosie.evidence._people import Layout, People
from sosie.evidence._question import Question
from sosie.evidence.utility._replication import Replication, overlap

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import statsmodels.formula.api as smf
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.datasets import load_rossi

ROSSI = load_rossi()
BINARY = ("arrest", "fin", "race", "wexp", "mar", "paro")


def people(frame, labels=(), layout=None):
    """Code a frame as ``align`` does; a column of ``labels`` holds its levels as text."""
    if layout is None:
        levels = {}
        for name in labels:
            known = sorted(frame[name].dropna().unique())
            levels[name] = tuple(str(int(v)) if not isinstance(v, str) else v for v in known)
        numbers = tuple(n for n in frame.columns if n not in labels)
        layout = Layout(tuple(frame.columns), numbers, levels)
    codes = []
    for name, known in layout.levels.items():
        spelt = [v if isinstance(v, str) else ("" if v != v else str(int(v))) for v in frame[name]]
        codes.append([known.index(v) if v in known else -1 for v in spelt])
    return People(
        layout,
        frame[list(layout.numbers)].to_numpy(float).reshape(len(frame), -1),
        np.array(codes, np.int32).T.reshape(len(frame), -1),
    )


def run(original, synthetic, *analyses, seed=0):
    question = Question(analysis=[{"name": f"A{j}", **a} for j, a in enumerate(analyses)])
    terms, found = Replication().run(
        Case(original, synthetic, None, None, (), (), seed=seed), question
    )
    assert list(found) == ["replication_overlap"]
    json.dumps(terms, allow_nan=False)
    json.dumps(found["replication_overlap"].model_dump(mode="json"), allow_nan=False)
    return terms, found["replication_overlap"]


def fitted(frame, labels, **analysis):
    """The terms of one analysis, by name."""
    table = people(frame, labels)
    terms, _ = run(table, table, analysis)
    return {term["term"]: term["original"] for term in terms}


def assert_same(found, params, bounds, p, names, rtol=1e-6):
    assert list(found) == list(names)
    for name, theirs in names.items():
        ours = found[name]
        assert np.isclose(ours["estimate"], params[theirs], rtol=rtol)
        assert np.allclose([ours["low"], ours["high"]], bounds.loc[theirs], rtol=rtol)
        assert np.isclose(ours["p"], p[theirs], rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        ("linear", "log(age) ~ prio + C(race)*wexp", "np.log(age) ~ prio + C(race)*wexp"),
        ("linear", "prio ~ 0 + C(fin) + I(age**2)", "prio ~ 0 + C(fin) + I(age**2)"),
        ("linear", "prio ~ C(race):C(wexp) + C(race)", "prio ~ C(race):C(wexp) + C(race)"),
        ("linear", "age ~ C(fin):prio + sqrt(week)", "age ~ C(fin):prio + np.sqrt(week)"),
        ("logistic", "arrest ~ fin + age + C(wexp)", "arrest ~ fin + age + C(wexp)"),
        ("poisson", "prio ~ wexp + I(age/10)", "prio ~ wexp + I(age/10)"),
    ],
)
def test_regressions_are_those_of_statsmodels(kind, ours, theirs):
    """statsmodels codes the formula with patsy, of which sosie uses nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        how = {"linear": smf.ols, "logistic": smf.logit, "poisson": smf.poisson}[kind]
        expected = how(theirs, ROSSI).fit(**({} if kind == "linear" else {"disp": 0}))
        bounds, p = expected.conf_int(), expected.pvalues
    found = fitted(ROSSI, BINARY, kind=kind, formula=ours)
    names = [n for n in expected.params.index if n != "Intercept"]
    plain = {n.replace("np.", "").replace(" ", ""): n for n in names}
    assert {n.replace(" ", "") for n in found} == set(plain)
    assert_same(
        found, expected.params, bounds, p, {n: plain[n.replace(" ", "")] for n in found}, 1e-4
    )


@pytest.mark.parametrize("strata", [None, ["wexp"], ["wexp", "mar"]])
def test_cox_is_that_of_lifelines(strata):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = CoxPHFitter().fit(
            ROSSI, "week", "arrest", formula="fin + age + prio", strata=strata
        )
    said = {"strata": strata} if strata else {}
    found = fitted(
        ROSSI,
        BINARY,
        kind="cox",
        duration="week",
        event="arrest",
        formula="fin + age + prio",
        **said,
    )
    assert_same(
        found,
        expected.params_,
        expected.confidence_intervals_,
        expected.summary["p"],
        {n: n for n in ("fin", "age", "prio")},
        1e-5,
    )


def test_kaplan_meier_is_that_of_lifelines_in_each_group():
    found = fitted(
        ROSSI, BINARY, kind="kaplan_meier", duration="week", event="arrest", at=[20, 40.5], by="fin"
    )
    for group in (0, 1):
        part = ROSSI[ROSSI.fin == group]
        expected = KaplanMeierFitter().fit(part.week, part.arrest)
        ends = expected.confidence_interval_
        for time in (20, 40.5):
            ours = found[f"{time:g} | fin = {group}"]
            assert np.isclose(ours["estimate"], expected.predict(time))
            row = ends[ends.index <= time].iloc[-1]
            assert np.allclose([ours["low"], ours["high"]], row)


def test_survival_without_censoring_is_the_empirical_share():
    frame = pd.DataFrame({"t": np.arange(1.0, 101), "e": 1})
    found = fitted(frame, (), kind="kaplan_meier", duration="t", event="e", at=[30, 75])
    assert np.isclose(found["30"]["estimate"], 0.70)
    assert np.isclose(found["75"]["estimate"], 0.25)


def test_means_proportions_and_correlations_are_those_of_scipy():
    found = fitted(ROSSI, BINARY, kind="mean", column="age", by="fin")
    for group in (0, 1):
        x = ROSSI.age[ROSSI.fin == group]
        low, high = stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))
        ours = found[f"age | fin = {group}"]
        assert np.allclose([ours["estimate"], ours["low"], ours["high"]], [x.mean(), low, high])
        assert ours["p"] is None

    found = fitted(ROSSI, BINARY, kind="proportion", column="arrest", level=1)["arrest = 1"]
    exact = stats.binomtest(int(ROSSI.arrest.sum()), len(ROSSI)).proportion_ci(method="wilson")
    assert np.allclose([found["low"], found["high"]], [exact.low, exact.high])

    found = fitted(ROSSI, BINARY, kind="correlation", columns=["age", "prio"])["age, prio"]
    result = stats.pearsonr(ROSSI.age, ROSSI.prio)
    exact = result.confidence_interval()
    ours = [found["estimate"], found["low"], found["high"]]
    assert np.allclose(ours, [result.statistic, exact.low, exact.high])

    said = {"kind": "correlation", "columns": ["age", "week"], "method": "spearman"}
    found = fitted(ROSSI, BINARY, **said)["age, week"]
    rho = stats.spearmanr(ROSSI.age, ROSSI.week).statistic
    assert np.isclose(found["estimate"], rho)
    half = stats.norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / (len(ROSSI) - 3))
    assert np.isclose(np.arctanh(found["high"]) - np.arctanh(rho), half)


ALL = (
    {"kind": "mean", "column": "age", "by": "fin"},
    {"kind": "proportion", "column": "arrest", "level": 1},
    {"kind": "linear", "formula": "age ~ prio + fin"},
    {"kind": "logistic", "formula": "arrest ~ fin + age"},
    {"kind": "poisson", "formula": "prio ~ age"},
    {"kind": "cox", "duration": "week", "event": "arrest", "formula": "fin + age"},
    {"kind": "kaplan_meier", "duration": "week", "event": "arrest", "at": [40]},
    {"kind": "correlation", "columns": ["age", "prio"]},
)


def test_a_table_replicates_itself():
    table = people(ROSSI, BINARY)
    terms, finding = run(table, table, *ALL)
    assert finding.value == 1
    assert finding.ci == (1, 1)
    assert finding.verdict is Verdict.PASS
    assert finding.detail["sign_kept"] == finding.detail["significance_kept"] == 1
    assert finding.n == finding.detail["terms"] == len(terms) == 12
    assert all(term["reason"] is None and term["overlap"] == 1 for term in terms)
    assert {t["scale"] for t in terms} == {
        *("mean", "proportion", "difference", "log odds ratio", "log rate ratio"),
        *("log hazard ratio", "survival", "correlation"),
    }


def test_fresh_persons_overlap_by_71_percent():
    """Two estimates of one truth: E max(0, 1 - |d| / 3.92), d normal of variance 2, is .7126."""
    rng = np.random.default_rng(0)
    layout = Layout(tuple(f"x{j}" for j in range(200)), tuple(f"x{j}" for j in range(200)), {})
    one, other = (
        People(layout, rng.normal(size=(300, 200)), np.empty((300, 0), np.int32)) for _ in "ab"
    )
    _, finding = run(one, other, *[{"kind": "mean", "column": n} for n in layout.names])
    assert abs(finding.value - 0.7126) < 0.04
    assert finding.ci[0] < 0.7126 < finding.ci[1]
    assert finding.detail["sign_kept"] is None


def drawn(slope, n=600, seed=0):
    rng = np.random.default_rng(seed)
    x, group = rng.normal(size=n), rng.integers(0, 3, n)
    odds = 1 / (1 + np.exp(-slope * x))
    frame = pd.DataFrame({"x": x, "y": slope * x + rng.normal(size=n), "group": group})
    frame["count"] = rng.poisson(np.exp(0.5 * slope * x))
    frame["event"] = (rng.uniform(size=n) < odds).astype(int)
    frame["time"] = rng.exponential(np.exp(-slope * x))
    return frame


EFFECTS = (
    {"kind": "linear", "formula": "y ~ x"},
    {"kind": "logistic", "formula": "event ~ x"},
    {"kind": "poisson", "formula": "count ~ x"},
    {"kind": "cox", "duration": "time", "event": "event", "formula": "x"},
    {"kind": "correlation", "columns": ["x", "y"]},
)


@pytest.mark.parametrize(
    ("slope", "sign", "significance", "overlaps"),
    [(1.0, 1.0, 1.0, (0.4, 1.0)), (-1.0, 0.0, 0.0, (0.0, 0.0)), (0.0, None, 0.0, (0.0, 0.3))],
)
def test_planted_effects(slope, sign, significance, overlaps):
    """Kept, reversed, or gone."""
    labels = ("event", "group")
    original, synthetic = people(drawn(1.0), labels), people(drawn(slope, seed=4), labels)
    analyses = EFFECTS if slope else EFFECTS[:3]
    terms, finding = run(original, synthetic, *analyses)
    assert all(term["original"]["low"] > 0 for term in terms)
    if sign is not None:
        assert finding.detail["sign_kept"] == sign
    assert finding.detail["significance_kept"] == significance
    assert overlaps[0] <= finding.value <= overlaps[1]
    assert (finding.verdict is Verdict.PASS) == (slope == 1.0)


def test_overlap_is_that_of_karr():
    assert overlap((0, 10), (5, 10)) == pytest.approx((5 / 10 + 5 / 5) / 2)
    assert overlap((0, 2), (1, 4)) == pytest.approx((1 / 2 + 1 / 3) / 2) == overlap((1, 4), (0, 2))
    assert overlap((0, 1), (5, 6)) == 0
    assert overlap((3, 3), (3, 3)) == 1


def test_the_interval_of_the_overlap_comes_with_enough_terms_and_the_seed():
    original, synthetic = people(drawn(1.0), ("event",)), people(drawn(1.0, seed=1), ("event",))
    _, few = run(original, synthetic, *EFFECTS[:4])
    _, enough = run(original, synthetic, *EFFECTS)
    assert few.ci is None
    assert enough.ci[0] < enough.value < enough.ci[1]
    assert run(original, synthetic, *EFFECTS)[1] == enough


def test_labels_and_booleans_as_outcome():
    frame = drawn(1.0).assign(state=lambda f: np.where(f.event == 1, "dead", "alive"))
    plain = fitted(frame, ("event", "state"), kind="logistic", formula="event ~ x")
    named = fitted(frame, ("event", "state"), kind="logistic", formula="state ~ x", level="dead")
    other = fitted(frame, ("event", "state"), kind="logistic", formula="state ~ x", level="alive")
    assert plain == named
    assert np.isclose(plain["x"]["estimate"], -other["x"]["estimate"])
    survival = {"kind": "cox", "duration": "time", "formula": "x"}
    labels = ("event", "state")
    assert fitted(frame, labels, event="event", **survival) == fitted(
        frame, labels, event="state", level="dead", **survival
    )


def test_coded_labels_are_numbers_unless_within_c():
    frame = drawn(1.0)
    found = fitted(frame, ("group",), kind="linear", formula="y ~ group")
    assert list(found) == ["group"]
    assert found == fitted(frame, (), kind="linear", formula="y ~ group")
    by_label = fitted(frame, ("group",), kind="linear", formula="y ~ C(group)")
    assert list(by_label) == ["C(group)[T.1]", "C(group)[T.2]"]
    assert by_label == fitted(frame, (), kind="linear", formula="y ~ C(group)")


def test_missing_values_leave_the_row_out_of_that_analysis():
    frame = drawn(1.0)
    frame.loc[:99, "x"] = np.nan
    frame.loc[50:149, "group"] = np.nan
    complete = frame.dropna()
    said = {"kind": "linear", "formula": "y ~ x + C(group)"}
    assert fitted(frame, ("group",), **said) == fitted(complete, ("group",), **said)
    mean = fitted(frame, ("group",), kind="mean", column="x")["x"]
    assert np.isclose(mean["estimate"], frame.x.mean())


def test_dates_count_days():
    days = np.arange(300.0) + 10_000
    outcome = days / 7 + np.random.default_rng(0).normal(size=300)

    def slope(unit):
        layout = Layout(("when", "y"), ("when", "y"), {}, frozenset({"when"}))
        numbers = np.column_stack([days * unit, outcome])
        table = People(layout, numbers, np.empty((300, 0), np.int32))
        return run(table, table, {"kind": "linear", "formula": "y ~ when"})[0][0]["original"]

    assert np.isclose(slope(1)["estimate"], 1 / 7, rtol=0.05)
    assert np.isclose(slope(86_400e6)["estimate"], slope(1)["estimate"])


def test_small_groups_of_the_original_are_counted_not_shown():
    rng = np.random.default_rng(0)
    group = np.array(["rare"] * 4 + ["a"] * 100 + ["b"] * 100)
    frame = pd.DataFrame({"x": rng.normal(size=204), "group": group})
    frame.loc[:3, "x"] = 1234.5
    table = people(frame, ("group",))
    terms, finding = run(
        table,
        table,
        {"kind": "mean", "column": "x", "by": "group"},
        {"kind": "proportion", "column": "group", "level": "rare"},
        {"kind": "linear", "formula": "x ~ group"},
    )
    assert [t["term"] for t in terms] == ["x | group = a", "x | group = b", "group[T.b]"]
    assert finding.detail["hidden"] == 3
    shown = json.dumps(terms) + finding.model_dump_json()
    assert "rare" not in shown
    assert "1234.5" not in shown


def test_a_crossing_with_a_small_cell_gives_no_means_away():
    """The coefficients of a saturated model add up to the mean of each cell."""
    rng = np.random.default_rng(0)
    a, b = np.repeat([0, 0, 1, 1], [60, 60, 60, 3]), np.repeat([0, 1, 0, 1], [60, 60, 60, 3])
    frame = pd.DataFrame({"a": a, "b": b, "y": rng.normal(size=183), "x": rng.normal(size=183)})
    table = people(frame, ("a", "b"))
    for written in ("y ~ C(a) * C(b) + x", "y ~ a * b + x"):
        terms, finding = run(table, table, {"kind": "linear", "formula": written})
        assert [t["term"] for t in terms] == ["x"]
        assert finding.detail["hidden"] == 3
    terms, _ = run(table, table, {"kind": "linear", "formula": "y ~ C(a) + C(b) + x"})
    assert len(terms) == 3


def test_the_reference_is_a_group_large_enough():
    frame = drawn(1.0)
    frame["group"] = np.where(np.arange(600) < 3, "0", np.where(frame.group == 1, "1", "2"))
    found = fitted(frame, ("group",), kind="linear", formula="y ~ C(group)")
    assert list(found) == ["C(group)[T.2]"]


def test_a_group_the_synthetic_table_lost_is_not_replicated():
    frame = drawn(1.0)
    original = people(frame, ("group", "event"))
    synthetic = original.taken(np.flatnonzero(frame.group != 2))
    analyses = (
        {"kind": "mean", "column": "y", "by": "group"},
        {"kind": "linear", "formula": "y ~ x + C(group)"},
        {"kind": "proportion", "column": "group", "level": 2},
    )
    terms, finding = run(original, synthetic, *analyses)
    by_term = {t["term"]: t for t in terms}
    for name in ("y | group = 2", "C(group)[T.2]", "group = 2"):
        assert by_term[name]["synthetic"] is None
        assert by_term[name]["reason"] == "too_few"
        assert by_term[name]["overlap"] == 0
    assert by_term["C(group)[T.2]"]["sign_kept"] is False
    assert by_term["x"]["synthetic"] is not None
    assert finding.detail["hidden"] == 0


def failing(change):
    frame = drawn(1.0)
    return frame, change(frame.copy())


@pytest.mark.parametrize(
    ("analysis", "change", "reason"),
    [
        ({"kind": "logistic", "formula": "event ~ x"}, {"event": lambda f: f.x > 0}, "separated"),
        ({"kind": "linear", "formula": "y ~ x + z"}, {"z": lambda f: 2 * f.x}, "collinear"),
        ({"kind": "linear", "formula": "y ~ log(z)"}, {"z": lambda f: -f.z}, "out_of_domain"),
        ({"kind": "linear", "formula": "log(z) ~ x"}, {"z": lambda f: -f.z}, "out_of_domain"),
        ({"kind": "poisson", "formula": "z ~ x"}, {"z": lambda f: -f.z}, "negative"),
        ({"kind": "logistic", "formula": "e ~ x"}, {"e": lambda f: f.e / 2}, "not_binary"),
        ({"kind": "logistic", "formula": "e ~ x"}, {"e": lambda f: 0 * f.e}, "too_few"),
        (
            {"kind": "cox", "duration": "time", "event": "e", "formula": "x"},
            {"time": lambda f: -f.time},
            "negative",
        ),
        (
            {"kind": "kaplan_meier", "duration": "time", "event": "e", "at": [0.5]},
            {"time": lambda f: -f.time},
            "negative",
        ),
    ],
)
def test_what_cannot_be_fitted(analysis, change, reason):
    """On the synthetic table: not replicated, and why. On the original: one sentence."""
    frame = drawn(1.0).assign(z=lambda f: np.exp(f.y), e=lambda f: f.event)
    table = people(frame, ("group", "event"))
    broken = frame.assign(**change)
    broken["event"] = broken.event.astype(int)
    other = people(broken, layout=table.layout)
    terms, finding = run(table, other, analysis)
    assert terms
    assert all(t["synthetic"] is None and t["reason"] == reason for t in terms)
    assert finding.value == 0
    assert finding.verdict is not Verdict.PASS
    if analysis["kind"] != "kaplan_meier":
        assert finding.detail["significance_kept"] == finding.detail["sign_kept"] == 0
    with pytest.raises(ParameterError, match=r"^Analysis 'A0': .*\.$") as error:
        run(other, table, analysis)
    assert "\n" not in str(error.value)


def test_a_label_that_separates_is_not_replicated_alone():
    frame = drawn(1.0)
    table = people(frame, ("group", "event"))
    broken = frame.assign(event=np.where(frame.group == 2, 1, frame.event))
    terms, _ = run(
        table,
        people(broken, layout=table.layout),
        {"kind": "logistic", "formula": "event ~ x + C(group)"},
    )
    reasons = {t["term"]: t["reason"] for t in terms}
    assert reasons == {"x": None, "C(group)[T.1]": None, "C(group)[T.2]": "too_few"}


def test_a_column_that_separates_has_no_estimate_and_the_others_have():
    from sosie.evidence._models import cox, logistic

    frame = drawn(1.0)
    mark = (frame.group == 2).to_numpy(float)
    outcome = np.where(mark == 1, 1, frame.event).astype(float)
    design = np.column_stack([np.ones(600), frame.x, mark])
    intercept, slope, none = logistic(outcome, design)
    kept = logistic(outcome[mark == 0], design[mark == 0, :2])
    assert none is None
    assert np.isclose(slope.estimate, kept[1].estimate, rtol=1e-4)
    assert np.isclose(intercept.estimate, kept[0].estimate, rtol=1e-4)
    never = np.where(mark == 1, 0, frame.event).astype(float)
    found = cox(frame.time.to_numpy(), never, design[:, 1:])
    assert found[0] is not None
    assert found[1] is None


def test_nothing_to_show():
    table = people(drawn(1.0), ("event",))
    said = {"kind": "kaplan_meier", "duration": "time", "event": "event", "at": [1e9]}
    terms, finding = run(table, table, said)
    assert terms == []
    assert finding.verdict is Verdict.NOT_MEASURED
    assert finding.why_not == "too_few"
    assert finding.detail["hidden"] == 1


def test_too_many_groups_of_a_number():
    table = people(drawn(1.0), ("event",))
    for analysis in (
        {"kind": "mean", "column": "y", "by": "x"},
        {"kind": "linear", "formula": "y ~ C(x)"},
    ):
        with pytest.raises(ParameterError, match="too many distinct numbers"):
            run(table, table, analysis)
