"""On which rows use is measured."""

from dataclasses import replace

import numpy as np

from sosie.evidence.utility import Hellinger


def same(one, other):
    return np.array_equal(one.numbers, other.numbers, equal_nan=True)


def test_of_very_many_rows_a_sample_is_measured(draw, case):
    tables = [draw(700, seed) for seed in range(3)]
    whole = case(*tables)
    assert whole.measured().original is whole.original
    few = replace(whole, effort=replace(whole.effort, rows=300), linked=tables[0])
    sample = few.measured()
    drawn = sample.original, sample.synthetic, sample.control
    for table, rows in zip(tables, drawn, strict=True):
        assert len(rows) == 300
        assert set(rows.column("dose")) <= set(table.column("dose"))
    assert sample.linked is None
    assert same(few.measured().original, sample.original)
    assert not same(replace(few, seed=1).measured().original, sample.original)
    assert Hellinger().run(sample)["hellinger_mean"].n == 300
