"""Totals of any kind: parts that are made or filled in add up to them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sosie.generators import Avatar
from sosie.generators.artificial import RHVAE
from sosie.table import Column, Schema, Sum, Table, added_up

RNG = np.random.default_rng(0)
ITEM = RNG.integers(0, 4, (150, 3))
SHARE = np.c_[RNG.integers(10, 50, 150), RNG.integers(10, 40, 150)]


def with_total(parts, total, **schema):
    frame = pl.DataFrame({f"p{j}": part for j, part in enumerate(np.asarray(parts).T)})
    names = frame.columns
    frame = frame.with_columns(t=pl.Series(total), x=pl.Series(RNG.normal(size=len(frame))))
    return Table.of(frame, Schema(sums=[Sum(total="t", parts=names)], **schema)), names


SHARES = np.c_[SHARE, 100 - SHARE.sum(axis=1)]
CASES = {
    "shares": (SHARES, np.full(150, 100)),
    "shares with decimals": (np.round(SHARES / 3, 1), np.round(SHARES / 3, 1).sum(1).round(1)),
    "a score of few values": (ITEM, ITEM.sum(axis=1)),
    "two answers": ((ITEM > 1) * 1, (ITEM > 1).sum(axis=1)),
}


@pytest.mark.parametrize("case", CASES)
def test_parts_that_are_drawn_add_up(case):
    table, names = with_total(*CASES[case])
    for model in (Avatar(k=5, seed=0), RHVAE(latent_dim=1, epochs=2, seed=0)):
        drawn = model.fit_sample(table)
        assert drawn.schema == table.native().schema
        sums = drawn.select(pl.sum_horizontal(pl.col(names).cast(float))).to_series()
        np.testing.assert_allclose(sums, drawn["t"].cast(float), atol=1e-9)
        if case == "shares":
            assert set(drawn["t"]) == {100}
            assert drawn.select(pl.min_horizontal(names).min()).item() >= 0
            assert abs(drawn["p0"].mean() - table.frame["p0"].mean()) < 3


def test_several_missing_parts_of_a_known_total_share_what_the_others_leave():
    table, names = with_total(ITEM * 3, ITEM.sum(axis=1) * 3 + 0)
    holed = table.frame.with_columns(
        pl.when(pl.Series(RNG.random(150) < 0.4)).then(None).otherwise(name).alias(name)
        for name in names
    )
    schema = Schema(sums=[Sum(total="t", parts=names)])
    (filled,) = RHVAE(latent_dim=1, epochs=2, seed=0).fit(Table.of(holed, schema)).impute(1)
    np.testing.assert_array_equal(filled.select(pl.sum_horizontal(names)).to_series(), filled["t"])
    for name in names:
        kept = holed[name].is_not_null()
        assert filled[name].filter(kept).equals(holed[name].filter(kept))


@given(
    parts=st.lists(st.integers(-50, 50), min_size=2, max_size=6),
    total=st.integers(-100, 100),
    chosen=st.integers(0, 63),
)
def test_what_is_free_gives_way_and_nothing_else(parts, total, chosen):
    names = [f"p{j}" for j in range(len(parts))]
    schema = Schema(columns=[Column(name=name, kind="integer") for name in names])
    frame = pl.DataFrame({name: [part] for name, part in zip(names, parts, strict=True)})
    free = np.array([[bool(chosen >> j & 1) for j in range(len(parts))]])
    rule = Sum(total="t", parts=names)
    found = added_up(frame, rule, schema, np.array([float(total)]), free).row(0)
    assert sum(found) == (total if free.any() else sum(parts))
    for now, before, may in zip(found, parts, free[0], strict=True):
        assert may or now == before


def test_the_shares_of_parts_stay():
    frame = pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 2.0], "c": [4.0, None]})
    schema = Schema(columns=[Column(name=name, kind="number") for name in "abc"])
    rule = Sum(total="t", parts=["a", "b", "c"])
    found = added_up(frame, rule, schema, np.array([80.0, 80.0]), np.ones((2, 3), bool))
    assert found.rows() == [(10.0, 30.0, 40.0), (2.0, 2.0, None)]
