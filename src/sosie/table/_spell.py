"""From values to text, spelt as a column was spelt when it was read."""

import re

import polars as pl

from sosie.table._spelling import Spelling

__all__ = ["spell", "spelling_for"]


def spelling_for(dtype: pl.DataType) -> Spelling:
    """Give the usual spelling of a type that was not read from text.

    Examples
    --------
    >>> spelling_for(pl.Boolean()).content
    'boolean'
    """
    if dtype == pl.Boolean:
        return Spelling(content="boolean")
    if dtype == pl.Date:
        return Spelling(content="date", format="%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        zone = "%:z" if dtype.time_zone else ""
        return Spelling(content="datetime", format=f"%Y-%m-%dT%H:%M:%S%.f{zone}")
    if dtype == pl.Time:
        return Spelling(content="time", format="%H:%M:%S%.f")
    if dtype.is_float():
        return Spelling(content="number", least_decimals=1)
    if dtype.is_integer() or dtype.is_decimal():
        return Spelling(content="number")
    return Spelling()


def spell(values: pl.Series, how: Spelling, decimals: int | None) -> pl.Series:
    """Spell values as text; missing ones stay null.

    Parameters
    ----------
    values : Series
        Typed.
    how : Spelling
        How cells of the column are spelt.
    decimals : int or None
        Decimals that its numbers have at most.

    Returns
    -------
    Series of text

    Examples
    --------
    >>> spell(pl.Series([1.5, 2.0]), Spelling(content="number", decimal=","), 1).to_list()
    ['1,5', '2']
    """
    if how.content == "boolean" and values.dtype == pl.Boolean:
        return (
            pl.select(
                pl.when(values).then(pl.lit(how.true)).when(values.not_()).then(pl.lit(how.false))
            )
            .to_series()
            .alias(values.name)
        )
    if isinstance(values.dtype, pl.Duration):  # a number of the units of its clock
        return values.to_physical().cast(pl.String)
    if how.content in ("date", "datetime", "time") and values.dtype.is_temporal():
        return _spell_dates(values, how)
    if how.content == "number" and values.dtype.is_numeric():
        text = _spell_numbers(values, how, decimals)
        if how.decimal == ",":  # before thousands, whose mark may be a point
            text = text.str.replace(".", ",", literal=True)
        return _grouped(text, how.thousands) if how.thousands else text
    return values.cast(pl.String)


def _spell_dates(values: pl.Series, how: Spelling) -> pl.Series:
    text = values.dt.to_string(how.format)
    if not how.bare_midnight:
        return text
    bare = values.dt.to_string(re.split(r"[T ]%-?H", how.format)[0])
    midnight = values.dt.time() == pl.time(0, 0)
    return pl.select(pl.when(midnight).then(bare).otherwise(text)).to_series().alias(values.name)


def _spell_numbers(values: pl.Series, how: Spelling, decimals: int | None) -> pl.Series:
    if values.dtype.is_integer():
        return values.cast(pl.String)
    if values.dtype.is_decimal():
        return values.cast(pl.String)
    if how.exponent:
        # The way of R and pandas: two digits at least.
        return values.cast(pl.String).str.replace(r"e(-?)(\d)$", "e${1}0${2}")
    if decimals is not None and (how.least_decimals > 1 or _needs_exponent(values, decimals)):
        return _fixed(values, max(decimals, how.least_decimals), how.least_decimals)
    text = values.cast(pl.String)
    return text.str.strip_suffix(".0") if how.least_decimals == 0 else text


def _needs_exponent(values: pl.Series, decimals: int) -> bool:
    """Tell whether some value is so small or large that it would be spelt with an exponent."""
    size = values.abs()
    return (decimals > 3 and bool(((size > 0) & (size < 1e-3)).any())) or bool((size > 1e15).any())


def _fixed(values: pl.Series, decimals: int, least: int) -> pl.Series:
    """Spell with a fixed number of decimals, then drop zeros beyond the least."""
    text = values.cast(pl.Decimal(38, decimals)).cast(pl.String)
    # A decimal has no sign at zero; what was read as -0.00 has one.
    negative = (values == 0) & (1 / values < 0)
    text = text.zip_with(negative.fill_null(False).not_(), "-" + text)
    if decimals == least:
        return text
    trimmed = text.str.replace(rf"0{{1,{decimals - least}}}$", "")
    return trimmed.str.strip_suffix(".")


def _grouped(text: pl.Series, mark: str) -> pl.Series:
    """Put a mark between groups of three digits of the whole part."""
    whole = text.str.extract(r"^([+-]?\d+)")
    rest = text.str.replace(r"^[+-]?\d+", "")
    longest = int(whole.str.len_chars().max() or 0)  # type: ignore[arg-type]
    for _ in range(longest // 3):
        escaped = mark.replace("$", "$$")
        whole = whole.str.replace(
            rf"(\d)(\d{{3}})($|{re.escape(mark)})", f"${{1}}{escaped}${{2}}${{3}}"
        )
    return whole + rest
