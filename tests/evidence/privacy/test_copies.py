"""Copies against tuples in sets, planted leaks, and clean tables that must stay silent."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sosie.evidence._case import Case
from sosie.evidence._finding import Verdict
from sosie.evidence._people import Layout, People
from sosie.evidence.privacy._copies import Copies

LAYOUT = Layout(
    ("age", "sex", "income", "town"), ("age", "income"), {"sex": ("f", "m"), "town": tuple("abcd")}
)


def draw(n, seed, values=3):
    """Persons of few values, some missing, so that many are alike."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, values, (n, 2)).astype(float)
    numbers[rng.random((n, 2)) < 0.1] = np.nan
    return People(LAYOUT, numbers, rng.integers(-1, (2, 4), (n, 2)).astype(np.int32))


def fine(n, seed):
    """Persons no two of whom are alike."""
    rng = np.random.default_rng(seed)
    return People(LAYOUT, rng.normal(size=(n, 2)), rng.integers(0, 2, (n, 2)).astype(np.int32))


def case(original, synthetic, control=None, known=LAYOUT.names, **kw):
    return Case(original, synthetic, control, None, LAYOUT.names, known, **kw)


def tuples(people, names=LAYOUT.names):
    columns = [people.column(name).tolist() for name in names]
    return [tuple("?" if x != x else x for x in row) for row in zip(*columns, strict=True)]


def unique(rows):
    counts = Counter(rows)
    return [row for row in rows if counts[row] == 1]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_shares_are_those_of_tuples_in_sets(seed, values):
    original, synthetic, control = (draw(n, seed + i, values) for i, n in enumerate((130, 90, 130)))
    found = Copies().run(case(original, synthetic, control, ("age", "town")))
    mine, made, theirs = map(tuples, (original, synthetic, control))
    share = {
        "exact_copies": [np.mean([row in made for row in rows]) for rows in (mine, theirs)],
        "near_copies": [
            np.mean(
                [
                    any(sum(map(str.__ne__, map(str, a), map(str, b))) <= 1 for b in made)
                    for a in rows
                ]
            )
            for rows in (mine, theirs)
        ],
        "unique_copies": [
            np.mean([row in made for row in unique(rows)]) for rows in (mine, theirs)
        ],
    }
    part = [tuples(people, ("age", "town")) for people in (original, synthetic, control)]
    if len(unique(part[0])) >= 5 and len(unique(part[2])) >= 5:
        share["known_copies"] = [
            np.mean([row in part[1] for row in unique(part[i])]) for i in (0, 2)
        ]
    for name, (value, control_value) in share.items():
        one = found[name]
        assert one.value == pytest.approx(told(value, one.n)), name
        assert one.control == pytest.approx(told(control_value, one.n_control)), name
        assert one.difference == pytest.approx(one.value - one.control), name


def told(share, n):
    """One to four persons are told as four."""
    count = round(share * n)
    return (4 if 0 < count < 5 else count) / n


def test_planted_copies_fail_without_tolerance():
    original, fresh, control = fine(1_000, 1), fine(1_000, 2), fine(1_000, 3)
    leak = original.taken(np.arange(15)).with_(fresh.taken(np.arange(985)))
    found = Copies().run(case(original, leak, control))
    for name in ("exact_copies", "unique_copies"):
        assert (found[name].value, found[name].control) == (0.015, 0)
        assert found[name].verdict is Verdict.FAIL
        assert found[name].detail == {"count": 15}
    assert found["near_copies"].value == 0.015
    assert found["near_copies"].verdict is Verdict.ATTENTION  # of the control none
    assert (
        Copies().run(case(original, leak, control, threshold=0.01))["near_copies"].verdict
        is Verdict.FAIL
    )


def test_one_column_changed_is_near_and_two_are_not():
    original, control = fine(400, 1), fine(400, 2)
    numbers, codes = original.numbers.copy(), original.codes.copy()
    numbers[:200, 0] += 0.5
    codes[200:300, 1] = -1
    numbers[200:300, 1] = np.nan
    found = Copies().run(case(original, replace(original, numbers=numbers, codes=codes), control))
    assert found["exact_copies"].value == 0.25
    assert found["near_copies"].value == 0.75


@pytest.mark.parametrize("control_size", [100, 300, 900])
def test_clean_tables_are_silent_at_the_stated_rate(control_size):
    """Copies by chance abound; the surplus over the control is above zero in 2.5 % at most."""
    failed = Counter()
    for seed in range(120):
        tables = (draw(n, 10 * seed + i, 9) for i, n in enumerate((300, 300, control_size)))
        found = Copies().run(case(*tables, known=("age", "income", "town")))
        assert 0.1 < found["exact_copies"].value < 0.9
        failed.update(name for name in found if (found[name].difference_ci or (0, 0))[0] > 0)
    # 10 of 120 or more at a rate of 2.5 %: less than one in a thousand.
    assert max(failed.values(), default=0) < 10, failed


