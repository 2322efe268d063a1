import numpy as np
import pytest

from sosie.evidence._case import Case, Effort
from sosie.evidence._people import Layout, People

LAYOUT = Layout(
    ("age", "sex", "dose", "job", "score", "town", "delay"),
    ("age", "dose", "score", "delay"),
    {
        "sex": ("f", "m"),
        "job": ("none", "part", "full", "retired"),
        "town": tuple("abcdefgh"),
    },
)
QUICK = Effort(1_000, 5_000, 5_000_000, 10, 2, learners=False, repeats=60, resamples=8)


@pytest.fixture(scope="session")
def draw():
    """Persons of one population: related columns, a skewed one, one missing by another."""

    def drawn(n=1_500, seed=0):
        rng = np.random.default_rng([7, seed])
        hidden = rng.normal(size=n)
        age = np.round(50 + 12 * (0.7 * hidden + 0.7 * rng.normal(size=n)))
        dose = np.exp(0.5 * hidden + 0.8 * rng.normal(size=n))
        score = 3 * hidden + rng.normal(size=n)
        delay = np.where(rng.random(n) < 0.7, 0, rng.exponential(5, n))
        score[rng.random(n) < 0.05 + 0.2 * (age > 60)] = np.nan
        sex = (rng.random(n) < 0.5).astype(np.int32)
        job = np.clip(np.floor(1.5 + hidden + 0.6 * rng.normal(size=n)), -1, 3).astype(np.int32)
        town = np.minimum(rng.geometric(0.45, n) - 1, 7).astype(np.int32)
        return People(
            LAYOUT, np.column_stack([age, dose, score, delay]), np.column_stack([sex, job, town])
        )

    return drawn


@pytest.fixture(scope="session")
def shuffled():
    """The same columns, each in an order of its own."""

    def made(people, seed=0):
        rng = np.random.default_rng(seed)
        return People(
            people.layout, rng.permuted(people.numbers, axis=0), rng.permuted(people.codes, axis=0)
        )

    return made


@pytest.fixture(scope="session")
def case():
    def made(original, synthetic, control=None, target=None, effort=QUICK, seed=0):
        return Case(original, synthetic, control, None, (), (), target, effort=effort, seed=seed)

    return made


@pytest.fixture(scope="session")
def numbers():
    """People of numbers only."""

    def made(values):
        names = tuple(f"x{j}" for j in range(values.shape[1]))
        return People(Layout(names, names, {}), values, np.empty((len(values), 0), np.int32))

    return made


@pytest.fixture(scope="session")
def labels():
    """People of labels only."""

    def made(codes, sizes):
        names = tuple(f"c{j}" for j in range(codes.shape[1]))
        levels = {
            n: tuple(f"level {k}" for k in range(s)) for n, s in zip(names, sizes, strict=True)
        }
        return People(Layout(names, (), levels), np.empty((len(codes), 0)), codes.astype(np.int32))

    return made


@pytest.fixture(scope="session")
def frame():
    """People as a pandas frame: labels as text, missing ones as one more."""
    import pandas as pd

    def made(people):
        columns = {}
        for name in people.layout.names:
            values = people.column(name)
            if people.layout.is_number(name):
                columns[name] = values
            else:
                levels = [*people.layout.levels[name], "missing"]
                columns[name] = np.array(levels, dtype=object)[values]
        return pd.DataFrame(columns)

    return made
