"""Every analysis against the same one on the pooled rows, by another library."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.datasets import load_rossi
from lifelines.statistics import multivariate_logrank_test
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, Ridge
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.meta_analysis import combine_effects
from tests.insitu.conftest import split

from sosie.errors import ParameterError
from sosie.table import Column, Schema

EXACT = {"rtol": 1e-9, "atol": 1e-9}


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), **EXACT)


def terms(result, what="estimate"):
    return [row[what] for row in result.tables["terms"]]


def test_counts_and_means(gbsg2):
    found = gbsg2.ask({"id": "counts", "column": "tgrade"})
    counted = gbsg2.pooled["tgrade"].value_counts()
    assert {r["label"]: r["count"] for r in found.tables["counts"]} == counted.to_dict()
    found = gbsg2.ask({"id": "means", "columns_of": ["age", "progrec"], "by": "horTh"})
    groups = gbsg2.pooled.groupby("horTh")
    for row in found.tables["means"]:
        one = groups.get_group(row["horTh"])[row["column"]]
        close([row["n"], row["mean"], row["sd"]], [len(one), one.mean(), one.std()])


def test_missing_values_are_left_out(gbsg2):
    parts = [part.astype({"age": float}) for part in gbsg2.parts]
    for part in parts:
        part.loc[:40, "age"] = np.nan
    known = pd.concat(parts)["age"].dropna()
    found = (
        type(gbsg2)(pd.concat(parts), parts, gbsg2.schema)
        .ask({"id": "means", "columns_of": ["age"]})
        .tables["means"][0]
    )
    close([found["n"], found["mean"], found["sd"]], [len(known), known.mean(), known.std()])


def test_crosstab(gbsg2):
    found = gbsg2.ask({"id": "crosstab", "row": "tgrade", "column": "horTh"})
    table = pd.crosstab(gbsg2.pooled["tgrade"], gbsg2.pooled["horTh"])
    chi2, p, df, _ = stats.chi2_contingency(table, correction=False)
    close([r["count"] for r in found.tables["cells"]], table.to_numpy().ravel())
    close([found.values[k] for k in ("chi2", "df", "p")], [chi2, df, p])


def test_tests_of_means(gbsg2):
    groups = [g["age"] for _, g in gbsg2.pooled.groupby("tgrade")]
    found = gbsg2.ask({"id": "anova", "column": "age", "by": "tgrade"}).values
    close([found["f"], found["p"]], stats.f_oneway(*groups))
    first, second = [g["tsize"] for _, g in gbsg2.pooled.groupby("horTh")]
    found = gbsg2.ask({"id": "t_test", "column": "tsize", "by": "horTh"}).values
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval()
    close(
        [found[k] for k in ("t", "df", "p", "low", "high")],
        [expected.statistic, expected.df, expected.pvalue, interval.low, interval.high],
    )


def test_correlation(gbsg2):
    for row in gbsg2.ask({"id": "correlation", "columns_of": ["age", "tsize", "pnodes"]}).tables[
        "pairs"
    ]:
        expected = stats.pearsonr(gbsg2.pooled[row["first"]], gbsg2.pooled[row["second"]])
        close([row["r"], row["p"]], [expected.statistic, expected.pvalue])
        close(row["ci"], expected.confidence_interval())


def test_linear(gbsg2):
    found = gbsg2.ask({"id": "linear", "formula": "pnodes ~ age * horTh + tsize + tgrade"})
    plain = smf.ols("pnodes ~ age * horTh + tsize + tgrade", gbsg2.pooled).fit()
    by = {row["term"]: row for row in found.tables["terms"]}
    for name in plain.params.index:
        close(
            [by[name]["estimate"], by[name]["se"], by[name]["p"], *by[name]["ci"]],
            [plain.params[name], plain.bse[name], plain.pvalues[name], *plain.conf_int().T[name]],
        )
    close([found.values["r_squared"], found.values["sigma"] ** 2], [plain.rsquared, plain.scale])


@pytest.mark.parametrize(
    ("name", "formula", "family"),
    [
        ("logistic", "horTh ~ age + tsize + tgrade", sm.families.Binomial()),
        ("poisson", "pnodes ~ age + tsize + horTh", sm.families.Poisson()),
        ("gamma", "time ~ age + pnodes + tgrade", sm.families.Gamma(sm.families.links.Log())),
    ],
)
def test_generalised(gbsg2, name, formula, family):
    data = gbsg2.pooled.assign(outcome=(gbsg2.pooled["horTh"] == "yes").astype(int))
    asked = formula.replace("horTh ~", "outcome ~") if name == "logistic" else formula
    expected = smf.glm(asked, data, family=family).fit(tol=1e-14, maxiter=100)
    found = gbsg2.ask({"id": name, "formula": formula})
    by = {row["term"]: row for row in found.tables["terms"]}
    for term in expected.params.index:
        close(
            [by[term]["estimate"], by[term]["se"], *by[term]["ci"]],
            [expected.params[term], expected.bse[term], *expected.conf_int().T[term]],
        )
    close(found.values["deviance"], expected.deviance)


def test_penalised(tumours):
    columns = list(tumours.pooled.columns)
    x = StandardScaler().fit(tumours.pooled[columns[1:]])
    scaled, y = x.transform(tumours.pooled[columns[1:]]), tumours.pooled[columns[0]]
    formula = f"{columns[0]} ~ {' + '.join(columns[1:])}"
    found = tumours.ask({"id": "ridge", "formula": formula, "penalty": 30})
    close(terms(found)[1:], Ridge(alpha=30).fit(scaled, y).coef_ / x.scale_)
    found = tumours.ask({"id": "lasso", "formula": formula, "penalty": 0.3})
    expected = Lasso(alpha=0.3, tol=1e-14, max_iter=10**6).fit(scaled, y)
    close(terms(found)[1:], expected.coef_ / x.scale_)
    assert 0.0 in terms(found)


def survival_frame(holders):
    frame = pd.concat([part.assign(site=i) for i, part in enumerate(holders.parts)])
    wide = pd.get_dummies(frame[["tgrade", "horTh"]], drop_first=True).astype(float)
    return pd.concat([frame[["time", "cens", "age", "pnodes", "site"]], wide], axis=1)


def test_cox_is_the_one_stratified_by_holder(gbsg2):
    frame = survival_frame(gbsg2)
    fitted = CoxPHFitter().fit(
        frame, "time", "cens", strata=["site"],
        fit_options={"precision": 1e-14, "r_precision": 1e-15},
    )  # fmt: skip
    asked = {"id": "cox", "duration": "time", "event": "cens"}
    found = gbsg2.ask(asked | {"formula": "age + pnodes + tgrade + horTh"})
    by = {row["term"]: row for row in found.tables["terms"]}
    names = {
        "tgrade_II": "tgrade[T.II]",
        "tgrade_III": "tgrade[T.III]",
        "horTh_yes": "horTh[T.yes]",
    }
    for theirs, ours in ({"age": "age", "pnodes": "pnodes"} | names).items():
        one = fitted.summary.loc[theirs]
        np.testing.assert_allclose(
            [by[ours]["estimate"], by[ours]["se"]], [one["coef"], one["se(coef)"]], rtol=1e-8
        )
    assert found.values["events"] == frame["cens"].sum()


def person_bins(frame, edges):
    """Split each person's time at risk at the edges of the bins, as for Poisson regression."""
    parts = []
    for j, (low, high) in enumerate(itertools.pairwise(edges)):
        own = frame[frame["time"] > low]
        inside = (own["time"] <= high) | (j == len(edges) - 2)
        lived = own["time"].clip(upper=high) - low
        parts.append(own.assign(bin=j, lived=lived, had=own["cens"].where(inside, 0)))
    return pd.concat(parts)


