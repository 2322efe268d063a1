"""Between the values of a column and codes into its levels."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sosie.table._schema import Level

__all__ = ["codes_of", "values_of"]


def codes_of(values: pl.Series, levels: list[Level]) -> NDArray[np.int32]:
    """Turn values into their places among the levels; -1 where missing.

    Parameters
    ----------
    values : Series
        Text, categories, truth values or numbers.
    levels : list
        Every value is one of them.

    Returns
    -------
    array of int32, shape (n,)

    Examples
    --------
    >>> codes_of(pl.Series(["b", None, "a"]), ["a", "b"]).tolist()
    [1, -1, 0]
    """
    if values.dtype == pl.Boolean and levels == [False, True]:
        codes = values.cast(pl.Int32)
    elif isinstance(values.dtype, pl.Enum) and list(values.dtype.categories) == levels:
        codes = values.to_physical().cast(pl.Int32)
    elif values.dtype in (pl.String, pl.Categorical, pl.Enum):
        labels = [str(level) for level in levels]
        text = values if values.dtype == pl.String else values.cast(pl.String)
        codes = text.cast(pl.Enum(labels)).to_physical().cast(pl.Int32)
    else:
        known = pl.Series(levels).cast(values.dtype)
        places = pl.Series(range(len(levels)), dtype=pl.Int32)
        codes = values.replace_strict(known, places, default=None, return_dtype=pl.Int32)
    return codes.fill_null(-1).to_numpy()


def values_of(codes: NDArray[np.integer], levels: list[Level], dtype: pl.DataType) -> pl.Series:
    """Turn codes back into values of a type; null where the code is below 0.

    Raises
    ------
    polars.exceptions.OutOfBoundsError
        If a code is above the levels.

    Examples
    --------
    >>> values_of(np.array([1, -1, 0]), ["a", "b"], pl.String()).to_list()
    ['b', None, 'a']
    """
    places = pl.Series(codes).cast(pl.Int64)
    places = places.set(places < 0, None)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        known = pl.Series([str(level) for level in levels], dtype=pl.String).cast(dtype)
    else:
        known = pl.Series(levels).cast(dtype)
    return known.gather(places)
