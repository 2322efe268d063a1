"""Tuning: honest splits, scores that others compute alike, and a choice that can be explained."""

import csv
import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler

from sosie.errors import DataError, ParameterError
from sosie.evidence import _trial, _tune
from sosie.evidence._finding import Verdict
from sosie.evidence._trial import Setting, trial
from sosie.evidence._tune import COLUMNS, tune
from sosie.evidence._two_classes import best_cut, found_at
from sosie.table import Table


def persons(n, seed=0):
    """Invented persons: whether they left depends on two numbers and a label."""
    rng = np.random.default_rng(seed)
    age, pay = rng.normal(45, 9, n).round(1), rng.lognormal(7.5, 0.4, n).round(1)
    sex, site = rng.choice(["f", "m"], n), rng.choice(["north", "south", "west"], n)
    eta = -0.9 - 0.12 * (age - 45) - 0.001 * (pay - 1900) + 0.8 * (sex == "m")
    left = np.where(rng.random(n) < 1 / (1 + np.exp(-eta)), "yes", "no")
    return pl.DataFrame({"age": age, "pay": pay, "sex": sex, "site": site, "left": left})


@pytest.fixture(scope="module")
def table():
    return Table.of(persons(400))


@pytest.fixture(scope="module")
def ground(table):
    return _tune._ground(table, "left", None, 0.05, 0)


class Copier:
    """A generator that gives back what it saw."""

    def __init__(self, *_):
        pass

    def fit(self, table):
        self.table = table
        return self

    def sample_tables(self):
        order = np.random.default_rng(1).permutation(len(self.table))
        return self.table.taken(order), self.table


class Stranger(Copier):
    """A generator that draws other persons of the same population, whatever it saw."""

    def sample_tables(self):
        made = Table.of(persons(len(self.table), seed=99), self.table.schema)
        return made, made


def test_the_cut_has_the_best_f1(rng):
    for n in (5, 50, 500):
        guess = rng.random(n).round(2)  # with ties
        truth = rng.random(n) < guess
        truth[0] = True
        precision, recall, _ = precision_recall_curve(truth, guess)
        best = np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-12))
        cut = best_cut(guess, truth)
        assert f1_score(truth, guess >= cut) == pytest.approx(best)
        found = found_at(guess, truth, cut)
        assert found["f1"] == pytest.approx(best)
        assert found["recall"] == pytest.approx(recall_score(truth, guess >= cut))
        assert found["precision"] == pytest.approx(precision_score(truth, guess >= cut))


def test_scores_are_those_of_another_library(ground):
    train, _, test = (ground.table.taken(rows).frame for rows in ground.split(0))

    scaler = StandardScaler().fit(train.select("age", "pay"))

    def terms(frame):  # the most frequent label is left out, as a penalty depends on which is
        most = {name: train[name].mode().sort()[0] for name in ("sex", "site")}
        dummies = [
            (frame[name] == level).to_numpy()
            for name, usual in most.items()
            for level in train[name].unique()
            if level != usual
        ]
        return np.column_stack([scaler.transform(frame.select("age", "pay")), *dummies])

    model = LogisticRegression(tol=1e-9).fit(terms(train), train["left"] == "yes")
    theirs = model.predict_proba(terms(test))[:, 1]
    truth = (test["left"] == "yes").to_numpy()
    ours = trial(ground, None, 0)
    assert ours["auc"] == pytest.approx(roc_auc_score(truth, theirs), abs=1e-3)
    assert ours["f1"] == pytest.approx(f1_score(truth, theirs >= ours["threshold"]), abs=1e-6)


def test_nothing_is_learnt_where_there_is_nothing():
    frame = persons(600).with_columns(left=pl.Series(np.tile(["no", "no", "yes"], 200)))
    found = trial(_tune._ground(Table.of(frame), "left", None, 0.05, 0), None, 0)
    assert abs(found["auc"] - 0.5) < 0.13
    assert found["f1"] < 2 * (1 / 3) / (1 + 1 / 3) + 0.05  # that of taking all for leavers