@pytest.mark.parametrize(
    ("floors", "fewest", "off"), [("datashield-3", 8, 0.1), ("snds-11", 4, 0.2)]
)
def test_cox_on_a_grid(gbsg2, floors, fewest, off):
    asked = {"id": "cox_grid", "duration": "time", "event": "cens", "horizon": 2700}
    found = gbsg2.ask(asked | {"formula": "age + tgrade"}, floors=floors)
    frame = survival_frame(gbsg2)[["time", "cens", "age", "tgrade_II", "tgrade_III"]]
    names = ["age", "tgrade_II", "tgrade_III"]
    exact = CoxPHFitter().fit(frame, "time", "cens").summary.loc[names]
    bias = (np.array(terms(found)) - exact["coef"]) / exact["se(coef)"]
    assert np.abs(bias).max() < off
    np.testing.assert_allclose(terms(found, "se"), exact["se(coef)"], rtol=0.01)
    # On the bins it is the piecewise exponential model exactly, whatever the floors.
    edges = [row["from"] for row in found.tables["bins"]] + [2700]
    assert len(edges) > fewest
    split = person_bins(frame, edges)
    x = np.column_stack([pd.get_dummies(split["bin"]).to_numpy(float), split[names].to_numpy()])
    theirs = sm.GLM(
        split["had"], x, family=sm.families.Poisson(), offset=np.log(split["lived"])
    ).fit(tol=1e-14, maxiter=200)
    np.testing.assert_allclose(terms(found), theirs.params[-3:], rtol=1e-6)
    np.testing.assert_allclose(terms(found, "se"), theirs.bse[-3:], rtol=0.01)


