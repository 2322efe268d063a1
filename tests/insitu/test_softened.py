"""Where the gate rounds or noises counts, all else goes with them: truths from pooled rows."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats as st
import statsmodels.api as sm
from lifelines import CoxPHFitter
from lifelines.exceptions import StatisticalWarning

from sosie.errors import TrustError
from sosie.insitu import Gate, NodeTask, Question, run_in_place
from sosie.insitu._aggregate import counts, over, sums
from sosie.insitu.analyst import Answer, sentences_of, texts_of
from sosie.insitu.gate._softened import Softening
from sosie.insitu.gate._wire import added, read
from sosie.trust import PRESETS

WAYS = {"rounded": ("opensafely-7-5", None, 2), "noised": ("snds-11", b"s" * 32, 5)}
"""Preset, secret, and how far at most a count is from the true one."""


class Softened:
    """Three holders that tell other counts, and the pooled rows weighted as those counts say."""

    def __init__(self, holders, way):
        self.preset, self.secret, self.off = WAYS[way]
        self.holders, self.schema = holders, holders.schema
        self.rows = pd.concat(holders.parts, keys=range(3), names=["holder"]).reset_index("holder")
        self.rows = self.rows.reset_index(drop=True)

    def ask(self, analysis, derive=(), holder=None):
        tables = self.holders.tables if holder is None else [self.holders.tables[holder]]
        asked = Question.of({"analysis": analysis, "derive": list(derive)})
        gates = [Gate(self.preset, secret=self.secret) for _ in tables]
        return run_in_place(tables, asked, gates, self.schema)

    def weights(self, *by):
        """Give each person the count its holder tells of its cell over the true one."""
        cells = self.rows.groupby(["holder", *by], observed=True).size()
        told = cells.astype(float)
        for holder in range(3):
            if by:
                found = self.ask({"id": "counts", "column": by[0]}, holder=holder).tables["counts"]
                for row in found:
                    told[holder, row["label"]] = row["count"]
            else:
                found = self.ask({"id": "means", "columns_of": ["age"]}, holder=holder)
                told[holder] = found.tables["means"][0]["n"]
        assert (told != cells).any()
        assert (told - cells).abs().max() <= self.off
        places = pd.MultiIndex.from_frame(self.rows[["holder", *by]]) if by else self.rows["holder"]
        return (told / cells).loc[places].to_numpy()

    def moved(self, means, by=()):
        """How far at most the mean of each group is from the pooled one.

        It is the mean of the holders' means, each weighted by its count, which is off by `off` at
        most: the holders' distances to it, times `off`, over the smallest count it may have.
        """
        cells = self.rows.groupby(["holder", *by], observed=True)[means].mean()
        groups = self.rows.groupby(list(by), observed=True)[means] if by else None
        if groups is None:
            pooled, n = self.rows[means].mean(), len(self.rows)
            return self.off * (cells - pooled).abs().sum() / (n - 3 * self.off)
        away = (cells - groups.mean().reindex(cells.index, level=1)).abs()
        return self.off * away.groupby(level=1).sum() / (groups.size() - 3 * self.off)


@pytest.fixture(params=list(WAYS))
def softened(request, gbsg2):
    return Softened(gbsg2, request.param)


def welch(x, w, groups):
    n = np.array([w[g].sum() for g in groups])
    mean = np.array([np.average(x[g], weights=w[g]) for g in groups])
    square = np.array([w[g] @ (x[g] - m) ** 2 for g, m in zip(groups, mean, strict=True)])
    return n, mean, square


def test_t_test_and_analysis_of_variance(softened):
    rows, off = softened.rows, softened.off
    x, w = rows["tsize"].to_numpy(float), softened.weights("horTh")
    n, mean, square = welch(x, w, [rows["horTh"] == label for label in ("no", "yes")])
    found = softened.ask({"id": "t_test", "column": "tsize", "by": "horTh"}).values
    assert found["difference"] == pytest.approx(mean[0] - mean[1], rel=1e-9)
    assert found["se"] == pytest.approx(np.sqrt((square / (n - 1) / n).sum()), rel=1e-9)
    truth = rows.groupby("horTh")["tsize"].mean()
    most = softened.moved("tsize", ["horTh"])
    assert abs(found["difference"] - (truth["no"] - truth["yes"])) <= most.sum()

    w = softened.weights("tgrade")
    n, mean, square = welch(x, w, [rows["tgrade"] == label for label in ("I", "II", "III")])
    between = n @ (mean - n @ mean / n.sum()) ** 2
    f = (between / 2) / (square.sum() / (n.sum() - 3))
    found = softened.ask({"id": "anova", "column": "tsize", "by": "tgrade"}).values
    assert found["f"] == pytest.approx(f, rel=1e-9)
    # No weight of a person is further from 1 than e, so that squares within are not either, and
    # the root of the squares between no further than e and what the means moved by.
    groups = [rows.loc[rows["tgrade"] == label, "tsize"] for label in ("I", "II", "III")]
    true = st.f_oneway(*groups).statistic
    e = off / rows.groupby(["holder", "tgrade"]).size().min()
    size, most = rows.groupby("tgrade").size(), softened.moved("tsize", ["tgrade"])
    noise = np.sqrt((size * most**2).sum() / (rows.groupby("tgrade")["tsize"].var() @ size / 683))
    top = (np.sqrt(2 * true * (1 + e)) + np.sqrt(1 + e) * noise) ** 2 / 2 / (1 - e) ** 2
    low = max(0, np.sqrt(2 * true * (1 - e)) - np.sqrt(1 + e) * noise) ** 2 / 2 / (1 + e) ** 2
    assert low <= found["f"] <= top
    assert top / true < 2.5


def test_slopes(softened):
    rows, w = softened.rows, softened.weights()
    x = sm.add_constant(rows[["age", "tsize"]].astype(float)).to_numpy()
    y, told = np.log(rows["pnodes"].to_numpy(float)), w.sum()
    found = softened.ask({"id": "linear", "formula": "log(pnodes) ~ age + tsize"})
    terms = pd.DataFrame(found.tables["terms"])
    fit = sm.WLS(y, x, w).fit()
    np.testing.assert_allclose(terms["estimate"], fit.params, rtol=1e-8)
    errors = fit.bse * np.sqrt(fit.df_resid / (told - 3))
    np.testing.assert_allclose(terms["se"], errors, rtol=1e-8)
    assert found.values["n"] == pytest.approx(told)
    # Of the pooled fit, each holder's normal equations do not hold alone: by as much as its weight
    # may be from 1, they move the slopes.
    pooled = sm.OLS(y, x).fit()
    inside = np.linalg.inv((x * w[:, None]).T @ x)
    most = np.zeros(3)
    for own in rows.groupby("holder").indices.values():
        most += softened.off / len(own) * np.abs(inside @ x[own].T @ pooled.resid[own])
    assert (np.abs(terms["estimate"] - pooled.params) <= most * (1 + 1e-6)).all()
    assert (most < 0.25 * pooled.bse).all()


def test_correlation_and_components(softened):
    names = ["age", "tsize", "pnodes"]
    rows, w = softened.rows, softened.weights()
    true = rows[names].corr().to_numpy()
    cov = np.cov(rows[names].T.astype(float), aweights=w)
    weighted = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    pairs = softened.ask({"id": "correlation", "columns_of": names}).tables["pairs"]
    # Squares about the mean in any direction are within e of the pooled ones.
    e = softened.off / rows.groupby("holder").size().min()
    for row in pairs:
        i, j = names.index(row["first"]), names.index(row["second"])
        assert row["r"] == pytest.approx(weighted[i, j], abs=1e-9)
        assert abs(row["r"] - true[i, j]) <= 2 * e / (1 - e)
    found = softened.ask({"id": "pca", "columns_of": names}).tables["variances"]
    shares = np.array([row["share"] for row in found])
    np.testing.assert_allclose(shares, np.linalg.eigvalsh(weighted)[::-1] / 3, atol=1e-9)
    truth = np.linalg.eigvalsh(true)[::-1] / 3
    assert (np.abs(shares / truth - 1) <= 2 * e / (1 - e)).all()


def test_models_by_steps(softened):
    rows, w = softened.rows, softened.weights()
    x = sm.add_constant(rows[["age", "tsize"]].astype(float))
    found = softened.ask({"id": "logistic", "formula": "cens ~ age + tsize"})
    terms = pd.DataFrame(found.tables["terms"])
    fit = sm.GLM(rows["cens"], x, sm.families.Binomial(), freq_weights=w).fit(tol=1e-12)
    np.testing.assert_allclose(terms["estimate"], fit.params, rtol=1e-7)
    np.testing.assert_allclose(terms["se"], fit.bse, rtol=1e-7)
    assert found.values["deviance"] == pytest.approx(fit.deviance, rel=1e-9)

    asked = {"id": "cox", "duration": "time", "event": "cens", "formula": "age + pnodes"}
    told = [softened.ask(asked, holder=h).values["events"] for h in range(3)]
    events = rows.groupby("holder")["cens"].sum()
    frame = rows[["time", "cens", "age", "pnodes", "holder"]].copy()
    frame["w"] = (np.array(told) / events).loc[rows["holder"]].to_numpy()
    with warnings.catch_warnings():  # that weights are no whole numbers
        warnings.simplefilter("ignore", StatisticalWarning)
        cox = CoxPHFitter().fit(frame, "time", "cens", weights_col="w", strata=["holder"])
    found = pd.DataFrame(softened.ask(asked).tables["terms"])
    np.testing.assert_allclose(found["estimate"], cox.params_, rtol=1e-5)
    np.testing.assert_allclose(found["se"], cox.standard_errors_, rtol=1e-5)
    # One baseline for all, events rounded bin by bin: still a fraction of a standard error away.
    asked = asked | {"id": "cox_grid", "horizon": 2000}
    plain = pd.DataFrame(softened.holders.ask(asked, "snds-11").tables["terms"])
    grid = pd.DataFrame(softened.ask(asked).tables["terms"])
    assert (np.abs(grid["estimate"] - plain["estimate"]) < 0.15 * plain["se"]).all()


def test_no_sum_tells_the_true_count(softened):
    """A column of ones by group; and standard errors, which fall with the persons."""
    one = [{"rule": "ratio", "name": "one", "column": "age", "over": "age"}]
    for holder in (None, 0):
        found = softened.ask(
            {"id": "means", "columns_of": ["one"], "by": "horTh"}, one, holder=holder
        ).tables["means"]
        told = softened.ask({"id": "counts", "column": "horTh"}, holder=holder).tables["counts"]
        for row, count in zip(found, told, strict=True):
            assert row["mean"] * row["n"] == pytest.approx(count["count"], abs=1e-9)
    for analysis in ("logistic", "poisson"):
        found = softened.ask({"id": analysis, "formula": "cens ~ 1"}, holder=1)
        term, n = found.tables["terms"][0], found.values["n"]
        p = np.exp(term["estimate"])
        weight = p / (1 + p) ** 2 if analysis == "logistic" else p
        assert 1 / term["se"] ** 2 / weight == pytest.approx(n, rel=1e-7)
        assert n != len(softened.holders.parts[1])


ASKED = [
    {"id": "counts", "column": "tgrade"},
    {"id": "crosstab", "row": "horTh", "column": "menostat"},
    {"id": "means", "columns_of": ["age", "tsize"]},
    {"id": "histogram", "column": "age", "lower": 20, "upper": 80},
    {"id": "quantiles", "column": "age", "lower": 20, "upper": 80},
    {"id": "mann_whitney", "column": "age", "by": "horTh", "lower": 20, "upper": 80},
    {"id": "ridge", "formula": "tsize ~ age + horTh", "penalty": 3},
    {"id": "gamma", "formula": "tsize ~ age"},
    {"id": "kaplan_meier", "duration": "time", "event": "cens", "horizon": 1500},
    {"id": "propensity", "outcome": "tsize", "arm": "horTh", "formula": "age"},
    {"id": "famd", "columns_of": ["age", "tsize", "horTh"], "factors": 2},
    {"id": "k_means", "columns_of": ["age", "tsize"], "clusters": 2},
    {"id": "within_between", "x": "age", "y": "tsize", "by": "tgrade"},
    {"id": "meta_analysis", "formula": "tsize ~ age", "model": "linear"},
]


@pytest.mark.parametrize("analysis", ASKED, ids=lambda one: one["id"])
def test_an_answer_says_that_counts_are_others(gbsg2, analysis):
    gates = [Gate("snds-11", PRESETS["ons-10-5"]), Gate("snds-11"), Gate(secret=b"s" * 32)]
    found = run_in_place(gbsg2.tables, Question.of({"analysis": analysis}), gates, gbsg2.schema)
    assert not found.exact
    assert "at most 7 from the true one" in found.bound
    content = {"analysis": analysis["id"], "sites": ["A"], "result": found.content()}
    answer = Answer(content | {"agreement": "0" * 64, "question": {}, "certificate": {}})
    for lang, words in (("en", "is at most 7 from"), ("fr", "est à 7 au plus du vrai")):
        assert " ".join(sentences_of(answer, texts_of(lang, answer.analysis))).count(words) == 1
    assert "count_off" not in answer.single


def test_an_answer_of_true_counts_says_nothing(gbsg2):
    found = gbsg2.ask(ASKED[2], "snds-11")
    assert found.exact
    assert found.bound == ""
    assert "count_off" not in found.content()


def test_a_holder_whose_count_is_rounded_away_weighs_nothing(gbsg2):
    floors = PRESETS["snds-11"].model_copy(update={"round_to": 100})
    parts = [gbsg2.pooled[:40], gbsg2.pooled[40:340], gbsg2.pooled[340:]]
    tables = [type(gbsg2.tables[0]).of(p.reset_index(drop=True), gbsg2.schema) for p in parts]
    asked = Question.of({"analysis": {"id": "means", "columns_of": ["age"]}})
    found = run_in_place(tables, asked, [Gate(floors) for _ in tables], gbsg2.schema)
    row = found.tables["means"][0]
    assert row["n"] == 600
    assert row["mean"] == pytest.approx((parts[1]["age"].mean() + parts[2]["age"].mean()) / 2)


def test_a_sum_that_names_no_count_does_not_leave():
    ones, n = sums(np.ones((12, 1))), counts(np.zeros(12, int), 1, np.ones(12, bool))
    with pytest.raises(TrustError, match="over which count"):
        Softening(5).values(ones)
    assert Softening(1).values(ones).tolist() == [12]
    assert Softening(5).values(over(ones, n)).tolist() == [10]
    with pytest.raises(ValueError, match="other cells"):
        over(sums(np.ones((12, 3))), counts(np.arange(12) % 2, 2, np.ones(12, bool)))


def test_how_far_counts_are_off_travels_where_they_are(gbsg2):
    asked = Question.of({"analysis": {"id": "counts", "column": "tgrade"}})
    parts = [
        NodeTask(asked, table, gbsg2.schema, Gate(preset), holders=3).part().payload
        for table, preset in zip(
            gbsg2.tables, ("snds-11", "ons-10-5", "opensafely-7-5"), strict=True
        )
    ]
    assert "off" not in json.loads(parts[0])
    assert read(added(parts, asked.sha256, 0), asked.sha256, 0)[2] == 4
    for bad in (b"-1", b"2.5", b'"2"', b"true", b"100000000"):
        with pytest.raises(TrustError):
            read(parts[1].replace(b'"off":2', b'"off":' + bad), asked.sha256, 0)
