"""Bonds that differ between strata are found, and none are where they are alike."""

import numpy as np
import pytest

from sosie.generators.artificial._coding import Coded, Shape
from sosie.generators.artificial._factors import Known
from sosie.generators.artificial._networks import start
from sosie.generators.artificial._strata_bonds import stretches

W = np.array([[0.9, 0], [0.8, 0.3], [0.1, 0.9], [0.4, 0.7], [0.7, -0.4], [0.2, 0.6]])
UNIQUE = np.full(6, 0.3)
COVARIANCES = np.array([[[1.7, 0.5], [0.5, 0.6]], [[0.4, -0.4], [-0.4, 1.3]]])


def persons(n, rng, covariances=COVARIANCES, holes=0.0):
    """Draw persons of two strata, of factors of a covariance each."""
    strata = rng.permutation(np.arange(n) % 2).astype(np.int32)
    roots = np.linalg.cholesky(covariances)
    factors = np.einsum("nde,ne->nd", roots[strata], rng.normal(size=(n, 2)))
    Y = factors @ W.T + np.sqrt(UNIQUE) * rng.normal(size=(n, 6))
    seen = rng.random(Y.shape) >= holes
    return np.where(seen, Y, 0), Known(seen, np.ones(6, bool)), strata


@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_covariances_of_factors_are_found(holes):
    Y, known, strata = persons(8000, np.random.default_rng(0), holes=holes)
    found = stretches(Y, known, strata, 2, W, UNIQUE)
    np.testing.assert_allclose(found @ found, COVARIANCES, atol=0.1)
    np.testing.assert_allclose(found, np.swapaxes(found, 1, 2), atol=1e-12)


def test_middles_of_strata_are_no_bonds():
    Y, known, strata = persons(8000, np.random.default_rng(1))
    moved = stretches(Y + 3 * strata[:, None], known, strata, 2, W, UNIQUE)
    np.testing.assert_allclose(moved, stretches(Y, known, strata, 2, W, UNIQUE), atol=1e-9)


def test_strata_alike_and_strata_of_few_are_hardly_stretched():
    rng = np.random.default_rng(2)
    alike = np.tile(np.eye(2), (2, 1, 1))
    found = stretches(*persons(4000, rng, alike), 2, W, UNIQUE)
    np.testing.assert_allclose(found, alike, atol=0.06)
    few = [stretches(*persons(12, rng), 2, W, UNIQUE) for _ in range(40)]
    gone = abs(np.mean([one @ one for one in few], axis=0) - alike).sum((1, 2))
    assert (gone < 0.5 * abs(COVARIANCES - alike).sum((1, 2))).all()


def test_the_start_has_the_covariance_of_each_stratum():
    Y, known, strata = persons(6000, np.random.default_rng(3))
    assert known.seen.all()
    Y = Y / Y.std(0)
    point = Y.astype("f4")
    coded = Coded(
        point,
        point,
        point,
        np.ones_like(point),
        np.zeros((6000, 0), "f4"),
        np.eye(2, dtype="f4")[strata],
    )
    params = {
        name: np.asarray(values, float)
        for name, values in start(coded, Shape(6, (), 2), 2, 8, np.random.default_rng(0)).items()
    }
    noise = np.diag(np.cov(Y.T)) - (params["dec_mean"] ** 2).sum(0)
    for c in (0, 1):
        loadings = params["dec_mean"] + params["dec_tilt"][c]
        told = loadings.T @ loadings + np.diag(noise)
        of_all = params["dec_mean"].T @ params["dec_mean"] + np.diag(noise)
        true = np.cov(Y[strata == c].T)
        assert abs(told - true).max() < 0.12
        assert abs(told - true).mean() < 0.3 * abs(of_all - true).mean()
        # What the encoder says of a person is the mean of the latents given the scores.
        expected = np.linalg.solve(told, loadings.T).T @ Y[strata == c].T
        said = (params["enc_mean"] + params["enc_tilt"][c]).T @ Y[strata == c].T
        np.testing.assert_allclose(said, expected, atol=0.15)
