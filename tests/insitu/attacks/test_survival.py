"""Attacks on survival analyses: what leaves a risk set is a person."""

import itertools

import numpy as np
import pytest

from sosie.errors import ParameterError


def risk_sets(times, matrix):
    """Give what a pooled Cox regression shares at coefficients of 0, as most systems do.

    Sums of 1 and of covariates over the risk set of each event time.
    """
    at = np.unique(times)
    sums = np.array([[1.0, *x] for x in matrix])
    return at, np.array([sums[times >= t].sum(axis=0) for t in at])


def left_alone(at, shared):
    """Subtract consecutive risk sets: where one person left, the difference is her row."""
    gone = shared[:-1] - shared[1:]
    one = np.isclose(gone[:, 0], 1)
    return {t: row[1:] for t, row in zip(at[:-1][one], gone[one], strict=True)}


def test_cox_risk_set_subtraction(victims):
    open_, held = victims()
    frame = open_.frame
    columns = ["age", "pnodes"]
    times, matrix = frame["time"].to_numpy(float), frame[columns].to_numpy(float)
    found = left_alone(*risk_sets(times, matrix))
    assert len(found) > 300  # nearly half of all rows, exactly
    for time, row in found.items():
        np.testing.assert_allclose(row, frame.loc[frame["time"] == time, columns].to_numpy()[0])
    # What sosie lets out of the same model: a sum by bin of who left, none of fewer than 11.
    asked = {"id": "cox_grid", "duration": "time", "event": "cens", "horizon": 2700,
             "formula": "age + pnodes"}  # fmt: skip
    answer = held.ask(asked)
    edges = np.array([row["from"] for row in answer.tables["bins"]] + [2700.0])
    by_bin = [total for total in held.seen if "risk" in total.arrays]
    for total in by_bin:
        assert total["risk"].shape == (len(edges) - 1,)
        shapes = {name: one.shape for name, one in total.arrays.items()}
        # No sum of covariates is of a risk set: they are of all persons, or of all events.
        assert {s for n, s in shapes.items() if n not in ("n", "events", "risk")} <= {
            (2,), (3,), (2, 2),
        }  # fmt: skip
    left, _ = np.histogram(np.minimum(times, 2700), edges)
    assert left.min() >= 11
    assert len(edges) > 4
    # At the first round the sums are of shares of bins: differences are no person's covariates.
    first = by_bin[0]["risk"]
    assert not np.isclose(first, np.rint(first)).any()
    # The stratified model lets out no risk set at all.
    held.ask({"id": "cox", "duration": "time", "event": "cens", "formula": "age + pnodes"})
    for total in held.seen:
        assert {name: one.size for name, one in total.arrays.items()} == {
            "n": 1, "events": 1, "score": 2, "information": 4, "deviance": 1,
        }  # fmt: skip


def test_kaplan_meier_subtraction(victims):
    """Numbers at risk at each time, as a curve shows them, give each person's time and event."""
    open_, held = victims()
    frame = open_.frame
    asked = {"id": "kaplan_meier", "duration": "time", "event": "cens", "by": "tgrade"}

    def alone(victim, horizon):
        answer = victim.ask(asked | {"horizon": horizon})
        if answer is None:
            return None
        bins = answer.tables["curve"]
        grades = {}
        for row in bins:
            grades.setdefault(row["tgrade"], []).append((row["time"], row["at_risk"]))
        return [
            (grade, low, high)
            for grade, rows in grades.items()
            for (low, n), (high, m) in itertools.pairwise(rows)
            if n - m == 1
        ]

    # Without a gate bins go down to one person: who left alone is known by bin and grade.
    found = alone(open_, 2700)
    assert len(found) >= 10
    for grade, low, _ in found:
        own = frame[frame["tgrade"] == grade]
        ends = sorted({row["time"] for row in open_.ask(asked | {"horizon": 2700}).tables["curve"]})
        start = max([t for t in ends if t < low], default=0)
        assert ((own["time"] > start) & (own["time"] <= low)).sum() == 1
    assert alone(held, 2700) == []
    # Two horizons that differ by a few persons' times.
    times = np.sort(frame["time"].unique())
    first, second = float(times[-200]), float(times[-199])
    whole = {"id": "kaplan_meier", "duration": "time", "event": "cens"}

    def between(victim):
        """Subtract the events by one horizon from those by another: who had it in between."""
        answers = [victim.ask(whole | {"horizon": h}) for h in (first, second)]
        if None in answers:
            return None
        return answers[1].values["events"] - answers[0].values["events"]

    truth = frame.loc[frame["time"] == second, "cens"].sum()
    assert between(open_) == truth
    assert between(held) is None


def test_noise_by_a_seed_of_the_caller(victims, rng):
    """Times with noise of a seed the caller sends average out; sosie takes no seed for noise."""
    open_, held = victims(secret=b"k" * 32)
    times = open_.frame["time"].to_numpy(float)
    asked = [times + np.random.default_rng(seed).normal(0, 30, len(times)) for seed in range(400)]
    assert np.abs(np.mean(asked, axis=0) - times).max() < 10
    km = {"id": "kaplan_meier", "duration": "time", "event": "cens", "horizon": 2700}
    answers = {str(held.ask(km).tables["curve"]) for _ in range(5)}
    assert len(answers) == 1
    with pytest.raises(ParameterError):
        held.question(km | {"seed": 3})
