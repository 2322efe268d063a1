import numpy as np
import pytest
from scipy.interpolate import RectBivariateSpline

from sosie.generators.artificial._image_rhvae import ImageRHVAE
from sosie.generators.artificial._image_warps import Deformations, warped


def blobs(rng, n, side=20):
    """Give images of three soft spots each, bright in the middle and dark at the edge."""
    down, right = np.mgrid[:side, :side]
    at = rng.uniform(side * 0.3, side * 0.7, (n, 3, 2, 1, 1))
    return np.exp(-((down - at[:, :, 0]) ** 2 + (right - at[:, :, 1]) ** 2) / 8).max(1)


def test_warped_reads_between_pixels_as_another_spline_does():
    rng = np.random.default_rng(0)
    images = blobs(rng, 9, 24).reshape(3, 3, 24, 24).transpose(0, 2, 3, 1)  # three colours
    moves = rng.normal(0, 2, (3, 2, 24, 24))
    found = warped(images, moves)
    places = np.clip(np.mgrid[:24, :24] + moves, 0, 23)
    for i in range(3):
        for colour in range(3):
            spline = RectBivariateSpline(range(24), range(24), images[i, :, :, colour])
            assert np.allclose(found[i, :, :, colour], spline.ev(*places[i]), atol=0.003)


def test_shifts_that_were_planted_are_found_with_their_spread():
    rng = np.random.default_rng(1)
    base = np.repeat(blobs(rng, 80), 2, axis=0)
    moves = np.zeros((160, 2, 20, 20))
    moves[:, 0] = rng.normal(0, 0.7, (160, 1, 1))
    moves[:, 1] = rng.normal(0, 0.3, (160, 1, 1))
    images = warped(base, moves) + rng.normal(0, 0.02, base.shape)
    # Two images of each label: they differ by the deformations of both.
    law = Deformations(images, np.repeat(np.arange(80), 2), rng)
    spread, between = np.sqrt(np.diag(law.covariance)), np.sqrt(2) * np.array([0.7, 0.3])
    assert spread[[0, 3]] == pytest.approx(between, rel=0.2)
    assert spread[[1, 2, 4, 5]].max() < 0.17
    # What is deformed is moved as much: centres of mass say so, without registration.
    drawn = law.draw(np.repeat(base[:1], 4000, axis=0), rng)
    weight = drawn.sum((1, 2))
    centre = [(drawn * places).sum((1, 2)) / weight for places in np.mgrid[:20, :20]]
    assert np.std(centre, axis=1) == pytest.approx(between, rel=0.25)


def test_images_that_differ_by_noise_only_are_not_deformed():
    rng = np.random.default_rng(2)
    images = blobs(rng, 1) + rng.normal(0, 0.1, (60, 20, 20))
    law = Deformations(images, np.zeros(60, int), rng)
    # Noise of a tenth of the range is not taken for moves of a tenth of a pixel of both images.
    assert np.sqrt(np.diag(law.covariance)).max() < 0.1 * np.sqrt(2)


def test_labels_of_one_image_tell_of_no_deformation():
    rng = np.random.default_rng(3)
    images = blobs(rng, 4)
    law = Deformations(images, np.arange(4), rng)
    assert np.abs(law.covariance).max() == 0
    assert np.allclose(law.draw(images, rng), images, atol=1e-4)


def test_artificial_images_are_deformed_as_the_originals_are():
    rng = np.random.default_rng(4)
    base = np.repeat(blobs(rng, 20), 2, axis=0)
    moves = np.zeros((40, 2, 20, 20))
    moves[:, 1] = rng.normal(0, 0.8, (40, 1, 1))
    images = np.clip(warped(base, moves), 0, 1)
    model = ImageRHVAE(seed=0, epochs=0).fit(images, np.repeat(np.arange(20), 2))
    drawn = model.sample(2000, label=0).images
    weight = drawn.sum((1, 2))
    centre = [(drawn * places).sum((1, 2)) / weight for places in np.mgrid[:20, :20]]
    # Of a label with two images that differ by a move to the right: they vary in that alone.
    assert np.std(centre[1]) > 2 * np.std(centre[0])
