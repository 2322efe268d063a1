import numpy as np
import pytest

from sosie.generators.artificial._latent_neighbours import Neighbourhoods


def test_draws_of_a_label_go_where_its_persons_vary_and_not_elsewhere():
    rng = np.random.default_rng(0)
    way = np.array([[3.0, 4.0], [4.0, -3.0]]) / 5
    along = rng.uniform(-1, 1, (400, 1))
    label = np.arange(400) % 2
    mean = along * way[label]
    law = Neighbourhoods(mean, np.full(mean.shape, 0.001), label, np.arange(400))
    for code in (0, 1):
        z = law.draw(code, 3000, rng)
        assert np.std(z @ way[code]) == pytest.approx(1 / np.sqrt(3), rel=0.1)
        assert np.std(z @ way[1 - code]) < 0.01


def test_a_person_is_no_neighbour_of_its_own_copies():
    rng = np.random.default_rng(1)
    # Ten persons far apart, each with five rows at one place: only others can widen them.
    place = rng.normal(0, 10, (10, 3))
    mean, person = np.tile(place, (5, 1)), np.tile(np.arange(10), 5)
    law = Neighbourhoods(mean, np.zeros(mean.shape), np.zeros(50, int), person)
    z = law.draw(0, 500, rng)
    moved = np.abs(z[:, None] - place).max(2).min(1)
    assert (moved > 0.01).mean() > 0.95


def test_persons_are_drawn_to_their_neighbours_as_the_formula_says():
    rng = np.random.default_rng(2)
    # Two persons of one label: all neighbours of each stand at the other's place.
    mean, person = np.tile([[0.0], [2.0]], (5, 1)), np.tile([0, 1], 5)
    law = Neighbourhoods(mean, np.full((10, 1), 0.3), np.zeros(10, int), person)
    z = law.draw(0, 40_000, rng)
    assert z.var() == pytest.approx((2 * np.sqrt(0.75) - 1) ** 2 + 0.3**2, rel=0.03)


def test_a_cloud_is_drawn_about_as_wide_as_it_is_with_its_correlation():
    rng = np.random.default_rng(4)
    mean = rng.multivariate_normal([0, 0, 0], [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 0.1]], 400)
    law = Neighbourhoods(mean, np.zeros((400, 3)), np.zeros(400, int), np.arange(400))
    z = law.draw(0, 20_000, rng)
    assert np.cov(z.T) == pytest.approx(np.cov(mean.T), abs=0.12)
    # Yet what is drawn is not what was given.
    apart = np.sqrt(((z[:300, None] - mean) ** 2).sum(2).min(1))
    assert np.median(apart) > 0.03


@pytest.mark.parametrize(("spread", "taken"), [(0.1, 0.99), (0.6, 0.64), (0.95, 0.25), (3, 0.25)])
def test_posterior_and_kernel_together_are_as_wide_as_the_place(spread, taken):
    rng = np.random.default_rng(5)
    # The last stands apart: its neighbours, half of them at -1 and half at 1, vary by 1.
    mean = np.append(np.tile([[0.0, -1.0], [0.0, 1.0]], (12, 1)), [[100.0, 0.0]], axis=0)
    sigma = np.tile([0.0, spread], (25, 1))
    z = Neighbourhoods(mean, sigma, np.zeros(25, int), np.arange(25)).draw(0, 200_000, rng)
    of_last = z[z[:, 0] > 1]
    assert len(of_last) == pytest.approx(8000, rel=0.1)
    assert of_last[:, 0] == pytest.approx(100 * np.sqrt(1 - taken))
    assert of_last[:, 1].var() == pytest.approx(taken + spread**2, rel=0.08)


def test_a_label_of_one_person_has_its_posterior_alone():
    rng = np.random.default_rng(3)
    law = Neighbourhoods(np.ones((3, 2)), np.full((3, 2), 0.1), np.zeros(3, int), np.zeros(3, int))
    z = law.draw(0, 5000, rng)
    assert z.std(0) == pytest.approx([0.1, 0.1], rel=0.05)
