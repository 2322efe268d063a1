"""FAMD against its definition, prince, and values printed by FactoMineR."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.errors import DataError, ParameterError
from sosie.space import FAMD, Mixed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import prince

LEVELS = (3, 2, 7, 40, 5)


def draw(n=600, p=4, levels=LEVELS, seed=1, dtype=np.uint8):
    """Correlated columns: a few hidden factors behind numbers and codes alike."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 3))
    numbers = hidden @ rng.normal(size=(3, p)) + rng.normal(size=(n, p))
    scores = hidden @ rng.normal(size=(3, len(levels))) + rng.normal(size=(n, len(levels)))
    ranks = scores.argsort(axis=0).argsort(axis=0) / n
    codes = (ranks**1.5 * np.array(levels, dtype=float)).astype(dtype)
    return Mixed(numbers * [1, 10, 0.1, 5][:p] if p <= 4 else numbers, codes, tuple(levels))


def coded(mixed, weights=None):
    """The matrix Z of the definition, row by row, without any trick."""
    p = mixed.numbers.shape[1]
    w = np.ones(mixed.n_columns) if weights is None else np.asarray(weights, dtype=float)
    parts = [
        (x - x.mean()) / x.std() * np.sqrt(v) for x, v in zip(mixed.numbers.T, w, strict=False)
    ]
    for codes, k, v in zip(mixed.codes.T, mixed.levels, w[p:], strict=True):
        for level in range(k):
            share = (codes == level).mean()
            if share:
                parts.append(((codes == level) - share) / np.sqrt(share) * np.sqrt(v))
    return np.column_stack(parts) / (1 if p else np.sqrt(w.sum()))


def svd(Z, k):
    U, s, _ = np.linalg.svd(Z, full_matrices=False)
    return s[:k] ** 2 / len(Z), U[:, :k] * s[:k]


def same_up_to_sign(a, b, tolerance):
    signs = np.sign((a * b).sum(axis=0))
    np.testing.assert_allclose(a, b * signs, atol=tolerance * np.abs(b).max())


ENDS = {"famd": {}, "pca": {"levels": ()}, "mca": {"p": 0}, "one_pack": {"levels": (2, 3, 2)}}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_is_the_svd_of_the_coded_table(end, weighted):
    mixed = draw(**ENDS[end])
    weights = np.linspace(0.2, 3, mixed.n_columns) if weighted else None
    famd = FAMD(5, weights=weights).fit(mixed)
    Z = coded(mixed, weights)
    values, coordinates = svd(Z, famd.n_factors_)
    np.testing.assert_allclose(famd.explained_variance_, values, rtol=1e-10)
    np.testing.assert_allclose(famd.total_inertia_, (Z**2).sum() / len(Z), rtol=1e-12)
    found = famd.transform(mixed)
    assert found.dtype == np.float32
    same_up_to_sign(found, coordinates, 1e-6)


def frame(mixed):
    numbers = pd.DataFrame(mixed.numbers).add_prefix("x")
    return numbers.join(pd.DataFrame(mixed.codes).add_prefix("c").astype(str).astype(object))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("end", ["famd", "pca", "mca"])
def test_agrees_with_prince(end):
    mixed = draw(**ENDS[end])
    table = frame(mixed)
    theirs = {
        "famd": prince.FAMD(n_components=5, engine="scipy"),
        "pca": prince.PCA(n_components=4, engine="scipy"),
        "mca": prince.MCA(n_components=5, engine="scipy"),
    }[end].fit(table)
    ours = FAMD(5 if end != "pca" else 4).fit(mixed)
    np.testing.assert_allclose(ours.explained_variance_, theirs.eigenvalues_, rtol=1e-6)
    same_up_to_sign(ours.transform(mixed), theirs.row_coordinates(table).to_numpy(), 1e-6)
    np.testing.assert_allclose(
        100 * ours.explained_variance_ratio_, theirs.percentage_of_variance_, rtol=1e-6
    )
    if end == "famd":
        contributions = theirs.variable_contributions_.loc[table.columns].to_numpy()
        np.testing.assert_allclose(ours.contributions_, contributions, rtol=1e-6, atol=1e-9)
        related = theirs.variable_coordinates_.loc[table.columns].to_numpy()
        np.testing.assert_allclose(ours.squared_correlations_, related, rtol=1e-6, atol=1e-9)


