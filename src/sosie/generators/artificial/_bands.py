"""Columns of levels that bands of a number tell: the group of an age, the stage of a rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sosie.space import Columns

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["Bands"]

_EVIDENCE = 20.0
"""Least log odds against bands that chance alone would make, all pairs of columns counted."""


class _Told(NamedTuple):
    """The number that tells a column, the cuts between its bands, and the level of each."""

    by: str
    cuts: Floats
    codes: Codes


class Bands:
    """Find the columns whose levels are bands of a number, and tell them from it.

    A level holds where the number lies between two cuts, and nowhere else. A model that drew
    both would draw persons of 43 among those of 60 and above. A cut stands in the middle of the
    two values next to it.

    Parameters
    ----------
    columns : Columns
    apart : str, optional
        A column that is not to be told by others.

    Attributes
    ----------
    found : dict of str to str
        The columns that are told, and the number that tells each.

    Examples
    --------
    >>> from sosie.space import Columns
    >>> age = np.arange(20.0, 80.0)
    >>> group = np.array([2, 0, 1], np.int32)[((age - 20) // 20).astype(int)]
    >>> numbers = {"age": age, "dose": age % 7}
    >>> bands = Bands(Columns(numbers, {"group": group}, {"group": 3}, (), {}))
    >>> bands.found
    {'group': 'age'}
    >>> bands.told({"age": np.array([30.0, 39.4, 39.6, 99.0])})["group"].tolist()
    [2, 2, 0, 1]
    """

    def __init__(self, columns: Columns, apart: str | None = None) -> None:
        self._told: dict[str, _Told] = {}
        pairs = max(len(columns.codes) * len(columns.numbers), 1)
        orders = {name: np.argsort(values) for name, values in columns.numbers.items()}
        for name, codes in columns.codes.items():
            if len(columns.numbers) + len(columns.codes) - len(self._told) <= 2:
                break  # a model needs two columns
            counts = np.bincount(codes[_known(columns, name)])
            counts = counts[counts > 0]
            against = gammaln(counts.sum() + 1) - gammaln(counts + 1).sum()
            if against - gammaln(len(counts) + 1) - np.log(pairs) < _EVIDENCE or name == apart:
                continue
            for number, values in columns.numbers.items():
                if columns.mask_of.get(number) != columns.mask_of.get(name):
                    continue
                order = orders[number][_known(columns, name)[orders[number]]]
                told = _told(number, values[order], codes[order], len(counts))
                if told is not None:
                    self._told[name] = told
                    break
        self.found = {name: told.by for name, told in self._told.items()}

    def taken(self, columns: Columns) -> Columns:
        """Give the columns without those that are told."""
        return replace(
            columns,
            codes={n: codes for n, codes in columns.codes.items() if n not in self.found},
            levels={n: k for n, k in columns.levels.items() if n not in self.found},
            mask_of={n: mask for n, mask in columns.mask_of.items() if n not in self.found},
        )

    def told(self, numbers: Mapping[str, Floats]) -> dict[str, Codes]:
        """Give the codes that numbers tell, -1 where missing."""
        found = {}
        for name, (by, cuts, codes) in self._told.items():
            band = np.searchsorted(cuts, numbers[by], side="left").clip(max=len(cuts))
            found[name] = np.where(np.isnan(numbers[by]), np.int32(-1), codes[band])
        return found

    def ends(self, name: str, code: int) -> tuple[float, float]:
        """Give the ends of the band of a level, infinite where it is open."""
        return self._ends(name, int(np.flatnonzero(self._told[name].codes == code)[0]))

    def around(self, name: str, value: float) -> tuple[float, float]:
        """Give the ends of the band that holds a value of the number: above one, at most other."""
        return self._ends(name, int(np.searchsorted(self._told[name].cuts, value, side="left")))

    def _ends(self, name: str, band: int) -> tuple[float, float]:
        ends = np.r_[-np.inf, self._told[name].cuts, np.inf]
        return float(ends[band]), float(ends[band + 1])


def _known(columns: Columns, name: str) -> NDArray[np.bool_]:
    if name in columns.mask_of:
        return ~columns.masks[columns.mask_of[name]]
    return np.ones(len(columns), bool)


def _told(number: str, values: Floats, codes: Codes, held: int) -> _Told | None:
    """Tell the bands of sorted values, if every level is one."""
    last = np.flatnonzero(codes[1:] != codes[:-1])
    if len(last) != held - 1:
        return None
    low, high = values[last], values[last + 1]
    if not (low < high).all():
        return None
    middle = low + (high - low) / 2
    return _Told(number, np.where(middle < high, middle, low), codes[np.r_[last, len(codes) - 1]])