def test_survival(gbsg2):
    asked = {"id": "kaplan_meier", "duration": "time", "event": "cens", "horizon": 2700}
    found = gbsg2.ask(asked | {"by": "horTh"}, floors="datashield-3")
    for label, group in gbsg2.pooled.groupby("horTh"):
        rows = [row for row in found.tables["curve"] if row["horTh"] == label]
        edges = np.array([row["time"] for row in rows])
        at = edges[np.searchsorted(edges, group["time"].clip(upper=2700))]
        km = KaplanMeierFitter().fit(at, group["cens"])
        close([r["survival"] for r in rows], km.survival_function_at_times(edges))
        true = KaplanMeierFitter().fit(group["time"], group["cens"])
        true = true.survival_function_at_times(edges).to_numpy()
        assert (true <= np.array([r["survival"] for r in rows]) + 1e-12).all()
        assert (true >= np.array([r["at_least"] for r in rows]) - 1e-12).all()
    edges = np.unique([row["time"] for row in found.tables["curve"]])
    at = edges[np.searchsorted(edges, gbsg2.pooled["time"].clip(upper=2700))]
    test = multivariate_logrank_test(at, gbsg2.pooled["horTh"], gbsg2.pooled["cens"])
    close([found.values["chi2"], found.values["p"]], [test.test_statistic, test.p_value])
    assert len(edges) >= 3
    strict = gbsg2.ask(asked, floors="snds-11").tables["curve"]
    assert len(strict) >= 3
    assert all(row["events"] >= 33 or row["events"] == 0 for row in strict)


def rossi_holders():
    """432 convicts followed for a year: whoever was not arrested was followed to the end."""
    frame = load_rossi()[["week", "arrest", "fin", "prio"]].astype({"fin": str})
    kinds = {"fin": {"kind": "category", "levels": ["0", "1"]}}
    columns = [Column(name=n, **kinds.get(n, {"kind": "integer"})) for n in frame.columns]
    return split(frame, Schema(columns=columns))


