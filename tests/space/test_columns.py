import numpy as np
import polars as pl

from sosie.space import Columns
from sosie.table import Table


def table():
    rng = np.random.default_rng(0)
    n = 200
    missed = rng.random(n) < 0.3
    return Table.of(
        pl.DataFrame(
            {
                "x": rng.normal(size=n),
                "visit": rng.normal(size=n),
                "again": rng.normal(size=n),
                "arm": rng.choice(["a", "b"], n),
                "ward": rng.choice(["n", "s", "w"], n),
            }
        ).with_columns(
            pl.when(pl.lit(pl.Series(~missed))).then(pl.col("visit", "again", "arm")).name.keep()
        )
    )


def test_columns_missing_together_share_one_mask():
    columns = Columns.of(table())
    assert len(columns.masks) == 1
    assert columns.mask_of == {"visit": 0, "again": 0, "arm": 0}


def test_arrays_rebuild_the_table():
    original = table()
    assert original.rebuild(Columns.of(original).arrays()).frame.equals(original.frame)


def test_mixed_has_a_level_for_missing_and_a_column_a_mask():
    columns = Columns.of(table())
    mixed = columns.mixed()
    assert mixed.levels == (3, 3, 2)
    missing = columns.masks[0]
    assert (mixed.codes[missing, 0] == 2).all()
    assert (mixed.codes[:, 2] == missing).all()
