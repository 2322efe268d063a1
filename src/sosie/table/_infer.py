"""What a column means, told from its values.

The rules, the first that applies:

- one value and nothing missing: constant;
- true and false: boolean (yes and no, oui and non are a category of two labels);
- ordered categories of pandas or Arrow: ordinal; other categories and Enums: category;
- dates, datetimes;
- identifiers: see :mod:`sosie.table._identifiers`;
- numbers of at most 10 distinct values with 5 rows each on average: category;
- whole numbers named as codes (`admission_source_id`, `code_postal`) of at most
  `max_levels` values with 5 rows each on average: category;
- whole numbers, also those stored as 660.0 because some are missing: integer; number;
- labels longer than 60 characters on average, or more than 20 and on fewer than two rows
  each on average: text; intervals (`[0-10)`, `20-50`, `>50`): ordinal; else category.
"""

import polars as pl

from sosie.errors import SchemaError
from sosie.table._identifiers import why_identifier
from sosie.table._intervals import intervals_in_order
from sosie.table._kinds import CODED, Kind
from sosie.table._missing import code_of_missing
from sosie.table._names import is_named_like_code
from sosie.table._numbers import decimals_of, step_of
from sosie.table._numerals import no_numerals
from sosie.table._places import Places
from sosie.table._schema import Column, Level

__all__ = ["describe"]

_FEW_VALUES = 10
_ROWS_A_VALUE = 5
_LONG_LABEL = 60


def describe(
    values: pl.Series,
    declared: Column | None,
    *,
    ordered: bool,
    max_levels: int,
    places: Places,
) -> Column:
    """Describe a column: what the user declared, then what its values say.

    Parameters
    ----------
    values : Series
        The column, typed; null where missing.
    declared : Column or None
        What the user says of it; wins over what is inferred.
    ordered : bool
        Whether its categories are in an order.
    max_levels : int
        Labels that a category has at most.
    places : Places
        For messages.

    Returns
    -------
    Column

    Raises
    ------
    SchemaError
        If the values cannot be of the kind declared.

    Examples
    --------
    >>> options = {"ordered": False, "max_levels": 200, "places": Places("t")}
    >>> describe(pl.Series("x", [1, 2] * 9), None, **options).kind
    <Kind.CATEGORY: 'category'>
    """
    present = values.drop_nulls()
    n_distinct = present.n_unique()
    if declared is None:
        kind, remark = _kind(values, present, n_distinct, ordered=ordered, max_levels=max_levels)
    else:
        kind, remark = declared.kind, declared.remark
        _check_kind(present, kind, places)
        if kind in (Kind.NUMBER, Kind.INTEGER) and not remark and present.dtype.is_numeric():
            remark = _odd_code(present)
    column = Column(name=values.name, kind=kind, remark=remark)
    column = column.model_copy(update=_details(present, kind, n_distinct, max_levels))
    if declared is None:
        return column
    said = {name: getattr(declared, name) for name in declared.model_fields_set if name != "remark"}
    column = column.model_copy(update=said)
    if kind in CODED and declared.levels:
        _check_levels(present, column, places)
    return column


def _kind(
    values: pl.Series, present: pl.Series, n_distinct: int, *, ordered: bool, max_levels: int
) -> tuple[Kind, str]:
    n = len(present)
    dtype = values.dtype
    if n_distinct == 1 and n == len(values):
        return Kind.CONSTANT, "the same value on every row"
    if n_distinct == 1 and not dtype.is_temporal():
        return Kind.CATEGORY, "one value, or missing"
    if dtype == pl.Boolean:
        return Kind.BOOLEAN, ""
    if dtype in (pl.Categorical, pl.Enum):
        return (Kind.ORDINAL, "ordered categories") if ordered else (Kind.CATEGORY, "categories")
    if dtype == pl.Date:
        return Kind.DATE, ""
    if dtype == pl.Datetime:
        return Kind.DATETIME, ""
    if why := why_identifier(present, n_distinct, max_levels):
        return Kind.IDENTIFIER, why
    if dtype == pl.String:
        return _kind_of_labels(present, n_distinct, max_levels)
    return _kind_of_numbers(present, n_distinct, max_levels)


def _kind_of_numbers(present: pl.Series, n_distinct: int, max_levels: int) -> tuple[Kind, str]:
    if present.dtype.is_temporal():
        return Kind.INTEGER, "a time or a duration, in units of its clock"
    if n_distinct <= _FEW_VALUES and n_distinct * _ROWS_A_VALUE <= len(present):
        each = f"on {_ROWS_A_VALUE} rows each or more on average"
        return Kind.CATEGORY, f"{n_distinct} distinct numbers, {each}"
    whole = present.dtype.is_integer()
    few = n_distinct <= max_levels and n_distinct * _ROWS_A_VALUE <= len(present)
    if whole and few and is_named_like_code(present.name):
        return Kind.CATEGORY, "a code by its name"
    odd = _odd_code(present)
    if whole:
        return Kind.INTEGER, odd
    if not present.dtype.is_decimal() and decimals_of(present) == 0:
        return Kind.INTEGER, odd or "whole numbers stored with decimals"
    return Kind.NUMBER, odd


