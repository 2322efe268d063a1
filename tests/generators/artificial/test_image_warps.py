import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from sosie.generators.artificial._image_rhvae import ImageRHVAE
from sosie.generators.artificial._image_warps import Deformations, warped


def blobs(rng, n, side=20):
    """Give images of three soft spots each, bright in the middle and dark at the edge."""
    down, right = np.mgrid[:side, :side]
    at = rng.uniform(side * 0.3, side * 0.7, (n, 3, 2, 1, 1))
    return np.exp(-((down - at[:, :, 0]) ** 2 + (right - at[:, :, 1]) ** 2) / 8).max(1)


def test_warped_is_linear_interpolation_as_scipy_does_it():
    rng = np.random.default_rng(0)
    images, moves = rng.random((3, 9, 12, 3)), rng.normal(0, 2, (3, 2, 9, 12))
    found = warped(images, moves)
    places = np.mgrid[:9, :12] + moves
    for i in range(3):
        for colour in range(3):
            true = map_coordinates(images[i, :, :, colour], places[i], order=1, mode="nearest")
            assert np.allclose(found[i, :, :, colour], true)


def test_shifts_that_were_planted_are_found_with_their_spread():
    rng = np.random.default_rng(1)
    base = np.repeat(blobs(rng, 80), 2, axis=0)
    moves = np.zeros((160, 2, 20, 20))
    moves[:, 0] = rng.normal(0, 0.7, (160, 1, 1))
    moves[:, 1] = rng.normal(0, 0.3, (160, 1, 1))
    images = warped(base, moves) + rng.normal(0, 0.02, base.shape)
    # Two images of each label: they differ by the deformations of both.
    law = Deformations(images, np.repeat(np.arange(80), 2), rng)
    spread = np.sqrt(np.diag(law.covariance))
    assert spread[0] == pytest.approx(0.7, rel=0.2)
    assert spread[3] == pytest.approx(0.3, rel=0.2)
    assert spread[[1, 2, 4, 5]].max() < 0.12
    # What is drawn is moved as much: centres of mass say so, without registration.
    one = np.repeat(base[:1], 4000, axis=0)
    drawn = law.draw(one, rng)
    weight = drawn.sum((1, 2))
    centre = [(drawn * places).sum((1, 2)) / weight for places in np.mgrid[:20, :20]]
    assert np.std(centre, axis=1) == pytest.approx([0.7, 0.3], rel=0.25)


def test_images_that_differ_by_noise_only_are_not_deformed():
    rng = np.random.default_rng(2)
    images = blobs(rng, 1) + rng.normal(0, 0.1, (60, 20, 20))
    law = Deformations(images, np.zeros(60, int), rng)
    # Noise of a tenth of the range is not taken for a move of a tenth of a pixel.
    assert np.sqrt(np.diag(law.covariance)).max() < 0.1


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
    model = ImageRHVAE(1, seed=0, epochs=0)
    model.fit(np.clip(warped(base, moves), 0, 1), np.repeat(np.arange(20), 2))
    place = np.tile(model.latent()[0][:1], (2000, 1))
    drawn = model._drawn(place, np.zeros(2000, int), rng).reshape(-1, 20, 20)
    weight = drawn.sum((1, 2))
    centre = [(drawn * places).sum((1, 2)) / weight for places in np.mgrid[:20, :20]]
    # One latent: what differs is the deformation, to the right and not down.
    assert np.std(centre[1]) > 2 * np.std(centre[0])
