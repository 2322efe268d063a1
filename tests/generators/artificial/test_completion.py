"""Cells are filled by the model, trained or linear, that fills them better, or by both."""

import numpy as np
import pandas as pd
import pytest

from sosie.generators.artificial import RHVAE
from sosie.generators.artificial._completion import Completion
from sosie.generators.artificial._training import Course


@pytest.fixture(scope="module")
def bent():
    """Give y, the square of x, missing for a third; z tells x."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    whole = pd.DataFrame({"x": x, "y": x**2 + 0.2 * rng.normal(size=300)})
    whole["z"] = x + 0.5 * rng.normal(size=300)
    return whole, rng.random(300) < 0.33


@pytest.fixture(scope="module")
def straight():
    rng = np.random.default_rng(3)
    common = rng.normal(size=(240, 1))
    whole = pd.DataFrame(common + 0.7 * rng.normal(size=(240, 5)), columns=list("abcde"))
    return whole, rng.random(whole.shape) < 0.2


def completion(model):
    return Completion(model._cohort, model._model, model._begun, model._course, 0)


def test_a_bend_is_filled_by_the_trained_model(bent):
    whole, gone = bent
    holed = whole.assign(y=whole["y"].mask(gone))
    model = RHVAE(latent_dim=2, seed=0).fit(holed)
    linear = RHVAE(latent_dim=2, seed=0, epochs=0).fit(holed)
    assert completion(model).courses == [model._course]
    truth = whole["y"][gone]
    errors = [
        np.mean([((frame["y"][gone] - truth) ** 2).mean() for frame in each.impute(6)])
        for each in (model, linear)
    ]
    assert errors[0] < 0.4 * errors[1]


def test_straight_bonds_are_filled_by_the_linear_model_where_training_spoilt_them(straight):
    whole, gone = straight
    begun = RHVAE(latent_dim=1, seed=0, epochs=0).fit(whole.mask(gone))
    begun._course = Course((1e-2, 0.0), 600, 0)  # far beyond where the bound would have stopped it
    linear = Course((1e-2, 0.0), 0, 0)
    assert completion(begun).courses == [linear]
    found = completion(begun).tables(2)
    begun._course = linear
    for ours, theirs in zip(found, completion(begun).tables(2), strict=True):
        assert ours.frame.equals(theirs.frame)  # what was trained has no part in it


def test_pairs_are_filled_by_both_in_turn_where_neither_is_better(straight):
    whole, gone = straight
    model = RHVAE(latent_dim=1, seed=0, epochs=0).fit(whole.mask(gone))
    model._course = Course((3e-4, 3.0), 3, 0)  # hardly begun
    turns, learnt = completion(model), []
    assert turns.courses == [model._course, Course((3e-4, 3.0), 0, 0)]
    again = turns._learnt
    turns._learnt = lambda rows, course, rng: learnt.append(course) or again(rows, course, rng)
    turns.tables(7)
    assert learnt == [*turns.courses, *turns.courses]


def test_the_choice_is_the_same_after_saving(straight, tmp_path):
    whole, gone = straight
    model = RHVAE(latent_dim=2, seed=5, epochs=20).fit(whole.mask(gone))
    model.save(tmp_path / "model")
    read = RHVAE.load(tmp_path / "model")
    for draws in (1, 3):
        for ours, theirs in zip(model.impute(draws), read.impute(draws), strict=True):
            np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())


def test_a_score_of_hidden_cells_is_that_of_their_law():
    """Of a normal law the energy score of the truth is sd times 1 / sqrt(pi) on average [1]_.

    .. [1] T. Gneiting, A. E. Raftery, J. Am. Stat. Assoc. 102 (2007), section 4.2.
    """
    rng = np.random.default_rng(1)
    x = rng.normal(size=900)
    whole = pd.DataFrame({"x": x, "y": 0.8 * x + 0.6 * rng.normal(size=900)})
    model = RHVAE(latent_dim=1, seed=0, epochs=0).fit(
        whole.assign(y=whole["y"].mask(rng.random(900) < 0.3))
    )
    held = np.arange(900)
    hidden = {"y": ~model._cohort.columns.masks[0]}
    score = completion(model)._score(model._model, held, hidden, 0)
    assert score[hidden["y"]].mean() == pytest.approx(0.6 / np.sqrt(np.pi), rel=0.08)
    assert (score[~hidden["y"]] == 0).all()


def test_a_score_of_hidden_levels_is_near_that_of_their_law():
    rng = np.random.default_rng(2)
    middles = np.array([[0, 1.2], [-1, -0.6], [1, -0.6]])  # a triangle: levels without an order
    level = rng.integers(0, 3, 900)
    at = middles[level] + rng.normal(size=(900, 2))
    whole = pd.DataFrame({"x": at[:, 0], "y": at[:, 1], "town": np.array(["p", "q", "r"])[level]})
    model = RHVAE(latent_dim=2, seed=0, epochs=0).fit(
        whole.assign(town=whole["town"].mask(rng.random(900) < 0.3))
    )
    assert model._cohort.coding.nominal == ["town"]
    hidden = {"town": ~model._cohort.columns.masks[0]}
    score = completion(model)._score(model._model, np.arange(900), hidden, 0)[hidden["town"]]
    density = np.exp(-0.5 * ((at[:, None] - middles) ** 2).sum(2))
    law = density / density.sum(axis=1, keepdims=True)
    best = ((1 - (law**2).sum(axis=1)) / 2).mean()  # of Bayes' rule
    assert 0.95 * best < score.mean() < 1.3 * best
    assert score.mean() < 0.8 * (1 - 3 / 9) / 2  # of shares alone
