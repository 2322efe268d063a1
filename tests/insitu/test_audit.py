"""The audit of differences against exact arithmetic, and on many earlier outputs."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.insitu import Memory
from sosie.insitu._aggregate import Selection
from sosie.insitu.gate._atoms import atoms_of, members_of, packed, single_out


def selection(rows, by=("a",)):
    return Selection(rows, frozenset({"a", *by}), frozenset(by))


@given(st.integers(1, 20), st.integers(1, 300), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_atoms_are_those_of_equal_rows(m, rows, seed):
    rng = np.random.default_rng(seed)
    sets = rng.random((m, rows)) < rng.uniform(0, 1, (m, 1))
    words = np.stack([packed(one) for one in sets])
    first, sizes = atoms_of(words, rows)
    patterns, counted = np.unique(sets, axis=1, return_counts=True)
    found = members_of(words, first)
    np.testing.assert_array_equal(found, sets[:, first])
    order = np.lexsort(found[::-1])
    np.testing.assert_array_equal(found[:, order], patterns)
    np.testing.assert_array_equal(sizes[order], counted)


@given(st.integers(1, 9), st.integers(2, 14), st.integers(0, 2**31))
@settings(max_examples=200, deadline=None)
def test_a_combination_about_a_few_is_found_where_the_rank_says_so(m, atoms, seed):
    """Chin and Ozsoyoglu: the ranks with and without the small atoms differ."""
    rng = np.random.default_rng(seed)
    members = (rng.random((m, atoms)) < 0.5).astype(np.uint8)
    small = rng.random(atoms) < 0.4
    ranks = [np.linalg.matrix_rank(one) for one in (members, members[:, ~small])]
    assert single_out(members, small) == (ranks[0] != ranks[1])


def test_a_tracker_among_many_sets_is_found():
    """A person's own set is the sum of two released sets less two others, all large."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=60_000)
    memory = Memory(len(values))
    memory.add([selection(values < edge) for edge in np.linspace(-2, 2, 200)])
    assert memory.allows([selection(values < 0.00331)], 11) == (True, True)
    x = np.zeros(len(values), bool)
    x[rng.choice(len(values), 5, replace=False)] = True
    a, b = (rng.random(len(values)) < 0.4) & ~x, (rng.random(len(values)) < 0.4) & ~x
    sets = [a | x, b, a & b, a | b]
    weights = np.array([1, 1, -1, -1])
    np.testing.assert_array_equal(weights @ np.array(sets, int), x.astype(int))
    for rows in sets[:3]:
        assert memory.allows([selection(rows)], 11) == (True, True)
        memory.add([selection(rows)])
    assert memory.allows([selection(sets[3])], 11) == (True, False)


def test_many_earlier_outputs_are_audited_quickly():
    """A tenth of the promise, 1,000,000 rows and 1,000 outputs in 2 s, in a tenth of the time."""
    values = np.random.default_rng(0).normal(size=200_000)
    memory = Memory(len(values))
    memory.add([selection(values < edge) for edge in np.linspace(-2, 2, 500)])
    new = selection(values < 0.0011)
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        assert memory.allows([new], 11) == (True, True)
        seconds.append(time.process_time() - begun)
    assert min(seconds) < 1.0


def test_sets_of_like_size_are_compared_person_by_person():
    rows = np.arange(5000) < 2500
    other = rows.copy()
    other[:5], other[-5:] = False, True
    memory = Memory(5000)
    memory.add([selection(rows)])
    assert rows.sum() == other.sum()
    assert memory.allows([selection(other)], 11)[0] is False
    assert memory.allows([selection(other)], 10)[0] is True
