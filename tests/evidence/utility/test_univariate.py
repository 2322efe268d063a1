"""Distances of columns against scipy, pandas and closed forms."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sosie.evidence import Verdict
from sosie.evidence._people import Layout, People
from sosie.evidence.utility import Hellinger, UnivariateDistance
from sosie.evidence.utility._cells import Cutting
from sosie.evidence.utility._judged import judged
from sosie.evidence.utility._shown import edges_of, share_or_none, shares_shown


def run(measure, case):
    return measure().run(case)[measure.name]


def by_pandas(a, b):
    """Hellinger distance of one column, by pandas' own cutting and counting."""
    if a.dtype != object:
        width = (a.max() - a.min()) / 20
        inner = [a.min() + width * k for k in range(1, 20)]
        bins = [-np.inf, *inner, np.inf]
        a, b = (pd.cut(x, bins, right=False).astype(str) for x in (a, b))
    p, q = (x.value_counts(normalize=True) for x in (a, b))
    both = pd.concat([p, q], axis=1).fillna(0)
    return np.sqrt(((np.sqrt(both.iloc[:, 0]) - np.sqrt(both.iloc[:, 1])) ** 2).sum() / 2)


def test_hellinger_is_what_pandas_finds(draw, case, frame):
    original, synthetic, control = draw(800, 1), draw(600, 2), draw(300, 3)
    a, b, c = map(frame, (original, synthetic, control))
    found = run(Hellinger, case(original, synthetic, control))
    expected = [by_pandas(a[n], b[n]) for n in a]
    assert [e["hellinger"] for e in found.detail["columns"]] == pytest.approx(expected)
    assert found.value == pytest.approx(np.mean(expected))
    assert found.control == pytest.approx(np.mean([by_pandas(a[n], c[n]) for n in a]))


def test_distance_is_that_of_scipy_for_numbers_and_half_the_l1_for_labels(draw, case, frame):
    original, synthetic = draw(800, 1), draw(600, 2)
    a, b = frame(original), frame(synthetic)
    found = run(UnivariateDistance, case(original, synthetic)).detail["columns"]
    for entry in found:
        x, y = a[entry["name"]], b[entry["name"]]
        if x.dtype == object:
            p, q = (v.value_counts(normalize=True) for v in (x, y))
            expected = p.sub(q, fill_value=0).abs().sum() / 2
        else:
            expected = stats.ks_2samp(x.dropna(), y.dropna()).statistic
        assert entry["distance"] == pytest.approx(expected)
    shown = run(Hellinger, case(original, synthetic)).detail["columns"]
    assert [e["distance"] for e in shown] == [e["distance"] for e in found]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_two_levels_have_a_closed_form(ones, twos):
    layout = Layout(("c",), (), {"c": ("no", "yes")})
    p, q = ones / 200, twos / 200
    tables = [
        People(layout, np.empty((200, 0)), (np.arange(200) < k)[:, None].astype(np.int32))
        for k in (ones, twos)
    ]
    from sosie.evidence._case import EFFORTS, Case

    effort = replace(EFFORTS["quick"], repeats=5)
    judged = Case(*tables, None, None, (), (), effort=effort)
    affinity = np.sqrt(p * q) + np.sqrt((1 - p) * (1 - q))
    value = run(Hellinger, judged).value
    assert value**2 == pytest.approx(1 - affinity, abs=1e-9)
    distance = run(UnivariateDistance, judged).value
    assert distance == pytest.approx(abs(p - q))
    assert value**2 - 1e-9 <= distance <= np.sqrt(2) * value + 1e-7  # Le Cam's inequalities


def test_distance_does_not_depend_on_the_scale_of_a_number(draw, case):
    original, synthetic = draw(500, 1), draw(500, 2)
    bent = [replace(t, numbers=np.cbrt(t.numbers) * 3 - 1) for t in (original, synthetic)]
    value = run(UnivariateDistance, case(original, synthetic)).value
    assert run(UnivariateDistance, case(*bent)).value == pytest.approx(value)


def test_a_column_without_any_value_keeps_nothing(numbers, case):
    rng = np.random.default_rng(0)
    original, synthetic = numbers(rng.normal(size=(200, 1))), numbers(np.full((200, 1), np.nan))
    assert run(UnivariateDistance, case(original, synthetic)).value == 1
    assert run(Hellinger, case(original, synthetic)).value == 1
    assert run(Hellinger, case(original, synthetic)).verdict is Verdict.FAIL


