"""Spread and rare levels against pandas and closed forms."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from sosie.evidence import Verdict
from sosie.evidence.utility import RareLevels, SpreadRatio


def spread(case):
    return SpreadRatio().run(case)["sd_ratio"]


def rare(case):
    return RareLevels().run(case)["rare_levels_kept"]


def test_ratios_are_those_of_pandas(draw, case, frame):
    original, synthetic, control = draw(700, 1), draw(500, 2), draw(300, 3)
    sd = [frame(t)[list(t.layout.numbers)].std() for t in (original, synthetic, control)]
    found = spread(case(original, synthetic, control))
    ratios = sd[1] / sd[0]
    assert {e["name"]: e["ratio"] for e in found.detail["columns"]} == pytest.approx(dict(ratios))
    assert found.value == pytest.approx(ratios.median())
    assert found.control == pytest.approx((sd[2] / sd[0]).median())


def test_means_of_four_persons_have_half_the_spread(numbers, case):
    rng = np.random.default_rng(0)
    x = 1e6 + rng.normal(size=(4_000, 3))
    means = x[rng.integers(0, 4_000, (4_000, 4))].mean(axis=1)
    found = spread(case(numbers(x), numbers(means)))
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert found.verdict is Verdict.FAIL
    half = 1.96 * 0.5 * np.sqrt(1 / 8_000 + 1 / 8_000)  # sd of a normal sample: sd / sqrt(2 n)
    assert found.ci[1] - found.ci[0] < 2 * half * 1.2  # a median of three varies less than one
    assert found.ci[1] - found.ci[0] > 0.8 * half


def test_interval_of_one_number_is_that_of_the_normal_law(numbers, case):
    from dataclasses import replace

    rng = np.random.default_rng(1)
    judged = case(numbers(rng.normal(size=(2_000, 1))), numbers(rng.normal(size=(1_000, 1))))
    found = spread(replace(judged, effort=replace(judged.effort, repeats=1_500)))
    width = 2 * 1.96 * np.sqrt(1 / 4_000 + 1 / 2_000)
    assert found.ci[1] - found.ci[0] == pytest.approx(width, rel=0.15)


def test_too_wide_calls_for_attention_and_nothing_known_has_no_spread(numbers, case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 1))
    assert spread(case(numbers(x), numbers(2 * x))).verdict is Verdict.ATTENTION
    assert spread(case(numbers(x), numbers(2 * x))).value == pytest.approx(2)
    assert spread(case(numbers(x), numbers(np.full_like(x, np.nan)))).value == 0


def test_constant_numbers_are_left_out(numbers, labels, case):
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=200), np.full(200, 0.1)])
    found = spread(case(numbers(x), numbers(x + np.array([0, 1]))))
    assert [e["name"] for e in found.detail["columns"]] == ["x0"]
    people = labels(rng.integers(0, 3, (100, 2)), [3, 3])
    assert spread(case(people, people)).why_not == "no_number"


def test_rare_levels_are_counted_as_defined(labels, case):
    sizes = [4, 5, 19, 20, 500]  # of 1,000: too few, rare, rare, not rare, not rare
    codes = np.full(1_000, 5)
    codes[: sum(sizes)] = np.repeat(np.arange(5), sizes)
    original = labels(codes[:, None], [6])
    lost = np.where(codes == 1, 5, codes)
    found = rare(case(original, labels(lost[:, None], [6]), original))
    assert (found.value, found.control, found.n) == (0.5, 1, 2)
    assert found.ci == pytest.approx(proportion_confint(1, 2, method="wilson"))
    assert found.detail["columns"] == [{"name": "c0", "rare": 2, "kept": 1}]
    assert found.verdict is Verdict.FAIL
    kept = rare(case(original, original))
    assert (kept.value, kept.verdict) == (1, Verdict.PASS)


def test_rare_levels_by_pandas(draw, case, frame):
    original, synthetic = draw(3_000, 1), draw(100, 2)
    wanted, kept = 0, 0
    a, b = frame(original), frame(synthetic)
    for name in original.layout.labels:
        count = a.loc[a[name] != "missing", name].value_counts()
        levels = count[(count >= 5) & (count < 60)].index
        wanted += len(levels)
        kept += levels.isin(pd.unique(b[name])).sum()
    assert rare(case(original, synthetic)).value == pytest.approx(kept / wanted)


def test_what_is_not_there_is_not_measured(numbers, labels, case):
    rng = np.random.default_rng(0)
    people = numbers(rng.normal(size=(100, 2)))
    assert rare(case(people, people)).why_not == "no_label"
    people = labels(rng.integers(0, 3, (300, 2)), [3, 3])
    assert rare(case(people, people)).why_not == "too_few"