@pytest.mark.parametrize(
    ("data", "horizon", "floors"),
    [("gbsg2", 2000, "snds-11"), ("gbsg2", 2000, "acro-10"), ("gbsg2", 700, "snds-11"),
     ("gbsg2", 700, "datashield-3"), ("gbsg2", 2700, "snds-11"), ("rossi", 52, "datashield-3")],
)  # fmt: skip
@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_of_survival_hold_those_of_the_exact_times(gbsg2, floors, data, horizon, grouped):
    holders = gbsg2 if data == "gbsg2" else rossi_holders()
    time, event, by = ("time", "cens", "horTh") if data == "gbsg2" else ("week", "arrest", "fin")
    asked = {"id": "kaplan_meier", "duration": time, "event": event, "horizon": horizon}
    found = holders.ask(asked | ({"by": by} if grouped else {}), floors=floors)
    groups = holders.pooled.groupby(by) if grouped else [("", holders.pooled)]
    for label, group in groups:
        km = KaplanMeierFitter().fit(group[time], group[event])
        ends = km.confidence_interval_survival_function_
        for row in found.tables["curve"]:
            if grouped and row[by] != label:
                continue
            true = km.survival_function_at_times(row["time"]).iloc[0]
            low, high = ends.loc[: row["time"]].iloc[-1]
            assert row["at_least"] - 1e-12 <= true <= row["survival"] + 1e-12
            assert row["ci"][0] - 1e-12 <= min(low, row["at_least"])
            assert max(high if row["at_least"] else true, row["survival"]) <= row["ci"][1] + 1e-12
    if horizon in (52, 2000) and not grouped and floors != "acro-10":
        assert all(row["at_least"] > 0.3 for row in found.tables["curve"])
    one_bin = len({row["time"] for row in found.tables["curve"]}) == 1
    assert one_bin == ("too coarse" in found.bound)
    if grouped:
        assert one_bin == (found.values["p"] is None)


def test_who_is_followed_to_the_horizon_is_known_to_be():
    """Nobody is lost before the end: the curve of the bins is that of the exact times."""
    holders = rossi_holders()
    asked = {"id": "kaplan_meier", "duration": "week", "event": "arrest", "horizon": 52}
    found = holders.ask(asked, floors="datashield-3").tables["curve"]
    km = KaplanMeierFitter().fit(holders.pooled["week"], holders.pooled["arrest"])
    times = [row["time"] for row in found]
    assert len(times) > 3
    close([row["survival"] for row in found], km.survival_function_at_times(times))
    close([row["at_least"] for row in found], km.survival_function_at_times(times))
    ends = km.confidence_interval_survival_function_
    close([row["ci"] for row in found], [ends.loc[:time].iloc[-1] for time in times])


def test_mann_whitney(gbsg2):
    asked = {"id": "mann_whitney", "column": "age", "by": "horTh", "lower": 20, "upper": 84}
    first, second = [g["age"] for _, g in gbsg2.pooled.groupby("horTh")]
    found = gbsg2.ask(asked, floors="snds-11")
    told = found.tables["bins"]
    assert told[0]["from"] is told[-1]["to"] is None  # whatever is beyond 20 and 84 is in there
    edges = np.array([row["from"] for row in told][1:])
    assert len(edges) >= 3
    binned = [np.searchsorted(edges, group, side="right") for group in (first, second)]
    expected = stats.mannwhitneyu(*binned, method="asymptotic")
    close([found.values["u"], found.values["p"]], [expected.statistic, expected.pvalue])
    off = abs(found.values["u"] - stats.mannwhitneyu(first, second).statistic)
    assert 0 < off <= found.values["u_at_most_off"]


def test_quantiles_lie_between_their_bounds(gbsg2):
    asked = {"id": "quantiles", "column": "tsize", "lower": 0, "upper": 128}
    found = gbsg2.ask(asked, floors="snds-11")
    for row in found.tables["quantiles"]:
        true = np.quantile(gbsg2.pooled["tsize"], row["q"], method="inverted_cdf")
        assert row["at_least"] <= true <= row["at_most"]
        assert row["at_least"] <= row["value"] <= row["at_most"]
    bins = gbsg2.ask(asked | {"id": "histogram"}, floors="snds-11").tables["bins"]
    assert bins[0]["from"] is bins[-1]["to"] is None
    edges = [-np.inf, *(row["from"] for row in bins[1:]), np.inf]
    counted, _ = np.histogram(gbsg2.pooled["tsize"], edges)
    close([row["count"] for row in bins], counted)
    for part in gbsg2.parts:
        assert np.histogram(part["tsize"], edges)[0].min() >= 11
    assert len(bins) >= 8


