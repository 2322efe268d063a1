import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.space import Margin

rng = np.random.default_rng(0)

SHAPES = {
    "lognormal": rng.lognormal(2, 1.5, 4000),
    "normal": rng.normal(70, 12, 4000),
    "left tail": -rng.gamma(1.5, 3, 4000),
    "spike and tail": np.where(rng.random(4000) < 0.7, 0, rng.lognormal(5, 1, 4000)),
    "rounded to 5": 5 * rng.poisson(12, 4000).astype(float),
    "cauchy": np.clip(rng.standard_cauchy(4000), -500, 500),
}


@pytest.fixture(params=SHAPES, ids=list(SHAPES))
def values(request):
    return SHAPES[request.param]


def redrawn(values, k=10):
    margin = Margin(k).fit(values)
    return margin.spread(values.astype(np.float32), np.random.default_rng(1))[0]


def test_mean_sd_and_quantiles_are_kept(values):
    drawn = redrawn(values)
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.02 * values.std())
    assert drawn.std() == pytest.approx(values.std(), rel=0.03)
    places = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    gap = np.abs(np.quantile(drawn, places) - np.quantile(values, places))
    assert gap.max() < 0.05 * values.std()


def test_nothing_leaves_the_range(values):
    drawn = redrawn(values)
    assert values.min() <= drawn.min()
    assert drawn.max() <= values.max()


def test_atoms_keep_their_share():
    """To within the persons lent to a block of fewer than k beside them."""
    values = SHAPES["spike and tail"]
    assert (redrawn(values) == 0).sum() == (values == 0).sum()
    fives = SHAPES["rounded to 5"]
    common, counts = np.unique(fives, return_counts=True)
    drawn = redrawn(fives)
    for value, count in zip(common, counts, strict=True):
        if count >= 30:
            assert (drawn == value).sum() == pytest.approx(count, abs=10)


@pytest.mark.parametrize("k", [2, 5, 10, 40])
def test_every_piece_holds_k_persons(values, k):
    margin = Margin(k).fit(np.round(values))
    assert margin._length.min() >= k
    assert margin._length.sum() == len(values)


def test_a_lone_person_above_an_atom_is_not_told():
    """One 19 among counts that end at 14: it must not come out."""
    rng = np.random.default_rng(3)
    counts = np.minimum(rng.poisson(7, 500), 14).astype(float)
    counts[0] = 19
    for seed in range(15):
        drawn = (
            Margin(10).fit(counts).spread(counts.astype(np.float32), np.random.default_rng(seed))[0]
        )
        assert np.round(drawn).max() < 19


def test_the_gap_beside_a_spike_stays_empty():
    """0 or at least 100: what lies between is nobody's."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(2000) < 0.5, 0, 100 + rng.exponential(50, 2000))
    drawn = redrawn(values)
    assert not ((drawn > 0) & (drawn < 100)).any()


def test_no_value_of_fewer_than_k_persons_is_a_copy():
    values = SHAPES["lognormal"]
    assert not np.isin(redrawn(values), values).any()


def test_the_largest_value_is_not_told():
    """A single extreme person must not come out again, run after run."""
    values = np.r_[SHAPES["normal"], 900.0]
    margin = Margin(10).fit(values)
    tops = [
        margin.spread(values.astype(np.float32), np.random.default_rng(s))[0].max()
        for s in range(40)
    ]
    assert np.std(tops) > 10
    assert max(tops) < 900


def test_order_is_kept():
    values = SHAPES["normal"]
    latent = values.astype(np.float32)
    drawn, scores = Margin(10).fit(values).spread(latent, np.random.default_rng(2))
    order = np.argsort(latent)
    assert (np.diff(drawn[order]) >= 0).all()
    assert (np.diff(scores[order]) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=80),
    st.integers(1, 100),
    st.integers(1, 30),
)
def test_any_values_any_k(values, m, k):
    values = np.array(values, dtype=np.float64)
    margin = Margin(k).fit(values)
    generator = np.random.default_rng(0)
    drawn, scores = margin.spread(generator.standard_normal(m).astype(np.float32), generator)
    assert np.isfinite(drawn).all()
    assert drawn.min() >= values.min() - 1e-6 * np.abs(values).max()
    assert drawn.max() <= values.max() + 1e-6 * np.abs(values).max()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert ((margin.scores(values) > 0) & (margin.scores(values) < 1)).all()