def _odd_code(present: pl.Series) -> str:
    code = code_of_missing(present)
    if code is None:
        return ""
    return f"{code:g} is apart from all others: --missing {code:g} if it means none"


def _kind_of_labels(present: pl.Series, n_distinct: int, max_levels: int) -> tuple[Kind, str]:
    n = len(present)
    if float(present.str.len_chars().mean() or 0) > _LONG_LABEL:  # type: ignore[arg-type]
        return Kind.TEXT, "long texts"
    if 2 * n_distinct > n and n_distinct > 20:
        return Kind.TEXT, f"{n_distinct} labels on {n} rows"
    if n_distinct > _FEW_VALUES and 0 < (odd := int(no_numerals(present).sum())) <= n // 2:
        told = f"numbers but for {odd} of {n} cells: labels; --missing their spelling"
        return Kind.CATEGORY, f"{told} if it means none"
    if n_distinct > max_levels:
        return Kind.CATEGORY, f"{n_distinct} labels, more than {max_levels}: to be grouped"
    if n_distinct > 2 and intervals_in_order(present.unique().to_list()):
        return Kind.ORDINAL, "intervals"
    alike = present.unique().str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    differ = alike.n_unique() < n_distinct
    return Kind.CATEGORY, "some labels differ by capitals or spaces only" if differ else ""


def _details(present: pl.Series, kind: Kind, n_distinct: int, max_levels: int) -> dict[str, object]:
    """Find the fields that go with a kind."""
    if kind in CODED or kind is Kind.CONSTANT:
        return {"levels": _levels(present, kind, n_distinct, max_levels)}
    if kind in (Kind.NUMBER, Kind.INTEGER) and present.dtype.is_numeric():
        if present.dtype.is_decimal():
            present = present.cast(pl.Float64)
        decimals = 0 if present.dtype.is_integer() else decimals_of(present)
        return {"decimals": decimals, "step": step_of(present, decimals)}
    if kind is Kind.INTEGER and isinstance(present.dtype, pl.Duration | pl.Time):
        unit = getattr(present.dtype, "time_unit", "ns")
        second = {"ns": 10**9, "us": 10**6, "ms": 10**3}[unit]
        step = _clock_step(present.to_physical(), second)
        return {} if step is None else {"step": step * second}
    if kind is Kind.DATETIME and isinstance(present.dtype, pl.Datetime):
        step = _clock_step(present.dt.epoch("us"), 10**6)
        return {"time_zone": present.dtype.time_zone, "step": step}
    return {}


def _levels(present: pl.Series, kind: Kind, n_distinct: int, max_levels: int) -> list[Level]:
    if kind is Kind.BOOLEAN and present.dtype == pl.Boolean:
        return [False, True]
    if present.dtype.is_temporal() or n_distinct > max_levels:
        return []
    distinct = present.unique()
    if present.dtype in (pl.Categorical, pl.Enum):
        if present.dtype == pl.Enum:
            distinct = distinct.gather(distinct.to_physical().arg_sort())
            return list(distinct.cast(pl.String))
        return list(distinct.cast(pl.String).sort())
    if present.dtype.is_decimal():
        distinct = distinct.cast(pl.Float64)
    labels = list(distinct.sort())
    if kind is Kind.ORDINAL and present.dtype == pl.String:
        return list(intervals_in_order(labels) or labels)
    return labels


def _clock_step(clock: pl.Series, second: int) -> float | None:
    """Find the coarsest of day, hour, minute and second that all ticks of a clock fall on."""
    for seconds in (86400, 3600, 60, 1):
        if (clock % (seconds * second) == 0).all():
            return float(seconds)
    return None


def _check_kind(present: pl.Series, kind: Kind, places: Places) -> None:
    dtype = present.dtype
    possible = {
        Kind.NUMBER: dtype.is_numeric() or dtype.is_temporal(),
        Kind.INTEGER: dtype.is_numeric() or dtype.is_temporal(),
        Kind.DATE: dtype == pl.Date,
        Kind.DATETIME: dtype == pl.Datetime,
        Kind.BOOLEAN: present.n_unique() <= 2,
        Kind.CATEGORY: not dtype.is_temporal(),
        Kind.ORDINAL: not dtype.is_temporal(),
        Kind.CONSTANT: present.n_unique() == 1,
    }
    if not possible.get(kind, True):
        raise SchemaError(
            f"{places.column(present.name)}: its values ({dtype}) cannot be of kind {kind}; "
            "set another kind in the schema."
        )
    if kind is Kind.INTEGER and dtype.is_float():
        broken = present != present.round(0)
        if broken.any():
            raise SchemaError(
                f"{places.column(present.name)}: {int(broken.sum())} values are not whole though "
                'the schema says integer; set kind = "number".'
            )


def _check_levels(present: pl.Series, column: Column, places: Places) -> None:
    texts = {str(level) for level in column.levels}
    unknown = sum(str(level) not in texts for level in present.unique())
    if unknown:
        raise SchemaError(
            f"{places.column(column.name)}: {unknown} of its labels are not among the levels of "
            "the schema; add them, or leave levels out to have them found."
        )