@pytest.mark.parametrize(("lower", "upper"), [(100, 200), (-50, 0), (25, 35), (0, 30)])
def test_nothing_false_is_said_of_a_range_that_does_not_hold_the_data(gbsg2, lower, upper):
    sizes = gbsg2.pooled["tsize"]
    asked = {"column": "tsize", "lower": lower, "upper": upper}
    bins = gbsg2.ask(asked | {"id": "histogram"}, floors="snds-11").tables["bins"]
    assert bins[0]["from"] is bins[-1]["to"] is None
    for row in bins:
        low = -np.inf if row["from"] is None else row["from"]
        high = np.inf if row["to"] is None else row["to"]
        assert row["count"] == ((sizes >= low) & (sizes < high)).sum()
    at = (0.05, 0.25, 0.5, 0.75, 0.95)
    found = gbsg2.ask(asked | {"id": "quantiles", "at": at}, floors="snds-11").tables["quantiles"]
    for row in found:
        true = np.quantile(sizes, row["q"], method="inverted_cdf")
        assert row["at_least"] is None or row["at_least"] <= true
        assert row["at_most"] is None or true <= row["at_most"]
        assert (row["value"] is None) == (None in (row["at_least"], row["at_most"]))
    assert any(row["value"] is None for row in found)


@pytest.mark.parametrize(
    ("lower", "upper"), [(-1e308, 1e308), (1.0, 1.0 + 2e-16), (1e300, 1e300 * (1 + 1e-15)), (3, 3)]
)
@pytest.mark.parametrize("name", ["histogram", "quantiles", "mann_whitney"])
def test_a_range_without_bins_is_refused_in_a_sentence(gbsg2, name, lower, upper):
    asked = {"id": name, "column": "tsize", "lower": lower, "upper": upper}
    more = {"by": "horTh"} if name == "mann_whitney" else {}
    with pytest.raises(ParameterError, match=r"cannot be cut into 64 bins|not below upper"):
        gbsg2.ask(asked | more)


def test_components(tumours):
    found = tumours.ask({"id": "pca", "columns_of": list(tumours.pooled.columns)})
    fitted = PCA().fit(StandardScaler().fit_transform(tumours.pooled))
    close([r["share"] for r in found.tables["variances"]], fitted.explained_variance_ratio_)
    loadings = found.frame("loadings").pivot("component", index="column", values="loading")
    ours = loadings.drop("column").to_numpy()
    close(np.abs(ours), np.abs(fitted.components_.T))


def test_clusters(tumours):
    columns = list(tumours.pooled.columns[:3])
    scaler = StandardScaler().fit(tumours.pooled[columns])
    points = scaler.transform(tumours.pooled[columns])
    asked = {"id": "k_means", "columns_of": columns, "clusters": 3}
    found = tumours.ask(asked)
    assert found.values["steps"] < 20
    ours = np.array([[row[name] for name in columns] for row in found.tables["clusters"]])
    # Lloyd's steps from there go nowhere: it is a solution on the pooled rows.
    start = scaler.transform(pd.DataFrame(ours, columns=columns))
    fitted = KMeans(3, init=start, n_init=1, max_iter=300, tol=0).fit(points)
    close(scaler.inverse_transform(fitted.cluster_centers_), ours)
    close(found.values["inertia"], fitted.inertia_)
    best = KMeans(3, n_init=20, random_state=0).fit(points).inertia_
    assert found.values["inertia"] < 1.01 * best
    for seed in range(3):
        held = tumours.ask(asked | {"seed": seed}, floors="snds-11")
        assert held.values["inertia"] < 1.25 * best


def test_propensity(gbsg2):
    found = gbsg2.ask(
        {"id": "propensity", "outcome": "pnodes", "arm": "horTh", "formula": "age + tsize + tgrade"}
    ).values
    data = gbsg2.pooled.assign(arm=(gbsg2.pooled["horTh"] == "yes").astype(float))
    score = smf.glm("arm ~ age + tsize + tgrade", data, family=sm.families.Binomial()).fit(
        tol=1e-14
    )
    chance = score.fittedvalues
    weights = np.where(data["arm"] == 1, 1 / chance, 1 / (1 - chance))
    fitted = smf.wls("pnodes ~ arm", data, weights=weights).fit(cov_type="HC0")
    close([found["difference"], found["se"]], [fitted.params["arm"], fitted.bse["arm"]])


