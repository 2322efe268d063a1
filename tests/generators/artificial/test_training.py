"""The start is the factor model, training gains on persons held out, divergence is told."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, truncnorm

from sosie.errors import DataError
from sosie.generators.artificial._coding import Coded, Shape
from sosie.generators.artificial._factors import Known, factors, log_held_out
from sosie.generators.artificial._networks import linear, sigmas, start
from sosie.generators.artificial._training import Recipe, bound, train, trained_alike

SHAPE = Shape(4, (), 1)
LATENT = 2


@pytest.fixture(scope="module")
def coded():
    """Four scores on a bent surface of two dimensions."""
    rng = np.random.default_rng(0)
    n = 400
    u = rng.normal(size=(n, 2))
    y = np.c_[u[:, 0], u[:, 0] ** 2, u[:, 1], u.sum(1)] + 0.2 * rng.normal(size=(n, 4))
    y = ((y - y.mean(0)) / y.std(0)).astype(np.float32)
    return Coded(y, y, y, np.ones_like(y), np.zeros((n, 0), "f4"), np.ones((n, 1), "f4"))


def _begin(coded):
    return lambda rows: start(coded.taken(rows), SHAPE, LATENT, 32, np.random.default_rng(0))


def test_factors_have_the_covariance_and_a_posterior_that_is_a_product():
    rng = np.random.default_rng(1)
    W = rng.normal(size=(6, 2))
    Y = rng.normal(size=(5000, 2)) @ W.T + 0.5 * rng.normal(size=(5000, 6))
    loadings, unique, mean = factors(Y, 2)
    S = Y.T @ Y / len(Y)
    np.testing.assert_allclose(loadings @ loadings.T + np.diag(unique), S, atol=0.05)
    inner = loadings.T @ (loadings / unique[:, None])
    assert abs(inner[0, 1]) < 1e-6 * inner[0, 0]
    assert not mean.any()


@pytest.fixture(scope="module")
def holed():
    """Rows of two factors; the third column is missing the likelier the higher the first."""
    rng = np.random.default_rng(0)
    W = np.array([[1, 0.8, 0.9, 0, 0.5], [0, 0.5, 0.3, 1, -0.5]])
    Y = rng.normal(size=(3000, 2)) @ W + 0.5 * rng.normal(size=(3000, 5))
    seen = rng.random(Y.shape) > 0.1
    seen[:, 0] = True
    seen[:, 2] = rng.random(3000) > 1 / (1 + np.exp(-2 * Y[:, 0]))
    return Y, seen


def test_factors_of_cells_that_are_missing_by_others_are_those_of_everybody(holed):
    Y, seen = holed
    loadings, unique, mean = factors(np.where(seen, Y, 0), 2, known=Known(seen, np.ones(5, bool)))
    assert abs(Y[seen[:, 2], 2].mean() - Y[:, 2].mean()) > 0.1  # what is known misleads
    np.testing.assert_allclose(mean, Y.mean(0), atol=0.05)
    np.testing.assert_allclose(loadings @ loadings.T + np.diag(unique), np.cov(Y.T), atol=0.1)


def test_likelihood_of_known_cells_is_that_of_their_margin(holed):
    Y, seen = holed
    filled = np.where(seen, Y, 0)
    known = Known(seen, np.ones(5, bool))
    loadings, unique, mean = factors(filled, 2, 60, known)
    S = loadings @ loadings.T + np.diag(unique)
    found = log_held_out(filled, filled[:300], 2, (known, Known(seen[:300], known.telling)))
    expected = [
        multivariate_normal(mean[k], S[np.ix_(k, k)]).logpdf(y[k]) + k.sum() / 2 * np.log(2 * np.pi)
        for y, k in zip(Y[:300], seen[:300], strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_at_the_start_the_bound_is_the_likelihood_of_the_factor_model(coded):
    params = _begin(coded)(np.arange(len(coded)))
    rng = np.random.default_rng(0)
    data = tuple(jnp.asarray(a) for a in coded.arrays())
    quick = jax.jit(bound, static_argnames="shape")
    noise = rng.normal(size=(30, len(coded), LATENT)).astype(np.float32)
    found = np.mean([quick(params, data, SHAPE, one) for one in noise])
    Y = linear(coded)
    exact = log_held_out(Y, Y, LATENT).mean() - 2 * np.log(2 * np.pi)
    assert found == pytest.approx(exact, abs=0.05)


def test_training_gains_on_persons_held_out(coded):
    recipe = Recipe(epochs=80, paces=((3e-3, 0.3),))
    told = []
    found = train(_begin(coded), coded, SHAPE, recipe, np.random.default_rng(0), told.append)
    assert max(found.history) > found.history[0] + 0.3
    assert found.history[found.course.settling + found.course.epochs] == max(found.history)
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_encoder_settles_first_and_the_bound_is_near_the_likelihood(holed):
    Y, seen = (part[:1200] for part in holed)
    spread = Y.std(0)
    point = np.where(seen, Y / spread, 0).astype("f4")
    alone = np.ones((len(Y), 1), "f4")
    persons = Coded(point, point, point, seen.astype("f4"), np.zeros((len(Y), 0), "f4"), alone)
    shape = Shape(5, (), 1)
    everybody = np.arange(len(Y))

    def begin(rows):
        return start(persons.taken(rows), shape, LATENT, 32, np.random.default_rng(0))

    still = Recipe(epochs=150, patience=20, paces=((0.0, 0.0),))  # at which nothing moves
    settled = train(begin, persons, shape, still, np.random.default_rng(0)).params
    linear = begin(everybody)
    for name in linear:
        if not name.startswith("enc_"):
            np.testing.assert_array_equal(settled[name], linear[name])
    W, level = np.asarray(linear["dec_mean"], float), np.asarray(linear["dec_level"], float)[0]
    S = W.T @ W + np.diag(np.asarray(sigmas(linear), float) ** 2)
    exact = np.mean(
        [
            multivariate_normal(level[k], S[np.ix_(k, k)]).logpdf(y[k])
            for y, k in zip(point, seen, strict=True)
        ]
    )
    data = tuple(jnp.asarray(a) for a in persons.arrays())
    quick = jax.jit(bound, static_argnames="shape")
    noise = np.random.default_rng(0).normal(size=(30, len(Y), LATENT)).astype("f4")
    before, after = (
        np.mean([quick(params, data, shape, one) for one in noise]) for params in (linear, settled)
    )
    assert after < exact
    assert exact - after < 0.3 * (exact - before)


def test_it_stops_when_nothing_is_gained():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(400, 4)).astype(np.float32)
    noise = Coded(y, y, y, np.ones_like(y), np.zeros((400, 0), "f4"), np.ones((400, 1), "f4"))
    recipe = Recipe(epochs=500, patience=10, paces=((3e-3, 0.3),))
    found = train(_begin(noise), noise, SHAPE, recipe, np.random.default_rng(0))
    assert len(found.history) < 300


def test_divergence_is_told_and_nothing_kept(coded):
    recipe = Recipe(epochs=20, paces=((1e12, 0.0),))
    with pytest.raises(DataError, match="diverged"):
        train(_begin(coded), coded, SHAPE, recipe, np.random.default_rng(0))


@pytest.mark.parametrize("d", [1, 3, 4])
def test_the_start_knows_bonds_behind_intervals(d):
    # Of many factors one may be a column's own, which no bond asks for.
    rng = np.random.default_rng(0)
    n, loading = 20_000, np.array([0.9, 0.8, 0.7, 0.6])
    y = rng.normal(size=(n, 1)) * loading + np.sqrt(1 - loading**2) * rng.normal(size=(n, 4))
    cuts = np.array([-6, -0.7, 0.3, 6])  # the last two columns are told in three levels
    at = np.digitize(y, cuts) - 1
    low, high = (np.where([0, 0, 1, 1], cuts[at + k], y).astype("f4") for k in (0, 1))
    means = np.array([truncnorm.mean(a, b) for a, b in pairwise(cuts)])
    point = np.where([0, 0, 1, 1], means[at], y).astype("f4")
    coded = Coded(point, low, high, np.ones_like(point), np.zeros((n, 0), "f4"), np.ones((n, 1)))
    params = start(coded, SHAPE, d, 8, rng)
    found = np.asarray(params["dec_mean"])
    told = found.T @ found + np.diag(np.asarray(sigmas(params)) ** 2)
    truth = np.outer(loading, loading) + np.diag(1 - loading**2)
    np.testing.assert_allclose(told, truth, atol=0.04)


def test_a_model_trained_alike_on_the_same_persons_is_as_good(coded):
    recipe = Recipe(epochs=40, paces=((3e-3, 0.3),))
    found = train(_begin(coded), coded, SHAPE, recipe, np.random.default_rng(0))
    everybody = np.arange(len(coded))
    alike = trained_alike(
        _begin(coded)(everybody), coded, SHAPE, found.course, everybody, np.random.default_rng(1)
    )
    data = tuple(jnp.asarray(a) for a in coded.arrays())
    noise = np.random.default_rng(0).normal(size=(len(coded), LATENT)).astype("f4")
    quick = jax.jit(bound, static_argnames="shape")
    start_, first, second = (
        float(quick(p, data, SHAPE, noise).mean())
        for p in (_begin(coded)(everybody), found.params, alike)
    )
    assert first > start_ + 0.3
    assert second == pytest.approx(first, abs=0.2)
