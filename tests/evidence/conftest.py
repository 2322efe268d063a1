import numpy as np
import pytest

from sosie.evidence._case import EFFORTS, Case
from sosie.evidence._people import Layout, People


def people(numbers, codes, levels=3):
    """Persons with numbers x0, x1... and labels c0, c1..."""
    numbers, codes = np.asarray(numbers, float), np.asarray(codes, np.int32)
    names = [f"x{j}" for j in range(numbers.shape[1])]
    labels = {f"c{j}": tuple(map(str, range(levels))) for j in range(codes.shape[1])}
    return People(Layout((*names, *labels), tuple(names), labels), numbers, codes)


def population(n, rng, numbers=4, labels=3):
    """Independent persons: correlated numbers with a few far away, labels that depend on them."""
    common = rng.normal(size=(n, 1))
    x = 0.7 * common + rng.normal(size=(n, numbers))
    x[rng.random(n) < 0.05] *= 3
    chance = 1 / (1 + np.exp(-common))
    return people(
        x, (rng.random((n, labels)) < chance).astype(int) + (rng.random((n, labels)) < 0.1)
    )


def case_of(original, synthetic, control, effort="quick", **settings):
    names = original.layout.names
    return Case(
        original,
        synthetic,
        control,
        settings.pop("linked", None),
        names,
        names,
        effort=EFFORTS[effort],
        **settings,
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)
