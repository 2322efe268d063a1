"""Columns as an analysis sees them: numbers, or categories."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import Layout, People

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["codes", "holds_numbers", "levels", "numbers", "spelt"]

_MOST_LEVELS = 50
"""Distinct numbers of a column beyond which it makes no groups."""

_MICROSECONDS_A_DAY = 86_400e6
_LAST_DAY = 1e7
"""No day is so many days from 1970; what is beyond counts microseconds."""

_TRUTH = {"false": 0.0, "true": 1.0}


def spelt(level: object) -> str:
    """Spell a label as layouts do.

    Examples
    --------
    >>> spelt(1.0), spelt(True), spelt("stage II")
    ('1', 'true', 'stage II')
    """
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)


def holds_numbers(layout: Layout, name: str) -> bool:
    """Tell whether a column can be computed with.

    So can labels that are all numbers (0, 1, 2) or all true or false; not codes with leading
    zeros.

    Examples
    --------
    >>> from sosie.evidence._people import Layout
    >>> layout = Layout(("arm", "dept"), (), {"arm": ("0", "1"), "dept": ("01", "2A")})
    >>> holds_numbers(layout, "arm"), holds_numbers(layout, "dept")
    (True, False)
    """
    return layout.is_number(name) or all(
        _number(level) is not None for level in layout.levels[name]
    )


def _number(label: str) -> float | None:
    if label.lower() in _TRUTH:
        return _TRUTH[label.lower()]
    if re.match(r"[+-]?0\d", label):
        return None
    try:
        value = float(label)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def numbers(people: People, name: str) -> Floats:
    """Give a column as numbers.

    Returns
    -------
    ndarray of shape (n,), float64
        NaN where missing. Dates and moments count days since 1970.
    """
    layout, values = people.layout, people.column(name)
    if layout.is_number(name):
        found = np.asarray(values, np.float64)
        if name in layout.dates and np.nanmax(np.abs(found), initial=0) > _LAST_DAY:
            return found / _MICROSECONDS_A_DAY
        return found
    worth = np.array([*map(_number, layout.levels[name]), np.nan], np.float64)
    return worth[values]  # a missing label is -1, the last


def levels(people: People, name: str) -> tuple[str, ...] | None:
    """Give the labels of a column, or its distinct numbers; None if these are too many."""
    if not people.layout.is_number(name):
        return people.layout.levels[name]
    values = np.unique(people.column(name))
    values = values[np.isfinite(values)]
    return tuple(f"{value:.10g}" for value in values) if len(values) <= _MOST_LEVELS else None


def codes(people: People, name: str, labels: tuple[str, ...]) -> Codes:
    """Give a column as places among ``labels``; -1 where missing or another."""
    values = people.column(name)
    if not people.layout.is_number(name):
        return np.asarray(values, np.int32)
    worth = np.array([float(label) for label in labels])
    matches = np.isclose(values[:, None], worth, rtol=1e-9, atol=0)
    return np.where(matches.any(axis=1), matches.argmax(axis=1), -1).astype(np.int32)
