"""Missing cells against counts by hand."""

from itertools import combinations

import numpy as np
import pytest

from sosie.evidence import Verdict
from sosie.evidence.utility import MissingDifference


def run(case):
    return MissingDifference().run(case)["missing_difference"]


def test_it_is_the_mean_over_columns_and_pairs(draw, case, frame):
    original, synthetic, control = draw(700, 1), draw(500, 2), draw(300, 3)
    synthetic.numbers[:60, 1] = np.nan
    a, b, c = (
        (t.isna() | (t == "missing")) for t in (frame(original), frame(synthetic), frame(control))
    )
    found = run(case(original, synthetic, control))
    assert found.value == pytest.approx((a.mean() - b.mean()).abs().mean())
    assert found.control == pytest.approx((a.mean() - c.mean()).abs().mean())
    where = [n for n in a if a[n].any() or b[n].any()]
    assert [e["name"] for e in found.detail["columns"]] == where
    pairs = [abs((a[x] & a[y]).mean() - (b[x] & b[y]).mean()) for x, y in combinations(where, 2)]
    assert found.detail["pairs"] == pytest.approx(np.mean(pairs))


def test_without_any_missing_cell_nothing_is_lost(numbers, case):
    rng = np.random.default_rng(0)
    found = run(case(numbers(rng.normal(size=(100, 3))), numbers(rng.normal(size=(200, 3)))))
    assert (found.value, found.ci, found.verdict) == (0, (0, 0), Verdict.PASS)
    assert found.detail == {"columns": [], "pairs": 0}


def test_columns_missing_together_are_told_from_those_missing_apart(numbers, case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000, 2))
    together, apart = x.copy(), x.copy()
    together[:600] = np.nan
    apart[:600, 0] = apart[600:1_200, 1] = np.nan
    found = run(case(numbers(together), numbers(apart)))
    assert found.value == 0
    assert found.detail["pairs"] == pytest.approx(0.3)


def test_interval_is_that_of_two_proportions(numbers, case):
    """One column: the usual standard error of a difference; a full one beside it halves all."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 1_000, 2))
    x[:400, 0], y[:300, 0] = np.nan, np.nan
    from dataclasses import replace

    judged = case(numbers(x), numbers(y))
    found = run(replace(judged, effort=replace(judged.effort, repeats=2_000)))
    half = 1.96 * np.sqrt((0.4 * 0.6 + 0.3 * 0.7) / 1_000) / 2
    assert found.value == pytest.approx(0.05)
    assert found.ci == pytest.approx((0.05 - half, 0.05 + half), rel=0.06)
    assert found.verdict is Verdict.FAIL


def test_few_missing_persons_are_not_counted_out(numbers, case):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 200, 2))
    x[:3, 0] = x[:50, 1] = np.nan
    (first, second) = run(case(numbers(x), numbers(y))).detail["columns"]
    assert (first["original"], second["original"]) == (None, 0.25)