def test_decathlon_as_printed_by_factominer():
    """Lê, Josse & Husson (2008): PCA of the ten events of 41 athletes."""
    events = prince.datasets.load_decathlon().iloc[:, :10].to_numpy(dtype=float)
    mixed = Mixed(events, np.empty((len(events), 0), dtype=int), ())
    famd = FAMD(4).fit(mixed)
    np.testing.assert_allclose(
        famd.explained_variance_, [3.2719, 1.7371, 1.4049, 1.0569], atol=5e-5
    )
    np.testing.assert_allclose(
        100 * famd.explained_variance_ratio_, [32.719, 17.371, 14.049, 10.569], atol=5e-4
    )


def test_correlations_and_ratios_are_those_of_the_coordinates():
    mixed = draw()
    famd = FAMD(4, weights=np.linspace(0.5, 2, mixed.n_columns)).fit(mixed)
    F = famd.transform(mixed).astype(float)
    p = mixed.numbers.shape[1]
    r = np.corrcoef(mixed.numbers.T, F.T)[:p, p:]
    np.testing.assert_allclose(famd.correlations_, r, atol=1e-6)
    np.testing.assert_allclose(famd.squared_correlations_[:p], r**2, atol=1e-6)
    for j, codes in enumerate(mixed.codes.T):
        means = pd.DataFrame(F).groupby(codes).transform("mean").to_numpy()
        ratio = means.var(axis=0) / F.var(axis=0)
        np.testing.assert_allclose(famd.squared_correlations_[p + j], ratio, atol=1e-6)
    np.testing.assert_allclose(famd.contributions_.sum(axis=0), 1)


@pytest.mark.parametrize("end", ["famd", "mca"])
def test_an_integer_weight_is_a_repeated_column(end):
    mixed = draw(**ENDS[end], dtype=np.int32)
    p, q = mixed.numbers.shape[1], len(mixed.levels)
    times = [1 + j % 3 for j in range(p + q)]
    repeated = Mixed(
        np.repeat(mixed.numbers, times[:p], axis=1),
        np.repeat(mixed.codes, times[p:], axis=1),
        tuple(np.repeat(mixed.levels, times[p:]).tolist()),
    )
    weighted, plain = FAMD(5, weights=times).fit(mixed), FAMD(5).fit(repeated)
    np.testing.assert_allclose(weighted.explained_variance_, plain.explained_variance_)
    np.testing.assert_allclose(weighted.total_inertia_, plain.total_inertia_)
    same_up_to_sign(weighted.transform(mixed), plain.transform(repeated), 1e-6)


def test_a_weight_of_zero_leaves_the_column_out():
    mixed = draw()
    without = Mixed(mixed.numbers[:, 1:], mixed.codes[:, :-1], mixed.levels[:-1])
    zeros = FAMD(5, weights=[0] + [1] * 7 + [0]).fit(mixed)
    same_up_to_sign(zeros.transform(mixed), FAMD(5).fit(without).transform(without), 1e-6)
    assert zeros.contributions_[0].max() == zeros.correlations_[0].max() == 0


@pytest.mark.parametrize("end", ENDS)
def test_inverse_is_exact_at_full_rank(end):
    mixed = draw(**ENDS[end])
    famd = FAMD(None).fit(mixed)
    numbers, shares = famd.inverse_transform(famd.transform(mixed))
    np.testing.assert_allclose(numbers, mixed.numbers, atol=1e-5 * max(1, famd.scale_.max()))
    starts = np.concatenate([[0], np.cumsum(mixed.levels)])
    for j, codes in enumerate(mixed.codes.T):
        span = shares[:, starts[j] : starts[j + 1]]
        np.testing.assert_allclose(span, np.eye(mixed.levels[j])[codes], atol=1e-4)
    np.testing.assert_allclose(famd.explained_variance_ratio_.sum(), 1)


