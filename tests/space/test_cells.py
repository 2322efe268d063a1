import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.space import cells


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 4), st.integers(1, 30), st.integers(0, 5))
def test_cells_are_a_partition_of_the_right_sizes(n, d, size, seed):
    size = min(size, n)
    rng = np.random.default_rng(seed)
    coordinates = rng.integers(0, 5, (n, d)).astype(np.float32)
    found = cells(coordinates, size, rng)
    assert sorted(np.concatenate([c.ravel() for c in found]).tolist()) == list(range(n))
    sizes = {c.shape[1] for c in found}
    assert min(sizes) >= size
    assert max(sizes) <= 2 * size
    assert max(sizes) - min(sizes) <= 1


def test_cells_hold_near_rows():
    rng = np.random.default_rng(0)
    coordinates = rng.normal(size=(4096, 2)).astype(np.float32)
    inside = np.concatenate(
        [coordinates[c].var(axis=1).sum(axis=1) for c in cells(coordinates, 16, rng)]
    )
    # 256 cells in the plane: a cell has about 1/256 of the area, so of the variance.
    assert inside.mean() < 10 * coordinates.var(axis=0).sum() / 256


def test_one_far_row_does_not_blur_the_others():
    rng = np.random.default_rng(0)
    line = np.r_[np.linspace(0, 1, 64), 1e9].astype(np.float32)[:, None]
    widths = [np.ptp(line[c, 0], axis=1) for c in cells(line, 8, rng)]
    assert np.median(np.concatenate(widths)) == pytest.approx(1 / 8, rel=0.3)
