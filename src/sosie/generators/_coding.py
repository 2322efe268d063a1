"""How the Gibbs sweep sees persons: bins to split on, coordinates to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.generators._blocks import by_blocks
from sosie.space import FAMD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.space import Columns, Margin

    Floats = NDArray[np.float32]

__all__ = ["BINS", "Coding", "Persons"]

BINS = 64
"""Bins of a predictor; bin 0 is a missing cell."""


class Coding:
    """The variables of a table: its numbers, its levels, then its masks.

    Parameters
    ----------
    columns : Columns
        Of n persons, the originals.
    margins : dict of name to Margin
        Of their numbers.
    n_factors : int
        Factors that stand for the other columns in linear predictions and kept moments.

    Attributes
    ----------
    names : list of str
        Numbers, then levels; a mask has no name.
    n_numbers, n_levels, n_masks : int
        How many variables there are of each sort, in this order.
    mask_of : list of int
        For each variable its mask, as a variable, or -1.
    members : dict of int to list of int
        For each mask the variables it blanks.
    """

    def __init__(self, columns: Columns, margins: dict[str, Margin], n_factors: int) -> None:
        self.names = [*columns.numbers, *columns.codes]
        self.n_numbers, self.n_levels = len(columns.numbers), len(columns.codes)
        self.n_masks = len(columns.masks)
        first_mask = len(self.names)
        self.mask_of = [
            first_mask + columns.mask_of[name] if name in columns.mask_of else -1
            for name in self.names
        ] + [-1] * self.n_masks
        self.members: dict[int, list[int]] = {}
        for v, mask in enumerate(self.mask_of):
            if mask >= 0:
                self.members.setdefault(mask, []).append(v)
        self.margins = [margins[name] for name in columns.numbers]
        self.levels = [*columns.levels.values(), *[2] * self.n_masks]

        mixed = columns.mixed()
        self.famd = FAMD(n_factors).fit(mixed)
        axes, tables = self.famd.shares()
        self.axes, self.tables = axes.astype(np.float32), tables
        self.centres = [float(values.mean()) for values in columns.numbers.values()]
        self.scales = [float(values.std()) or 1.0 for values in columns.numbers.values()]

    @property
    def n_variables(self) -> int:
        """Number of variables."""
        return self.n_numbers + self.n_levels + self.n_masks

    def is_number(self, v: int) -> bool:
        """Tell whether variable ``v`` is a number."""
        return v < self.n_numbers

    def n_levels_of(self, v: int) -> int:
        """Give the number of levels of variable ``v``, 0 for a number."""
        return 0 if self.is_number(v) else self.levels[v - self.n_numbers]

    def nearest(self, v: int, most: int) -> list[int]:
        """Give the ``most`` variables, ``v`` left out, that share its factors most."""
        shared = self.famd.squared_correlations_ @ self.famd.squared_correlations_[v]
        shared[v] = -1
        return np.argsort(-shared, kind="stable")[: min(most, len(shared) - 1)].tolist()

    def family(self, v: int) -> list[int]:
        """Give ``v`` and, if it is a mask, the variables it blanks."""
        return [v, *self.members.get(v, [])]


class Persons:
    """Persons, or avatars in the making, as the sweep sees and changes them.

    Parameters
    ----------
    coding : Coding
    columns : Columns
        Of n rows.

    Attributes
    ----------
    values : list of ndarray of shape (n,)
        Numbers, codes and masks, a value in every row.
    scores : list of ndarray of shape (n,), float32
        Scores of the numbers in their margins.
    bins : ndarray of shape (variables, n), uint8
        Bins of numbers, 1 + codes of levels and masks; 0 where a cell is missing.
    coordinates : ndarray of shape (n, factors), float32
        Sum of the shares of all variables.
    """

    def __init__(self, coding: Coding, columns: Columns) -> None:
        self.coding = coding
        self.values: list[NDArray[Any]] = [
            *columns.numbers.values(),
            *columns.codes.values(),
            *columns.masks,
        ]
        self.scores = [
            margin.scores(values)
            for margin, values in zip(coding.margins, columns.numbers.values(), strict=True)
        ]
        n = len(columns)
        self.bins = np.empty((coding.n_variables, n), np.uint8)
        self.coordinates = np.zeros((n, coding.famd.n_factors_), np.float32)
        for v in range(coding.n_variables):
            self._bin(v)
            self._add(v, 1)

    def __len__(self) -> int:
        return self.bins.shape[1]

    def missing(self, v: int) -> NDArray[np.bool_] | None:
        """Tell where the cell of variable ``v`` is missing; None if it never is."""
        mask = self.coding.mask_of[v]
        return None if mask < 0 else np.asarray(self.values[mask], dtype=np.bool_)

    def others(self, v: int, rows: slice | NDArray[np.intp] = slice(None)) -> Floats:
        """Give the coordinates without the share of ``v`` and of what it blanks."""
        whole = np.eye(self.coordinates.shape[1], dtype=np.float32)
        found = self.coordinates[rows].copy()
        for member in self.coding.family(v):
            found -= self.shares(member, whole, rows)
        return found

    def others_along(
        self, v: int, directions: Floats, rows: slice | NDArray[np.intp] = slice(None)
    ) -> Floats:
        """Give the coordinates without ``v`` along ``directions`` (factors, r): (m, r)."""
        found = self.coordinates[rows] @ directions
        for member in self.coding.family(v):
            found -= self.shares(member, directions, rows)
        return found

    def put(self, v: int, values: NDArray[Any], scores: Floats | None = None) -> None:
        """Give variable ``v`` new values."""
        family = self.coding.family(v)
        for member in family:
            self._add(member, -1)
        self.values[v] = values
        if scores is not None:
            self.scores[v] = scores
        for member in family:
            self._bin(member)
            self._add(member, 1)

    def shares(
        self, v: int, directions: Floats, rows: slice | NDArray[np.intp] = slice(None)
    ) -> Floats:
        """Give what variable ``v`` adds to the coordinates, along ``directions``.

        Parameters
        ----------
        v : int
        directions : ndarray of shape (factors, r)
        rows : slice or ndarray of int

        Returns
        -------
        ndarray of shape (n, r), float32
        """
        coding, missing, values = self.coding, self.missing(v), self.values[v][rows]
        if missing is not None:
            missing = missing[rows]
        if coding.is_number(v):
            standard = (values - coding.centres[v]) / coding.scales[v]
            if missing is not None:
                standard = np.where(missing, 0, standard)
            return np.outer(standard.astype(np.float32), coding.axes[v] @ directions)
        table = coding.tables[v - coding.n_numbers] @ directions
        if missing is not None:
            values = np.where(missing, coding.n_levels_of(v), values)
        return table.take(values.astype(np.intp), axis=0)

    def _add(self, v: int, sign: int) -> None:
        whole = sign * np.eye(self.coordinates.shape[1], dtype=np.float32)

        def change(_: int, rows: slice) -> None:
            self.coordinates[rows] += self.shares(v, whole, rows)

        by_blocks(change, len(self))

    def _bin(self, v: int) -> None:
        coding = self.coding
        if coding.is_number(v):
            place = np.clip(self.scores[v] * (BINS - 1), 0, BINS - 2)
            self.bins[v] = place.astype(np.uint8) + 1
        else:
            self.bins[v] = np.minimum(self.values[v].astype(np.int32) + 1, 255)
        missing = self.missing(v)
        if missing is not None:
            self.bins[v][missing] = 0