@pytest.mark.parametrize("model", ["linear", "logistic"])
def test_meta_analysis(gbsg2, model):
    formula = "pnodes ~ age + tsize" if model == "linear" else "big ~ age + pnodes"
    fit = smf.ols if model == "linear" else smf.logit
    extra = {} if model == "linear" else {"disp": 0, "tol": 1e-14}
    grades = [part for _, part in gbsg2.pooled.groupby("tgrade")]  # holders that differ
    fits = [fit(formula, part).fit(**extra) for part in grades]
    holders = type(gbsg2)(gbsg2.pooled, grades, gbsg2.schema)
    found = holders.ask({"id": "meta_analysis", "formula": formula, "model": model})
    between = []
    for row in found.tables["terms"]:
        effects = np.array([one.params[row["term"]] for one in fits])
        errors = np.array([one.bse[row["term"]] for one in fits])
        expected = combine_effects(effects, errors**2, method_re="dl")
        # To two digits; no variance between holders is that of fixed effects.
        differ = [max(0, expected.tau2), expected.q]
        np.testing.assert_allclose([row["tau2"], row["q"]], differ, rtol=0.0501)
        mean, error = expected.mean_effect_re, expected.sd_eff_w_re
        if expected.tau2 <= 0:
            mean, error = expected.mean_effect_fe, expected.sd_eff_w_fe
        told = [row["estimate"], row["se"]]
        np.testing.assert_allclose(told, [mean, error], rtol=0, atol=0.0051 * error)
        assert row["se"] == float(f"{row['se']:.3g}")
        between.append(expected.tau2 > 0)
    assert any(between)


def test_derived_columns(gbsg2):
    rules = [
        {"rule": "cut", "name": "old", "column": "age", "edges": [50, 60]},
        {"rule": "log", "name": "log_time", "column": "time"},
        {"rule": "ratio", "name": "rate", "column": "pnodes", "over": "tsize"},
        {"rule": "recode", "name": "high", "column": "tgrade",
         "groups": {"low": ["I", "II"], "high": ["III"]}},
        {"rule": "indicator", "name": "pre", "column": "menostat", "level": "Pre"},
    ]  # fmt: skip
    found = gbsg2.ask(
        {"id": "linear", "formula": "log_time ~ old + rate + high + pre"}, derive=rules
    )
    data = gbsg2.pooled.assign(
        log_time=np.log(gbsg2.pooled["time"]),
        old=np.digitize(gbsg2.pooled["age"], [50, 60]),
        rate=gbsg2.pooled["pnodes"] / gbsg2.pooled["tsize"],
        high=(gbsg2.pooled["tgrade"] == "III").astype(int),
        pre=(gbsg2.pooled["menostat"] == "Pre").astype(int),
    )
    fitted = smf.ols("log_time ~ C(old) + high + pre + rate", data).fit()
    close(sorted(terms(found)), sorted(fitted.params))


def test_a_derived_column_beside_one_that_is_made_from_it(gbsg2):
    rules = [
        {"rule": "ratio", "name": "rate", "column": "pnodes", "over": "tsize"},
        {"rule": "cut", "name": "many", "column": "rate", "edges": [0.1]},
        {"rule": "log", "name": "log_rate", "column": "rate"},
    ]
    found = gbsg2.ask({"id": "linear", "formula": "age ~ rate + many + log_rate"}, derive=rules)
    data = gbsg2.pooled.assign(rate=gbsg2.pooled["pnodes"] / gbsg2.pooled["tsize"])
    data = data.assign(many=(data["rate"] >= 0.1).astype(int), log_rate=np.log(data["rate"]))
    close(terms(found), smf.ols("age ~ rate + many + log_rate", data).fit().params)


def test_rules_that_use_each_other_twice_over_take_no_longer(gbsg2):
    rules = [
        {"rule": "ratio", "name": f"r{i + 1}", "column": f"r{i}", "over": f"r{i}"}
        for i in range(1, 48)
    ]
    first = {"rule": "log", "name": "r1", "column": "time"}
    found = gbsg2.ask({"id": "means", "columns_of": ["r48"]}, derive=[first, *rules])
    assert [found.tables["means"][0][k] for k in ("mean", "sd")] == [1.0, 0.0]
