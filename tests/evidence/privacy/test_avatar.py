"""Avatar diagnostics against plain matrices, closed forms and all permutations."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from sosie.evidence._case import EFFORTS, Case
from sosie.evidence._finding import Verdict
from sosie.evidence._people import Layout, People
from sosie.evidence.privacy._avatar import AvatarDiagnostics, hiding

LAYOUT = Layout(
    ("age", "sex", "income", "town"), ("age", "income"), {"sex": ("f", "m"), "town": tuple("abcd")}
)
LINE = Layout(("age",), ("age",), {})


def draw(n, seed, whole=False):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 2)) * [1, 20]
    numbers = numbers.round() if whole else numbers
    numbers[rng.random((n, 2)) < 0.1] = np.nan
    return People(LAYOUT, numbers, rng.integers(-1, (2, 4), (n, 2)).astype(np.int32))


def on_line(values):
    return People(LINE, np.asarray(values, float)[:, None], np.empty((len(values), 0), np.int32))


def judge(original, linked, effort="standard"):
    names = original.layout.names
    case = Case(original, linked, None, linked, names, names, effort=EFFORTS[effort])
    return AvatarDiagnostics().run(case)


def factors(train, others):
    """Coordinates of the first 5 factors by the definition, from dense indicator matrices."""
    pairs = []
    for name in train.layout.names:
        ours, theirs = train.column(name), others.column(name)
        if train.layout.is_number(name):
            mean, spread = (
                np.nanmean(ours),
                np.nanstd(np.where(np.isnan(ours), np.nanmean(ours), ours)),
            )
            pairs.append([np.nan_to_num((x - mean) / spread) for x in (ours, theirs)])
            continue
        for level in np.unique(ours):
            share = (ours == level).mean()
            pairs.append([((x == level) - share) / np.sqrt(share) for x in (ours, theirs)])
    real, made = (np.column_stack(side) for side in zip(*pairs, strict=True))
    axes = np.linalg.svd(real, full_matrices=False)[2][:5].T
    return real @ axes, made @ axes


def hidden(train, linked):
    """Hidden rate and local cloaking of the benchmarks: the whole matrix of distances."""
    persons, avatars = factors(train, linked)
    distance = cdist(persons, avatars)
    own = distance.diagonal()[:, None]
    equal = np.abs(distance - own) <= 1e-6 * own + 1e-12
    nearer = ((distance < own) & ~equal).sum(axis=1)
    tied_before = np.tril(equal, -1).sum(axis=1)
    return {
        "hidden_rate": 100 * (nearer > 0).mean(),
        "hidden_rate_index_rule": 100 * (nearer + tied_before > 0).mean(),
        "local_cloaking": np.median(nearer),
    }


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.5, 1.0]), st.booleans())
def test_rates_are_those_of_the_matrix_of_distances(seed, moved, whole):
    rng = np.random.default_rng(seed)
    original, other = draw(160, seed, whole), draw(160, seed + 1, whole)
    swap_numbers = rng.random((160, 2)) < moved
    swap_codes = rng.random((160, 2)) < moved
    linked = replace(
        original,
        numbers=np.where(swap_numbers, other.numbers, original.numbers),
        codes=np.where(swap_codes, other.codes, original.codes),
    )
    found = judge(original, linked)
    for name, value in hidden(original, linked).items():
        assert found[name].value == pytest.approx(value), name


@pytest.mark.parametrize("shift", [0, 1, 4, 7])
def test_a_shift_along_a_line_has_a_closed_form(shift):
    """Avatar i + shift: nearer to i are those of i - 2 shift + 1 .. i - 1, where they exist."""
    found = judge(on_line(np.arange(200)), on_line(np.arange(200) + shift))
    nearer = [len(range(max(0, i - 2 * shift + 1), i)) for i in range(200)] if shift else [0] * 200
    assert found["local_cloaking"].value == np.median(nearer)
    assert found["hidden_rate"].value == 100 * np.mean(np.array(nearer) > 0)
    # The last tied avatar, that of i - 2 shift, stands before: every one but the first.
    first = [n > 0 or (shift > 0 and i >= 2 * shift) for i, n in enumerate(nearer)]
    assert found["hidden_rate_index_rule"].value == 100 * np.mean(first)


def test_equal_avatars_hide_nobody_though_the_index_rule_says_so():
    found = judge(on_line(np.arange(100)), on_line(np.full(100, 3)))
    assert found["hidden_rate"].value == 0
    assert found["local_cloaking"].value == 0
    assert found["hidden_rate_index_rule"].value == 99
    assert found["hidden_rate"].verdict is Verdict.FAIL
    assert found["hidden_rate_index_rule"].verdict is Verdict.PASS
    assert found["assignment_attack"].value <= 0.08  # ties at random: 1 in 100 expected


def test_swapped_copies_are_hidden_and_decide_nothing():
    original = draw(300, 1)
    found = judge(original, original.taken(np.arange(300) ^ 1))
    assert found["hidden_rate"].value == 100
    assert found["local_cloaking"].value >= 1
    assert [found[n].criterion for n in ("hidden_rate", "local_cloaking")] == [None, None]
    assert judge(original, original)["hidden_rate"].value == 0


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_order_of_persons_matters_only_to_the_index_rule(seed):
    original, linked = draw(150, seed, whole=True), draw(150, seed + 1, whole=True)
    order = np.random.default_rng(seed).permutation(150)
    one, other = judge(original, linked), judge(original.taken(order), linked.taken(order))
    for name in ("hidden_rate", "local_cloaking"):
        assert one[name] == other[name]


def test_index_rule_follows_the_order_and_the_tie_safe_rate_does_not():
    persons, avatars = np.zeros((2, 1)), np.array([[1.0], [-1.0]])
    found = hiding(persons, avatars, np.arange(2))
    assert found.hidden.tolist() == [False, False]
    assert found.hidden_by_index.tolist() == [False, True]


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_assignment_is_the_best_of_all_permutations(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=6), rng.normal(size=6)
    persons = People(LINE, a[:, None], np.empty((6, 0), np.int32))
    linked = People(LINE, b[:, None], np.empty((6, 0), np.int32))
    found = judge(persons, linked)["assignment_attack"].value
    cost = np.abs(a[:, None] - b)
    totals = {p: sum(cost[i, p[i]] for i in range(6)) for p in permutations(range(6))}
    best = min(totals.values())
    # On a line several matchings may be as good.
    shares = {np.mean(np.array(p) == np.arange(6)) for p, t in totals.items() if t < best + 1e-9}
    assert any(found == pytest.approx(share) for share in shares)


def test_assignment_finds_everybody_where_avatars_stay_close():
    original = draw(300, 1)
    near = replace(original, numbers=original.numbers * (1 + 1e-9))
    found = judge(original, near)["assignment_attack"]
    twins = 300 - len(np.unique(original.cells, axis=0))
    assert found.value >= 1 - 2 * twins / 300
    assert (found.naive, found.verdict) == (1 / 300, Verdict.INFORMATION)
    assert judge(original, draw(300, 2))["assignment_attack"].value < 0.1


def test_intervals_hold_the_value_and_small_shares_are_not_told():
    original, linked = draw(400, 1), draw(400, 2)
    found = judge(original, linked)
    for name in ("hidden_rate", "hidden_rate_index_rule", "local_cloaking", "assignment_attack"):
        low, high = found[name].ci
        assert low <= found[name].value <= high
    detail = found["local_cloaking"].detail
    assert len(detail["edges"]) == len(detail["shares"]) + 1
    assert detail["edges"][-1] == 400
    told = [share for share in detail["shares"] if share is not None]
    assert min(told) >= 5 / 400
    assert sum(told) <= 1 + 1e-12


def test_median_interval_covers_the_median_of_the_population():
    """Avatars drawn apart from persons: the count nearer is uniform over 0 .. n - 1."""
    covered = 0
    for seed in range(100):
        a, b = np.random.default_rng(seed).random((2, 150))
        # On a ring of persons the median count is that of a uniform: about n / 2.
        ring = [np.column_stack([np.cos(2 * np.pi * x), np.sin(2 * np.pi * x)]) for x in (a, b)]
        layout = Layout(("x", "y"), ("x", "y"), {})
        persons, linked = (People(layout, r, np.empty((150, 0), np.int32)) for r in ring)
        low, high = judge(persons, linked)["local_cloaking"].ci
        covered += low <= 74.5 <= high
    assert 88 <= covered <= 100


def test_without_linked_or_without_variation_nothing_is_measured():
    people = draw(100, 1)
    case = Case(people, people, None, None, (), ())
    assert {f.why_not for f in AvatarDiagnostics().run(case).values()} == {"no_linked"}
    same = on_line(np.ones(100))
    assert {f.why_not for f in judge(same, same).values()} == {"too_few"}


@pytest.mark.parametrize("kept", ["numbers", "labels"])
def test_tables_of_one_kind_only(kept):
    full = draw(100, 1)
    if kept == "numbers":
        layout = Layout(LAYOUT.numbers, LAYOUT.numbers, {})
        people = People(layout, full.numbers, np.empty((100, 0), np.int32))
    else:
        people = People(Layout(LAYOUT.labels, (), LAYOUT.levels), np.empty((100, 0)), full.codes)
    found = judge(people, people)
    assert found["hidden_rate"].value == 0
    assert found["local_cloaking"].value == 0
