"""Counts have probabilities, keep their law, and keep what they depend on."""

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import PoissonRegressor

from sosie.generators.artificial import RHVAE
from sosie.generators.artificial._coding import Coding
from sosie.generators.artificial._likelihoods import log_scores
from sosie.space import Columns
from sosie.table import Table

N = 300


@pytest.fixture(scope="module")
def persons():
    """Stays in hospital: more spread than Poisson's, and more of them where a score is high."""
    rng = np.random.default_rng(0)
    score = rng.normal(size=N)
    mean = np.exp(0.7 + 0.8 * score) * rng.gamma(2, 1 / 2, N)
    others = {name: rng.normal(size=N).round(3) for name in ("height", "sodium", "pulse")}
    return pl.DataFrame({"score": score.round(3), "stays": rng.poisson(mean)} | others)


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 1.0), (1.3, 0.4), (-0.8, 0.2)])
def test_probabilities_of_all_counts_add_up_to_one(persons, mean, sigma):
    values, counts = np.unique(persons["stays"], return_counts=True)
    assert counts.min() == 1  # a count of one person is told too
    columns = Columns.of(Table.of(persons))
    coding = Coding(columns, set(), None)
    j = coding.scored.index("stays")
    low, high, _ = coding.scores(j, values.astype(float), np.zeros(len(values), np.int32))
    p = jnp.exp(log_scores(jnp.full(len(values), mean), jnp.asarray(sigma), low, high))
    assert float(p.sum()) == pytest.approx(1, abs=1e-4)
    if (mean, sigma) == (0, 1):  # the law of everybody is the margin
        np.testing.assert_allclose(p, counts / N, atol=1e-4)


def test_drawn_counts_keep_their_law_and_what_they_depend_on(persons):
    rows = RHVAE(latent_dim=1, seed=0, epochs=0).fit(persons).sample(1000)
    assert rows["stays"].dtype == persons["stays"].dtype
    assert rows["stays"].max() <= persons["stays"].max()
    for law in (pl.Series.mean, pl.Series.var):
        assert law(rows["stays"]) == pytest.approx(law(persons["stays"]), rel=0.15)

    def slope(frame):
        X, y = frame["score"].to_numpy()[:, None], frame["stays"].to_numpy()
        return float(PoissonRegressor(alpha=0).fit(X, y).coef_[0])

    assert slope(rows) == pytest.approx(slope(persons), abs=0.15)
