"""What each kernel promises by its formula."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from sosie.generators import Avatar, Published, Rotation
from sosie.generators._kernel import Setting
from sosie.generators._moments import calibrated
from sosie.generators._rotation import rotations
from sosie.space import Columns
from sosie.table import Table


@pytest.fixture(scope="module")
def trial():
    """ACTG175, 2,139 patients, as lifelines ships it."""
    path = next(p for p in files("lifelines.datasets").iterdir() if "actg175" in p.name.lower())
    frame = pd.read_csv(path)
    return frame.drop(columns=[c for c in frame if c.startswith("Unnamed") or c == "pidnum"])


# sd of the published avatars over that of the persons, from the file of the paper.
PUBLISHED_RATIOS = {
    "age": 0.66, "wtkg": 0.67, "preanti": 0.84, "cd40": 0.74,
    "cd420": 0.80, "cd80": 0.68, "cd820": 0.67, "days": 0.87,
}  # fmt: skip


# Share of cells that differ from the person's own, from the same file.
PUBLISHED_CHANGED = {"hemo": 0.108, "homo": 0.108, "drugs": 0.199, "karnof": 0.483, "z30": 0.063}


def hiding(trial, linked):
    """Hidden rate and local cloaking in 5 factors, by a dense SVD of the definition."""
    persons, avatars = [], []
    for name in trial:
        if name in [*PUBLISHED_RATIOS, "cd496"]:
            mean, sd = trial[name].mean(), trial[name].std(ddof=0)
            persons.append(((trial[name].fillna(mean) - mean) / sd).to_numpy())
            avatars.append(((linked[name].fillna(mean) - mean) / sd).to_numpy())
            continue
        for level in trial[name].unique():
            share = (trial[name] == level).mean()
            persons.append(((trial[name] == level) - share).to_numpy() / np.sqrt(share))
            avatars.append(((linked[name] == level) - share).to_numpy() / np.sqrt(share))
    axes = np.linalg.svd(np.column_stack(persons), full_matrices=False)[2][:5].T
    gaps = cdist(np.column_stack(persons) @ axes, np.column_stack(avatars) @ axes)
    own = np.diag(gaps)[:, None]
    return (gaps.argmin(axis=1) != np.arange(len(trial))).mean(), np.median((gaps < own).sum(1))


def test_published_kernel_agrees_with_the_published_file(trial):
    """Guillaudeux et al. 2023, ACTG175, k = 20, 5 factors.

    By the same code their linked file has hidden rate .938 and local cloaking 11.
    """
    seeds = range(4)
    found = [
        Avatar(k=20, n_factors=5, kernel="published", seed=seed).fit(trial).sample(linked=True)
        for seed in seeds
    ]
    hidden, cloaking = np.mean([hiding(trial, linked) for linked in found], axis=0)
    assert hidden == pytest.approx(0.938, abs=0.012)
    assert cloaking == pytest.approx(11, abs=2)
    for name, ratio in PUBLISHED_RATIOS.items():
        ours = np.mean([linked[name].std() / trial[name].std() for linked in found])
        assert ours == pytest.approx(ratio, abs=0.05), name
    for name, changed in PUBLISHED_CHANGED.items():
        ours = np.mean([(linked[name] != trial[name]).mean() for linked in found])
        assert ours == pytest.approx(changed, abs=0.02), name


def test_published_weights_rest_on_three_neighbours_whatever_k():
    """1 / sum of squared weights is about 2.7: why the published avatars leak."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 6)), columns=list("abcdef"))
    columns = Columns.of(Table.of(frame))
    # Weights are linear in the values: with indicators for values they come out by themselves.
    marks = {str(i): np.eye(400)[i] for i in range(400)}
    for k in (20, 100):
        kernel = Published().fit(columns, Setting(k, 5), rng)
        kernel._columns = replace(columns, numbers=marks)
        weights = np.stack(list(kernel.draw(rng).numbers.values()))
        np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-4)
        assert (1 / (weights**2).sum(axis=0)).mean() == pytest.approx(2.7, abs=0.35)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 25), st.integers(0, 1000))
def test_rotations_are_orthogonal_and_leave_the_mean(m, seed):
    turns = rotations(3, m, np.random.default_rng(seed)).astype(float)
    for turn in turns:
        np.testing.assert_allclose(turn @ turn.T, np.eye(m), atol=2e-5)
        np.testing.assert_allclose(turn.sum(axis=1), 1, atol=2e-5)


def test_rotations_are_uniform():
    """Haar measure on the complement of the mean: entries have mean 1/m, known variance."""
    m = 6
    turns = rotations(20_000, m, np.random.default_rng(0))
    np.testing.assert_allclose(turns.mean(axis=0), 1 / m, atol=0.01)
    # E[(Q_ij - 1/m)^2] = (1 - 1/m)^2 / (m - 1) for the projected Haar matrix.
    np.testing.assert_allclose(turns.var(axis=0), (1 - 1 / m) ** 2 / (m - 1), atol=0.01)


def test_rotation_keeps_mean_and_covariance_exactly_before_margins(cancer):
    numbers = cancer.drop(columns="target").astype(float)
    columns = Columns.of(Table.of(numbers))
    rng = np.random.default_rng(0)
    kernel = Rotation().fit(columns, Setting(10, 5), rng)
    kernel._margins = {}  # what ranks restore is not exact
    drawn = pd.DataFrame(kernel.draw(rng).numbers)
    np.testing.assert_allclose(drawn.mean(), numbers.mean(), rtol=1e-5)
    np.testing.assert_allclose(drawn.corr(), numbers.corr(), atol=1e-4)


def test_nobody_gets_their_own_unique_level():
    """One person alone has the level: their avatar never does, someone else's may."""
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n)})
    frame["ward"] = np.where(rng.random(n) < 0.5, "north", "south")
    frame.loc[17, "ward"] = "rare"
    elsewhere = 0
    for seed in range(30):
        linked = Avatar(seed=seed).fit(frame).sample(linked=True)
        assert linked.loc[17, "ward"] != "rare"
        elsewhere += (linked["ward"] == "rare").sum()
    assert elsewhere > 5


def test_calibration_reaches_moments_that_chance_misses():
    """Bernoulli draws of known law: the tilt must remove the noise, not move the law."""
    rng = np.random.default_rng(0)
    n = 2000
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 3))]).astype(np.float32)
    p = (1 / (1 + np.exp(-x @ [0.2, 1, 0, -1]))).astype(np.float32)

    def outputs(chance):
        return (chance > 1 - p).astype(np.float32)[:, None]

    wanted = (x.T @ p[:, None] / n).astype(np.float32)
    chance = rng.random(n, dtype=np.float32)
    tilted = calibrated(chance, outputs, x, np.arange(n), wanted)
    before = np.abs(wanted - x.T @ outputs(chance) / n).max()
    after = np.abs(wanted - x.T @ outputs(tilted) / n).max()
    assert after < before / 4
    changed = (outputs(chance) != outputs(tilted)).mean()
    assert 0 < changed < 0.1