def test_persons_are_parted_once_and_alike(ground):
    left = (ground.table.frame["left"] == "yes").to_numpy()
    parts = ground.split(0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(400))
    assert [len(part) for part in parts] == pytest.approx([200, 100, 100], abs=1)
    shares = [left[part].mean() for part in parts]
    assert shares == pytest.approx([left.mean()] * 3, abs=0.011)
    assert all(np.array_equal(a, b) for a, b in zip(parts, ground.split(0), strict=True))
    assert not np.array_equal(parts[0], ground.split(1)[0])


def test_attacks_see_no_test_person_and_models_no_control_person(ground):
    """Change the persons of one part: only what may look at them changes."""
    setting = Setting(10, 2)
    before = trial(ground, setting, 0)
    train, control, test = ground.split(0)
    privacy = ("hidden_rate", "local_cloaking", "member_auc", "hellinger", "verdict")
    use = ("threshold", "f1", "auc", "recall", "precision", "auc_boosted")
    for rows, changed, kept in ((test, use, privacy), (control, privacy, use)):
        order = np.arange(400)
        order[rows] = train[: len(rows)]  # others stand in for them
        frame = ground.table.frame[order].with_columns(ground.table.frame["left"])
        other = replace(ground, table=Table.of(frame, ground.table.schema))
        assert all(
            np.array_equal(a, b) for a, b in zip(other.split(0), ground.split(0), strict=True)
        )
        after = trial(other, setting, 0)
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert any(after[name] != before[name] for name in changed)


def test_a_copier_fails_and_keeps_everything(table, monkeypatch):
    monkeypatch.setattr(_trial, "Avatar", Copier)
    found = tune(table, "left", k=[10], rounds=1, jobs=1)
    original, row = found.rows
    assert row["verdict"] == "fail"
    assert row["member_auc"] > 0.95
    assert row["hidden_rate"] == 0
    assert row["local_cloaking"] == 0
    assert row["hellinger"] == pytest.approx(0, abs=1e-9)
    assert row["auc"] == pytest.approx(original["auc"], abs=0.01)
    assert found.best is None
    assert found.why[0] == "none"
    assert "membership" in row["criteria"]


def test_strangers_do_not_leak(table, monkeypatch):
    monkeypatch.setattr(_trial, "Avatar", Stranger)
    found = tune(table, "left", k=[10], rounds=1, jobs=1)
    row = found.rows[1]
    assert row["verdict"] != "fail"
    assert abs(row["member_auc"] - 0.5) < 0.1
    assert row["hidden_rate"] > 95
    assert found.best is row


def test_the_same_rows_whatever_the_number_of_processes(table):
    grid = {"k": [20], "n_factors": [2], "column_weights": [{}, {"age": 3}], "rounds": 1}
    alone, told = tune(table, "left", **grid, jobs=1), []
    together = tune(table, "left", **grid, jobs=2, progress=told.append)
    assert together.to_csv() == alone.to_csv()
    assert told == sorted(told)
    assert told[-1] == 1
    rows = list(csv.DictReader(io.StringIO(alone.to_csv())))
    assert list(rows[0]) == list(COLUMNS)
    assert [rows[0][name] for name in ("k", "cw", "ncp", "hidden_rate", "verdict")] == [""] * 5
    assert {(row["k"], row["cw"]) for row in rows[1:]} == {("20", "1"), ("20", "age=3")}
    assert len({row["f1"] + row["auc"] + row["hellinger"] for row in rows}) == 3


def row_of(verdict, f1, k=5):
    row = dict.fromkeys(COLUMNS, None) | {"k": k, "cw": "1", "ncp": 5, "kernel": "gibbs"}
    return row | {"f1": f1, "auc": f1, "verdict": Verdict(verdict), "criteria": "membership"}


def test_what_passes_comes_before_what_predicts_better():
    rows = [row_of("fail", 0.9), row_of("pass", 0.4), row_of("attention", 0.8), row_of("pass", 0.5)]
    ranked = sorted(rows, key=_tune._place)
    assert [row["f1"] for row in ranked] == [0.5, 0.4, 0.8, 0.9]
    best, (which, values) = _tune._chosen({"f1": 0.95}, ranked)
    assert best is rows[3]
    assert (which, values["pass"], values["settings"]) == ("pass", 2, 4)
    best, (which, values) = _tune._chosen({"f1": 0.95}, ranked[2:])
    assert best is rows[2]
    assert (which, values["attention"]) == ("attention", 1)
    best, (which, values) = _tune._chosen({"f1": 0.95}, ranked[3:])
    assert best is None
    assert (which, values["criterion"]) == ("none", "membership")


