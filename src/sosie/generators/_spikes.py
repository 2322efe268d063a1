"""Numbers of which many share one value: whether it is that value, and the number where not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from sosie.space import Columns

    Absent = dict[int, list[tuple[str | int, int | tuple[float, float]]]]
    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["FEWEST", "Spikes"]

_LEAST = 0.1
"""Share of the persons who have the value, and of those who do not, at least."""

FEWEST = 30
"""Persons who have the value, and who do not, at least."""

_BEYOND = 0.05
"""Share of the persons who may be beyond it: a value in the midst of others is one of them."""


class Spikes:
    r"""Part numbers in two where one score cannot tell them: a hurdle model [1]_.

    A score of which the value that many share is an interval, as of a Gaussian copula, says by
    one bond who smokes and how much: whoever has a large number is of those who are far from
    zero. Where another column :math:`y` says otherwise, the column becomes two: whether the
    number is that value, and the number, missing where it is. For a score :math:`s`, of which
    :math:`s_0` stands for the value, the copula says :math:`E[y \mid s] = a + bs` at :math:`s_0`
    too; a column is parted if a mean of its own there is worth its parameter for some
    :math:`y` (BIC, and as many columns looked at).

    Parameters
    ----------
    columns : Columns
        Of n persons.
    scores : ndarray of shape (n, m)
        Scores of numbers and indicators of levels; NaN where missing.
    place : mapping of str to int
        The number whose scores a column of ``scores`` has.
    strata : ndarray of shape (n,), int32, optional
        Within which bonds are looked for.
    kept : collection of str
        Numbers that are to stay as they are.
    fewest : int
        Persons who have the value, and who do not, at least.

    Attributes
    ----------
    found : dict of str to str
        The numbers that are parted, and the column that says whether each is its value.
    at : dict of str to float
        That value.

    References
    ----------
    .. [1] J. G. Cragg, "Some statistical models for limited dependent variables with application
       to the demand for durable goods", Econometrica 39 (1971), section 2.

    Examples
    --------
    >>> from scipy.stats import norm, rankdata
    >>> from sosie.space import Columns
    >>> rng = np.random.default_rng(0)
    >>> income, smokes = rng.normal(size=200), rng.random(200) < 0.5
    >>> packs = np.where(smokes, np.exp(income), 0)
    >>> columns = Columns({"income": income, "packs": packs}, {}, {}, (), {})
    >>> scores = norm.ppf(rankdata(np.c_[income, packs], axis=0) / 201)
    >>> spikes = Spikes(columns, scores, {"income": 0, "packs": 1})
    >>> spikes.at
    {'packs': 0.0}
    >>> parted = spikes.taken(columns)
    >>> list(parted.numbers), list(parted.codes), parted.mask_of
    (['income', 'packs'], ['packs is 0.0'], {'packs': 0})
    >>> bool((spikes.undone(parted.arrays())["packs"] == packs).all())
    True
    """

    def __init__(
        self,
        columns: Columns,
        scores: Floats,
        place: Mapping[str, int],
        strata: NDArray[np.int32] | None = None,
        kept: Collection[str] = (),
        fewest: int = FEWEST,
    ) -> None:
        self.found: dict[str, str] = {}
        self.at: dict[str, float] = {}
        names = {*columns.numbers, *columns.codes}
        strata = np.zeros(len(columns), np.int32) if strata is None else strata
        worth = 0.5 * np.log(len(columns)) + np.log(max(scores.shape[1] - 1, 1))
        for name, values in columns.known_numbers().items():
            value = None if name in kept else _spike(values, fewest)
            if value is None:
                continue
            rows = np.flatnonzero(~np.isnan(scores[:, place[name]]))
            gain = _gains(scores[rows], place[name], values[rows] == value, strata[rows])
            if gain.max(initial=0.0) > worth:
                told = f"{name} is {value}"
                while told in names:
                    told += "."
                self.found[name], self.at[name] = told, value
                names.add(told)

    def taken(self, columns: Columns) -> Columns:
        """Part the columns."""
        codes, levels, masks = dict(columns.codes), dict(columns.levels), list(columns.masks)
        mask_of, known = dict(columns.mask_of), columns.known_numbers()
        numbers = dict(columns.numbers)
        for name, told in self.found.items():
            values = known[name]
            is_it = values == self.at[name]
            codes[told], levels[told] = is_it.astype(np.int32), 2
            if name in mask_of:
                mask_of[told] = mask_of[name]
            gone = is_it | np.isnan(values)
            mask_of[name] = len(masks)
            masks.append(gone)
            numbers[name] = np.where(gone, values[~gone].mean(), values)
        return replace(
            columns,
            numbers=numbers,
            codes=codes,
            levels=levels,
            masks=tuple(masks),
            mask_of=mask_of,
        )

    def absent(self, columns: Columns, parted: Columns) -> Absent:
        """Give where the numbers are missing in parted columns: where they are their value."""
        found: Absent = {}
        for name, told in self.found.items():
            found[parted.mask_of[name]] = [(told, 1)]
            if name in columns.mask_of:
                found[parted.mask_of[name]].append((columns.mask_of[name], 1))
        return found

    def undone(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """Put the parted columns together: NaN where it is missing whether it is the value."""
        found = dict(arrays)
        for name, told in self.found.items():
            code = found.pop(told)
            values = np.where(code == 1, self.at[name], found[name])
            found[name] = np.where(code < 0, np.nan, values)
        return found


def _spike(values: Floats, fewest: int) -> float | None:
    """Give the value that many share, at an end of others that are not few."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    seen, counts = np.unique(known, return_counts=True)
    most = int(counts.argmax())
    least = max(fewest, _LEAST * len(known))
    below, above = int(counts[:most].sum()), int(counts[most + 1 :].sum())
    if min(counts[most], below + above) < least or len(seen) <= 3:
        return None
    return float(seen[most]) if min(below, above) <= _BEYOND * len(known) else None


def _gains(Y: Floats, j: int, spike: Bools, strata: NDArray[np.int32]) -> Floats:
    """Give the gain in log likelihood of every other column by a mean of its own at the spike."""
    gains = []
    for k in range(Y.shape[1]):
        rows = np.flatnonzero(~np.isnan(Y[:, k]))
        if k == j or len(rows) < FEWEST:
            continue
        y, s, own = (
            _centred(v[rows].astype(np.float64), strata[rows]) for v in (Y[:, k], Y[:, j], spike)
        )
        y, own = _less(y, s), _less(own, s)
        total, left = float(y @ y), float((_less(y, own) ** 2).sum())
        if total > 1e-9 * len(rows) and left > 0:
            gains.append(0.5 * len(rows) * np.log(total / left))
    return np.array(gains)


def _centred(values: Floats, strata: NDArray[np.int32]) -> Floats:
    counts = np.bincount(strata)
    return values - (np.bincount(strata, values) / np.maximum(counts, 1))[strata]


def _less(values: Floats, other: Floats) -> Floats:
    """Give what another column does not tell of one, both about zero."""
    return values - other * (values @ other) / max(float(other @ other), 1e-300)
