"""Columns that say the same of everybody."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sosie.insitu import Snapshot
from sosie.insitu._alike import alike_in
from sosie.insitu.node._frozen import Frozen
from sosie.insitu.node._spelt import snapshot_in, spelt_snapshot
from sosie.table import Table


def found(**columns):
    return alike_in(Table.of(pl.DataFrame(columns)), columns)


@given(st.lists(st.integers(-1000, 1000), min_size=3, unique=True), st.randoms())
def test_numbers_in_one_order_or_its_reverse(values, random):
    """What rises or falls with a column says the same; what is shuffled does not."""
    x = np.array(values * 2, float)
    same = {"x": x, "times": 3.5 * x + 1, "minus": -x, "cube": x**3}
    assert found(**same) == dict.fromkeys(same, "cube")
    places = random.sample(range(len(x)), len(x))
    other = x[places]
    is_same = len({(a, b) for a, b in zip(x, other, strict=True)}) == len(values)
    if not is_same:
        assert found(x=x, other=other) == {}


def test_labels_and_numbers_of_few_values_in_any_order():
    codes = np.arange(30) % 3
    words = np.array(["un", "deux", "trois"])[codes]
    mixed = np.array([5.0, 1.0, 9.0])[codes]
    assert found(words=words, mixed=mixed) == {"mixed": "mixed", "words": "mixed"}
    assert found(words=words, mixed=np.where(codes == 2, 5.0, mixed)) == {}


def test_who_is_missing_counts():
    x = np.arange(60.0)
    gone = np.where(x < 5, np.nan, x)
    assert found(x=pl.Series(x), gone=pl.Series(gone, nan_to_null=True)) == {}


def test_a_process_of_a_task_is_told():
    """It has the columns of its question alone, and knows what they are called by."""
    x = np.arange(60.0)
    table = Table.of(pl.DataFrame({"age": x, "born": 2000 - x, "z": np.sin(x)}))
    whole = Snapshot.of(table, ["age", "born", "z"])
    said, data = Frozen.of(*spelt_snapshot(whole)).spelt(["born", "z"], start=8)
    told = snapshot_in(said, bytes(8) + data)
    assert told.alike == {"born": "age"}
    assert np.array_equal(told.numbers("born"), 2000 - x)
    assert np.array_equal(told.numbers("z"), np.sin(x))
    assert "age" not in told.schema