@pytest.mark.parametrize("measure", [Hellinger, UnivariateDistance])
def test_interval_covers_the_mean_over_samples(measure, numbers, case):
    """Its width is that of the values of new samples: a bootstrap that is not centred fails."""
    rng = np.random.default_rng(5)
    found = [
        run(
            measure,
            case(numbers(rng.normal(size=(400, 3))), numbers(rng.normal(0.3, 1, (400, 3)))),
        )
        for _ in range(80)
    ]
    truth = np.mean([f.value for f in found])
    covered = np.mean([f.ci[0] <= truth <= f.ci[1] for f in found])
    assert 0.86 <= covered <= 1
    width = np.mean([f.ci[1] - f.ci[0] for f in found])
    assert width == pytest.approx(3.92 * np.std([f.value for f in found]), rel=0.35)


def test_figures_show_no_small_count_and_no_value_of_a_person(draw, case):
    original, synthetic, control = draw(700, 1), draw(700, 2), draw(90, 3)
    detail = run(Hellinger, case(original, synthetic, control)).detail["columns"]
    for entry in detail:
        places = entry.get("edges") or entry["levels"]
        cells = len(places) - ("edges" in entry)
        for role, table in (("original", original), ("control", control)):
            assert len(entry[role]) == cells
            shown = [s for s in entry[role] if s is not None]
            assert all(round(s * len(table)) >= 5 for s in shown)
        assert len(entry["synthetic"]) == cells
        known = 1 - synthetic.missing(entry["name"]).mean()
        assert sum(entry["synthetic"]) == pytest.approx(known, abs=1e-4)
    (dose,) = [e for e in detail if e["name"] == "dose"]
    values = original.column("dose")
    assert not np.isin(dose["edges"], values).any()
    town = next(e for e in detail if e["name"] == "town")
    held = np.bincount(original.column("town"), minlength=8)
    assert [f"{level}" for level in town["levels"]] == [
        level for level, n in zip("abcdefgh", held, strict=True) if n >= 5
    ] + (["…"] if ((held < 5) & (held > 0)).any() else [])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=200))
def test_edges_leave_at_least_five_persons_beyond(values):
    x = np.array(values)
    edges = np.array(edges_of(x))
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= 45
    if len(edges) > 3:
        assert (x < edges[1]).sum() >= 5
        assert (x >= edges[-2]).sum() >= 5


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_hidden_counts_cannot_be_had_by_subtraction(counts):
    n = sum(counts)
    shown = shares_shown(np.array(counts), max(n, 1))
    hidden = [c for c, s in zip(counts, shown, strict=True) if s is None]
    assert all(s is None or c >= 5 for c, s in zip(counts, shown, strict=True))
    assert sum(hidden) == 0 or sum(hidden) >= 5 or len(hidden) == len(counts)


def test_shares_of_few_persons_are_hidden_both_ways():
    assert [share_or_none(k, 100) for k in (0, 1, 4, 5, 95, 96, 100)] == [
        0, None, None, 0.05, 0.95, None, 1,
    ]  # fmt: skip


def test_a_value_on_a_cut_belongs_above_it(numbers):
    people = numbers(np.arange(21.0)[:, None])
    codes = Cutting.equal_width(people).codes(people).ravel().tolist()
    assert codes == [*range(20), 19]  # the range of the original ends in its last cell


def test_dates_tell_their_unit(numbers, case):
    rng = np.random.default_rng(0)
    days = rng.integers(9_000, 20_000, (300, 2)).astype(float)
    original = numbers(days * [1, 86_400_000_000])
    layout = replace(original.layout, dates=frozenset(original.layout.names))
    original = replace(original, layout=layout)
    found = run(Hellinger, case(original, original)).detail["columns"]
    assert [(e["kind"], e["unit"]) for e in found] == [("date", "days"), ("date", "microseconds")]


@pytest.mark.parametrize(
    ("value", "interval", "control", "verdict"),
    [
        (0.05, (0.04, 0.1), None, "pass"),
        (0.09, (0.08, 0.11), None, "attention"),
        (0.11, (0.09, 0.12), None, "fail"),
        (0.11, (0.09, 0.12), 0.1, "attention"),
        (0.11, (0.105, 0.12), 0.1, "fail"),
    ],
)
def test_verdict_asks_no_more_than_fresh_persons_give(value, interval, control, verdict):
    assert judged(value, interval, 0.1, control=control) == verdict
    low, high = interval
    mirrored = judged(
        1 - value,
        (1 - high, 1 - low),
        0.9,
        better="higher",
        control=None if control is None else 1 - control,
    )
    assert mirrored == verdict
