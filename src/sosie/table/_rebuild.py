"""From arrays of numbers and codes to columns of the exact types that came in."""

from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sosie.errors import ParameterError
from sosie.table._kinds import CODED, NUMERIC, Kind
from sosie.table._levels import values_of
from sosie.table._schema import Column, Schema

__all__ = ["before_of", "in_order", "numbers_of", "rebuilt", "spacing_of", "ticks_of"]

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
    # What rounding leaves of -0.004 is 0, not -0.
    return numbers + 0.0


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


def ticks_of(column: Column, dtype: pl.DataType) -> float:
    """Give what makes dates and datetimes, as numbers, comparable: microseconds in their unit.

    Examples
    --------
    >>> ticks_of(Column(name="a", kind="date"), pl.Date())
    86400000000.0
    """
    return float(_DAY) if dtype == pl.Date and column.kind is not Kind.DATETIME else 1.0


def before_of(schema: Schema) -> dict[str, list[str]]:
    """Name, for each column that the order says comes after others, these others.

    Returns
    -------
    dict
        Every column after all of its others. Numbers are not compared with dates; chains
        that contradict each other are followed as far as the first says.

    Examples
    --------
    >>> columns = [Column(name=name, kind="date") for name in "abcd"]
    >>> before_of(Schema(columns=columns, order=[["b", "c", "d"], ["a", "c"]]))
    {'c': ['b', 'a'], 'd': ['b', 'c']}
    """
    times = {
        column.name: column.kind in (Kind.DATE, Kind.DATETIME)
        for column in schema.columns
        if column.kind in NUMERIC
    }
    before: dict[str, dict[str, None]] = {}
    for chain in schema.order:
        for first, second in combinations((name for name in chain if name in times), 2):
            if first != second and times[first] == times[second]:
                before.setdefault(first, {})
                before.setdefault(second, {})[first] = None
    waiting = dict(before)
    placed: dict[str, list[str]] = {}
    while waiting:
        ready = [name for name, others in waiting.items() if not others.keys() & waiting.keys()]
        for name in ready or [next(iter(waiting))]:
            placed[name] = [other for other in before[name] if other in placed]
            del waiting[name]
    return {name: others for name, others in placed.items() if others}


def in_order(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Make the order hold in every row, whatever rounding did.

    Parameters
    ----------
    frame : DataFrame
        Columns as :func:`rebuilt` gives them.
    schema : Schema
        What they mean, and their order.

    Returns
    -------
    DataFrame
        Where a value is below one that comes before it, it is the least value not below that
        its decimals, step and type allow; where its bounds do not, the one before is lowered.

    Examples
    --------
    >>> columns = [Column(name="a", kind="number"), Column(name="b", kind="integer", step=5)]
    >>> frame = pl.DataFrame({"a": [5.5, 4.0], "b": [5, 5]})
    >>> in_order(frame, Schema(columns=columns, order=[["a", "b"]])).rows()
    [(5.5, 10), (4.0, 5)]
    """
    before = before_of(schema)
    used = {*before, *(name for others in before.values() for name in others)}
    columns = {column.name: column for column in schema.columns if column.name in used}
    types = {name: frame.schema[name] for name in columns}
    ticks = {name: ticks_of(column, types[name]) for name, column in columns.items()}
    found = {name: numbers_of(frame[name], c.kind) * ticks[name] for name, c in columns.items()}
    changed: set[str] = set()

    def move(name: str, other: str, broken: NDArray[np.bool_], *, up: bool) -> None:
        if broken.any():
            wanted = found[other][broken] / ticks[name]
            shaped = _beside(wanted, columns[name], types[name], up=up)
            found[name][broken] = shaped * ticks[name]
            changed.add(name)

    for name, others in before.items():
        for other in others:
            move(name, other, found[name] < found[other], up=True)
    for name, others in reversed(before.items()):
        for other in others:
            move(other, name, found[other] > found[name], up=False)
    return frame.with_columns(
        rebuilt(found[name] / ticks[name], columns[name], types[name]) for name in changed
    )


def _beside(
    wanted: NDArray[np.float64], column: Column, dtype: pl.DataType, *, up: bool
) -> NDArray[np.float64]:
    """Give the nearest values a column can have that are not below (or not above) those."""

    def shaped(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        return numbers_of(rebuilt(numbers, column, dtype), column.kind)

    near = shaped(wanted)
    if dtype == pl.Float32 and column.decimals is None and column.step is None:
        further = np.nextafter(near.astype(np.float32), np.float32(np.inf if up else -np.inf))
        beyond = shaped(further.astype(np.float64))
    else:
        gap = spacing_of(column, dtype)
        beyond = shaped(near + (gap if up else -gap))
    return np.where(near < wanted if up else near > wanted, beyond, near)


def spacing_of(column: Column, dtype: pl.DataType) -> float:
    """Tell how far apart the values of a column are; 0 where they can be anything.

    Examples
    --------
    >>> spacing_of(Column(name="a", kind="number", decimals=1), pl.Float64())
    0.1
    """
    gaps = [0.0]
    if column.step is not None:
        gaps.append(column.step * (1e6 if column.kind is Kind.DATETIME else 1))
    if column.kind is not Kind.NUMBER or dtype.is_integer():
        gaps.append(1.0)
    elif column.decimals is not None:
        gaps.append(10.0**-column.decimals)
    if isinstance(dtype, pl.Decimal):
        gaps.append(10.0**-dtype.scale)
    if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ms":
        gaps.append(1000.0)
    return max(gaps)
