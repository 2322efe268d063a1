"""The columns of a table as a decoder sees them: normal scores, levels, masks, strata."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from sosie.generators.artificial._scale import Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._draws import Draws
    from sosie.space import Columns

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Absent = dict[int, list[tuple[str | int, int | tuple[float, float]]]]

__all__ = ["FARTHEST", "Coded", "Coding", "Shape"]

FARTHEST = 6.0
"""A score stands for infinity from here on: float32 tells no probability beyond."""


class Shape(NamedTuple):
    """How many scores, levels of each nominal column, strata, and masks, the last scores."""

    n_scores: int
    levels: tuple[int, ...]
    n_strata: int
    n_masks: int = 0

    @property
    def n_outputs(self) -> int:
        """Number of outputs of a decoder: scores, then logits."""
        return self.n_scores + sum(self.levels)


@dataclass(frozen=True)
class Coded:
    """Persons as a model sees them; p scores, q nominal columns of L levels in all.

    Parameters
    ----------
    point, low, high : ndarray of shape (n, p), float32
        Normal score, and the ends of the interval that it stands for; equal where the
        value is nobody else's and no count.
    seen : ndarray of shape (n, p), float32
        1 where the cell is known.
    level : ndarray of shape (n, L), float32
        Indicators; all 0 where the cell is missing.
    stratum : ndarray of shape (n, c), float32
        Indicators.
    """

    point: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    seen: NDArray[np.float32]
    level: NDArray[np.float32]
    stratum: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.point)

    def taken(self, rows: NDArray[np.integer]) -> Coded:
        """Take rows by their numbers."""
        return Coded(*(getattr(self, field.name)[rows] for field in fields(self)))

    def arrays(self) -> tuple[NDArray[np.float32], ...]:
        """Give the arrays in the order of the parameters."""
        return tuple(getattr(self, field.name) for field in fields(self))


class Coding:
    """Code columns as scores, levels and strata, and back.

    Ordered variables (numbers, ordinals, whatever has two levels, and whether cells are
    missing) become normal scores: a count, or a value that several persons have, stands for an
    interval of scores, as in a Gaussian copula, so that spikes, counts and levels need no
    likelihood of their own. Columns of three levels or more without order keep their levels.

    One column may part the persons into strata, each with margins of its own.

    Parameters
    ----------
    columns : Columns
    ordered : set of str
        Columns of codes whose levels are in order.
    stratum : str or None
        A column of codes without missing cells.
    absent : dict of int to list of (str or int, int or (float, float)), optional
        For a mask, columns of codes without missing cells and a level of each, numbers and what
        they are above and at most, or masks of fewer cells and 1: with it the cells are missing
        whatever else is known, and the mask is learnt from the other persons.

    Attributes
    ----------
    shape : Shape
    names : list of str
        Of the scores, without masks; then of the nominal columns.
    """

    def __init__(
        self,
        columns: Columns,
        ordered: set[str],
        stratum: str | None,
        absent: Absent | None = None,
    ) -> None:
        self.stratum = stratum
        self.absent = absent or {}
        others = [name for name in columns.codes if name != stratum]
        scored = [name for name in others if name in ordered or columns.levels[name] <= 2]
        self.numbers = list(columns.numbers)
        self.scored = [*self.numbers, *scored]
        self.nominal = [name for name in others if name not in scored]
        self.n_masks = len(columns.masks)
        self.mask_of = dict(columns.mask_of)
        self._n_missing = [int(mask.sum()) for mask in columns.masks]
        n_strata = columns.levels[stratum] if stratum else 1
        levels = tuple(columns.levels[name] for name in self.nominal)
        n_scores = len(self.scored) + self.n_masks
        self.shape = Shape(n_scores, levels, n_strata, self.n_masks)
        self.names = [*self.scored, *self.nominal]
        strata = self.strata_of(columns)
        self.strata = strata
        self.shares = np.bincount(strata, minlength=n_strata) / len(strata)
        self._scales = [
            Scale(number=name in columns.numbers).fit(values, strata, n_strata)
            for name, values in zip(self._names(), self.ordered(columns), strict=True)
        ]

    def strata_of(self, columns: Columns) -> NDArray[np.int32]:
        """Give the stratum of every person."""
        if self.stratum:
            return columns.codes[self.stratum]
        return np.zeros(len(columns), np.int32)

    def coded(self, columns: Columns) -> Coded:
        """Give the persons of ``columns`` as a model sees them."""
        strata = self.strata_of(columns)
        n, p = len(columns), self.shape.n_scores
        point, low, high = (np.zeros((n, p), np.float32) for _ in range(3))
        seen = np.ones((n, p), np.float32)
        for j, values in enumerate(self.ordered(columns)):
            known = ~np.isnan(values)
            a, b, at = self.scores(j, values, strata)
            low[:, j], high[:, j], point[:, j] = a, b, np.where(known, at, 0)
            seen[:, j] = known
        level = np.zeros((n, sum(self.shape.levels)), np.float32)
        first = 0
        for name in self.nominal:
            missing = self._missing(columns, name)
            rows = np.flatnonzero(~missing)
            level[rows, first + columns.codes[name][rows]] = 1
            first += columns.levels[name]
        stratum = np.eye(self.shape.n_strata, dtype=np.float32)[strata]
        return Coded(point, low, high, seen, level, stratum)

    def scores(
        self, j: int, values: Floats, strata: NDArray[np.int32]
    ) -> tuple[Floats, Floats, Floats]:
        """Give for variable ``j`` the two ends of the scores of values, and their mean.

        The ends are equal where a value is nobody else's and no count.
        """
        scale = self._scales[j]
        a, b = scale.interval(values, strata)
        shared = scale.shared(a, b, strata) & (b > a)  # what nobody has stands between others
        middle = ndtri(np.clip((a + b) / 2, 1e-4, 1 - 1e-4))
        low, high = (np.clip(ndtri(ends), -FARTHEST, FARTHEST) for ends in (a, b))
        width = np.where(shared, b - a, 1)
        mean = (np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)) / np.sqrt(2 * np.pi) / width
        return (
            np.where(shared, low, middle),
            np.where(shared, high, middle),
            np.where(shared, mean, middle),
        )

    def ends(self, j: int, low: float, high: float) -> tuple[Floats, Floats]:
        """Give, of every stratum, the two ends of the places of values from ``low`` to ``high``.

        The end comes before the beginning where nobody of a stratum comes as far.
        """
        return self._scales[j].between(low, high)

    def values(self, j: int, places: Floats, strata: NDArray[np.int32]) -> Floats:
        """Give for variable ``j`` the values at places in (0, 1)."""
        return self._scales[j].quantile(places, strata)

    @property
    def places_order(self) -> list[int]:
        """Scores in the order in which their places can be told: what others hang on first."""
        first = len(self.scored)
        by = {name for levels in self.absent.values() for name, _ in levels}
        telling = [j for j, name in enumerate(self.scored) if name in by]
        others = [j for j, name in enumerate(self.scored) if name not in by]
        free = [first + i for i in range(self.n_masks) if i not in self.absent]
        bound = sorted(self.absent, key=lambda i: self._n_missing[i])
        # What tells of other masks may miss cells itself, told by masks before it.
        whole = [j for j in telling if self.scored[j] not in self.mask_of]
        partly = [j for j in telling if self.scored[j] in self.mask_of]
        late = {
            i
            for i in bound
            for name, _ in self.absent[i]
            if name in self.scored and self.scored.index(name) in partly
        }
        early = [first + i for i in bound if i not in late]
        return [*free, *whole, *early, *partly, *(first + i for i in bound if i in late), *others]

    def missing(self, mask: int, places: Floats, drawn: Draws) -> Bools:
        """Tell in which drawn rows a mask says that cells are missing.

        Parameters
        ----------
        mask : int
        places : ndarray of shape (m, p)
            Of the scores of ``drawn``.
        drawn : Draws
        """
        j = len(self.scored) + mask
        told = self.values(j, np.clip(places[:, j], 1e-7, 1 - 1e-7), drawn.strata) > 0.5
        return told | self.absent_in(mask, places, drawn)

    def absent_in(self, mask: int, places: Floats, drawn: Draws) -> Bools:
        """Tell in which drawn rows cells are missing whatever else is drawn."""
        found = np.zeros(len(places), bool)
        for by, code in self.absent.get(mask, ()):
            if isinstance(by, int):
                found |= self.missing(by, places, drawn)
            elif by == self.stratum:
                found |= drawn.strata == code
            elif by in self.nominal:
                found |= drawn.levels[:, self.nominal.index(by)] == code
            else:
                j = self.scored.index(by)
                at = np.clip(places[:, j], 1e-7, 1 - 1e-7)
                values = self.values(j, at, drawn.strata)
                found |= _within(values, code) if isinstance(code, tuple) else values == code
        return found

    def _names(self) -> list[str]:
        return [*self.scored, *[""] * self.n_masks]

    def ordered(self, columns: Columns) -> list[Floats]:
        """Give the ordered variables as floats, NaN where missing."""
        known = columns.known_numbers()
        found = [known[name] for name in self.numbers]
        for name in self.scored[len(self.numbers) :]:
            codes = columns.codes[name].astype(np.float64)
            found.append(np.where(self._missing(columns, name), np.nan, codes))
        for i, mask in enumerate(columns.masks):
            told = mask.astype(np.float64)
            for by, code in self.absent.get(i, ()):
                if isinstance(by, int):
                    told[columns.masks[by]] = np.nan
                elif isinstance(code, tuple):
                    told[_within(known[by], code)] = np.nan
                else:
                    told[columns.codes[by] == code] = np.nan
            found.append(told)
        return found

    def _missing(self, columns: Columns, name: str) -> Bools:
        if name in columns.mask_of:
            return columns.masks[columns.mask_of[name]]
        return np.zeros(len(columns), bool)


def _within(values: Floats, ends: tuple[float, float]) -> Bools:
    return np.asarray((values > ends[0]) & (values <= ends[1]))