@pytest.mark.parametrize(
    ("rounds", "verdict"),
    [
        (["pass", "pass", "fail"], "pass"),
        (["pass", "fail", "fail"], "fail"),
        (["pass", "fail"], "fail"),
        (["pass", "attention"], "attention"),
        (["pass", "attention", "fail"], "fail"),
    ],
)
def test_the_verdict_of_most_rounds(rounds, verdict):
    assert _tune._most([Verdict(one) for one in rounds]) == verdict


@pytest.mark.parametrize(
    ("weights", "spelt"),
    [
        ({}, "1"),
        ({"age": 1.0}, "1"),
        ({"age": 3.0}, "age=3"),
        ({"age": 1, "sex": 0.5}, "age=1;sex=0.5"),
    ],
)
def test_weights_are_spelt_one_way(weights, spelt):
    assert Setting(5, 5, weights).cw == spelt


def test_the_class_to_find_is_the_last_or_the_one_told(table):
    sizes = dict(table.frame["left"].value_counts().iter_rows())
    for positive, expected in ((None, "yes"), ("no", "no")):
        ground = _tune._ground(table, "left", positive, 0.05, 0)
        assert ground.classes.label == expected
        people = _trial.coded(table, ground.layout)
        assert ground.classes.outcome(people).sum() == sizes[expected]
    three = _tune._ground(table, "site", "west", 0.05, 0)
    people = _trial.coded(table, three.layout)
    assert three.classes.outcome(people).sum() == (table.frame["site"] == "west").sum()


@pytest.mark.parametrize(
    ("target", "settings", "error", "parts"),
    [
        ("lefft", {}, ParameterError, ("'lefft'", "did you mean 'left'?")),
        ("age", {}, ParameterError, ("'age'", "is a number")),
        ("site", {}, ParameterError, ("3 classes", "--positive")),
        ("left", {"positive": "Yes"}, ParameterError, ("'Yes'", "did you mean 'yes'?")),
        ("left", {"k": []}, ParameterError, ("no k to try",)),
        ("left", {"k": [5.5]}, ParameterError, ("5.5",)),
        ("left", {"k": [5, 200]}, ParameterError, ("k = 200", "use a k of at most 198")),
        ("left", {"n_factors": [0]}, ParameterError, ("n_factors", "0")),
        ("left", {"kernels": ["gibs"]}, ParameterError, ("'gibs'", "gibbs")),
        ("left", {"column_weights": [{"agee": 2}]}, ParameterError, ("'agee'", "'age'?")),
        ("left", {"rounds": 0}, ParameterError, ("rounds",)),
        ("left", {"threshold": 2}, ParameterError, ("threshold",)),
        ("left", {"seed": -1}, ParameterError, ("seed",)),
    ],
)
def test_what_cannot_be_tried_is_refused(table, target, settings, error, parts):
    with pytest.raises(error) as refused:
        tune(table, target, **settings)
    for part in parts:
        assert part in str(refused.value)


def test_too_few_persons_are_refused():
    with pytest.raises(DataError, match=r"199 persons.*needs 200"):
        tune(persons(199), "left")
    frame = persons(300)
    with pytest.raises(DataError, match="'left' has one class only"):
        tune(frame.with_columns(left=pl.lit("no")), "left")
    rare = pl.Series(["yes"] * 19 + ["no"] * 281)
    with pytest.raises(DataError, match="Fewer than 20 persons"):
        tune(frame.with_columns(left=rare), "left")


def test_a_missing_class_is_neither_learnt_nor_tested(ground):
    frame = ground.table.frame.with_columns(
        left=pl.when(pl.int_range(400) % 4 == 0).then(None).otherwise(pl.col("left"))
    )
    other = _tune._ground(Table.of(frame), "left", None, 0.05, 0)
    unknown = frame["left"].is_null().to_numpy()
    assert [int(unknown[part].sum()) for part in other.split(0)] == [50, 25, 25]
    assert trial(other, None, 0)["auc"] > 0.6
