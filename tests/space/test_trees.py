import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from sosie.space import Tree


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    bins = rng.integers(0, 64, (6, 3000)).astype(np.uint8)
    x = bins.astype(float)
    target = np.where(x[0] > 30, x[1], 20 * (x[2] > 50)) + rng.normal(0, 3, 3000)
    return bins, target


def test_explains_as_much_as_scikit_learn(data):
    bins, target = data
    leaf = Tree(leaf=20).fit(bins, target[:, None]).leaves(bins)
    sums = np.bincount(leaf, target) / np.bincount(leaf)
    theirs = DecisionTreeRegressor(min_samples_leaf=20, random_state=0).fit(bins.T, target)
    ours = ((target - sums[leaf]) ** 2).mean()
    assert ours == pytest.approx(((target - theirs.predict(bins.T)) ** 2).mean(), rel=0.01)


def test_first_cut_is_the_best_of_all(data):
    """Against every cut of every predictor, tried one by one."""
    bins, target = data
    leaf = Tree(leaf=1400).fit(bins, target[:, None]).leaves(bins)
    assert len(set(leaf.tolist())) == 2
    ours = sum(((target[leaf == i] - target[leaf == i].mean()) ** 2).sum() for i in (0, 1))
    best = min(
        ((target[side] - target[side].mean()) ** 2).sum()
        + ((target[~side] - target[~side].mean()) ** 2).sum()
        for row in bins
        for cut in range(63)
        for side in [row <= cut]
        if min(side.sum(), (~side).sum()) >= 1400
    )
    assert ours == pytest.approx(best)


@pytest.mark.parametrize("leaf", [1, 7, 50, 3000])
def test_no_leaf_holds_fewer(data, leaf):
    bins, target = data
    tree = Tree(leaf=leaf).fit(bins, target[:, None])
    counts = np.bincount(tree.leaves(bins), minlength=tree.n_leaves_)
    assert counts.min() >= leaf
    assert counts.sum() == bins.shape[1]


def test_a_constant_target_is_not_split(data):
    bins, _ = data
    assert Tree(leaf=5).fit(bins, np.ones((3000, 2))).n_leaves_ == 1


def test_new_rows_fall_in_known_leaves_whatever_their_number(data):
    bins, target = data
    tree = Tree(leaf=10).fit(bins, target[:, None])
    many = np.tile(bins, 30)  # more than one block
    assert (tree.leaves(many) == np.tile(tree.leaves(bins), 30)).all()
