"""pandas at the door and back, without pyarrow."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sosie.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_pandas", "ordered_columns", "to_pandas"]


def from_pandas(frame: "pd.DataFrame") -> pl.DataFrame:
    """Turn a pandas frame into a polars one; its index is left behind.

    Raises
    ------
    DataError
        If a column holds things that are no cells.
    """
    columns: dict[str, pl.Series] = {}
    for place in range(frame.shape[1]):
        values = frame.iloc[:, place]
        name = str(frame.columns[place])
        try:
            columns[name] = _to_polars(values)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise DataError(
                f"Column {name!r} mixes values of several types; turn it into text or numbers."
            ) from error
    return pl.DataFrame(columns)


def ordered_columns(frame: "pd.DataFrame") -> frozenset[str]:
    """Name the columns whose categories are in an order."""
    return frozenset(
        str(name)
        for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if getattr(dtype, "ordered", False)
    )


def _to_polars(values: "pd.Series[Any]") -> pl.Series:
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.SparseDtype):
        values = values.astype(dtype.subtype)
        dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(values)
    if isinstance(dtype, pd.DatetimeTZDtype):
        stamps = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        zone = str(dtype.tz)
        instants = pl.Series(stamps, nan_to_null=True).dt.replace_time_zone("UTC")
        try:
            return instants.dt.convert_time_zone(zone)
        except pl.exceptions.PolarsError:
            return instants  # a zone without a name in the tables; to_pandas puts it back
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbmM":
        cells = values.to_numpy()
        if dtype.str.endswith("[s]"):  # polars has no clock of whole seconds
            cells = cells.astype(dtype.str.replace("[s]", "[ms]"))
        return pl.Series(cells, nan_to_null=True)
    if isinstance(dtype, pd.ArrowDtype):
        return pl.Series(pl.from_arrow(values.array.__arrow_array__()))
    if getattr(dtype, "kind", "O") in "iufb" and hasattr(dtype, "numpy_dtype"):
        return _masked(values)
    missing = values.isna().to_numpy()
    objects = [None if gone else cell for cell, gone in zip(values.tolist(), missing, strict=True)]
    return pl.Series(objects, strict=True)


def _masked(values: "pd.Series[Any]") -> pl.Series:
    """Turn pandas' nullable numbers and truth values."""
    numpy_type = values.dtype.numpy_dtype  # type: ignore[union-attr]
    missing = values.isna().to_numpy()
    filled = values.to_numpy(dtype=numpy_type, na_value=numpy_type.type(0))
    return pl.Series(filled).set(pl.Series(missing), None)


def _categories(values: "pd.Series[Any]") -> pl.Series:
    labels = [str(label) for label in values.cat.categories]
    codes = pl.Series(values.cat.codes.to_numpy()).cast(pl.Int64)
    kept = codes.set(codes < 0, None)
    return (
        pl.Series(labels, dtype=pl.Enum(labels)).gather(kept)
        if labels
        else pl.Series([None] * len(values), dtype=pl.String)
    )


def to_pandas(frame: pl.DataFrame, template: "pd.DataFrame") -> "pd.DataFrame":
    """Turn a polars frame into a pandas one of the same types as an earlier one.

    Parameters
    ----------
    frame : polars DataFrame
        Its columns are among those of the template.
    template : pandas DataFrame
        No rows; the names and types to give back.
    """
    import pandas as pd

    places = {str(name): place for place, name in enumerate(template.columns)}
    chosen = [places[name] for name in frame.columns]
    columns = [_from_polars(frame[str(template.columns[p])], template.iloc[:, p]) for p in chosen]
    result = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    result.columns = template.columns[chosen]
    return result


def _from_polars(values: pl.Series, like: "pd.Series[Any]") -> "pd.Series[Any]":
    import pandas as pd

    dtype = like.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        labels = [str(label) for label in dtype.categories]
        codes = values.cast(pl.String).cast(pl.Enum(labels)).to_physical().cast(pl.Int64)
        return pd.Series(pd.Categorical.from_codes(codes.fill_null(-1).to_numpy(), dtype=dtype))
    if isinstance(dtype, pd.DatetimeTZDtype):
        stamps = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        numbers = stamps.dt.cast_time_unit("ns").to_numpy()
        return pd.Series(numbers).dt.tz_localize("UTC").astype(dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        return pd.Series(values.to_numpy()).astype(dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "iufb":
        return pd.Series(values.to_numpy()).astype(dtype)
    if values.dtype.is_numeric() and not values.dtype.is_decimal():
        gone = values.is_null().to_numpy()
        filled = pd.Series(values.fill_null(0).to_numpy())
        filled = filled.astype(dtype)
        return filled.mask(gone) if gone.any() else filled
    return pd.Series(values.to_list(), dtype=dtype)
