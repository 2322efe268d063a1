"""Coordinates against scikit-learn's PCA and prince's FAMD."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA

from sosie.evidence import Verdict
from sosie.evidence.utility import Hellinger, Projection

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import prince


def run(case):
    return Projection().run(case)["projection_difference"]


def of_histograms(x, y):
    edges = np.linspace(x.min(), x.max(), 21)
    edges[[0, -1]] = -np.inf, np.inf
    p, q = np.histogram(x, edges)[0] / len(x), np.histogram(y, edges)[0] / len(y)
    return np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)


def test_numbers_alone_stand_where_pca_puts_them(numbers, case):
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(6, 6))
    x, y, z = (rng.normal(size=(n, 6)) @ mix + s for n, s in ((700, 0), (500, 1), (300, 0)))
    found = run(case(numbers(x), numbers(y), numbers(z)))
    mean, sd = x.mean(axis=0), x.std(axis=0)
    pca = PCA(5).fit((x - mean) / sd)
    a, b, c = (pca.transform((t - mean) / sd) for t in (x, y, z))
    expected = [of_histograms(s, t) for s, t in zip(a.T, b.T, strict=True)]
    assert found.detail["factors"] == pytest.approx(expected, abs=1e-3)
    assert found.value == pytest.approx(np.mean(expected), abs=1e-3)
    ceiling = np.mean([of_histograms(s, t) for s, t in zip(a.T, c.T, strict=True)])
    assert found.control == pytest.approx(ceiling, abs=1e-3)
    assert found.detail["explained"] == pytest.approx(pca.explained_variance_ratio_[:2])
    shares = [entry["original"] for entry in found.detail["contributions"]]
    assert np.array(shares) == pytest.approx(pca.components_[:2].T ** 2, abs=1e-6)
    other = PCA(2).fit((y - y.mean(axis=0)) / y.std(axis=0)).components_.T ** 2
    shares = [entry["synthetic"] for entry in found.detail["contributions"]]
    assert np.array(shares) == pytest.approx(other, abs=1e-6)


def test_contributions_of_mixed_columns_are_those_of_prince(draw, case, frame):
    original = draw(500)
    table = frame(original)
    table["score"] = table["score"].fillna(table["score"].mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        famd = prince.FAMD(n_components=2, engine="scipy").fit(table)
    found = run(case(original, draw(400, 1))).detail["contributions"]
    assert [e["name"] for e in found] == list(original.layout.names)
    terms = famd.column_contributions_
    column = [str(term).split("_")[0] for term in terms.index]
    expected = terms.groupby(column).sum().loc[[e["name"] for e in found]]
    shares = np.array([e["original"] for e in found])
    assert shares.sum(axis=0) == pytest.approx(1)
    expected = expected.to_numpy() / expected.to_numpy().sum(axis=0)
    assert shares == pytest.approx(expected, abs=2e-3)


def test_it_sees_relations_that_margins_hide(draw, shuffled, case):
    original = draw(2_000)
    judged = case(original, shuffled(original), draw(2_000, 1))
    assert Hellinger().run(judged)["hellinger_mean"].value == 0
    found = run(judged)
    assert found.value > 1.5 * found.control


def test_clouds_apart_are_at_distance_one(numbers, case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    found = run(case(numbers(x), numbers(x + 100)))
    assert found.value == pytest.approx(1, abs=0.05)
    assert found.verdict is Verdict.FAIL
    assert found.detail["x"] is found.detail["original"] is None  # a single factor


def test_densities_hide_small_cells_and_count_the_rest(draw, case):
    original, synthetic = draw(3_000, 1), draw(2_000, 2)
    detail = run(case(original, synthetic)).detail
    assert len(detail["x"]) == len(detail["y"]) == 31
    assert (np.diff(detail["x"]) > 0).all()
    for role, n in (("original", 3_000), ("synthetic", 2_000)):
        grid = np.array(detail[role], dtype=float)
        assert grid.shape == (30, 30)
        counts = grid[~np.isnan(grid)] * n
        assert counts == pytest.approx(np.round(counts), abs=0.01)
        assert counts.min() >= 5
        assert 0.3 * n < counts.sum() <= n


def test_many_levels_are_pooled_before_they_fill_the_memory(labels, case):
    rng = np.random.default_rng(0)
    tables = [labels(rng.integers(0, 900, (400, 4)), [900] * 4) for _ in range(2)]
    assert 0 < run(case(*tables)).value < 1