def test_uniqueness_is_judged_among_as_many_persons():
    """Among fewer persons more are unique, and commoner ones: chance finds them oftener."""

    def people(n, rng):
        numbers = np.column_stack([rng.geometric(0.01, n), np.zeros(n)]).astype(float)
        return People(LAYOUT, numbers, np.zeros((n, 2), np.int32))

    rng, pairs = np.random.default_rng(0), []
    for _ in range(60):
        tables = (people(n, rng) for n in (600, 600, 100))
        found = Copies().run(case(*tables))["unique_copies"]
        if found.control is not None:
            pairs.append((found.value, found.control))
    value, control = np.mean(pairs, axis=0)
    # Judged among the 100 alone, the control would be found half as often again.
    assert value == pytest.approx(control, abs=0.08)


def test_intervals_are_exact_and_newcombes():
    statsmodels = pytest.importorskip("statsmodels.stats.proportion")
    original, control = fine(200, 1), fine(120, 2)
    synthetic = original.taken(np.arange(14)).with_(control.taken(np.arange(6)))
    found = Copies().run(case(original, synthetic, control))["exact_copies"]
    exact = stats.binomtest(14, 200).proportion_ci(method="exact")
    assert found.ci == pytest.approx((exact.low, exact.high))
    newcombe = statsmodels.confint_proportions_2indep(14, 200, 6, 120, method="newcomb")
    assert found.difference_ci == pytest.approx(newcombe)


def test_without_a_control_any_copy_asks_for_attention():
    original, fresh = fine(200, 1), fine(200, 2)
    clean = Copies().run(case(original, fresh))
    assert {clean[n].verdict for n in ("exact_copies", "near_copies", "unique_copies")} == {
        Verdict.PASS
    }
    leak = Copies().run(case(original, original.taken([7]).with_(fresh)))
    assert leak["exact_copies"].verdict is Verdict.ATTENTION
    assert leak["exact_copies"].control is None


@pytest.mark.parametrize(("copies", "told"), [(0, 0), (1, None), (4, None), (5, 5)])
def test_small_counts_are_not_told(copies, told):
    original, fresh = fine(200, 1), fine(200, 2)
    found = Copies().run(
        case(original, original.taken(np.arange(copies)).with_(fresh), fine(200, 3))
    )
    assert found["unique_copies"].detail["count"] == told


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    tables = [draw(150, seed + i) for i in range(3)]
    mixed = [people.taken(rng.permutation(len(people))) for people in tables]
    known = ("age", "town")
    assert Copies().run(case(*tables, known)) == Copies().run(case(*mixed, known))


def test_known_combination_of_people_alone_with_it():
    original, control = fine(300, 1), fine(300, 2)
    numbers = original.numbers.copy()
    numbers[:, 1] = 0  # income was forgotten, age was not
    made = replace(original, numbers=numbers)
    found = Copies().run(case(original, made, control, ("age", "sex")))
    assert (found["known_copies"].value, found["known_copies"].control) == (1, 0)
    assert found["known_copies"].verdict is Verdict.FAIL
    assert found["exact_copies"].value == 0
    for known in ((), LAYOUT.names):
        assert (
            Copies().run(case(original, made, control, known))["known_copies"].why_not == "no_known"
        )


def test_nobody_unique_cannot_be_copied():
    twins = fine(100, 1).with_(fine(100, 1))
    found = Copies().run(case(twins, twins, fine(200, 2)))
    assert found["unique_copies"].why_not == "too_few"
    assert found["exact_copies"].value == 1


@pytest.mark.parametrize("kept", [("age", "income"), ("sex", "town"), ("age",), ("town",)])
def test_tables_of_one_kind_only(kept):
    layout = Layout(
        kept,
        tuple(n for n in kept if n in LAYOUT.numbers),
        {n: v for n, v in LAYOUT.levels.items() if n in kept},
    )
    full = draw(100, 1)
    people = People(
        layout,
        full.numbers[:, [LAYOUT.place(n) for n in layout.numbers]],
        full.codes[:, [LAYOUT.place(n) for n in layout.labels]],
    )
    found = Copies().run(Case(people, people, None, None, kept, kept))
    assert found["exact_copies"].value == 1
    assert found["near_copies"].value == (1 if len(kept) > 1 else None)
