"""Conditions on rows, as the command line spells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError

if TYPE_CHECKING:
    from sosie.table import Spelling, Table

__all__ = ["conditions"]

_SIGN = re.compile(r">=|<=|=")
_COMMA = re.compile(r"(\d),(\d)")
"""A decimal comma, also where the file has points."""


def conditions(table: Table, spelt: list[str]) -> dict[str, Any]:
    """Read ``COL=VALUE``, ``COL=LOW..HIGH``, ``COL>=LOW`` and ``COL<=HIGH``.

    Ends are within the range; either may be left open, and two conditions on a column make
    one range. Values are spelt as in the file, or as Python does; decimals follow a point or a
    comma. A name may hold a sign too: the first after which it is a column is meant.

    Raises
    ------
    ParameterError
        If one is not so spelt, or a column is given two values.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.table import Table
    >>> table = Table.of(pl.DataFrame({"age": [41.5, 52.0, 60.5], "sex": ["f", "m", "f"]}))
    >>> conditions(table, ["sex=f", "age=40..50"])
    {'sex': 'f', 'age': ('40', '50')}
    >>> conditions(table, ["age>=41,5"])
    {'age': ('41.5', None)}
    """
    from sosie.table import NUMERIC

    found: dict[str, Any] = {}
    for one in spelt:
        name, sign, value = _parted(one, table.names)
        if not (name and sign and value):
            raise ParameterError(
                f"--where {one}: give a column and what it is to be, as in sex=f, age=40..60, "
                "age>=40 or age<=60."
            )
        numeric = name in table.schema and table.schema[name].kind in NUMERIC
        how = table.spelling(name)
        low, dots, high = value.partition("..")
        if sign != "=" and name in table.schema and not numeric:
            raise ParameterError(f"--where {one}: column {name!r} holds no numbers; use =.")
        if sign == "=" and numeric and dots:
            asked: Any = tuple(_plain(end, how, numeric) or None for end in (low, high))
        else:
            asked = _plain(value, how, numeric)
        if sign == ">=":
            asked = (asked, None)
        elif sign == "<=":
            asked = (None, asked)
        found[name] = _both(name, found[name], asked) if name in found else asked
    return found


def _plain(text: str, how: Spelling | None, numeric: bool) -> str:
    text = how.plain(text.strip()) if how else text.strip()
    return _COMMA.sub(r"\1.\2", text) if numeric else text


def _parted(one: str, names: list[str]) -> tuple[str, str, str]:
    meant = {name.strip(): name for name in names} | {name: name for name in names}
    parts = []
    for sign in _SIGN.finditer(one):
        name = one[: sign.start()].strip()
        parts.append((meant.get(name, name), sign[0], one[sign.end() :].strip()))
    known = [part for part in parts if part[0] in names]
    return (known or parts or [("", "", "")])[0]


def _both(name: str, one: Any, other: Any) -> Any:
    ranges = isinstance(one, tuple) and isinstance(other, tuple)
    if not ranges or any(a is not None and b is not None for a, b in zip(one, other, strict=True)):
        raise ParameterError(
            f"--where gives column {name!r} twice; give one value, or one range as in age=40..60."
        )
    return tuple(a if b is None else b for a, b in zip(one, other, strict=True))
