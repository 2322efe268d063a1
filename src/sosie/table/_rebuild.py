"""From arrays of numbers and codes to columns of the exact types that came in."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sosie.errors import ParameterError
from sosie.table._kinds import CODED, NUMERIC, Kind
from sosie.table._levels import values_of
from sosie.table._schema import Column

__all__ = ["numbers_of", "rebuilt"]

_DAY = 86_400_000_000  # microseconds


def numbers_of(values: pl.Series, kind: Kind) -> NDArray[np.float64]:
    """Turn a column into float64: dates into days, datetimes into microseconds since 1970.

    Returns
    -------
    array of float64, shape (n,)
        NaN where missing.

    Examples
    --------
    >>> numbers_of(pl.Series([1, None]), Kind.INTEGER).tolist()
    [1.0, nan]
    """
    if values.dtype == pl.Date:
        values = values.to_physical()
        scale = _DAY if kind is Kind.DATETIME else 1
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy() * scale
    if values.dtype == pl.Datetime:
        values = values.dt.epoch("us")
    elif values.dtype.is_temporal():
        values = values.to_physical()
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def rebuilt(array: NDArray[Any], column: Column, dtype: pl.DataType) -> pl.Series:
    """Turn an array back into a column.

    Parameters
    ----------
    array : array, shape (n,)
        Numbers for the kinds that are numeric, codes for those of levels.
    column : Column
        What the column means.
    dtype : polars type
        The type to give back.

    Returns
    -------
    Series
        Rounded to the decimals and steps, within the declared bounds, of the exact type.

    Raises
    ------
    ParameterError
        If the array is of the wrong shape or kind.

    Examples
    --------
    >>> column = Column(name="a", kind="integer")
    >>> rebuilt(np.array([1.4, np.nan]), column, pl.Int8()).to_list()
    [1, None]
    """
    array = np.asarray(array)
    if array.ndim != 1:
        raise ParameterError(f"Column {column.name!r} takes an array of one dimension.")
    if column.kind in CODED or column.kind is Kind.CONSTANT:
        if array.dtype.kind not in "iu":
            raise ParameterError(f"Column {column.name!r} takes whole-number codes of its levels.")
        if len(array) and int(array.max()) >= len(column.levels):
            raise ParameterError(f"Column {column.name!r} takes codes below its number of levels.")
        return values_of(array, column.levels, dtype).alias(column.name)
    if column.kind not in NUMERIC:
        raise ParameterError(f"Column {column.name!r} of kind {column.kind} takes no numbers.")
    numbers = _shaped(np.asarray(array, dtype=np.float64), column, dtype)
    return _typed(numbers, dtype).alias(column.name)


def _shaped(
    numbers: NDArray[np.float64], column: Column, dtype: pl.DataType
) -> NDArray[np.float64]:
    """Respect the step, the decimals and the bounds."""
    unit = 1e6 if column.kind is Kind.DATETIME else 1.0
    if column.step is not None:
        # Dividing by a whole number keeps 0.3 what it is; multiplying 3 by 0.1 does not.
        inverse = 1 / (column.step * unit)
        if inverse > 1 and abs(inverse - round(inverse)) < 1e-9:
            numbers = np.rint(numbers * round(inverse)) / round(inverse)
        else:
            numbers = np.rint(numbers / (column.step * unit)) * (column.step * unit)
    if column.kind is not Kind.NUMBER:
        numbers = np.rint(numbers)
    elif column.decimals is not None:
        numbers = np.round(numbers, column.decimals)
    if column.lower is not None or column.upper is not None:
        numbers = np.clip(
            numbers, _bound(column.lower, column.kind), _bound(column.upper, column.kind)
        )
    if dtype.is_integer():
        lowest, highest = _range(dtype)
        numbers = np.clip(np.rint(numbers), lowest, highest)
    return numbers


def _bound(bound: float | date | None, kind: Kind) -> float | None:
    if bound is None or isinstance(bound, int | float):
        return bound
    if kind is Kind.DATE:
        day = bound.date() if isinstance(bound, datetime) else bound
        return float(day.toordinal() - date(1970, 1, 1).toordinal())
    if not isinstance(bound, datetime):
        bound = datetime(bound.year, bound.month, bound.day, tzinfo=UTC)
    bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
    return bound.timestamp() * 1e6


def _range(dtype: pl.DataType) -> tuple[float, float]:
    """Give the range of an integer type; ends of 64 bits are pulled in to what floats can say."""
    info = np.iinfo(str(pl.Series([], dtype=dtype).to_numpy().dtype))
    if info.bits < 64:
        return float(info.min), float(info.max)
    return float(info.min), float(np.nextafter(float(info.max), 0))


def _typed(numbers: NDArray[np.float64], dtype: pl.DataType) -> pl.Series:
    values = pl.Series(numbers, nan_to_null=True)
    if dtype == pl.Date:
        return values.cast(pl.Int32).cast(pl.Date)
    if isinstance(dtype, pl.Datetime):
        instants = values.cast(pl.Int64).cast(pl.Datetime("us"))
        if dtype.time_zone:
            instants = instants.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)
        return instants.dt.cast_time_unit(dtype.time_unit)
    if dtype.is_temporal():
        return values.cast(pl.Int64).cast(dtype)
    return values.cast(dtype)
