"""Draws of missing cells follow their law, and those of a pair lie on its two sides."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sosie.generators.artificial import RHVAE
from sosie.generators.artificial._filled import filled
from sosie.generators.artificial._impute import _levels
from sosie.table import Column, Schema, Sum


def test_a_pair_of_draws_lies_on_the_two_sides_of_the_law_of_a_cell():
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    whole = pd.DataFrame({"x": x, "y": 0.8 * x + 0.6 * rng.normal(size=400)})
    gone = rng.random(400) < 0.4
    model = RHVAE(seed=0, epochs=0).fit(whole.assign(y=whole["y"].mask(gone)))
    first, second, third = (frame["y"][gone].to_numpy() for frame in model.impute(3))
    middle = 0.8 * x[gone]  # of y given x, as it was made
    for drawn in (first, second, third):  # each a draw, and none a mean
        assert (drawn - middle).std() == pytest.approx(0.6, abs=0.09)
        assert (drawn - middle).mean() == pytest.approx(0, abs=0.25)
    assert np.corrcoef(first - middle, second - middle)[0, 1] < -0.75
    assert abs(np.corrcoef(first - middle, third - middle)[0, 1]) < 0.25  # of another pair
    # Half of two independent draws would leave 0.42.
    assert ((first + second) / 2 - middle).std() < 0.2


def test_levels_of_a_pair_have_their_shares_and_differ():
    shares = np.array([0.5, 0.3, 0.2])
    logits = np.tile(np.log(shares), (20_000, 1))
    pair = [_levels(logits, sign, np.random.default_rng(1)) for sign in (1, -1)]
    for drawn in pair:
        np.testing.assert_allclose(np.bincount(drawn) / len(drawn), shares, atol=0.015)
    assert np.corrcoef(*pair)[0, 1] < -0.7


def test_a_part_of_which_nothing_is_left_is_zero_without_a_sign():
    columns = [Column(name=name, kind="number", decimals=1) for name in ("a", "b", "c", "all")]
    rule = Sum(total="all", parts=["a", "b", "c"])
    known = pl.DataFrame({"a": [0.1], "b": [0.2], "c": [None], "all": [0.3]})
    drawn = pl.DataFrame({"a": [9.0], "b": [9.0], "c": [9.0], "all": [9.0]})
    known = known.with_columns(pl.col("c").cast(pl.Float64))
    whole = filled(known, drawn, Schema(columns=columns, sums=[rule]))
    assert whole.write_csv(include_header=False) == "0.1,0.2,0.0,0.3\n"
