"""Combinations about a few: planted ones are found, and those that are not there are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.insitu import Memory
from sosie.insitu._aggregate import Selection, Summed
from sosie.insitu.gate._combinations import about_few

ABOUT = frozenset({"a"})


@given(st.integers(1, 10), st.integers(2, 25), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_numbers_of_a_few_hidden_among_others_are_found(few, m, seed):
    """Vectors of all persons, one of which has the few's numbers added: it looks like any other."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(m, 200)) * 10.0 ** rng.integers(-6, 6, (m, 1))
    secret = np.zeros(200)
    secret[rng.choice(200, few, replace=False)] = rng.uniform(1, 2, few)
    shift = rng.normal(size=m) @ (vectors / np.abs(vectors).max(axis=1, keepdims=True))
    persons = np.ones(200, int)
    assert not about_few(np.vstack([vectors, shift]), persons, 11)
    assert about_few(np.vstack([vectors, shift + secret]), persons, 11)
    assert about_few(np.vstack([vectors, shift + secret]), persons, few + 1)


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_groups_count_by_their_persons(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, 8)
    each = np.eye(8)
    assert about_few(each, sizes, 11) == (sizes < 11).any()
    assert (
        about_few(each[:, np.repeat(np.arange(8), sizes)], np.ones(sizes.sum(), int), 11)
        == (sizes < 11).any()
    )


def test_nearly_about_a_few_is_about_a_few():
    rng = np.random.default_rng(0)
    near = rng.normal(size=500) * 1e-5
    near[7] = 1.0
    far = rng.normal(size=500)
    persons = np.ones(500, int)
    assert about_few(np.vstack([far, far + near]), persons, 11)
    assert not about_few(np.vstack([far, far + rng.normal(size=500)]), persons, 11)


@pytest.mark.parametrize("kept", [False, True])
def test_numbers_are_remembered(tmp_path, kept):
    path = tmp_path / "released" if kept else None
    rng = np.random.default_rng(1)
    values, everyone = rng.normal(size=300), Selection(np.ones(300, bool), ABOUT, frozenset())
    other = values.copy()
    other[:4] = 0
    memory = Memory(300, path)
    first, second = Summed(values, ABOUT), Summed(other, ABOUT)
    assert memory.allows([everyone], 11, [first]) == (True, True)
    memory.add([everyone], [first])
    if kept:
        memory = Memory(300, path)
    assert memory.allows([everyone], 11, [first]) == (True, True)
    assert memory.allows([everyone], 11, [second]) == (True, False)
    assert memory.allows([everyone], 4, [second]) == (True, True)
    assert memory.allows([], 11, [Summed(other, frozenset({"b"}))]) == (True, True)


def test_multiples_are_one_number():
    """Copies that differ by a factor do not fill the memory."""
    values = np.random.default_rng(2).normal(size=300)
    memory = Memory(300)
    for factor in (1.0, 3.0, -0.1, 1e9):
        memory.add([], [Summed(values * factor, ABOUT)])
    assert len(memory._audit.summed) == 1


def test_numbers_that_are_nearly_dependent():
    """A number, its logarithm and squares, by classes of four values: each value is alone."""
    ages = np.arange(21.0, 81)
    functions = [ages**0, ages, ages**2, np.log(ages), np.log(ages) ** 2]
    classes = np.clip((ages - 32) // 4, 0, 9)  # of the first and the last, no value is
    vectors = np.array([one * (classes == c) for c in range(10) for one in functions])
    assert not about_few(vectors, np.full(60, 20), 11)
    for few in (36, 45, 66):
        persons = np.where(ages == few, 5, 20)
        for seed in range(6):
            order = np.random.default_rng(seed).permutation(60)
            assert about_few(vectors[:, order], persons[order], 11)
