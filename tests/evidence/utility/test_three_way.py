"""Cells of three columns against pandas, and an effect that no pair shows."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.evidence import Verdict
from sosie.evidence.utility import AssociationDifference, ThreeWay
from sosie.evidence.utility._cells import Cutting
from sosie.evidence.utility._three_way import triples


def run(case):
    return ThreeWay().run(case)["three_way_difference"]


def groups(reference, other):
    """At most four groups of each column, by pandas' own means."""
    found = {}
    for name in reference:
        x, y = reference[name], other[name]
        if x.dtype == object:
            order = [*Counter(x).most_common()]
            kept = [level for level, _ in order[:3]]
            found[name] = y.where(y.isin(kept), "rest")
            continue
        parts = 3 if x.isna().any() else 4
        cuts = sorted({x.quantile(k / parts) for k in range(1, parts)} - {x.min()})
        cuts = cuts or [x[x > x.min()].min()]
        found[name] = pd.cut(y, [-np.inf, *cuts, np.inf], right=False).astype(str)
    return pd.DataFrame(found)


def test_it_is_what_pandas_finds(draw, case, frame):
    original, synthetic, control = draw(700, 1), draw(500, 2), draw(300, 3)
    a, b, c = (groups(frame(original), frame(t)) for t in (original, synthetic, control))
    found = run(case(original, synthetic, control))
    assert len(found.detail["triples"]) == 35
    for entry in found.detail["triples"]:
        assert all(a[name].nunique() <= 4 for name in entry["names"])
        p, q, r = (t.groupby(entry["names"]).size() / len(t) for t in (a, b, c))
        assert entry["value"] == pytest.approx(p.sub(q, fill_value=0).abs().sum() / 2)
        assert entry["control"] == pytest.approx(p.sub(r, fill_value=0).abs().sum() / 2)
    assert found.value == pytest.approx(np.mean([e["value"] for e in found.detail["triples"]]))


def test_it_sees_what_no_pair_shows(labels, case):
    """Three fair coins, of which the third is told by the others together."""
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 2, (3, 4_000))
    original = labels(np.column_stack([a, b, a ^ b]), [2, 2, 2])
    synthetic = labels(np.column_stack([a, b, c]), [2, 2, 2])
    judged = case(original, synthetic)
    assert AssociationDifference().run(judged)["association_difference"].value < 0.03
    found = run(judged)
    assert found.value == pytest.approx(0.5, abs=0.03)
    assert found.verdict is Verdict.FAIL


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 40), st.integers(0, 1000))
def test_triples_are_balanced_and_differ(columns, seed):
    found = triples(columns, 60, np.random.default_rng(seed))
    assert len(set(found)) == len(found)
    assert all(0 <= a < b < c < columns for a, b, c in found)
    used = np.bincount(np.array(found).ravel(), minlength=columns)
    assert used.max() - used.min() <= 3
    if columns <= 7:
        assert found == list(combinations(range(columns), 3))
    else:
        assert len(found) == min(60, math.comb(columns, 3))


def test_a_number_nearly_always_at_its_minimum_is_still_cut(numbers):
    values = np.zeros((100, 1))
    values[:7, 0] = [5, 3, 9, 3, 4, 8, 7]
    codes = Cutting.coarse(numbers(values)).codes(numbers(values))
    assert np.bincount(codes.ravel()).tolist() == [93, 7]


def test_two_columns_are_too_few(numbers, case):
    people = numbers(np.random.default_rng(0).normal(size=(100, 2)))
    assert run(case(people, people)).why_not == "too_few"
