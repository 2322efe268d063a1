"""The filter is stricter where a model knows the persons too well, and only there."""

import numpy as np
import polars as pl
import pytest

from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._filter import TOO_NEAR, Filter
from sosie.generators.artificial._nearness import strictness
from sosie.table import Table


def _cohort(n, p, **more):
    rng = np.random.default_rng(1)
    values = (rng.normal(size=(n, 1)) + rng.normal(size=(n, p))).round(6)
    frame = pl.DataFrame({f"x{j}": values[:, j] for j in range(p)} | more)
    return Cohort(Table.of(frame), None)


@pytest.mark.parametrize(
    ("n", "p", "least", "most"),
    [(600, 3, TOO_NEAR, TOO_NEAR), (100, 8, 0.1, 0.2), (40, 12, 0.3, 0.4)],
)
def test_few_persons_of_many_columns_ask_for_more(n, p, least, most):
    found = strictness(_cohort(n, p), 2, 0.8, np.random.default_rng(0))
    assert least <= found <= most


def test_a_number_hardly_known_leaves_it_as_it_is():
    rare = pl.Series([*np.arange(12) + 0.5, *[None] * 28])
    cohort = _cohort(40, 12, rare=rare)
    assert strictness(cohort, 2, 0.8, np.random.default_rng(0)) == TOO_NEAR


def test_persons_stand_where_they_stand():
    cohort = _cohort(50, 3, arm=np.array(["a", "b", "c"])[np.arange(50) % 3])
    similar = Filter(cohort.coding, cohort.coded, cohort.columns)
    for one, other in zip(similar.told(cohort.columns), similar.persons, strict=True):
        for told, held in zip(one, other, strict=True):
            np.testing.assert_array_equal(told, held)
