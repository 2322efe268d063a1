"""Neighbours against a full sort of all distances."""

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.errors import ParameterError
from sosie.space import Neighbours


def brute(x, queries=None):
    q = x if queries is None else queries
    distances = np.sqrt(((q[:, None].astype(float) - x) ** 2).sum(axis=2))
    if queries is None:
        np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)


def points(n, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("d", [1, 2, 5, 17])
def test_exact_search_is_exact(d):
    x = points(400, d)
    distances, rows = Neighbours(7).fit(x).kneighbours()
    assert distances.dtype == np.float32
    assert rows.dtype == np.int32
    np.testing.assert_allclose(distances, brute(x)[:, :7], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(x[rows] - x[:, None], axis=2), distances, rtol=1e-5)


def test_queries_may_find_a_row_equal_to_them():
    x, q = points(300), points(50, seed=1)
    q[0] = x[17]
    distances, rows = Neighbours(3).fit(x).kneighbours(q)
    np.testing.assert_allclose(distances, brute(x, q)[:, :3], rtol=1e-5)
    assert rows[0, 0] == 17
    assert distances[0, 0] == 0


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 80), d=st.integers(1, 4), seed=st.integers(0, 99), data=st.data())
def test_duplicates_exclude_the_row_itself_and_nothing_else(n, d, seed, data):
    k = data.draw(st.integers(1, n - 1))
    x = np.random.default_rng(seed).integers(0, 3, (n, d)).astype(np.float32)
    distances, rows = Neighbours(k).fit(x).kneighbours()
    np.testing.assert_allclose(distances, brute(x)[:, :k], atol=1e-6)
    for i, row in enumerate(rows):
        assert i not in row
        assert len(set(row.tolist())) == k
    tied = np.diff(distances, axis=1) == 0
    assert (np.diff(rows, axis=1)[tied] > 0).all()


def test_small_distances_far_from_the_origin():
    x = (points(2_000, 5) * 1e-3 + 40).astype(np.float32)
    distances, _ = Neighbours(3).fit(x).kneighbours()
    np.testing.assert_allclose(distances, brute(x)[:, :3], rtol=0.05)


@pytest.mark.parametrize("clustered", [False, True])
def test_inverted_lists_reach_the_recall_they_report(clustered):
    x = points(12_000)
    if clustered:
        x[:, :3] = np.round(x[:, :3])
    true = Neighbours(10).fit(x).kneighbours()[0]
    neighbours = Neighbours(10, exact_up_to=1_000, n_probe=1).fit(x)
    distances, rows = neighbours.kneighbours()
    recall = (distances <= true[:, -1:]).mean()
    assert neighbours.recall_ >= 0.95
    assert abs(recall - neighbours.recall_) < 0.02
    assert not (rows == np.arange(len(x))[:, None]).any()
    assert (np.diff(distances, axis=1) >= 0).all()


def test_lists_smaller_than_k_are_completed():
    x = np.repeat(points(40), 50, axis=0)
    x += 0.001 * points(2_000, seed=1)
    neighbours = Neighbours(600, exact_up_to=100, n_probe=1).fit(x)
    _, rows = neighbours.kneighbours(x[:100])
    assert (rows >= 0).all()


def test_threads_change_nothing():
    x = points(20_000)
    before = faiss.omp_get_max_threads()
    found = []
    for threads in (1, 2, 3):
        faiss.omp_set_num_threads(threads)
        neighbours = Neighbours(5, exact_up_to=1_000).fit(x)
        found.append((*neighbours.kneighbours(), neighbours.recall_))
    faiss.omp_set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_refuses_k_out_of_range():
    for k in (0, 10, 11):
        with pytest.raises(ParameterError, match="neighbours cannot be found among 10 rows"):
            Neighbours(k).fit(points(10))
    with pytest.raises(ParameterError, match="n_probe"):
        Neighbours(2, n_probe=0).fit(points(10))
