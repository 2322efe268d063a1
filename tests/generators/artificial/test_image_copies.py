import numpy as np
from sklearn.datasets import load_digits

from sosie.generators.artificial._image_copies import Copies
from sosie.generators.artificial._image_networks import uncut


def test_copies_are_as_black_as_the_originals():
    data = load_digits(n_class=5)
    images, label = data.images[:200] / 16, data.target[:200]
    copies = Copies.of(images, label, np.random.default_rng(0))
    made = copies.pixels[200:]
    # Between black and white there is grey: moved as they are, a third of the black would be lost.
    assert abs((made <= 0).mean() - (images == 0).mean()) < 0.02
    same = np.abs(made.reshape(-1, 200, 64).mean(0) - images.reshape(200, 64))
    assert 0.005 < same.mean() < 0.1


def test_what_was_cut_is_told_by_what_goes_with_it():
    rng = np.random.default_rng(1)
    level = rng.normal(0.15, 0.2, (600, 1))
    true = level + rng.normal(0, 0.05, (600, 20)) * np.ones(20)
    true[:, 10:] += 0.4  # seen where the others are black
    found = uncut(np.clip(true, 0, 1), np.zeros(600, int), 1)
    cut = true[:, :10] < -0.05
    # Of a pixel that is cut, the others tell how far: much better than that it was cut alone.
    was, told = true[:, :10][cut], found[:, :10][cut]
    assert np.corrcoef(told, was)[0, 1] > 0.7
    assert np.abs(told - was).mean() < 0.7 * np.abs(was).mean()


def test_copies_are_fewer_of_more_images_and_the_originals_come_first():
    rng = np.random.default_rng(5)
    for n, each in ((50, 20), (1024, 8), (3000, 2)):
        images = rng.random((n, 8, 8))
        copies = Copies.of(images, np.arange(n) % 7, rng)
        assert (copies.n, copies.each) == (n, each)
        assert np.allclose(copies.pixels[:n], images.reshape(n, -1))
        assert copies.pixels.min() >= 0
        assert copies.pixels.max() <= 1
        # A copy is nearer to its own image than to others.
        one = copies.pixels[n + 3]
        assert copies.person[n + 3] == np.argmin(((copies.pixels[:n] - one) ** 2).sum(1)) == 3