def test_below_full_rank_shares_of_a_column_sum_to_one():
    mixed = draw()
    famd = FAMD(2).fit(mixed)
    shares = famd.inverse_transform(famd.transform(mixed))[1]
    sums = np.add.reduceat(shares, np.cumsum((0, *LEVELS[:-1])), axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_blocks_of_any_size_give_the_same_moments():
    from sosie.space._moments import moments

    mixed = draw(n=10_000)
    whole, cut = moments(mixed), moments(mixed, 4096)
    np.testing.assert_allclose(whole.covariance, cut.covariance, atol=1e-13 * 100)
    np.testing.assert_array_equal(whole.mean[4:], cut.mean[4:])


def test_dates_in_seconds_lose_no_digit():
    near = draw(n=9_000, p=2, levels=(3,))
    near = Mixed(np.round(near.numbers * 1024), near.codes, near.levels)
    far = Mixed(near.numbers + np.array([2.0**40, -(2.0**42)]), near.codes, near.levels)
    a, b = FAMD(4).fit(near), FAMD(4).fit(far)
    np.testing.assert_allclose(a.explained_variance_, b.explained_variance_, rtol=1e-12)
    np.testing.assert_allclose(a.transform(near), b.transform(far), atol=1e-6)


def test_sorted_rows_lose_no_digit():
    mixed = draw(n=20_000, p=1, levels=())
    ordered = Mixed(np.sort(mixed.numbers, axis=0) ** 3, mixed.codes, ())
    from sosie.space._moments import moments

    cut = moments(ordered, 4096).covariance[0, 0]
    np.testing.assert_allclose(cut, ordered.numbers.var(), rtol=1e-13)


def test_constant_columns_and_empty_levels_contribute_nothing():
    base = draw(levels=(3, 4))
    constant = np.full((len(base), 1), 0.1)
    more = Mixed(
        np.hstack([base.numbers, constant]),
        np.hstack([base.codes, np.full((len(base), 1), 2, np.uint8)]),
        (3, 6, 5),
    )
    plain, padded = FAMD(None).fit(base), FAMD(None).fit(more)
    assert plain.n_factors_ == padded.n_factors_ == 4 + 2 + 3
    np.testing.assert_allclose(plain.explained_variance_, padded.explained_variance_)
    same_up_to_sign(padded.transform(more), plain.transform(base), 1e-6)
    assert padded.contributions_[[4, 7]].max() == 0
    numbers, _ = padded.inverse_transform(padded.transform(more)[:3])
    np.testing.assert_allclose(numbers[:, 4], 0.1)


def test_an_unknown_level_adds_nothing():
    mixed = draw(dtype=np.int16)
    famd = FAMD(3, weights=[1e-12] * 4 + [1, 0, 0, 0, 0]).fit(mixed)
    unknown = Mixed(mixed.numbers, np.full_like(mixed.codes, -1), mixed.levels)
    np.testing.assert_allclose(famd.transform(unknown)[:, :2], 0, atol=1e-5)


def test_never_more_factors_than_the_rank():
    assert FAMD(50).fit(draw(p=2, levels=(3,))).n_factors_ == 4
    assert FAMD(50).fit(draw(n=4, p=4, levels=(2,))).n_factors_ <= 3
    twice = draw(p=2, levels=())
    twice = Mixed(np.hstack([twice.numbers, twice.numbers]), twice.codes, ())
    assert FAMD(None).fit(twice).n_factors_ == 2


def test_the_iterative_path_finds_the_same_factors(monkeypatch):
    mixed = draw(n=1_000, p=4, levels=(60, 80, 40, 7))
    dense = FAMD(4).fit(mixed)
    monkeypatch.setattr("sosie.space._eigen._DENSE", 10)
    famd = FAMD(4).fit(mixed)
    np.testing.assert_allclose(famd.explained_variance_, dense.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(famd.transform(mixed), dense.transform(mixed), atol=1e-5)


def test_signs_are_fixed_and_reading_is_repeatable():
    mixed = draw()
    a, b = FAMD(5).fit(mixed), FAMD(5).fit(mixed)
    np.testing.assert_array_equal(a.transform(mixed), b.transform(mixed))
    assert (a.loadings_.max(axis=0) >= -a.loadings_.min(axis=0) * (1 - 1e-6)).all()


def test_float32_numbers_and_other_code_types_are_read_alike():
    mixed = draw()
    small = Mixed(mixed.numbers.astype(np.float32), mixed.codes.astype(np.int64), mixed.levels)
    a, b = FAMD(3).fit(mixed), FAMD(3).fit(small)
    np.testing.assert_allclose(a.explained_variance_, b.explained_variance_, rtol=1e-6)


def test_refuses_what_it_cannot_use():
    mixed = draw()
    with pytest.raises(ParameterError, match="factors"):
        FAMD(0).fit(mixed)
    with pytest.raises(ParameterError, match="weights"):
        FAMD(weights=[1]).fit(mixed)
    with pytest.raises(ParameterError, match="negative"):
        FAMD(weights=[-1.0] * 9).fit(mixed)
    with pytest.raises(DataError, match="constant"):
        FAMD().fit(Mixed(np.ones((5, 2)), np.zeros((5, 1), int), (1,)))
    with pytest.raises(DataError, match="missing"):
        FAMD().fit(Mixed(np.array([[1.0], [np.nan]]), np.empty((2, 0), int), ()))
    with pytest.raises(DataError, match="no row"):
        FAMD().fit(Mixed(np.empty((0, 2)), np.empty((0, 0), int), ()))
    with pytest.raises(ValueError, match="outside"):
        FAMD().fit(Mixed(mixed.numbers, mixed.codes, (2, *LEVELS[1:])))
    with pytest.raises(ValueError, match="fitted"):
        FAMD().fit(mixed).transform(draw(p=3))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 60),
    p=st.integers(0, 4),
    levels=st.lists(st.integers(1, 9), max_size=4),
    seed=st.integers(0, 2**16),
    shift=st.sampled_from([0.0, 1e3, -1e6]),
)
def test_invariants(n, p, levels, seed, shift):
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(0, k, n) for k in levels]) if levels else None
    mixed = Mixed(
        rng.normal(size=(n, p)).round(2) + shift,
        np.empty((n, 0), int) if codes is None else codes,
        tuple(levels),
    )
    try:
        famd = FAMD(None).fit(mixed)
    except (DataError, ParameterError):
        varying = [len(np.unique(c)) > 1 for c in (*mixed.numbers.T, *mixed.codes.T)]
        assert not any(varying)
        return
    F = famd.transform(mixed).astype(float)
    scale = np.sqrt(famd.explained_variance_[0])
    np.testing.assert_allclose(F.mean(axis=0), 0, atol=1e-5 * scale)
    np.testing.assert_allclose(F.T @ F / n, np.diag(famd.explained_variance_), atol=1e-5 * scale**2)
    np.testing.assert_allclose(famd.explained_variance_.sum(), famd.total_inertia_, rtol=1e-9)
    assert (famd.squared_correlations_ <= 1 + 1e-9).all()
    # A permutation of rows changes nothing.
    order = rng.permutation(n)
    other = FAMD(None).fit(Mixed(mixed.numbers[order], mixed.codes[order], mixed.levels))
    np.testing.assert_allclose(
        other.explained_variance_, famd.explained_variance_, atol=1e-9 * scale**2
    )
