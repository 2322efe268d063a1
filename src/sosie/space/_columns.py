"""The columns of a table as arrays that statistics can work on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from sosie.errors import DataError
from sosie.space._mixed import Mixed
from sosie.table import CODED, NUMERIC, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["Columns"]


@dataclass(frozen=True)
class Columns:
    """Numbers and levels of n persons, with what is missing told apart.

    Parameters
    ----------
    numbers : dict of name to ndarray of shape (n,), float64
        A value for every person, the column mean where it is missing.
    codes : dict of name to ndarray of shape (n,), int32
        A level for every person, 0 where it is missing.
    levels : dict of name to int
        Number of levels of each column of ``codes``.
    masks : tuple of ndarray of shape (n,), bool
        Distinct patterns of missing cells.
    mask_of : dict of name to int
        Place among ``masks`` of a column that has missing cells.

    Examples
    --------
    >>> import polars as pl
    >>> table = Table.of(pl.DataFrame({"age": [20.5, None, 40.0], "sex": ["f", "m", None]}))
    >>> columns = Columns.of(table)
    >>> columns.numbers["age"].tolist(), columns.codes["sex"].tolist(), len(columns.masks)
    ([20.5, 30.25, 40.0], [0, 1, 0], 2)
    """

    numbers: dict[str, Floats]
    codes: dict[str, Codes]
    levels: dict[str, int]
    masks: tuple[NDArray[np.bool_], ...]
    mask_of: dict[str, int]

    @classmethod
    def of(cls, table: Table) -> Self:
        """Take the columns of a table that holds numbers and levels only.

        Raises
        ------
        DataError
            If a column is of another kind.
        """
        numbers, codes, levels = {}, {}, {}
        masks: list[NDArray[np.bool_]] = []
        mask_of: dict[str, int] = {}
        known: dict[bytes, int] = {}
        for column in table.schema.columns:
            if column.kind in NUMERIC:
                values = table.numbers(column.name)
                missing = np.isnan(values)
                if missing.any():
                    values = np.where(missing, np.nanmean(values), values)
                numbers[column.name] = values
            elif column.kind in CODED:
                places = table.codes(column.name)
                missing = places < 0
                codes[column.name] = np.where(missing, 0, places)
                levels[column.name] = len(column.levels)
            else:
                raise DataError(f"Column {column.name!r} is of kind {column.kind}: leave it out.")
            if missing.any():
                key = np.packbits(missing).tobytes()
                if key not in known:
                    known[key] = len(masks)
                    masks.append(missing)
                mask_of[column.name] = known[key]
        return cls(numbers, codes, levels, tuple(masks), mask_of)

    def taken(self, rows: NDArray[np.intp]) -> Columns:
        """Give the same columns of some persons, by their rows."""
        return replace(
            self,
            numbers={name: values[rows] for name, values in self.numbers.items()},
            codes={name: places[rows] for name, places in self.codes.items()},
            masks=tuple(mask[rows] for mask in self.masks),
        )

    def with_numbers(self, numbers: dict[str, Floats]) -> Columns:
        """Give the same columns with other numbers, NaN where missing."""
        filled, masks = {}, list(self.masks)
        mask_of = {name: mask for name, mask in self.mask_of.items() if name in self.codes}
        for name, values in numbers.items():
            missing = np.isnan(values)
            filled[name] = (
                np.where(missing, np.nanmean(values), values) if missing.any() else values
            )
            if name in self.mask_of and (masks[self.mask_of[name]] == missing).all():
                mask_of[name] = self.mask_of[name]
            elif missing.any():
                same = (i for i, mask in enumerate(masks) if (mask == missing).all())
                mask_of[name] = next(same, len(masks))
                masks += [missing] if mask_of[name] == len(masks) else []
        return replace(self, numbers=filled, masks=tuple(masks), mask_of=mask_of)

    def known_numbers(self) -> dict[str, Floats]:
        """Give the numbers with NaN where a cell is missing."""
        return {
            name: np.where(self.masks[self.mask_of[name]], np.nan, values)
            if name in self.mask_of
            else values
            for name, values in self.numbers.items()
        }

    def __len__(self) -> int:
        if self.numbers:
            return len(next(iter(self.numbers.values())))
        return len(next(iter(self.codes.values())))

    def mixed(self) -> Mixed:
        """Give the columns to factors: numbers, levels, and whether a cell is missing.

        The numeric columns are those of ``numbers``; the categorical ones are those of
        ``codes``, with one more level where some are missing, then one a mask.
        """
        n = len(self)
        numbers = np.empty((n, len(self.numbers)), np.float32, order="F")
        for j, values in enumerate(self.numbers.values()):
            numbers[:, j] = (values - values.mean()) / (values.std() or 1)
        counts = [k + (name in self.mask_of) for name, k in self.levels.items()]
        widest = max([*counts, 2])
        dtype = np.uint8 if widest <= 255 else np.int32
        codes = np.empty((n, len(counts) + len(self.masks)), dtype, order="F")
        for j, (name, places) in enumerate(self.codes.items()):
            codes[:, j] = places
            if name in self.mask_of:
                codes[self.masks[self.mask_of[name]], j] = self.levels[name]
        for j, mask in enumerate(self.masks, start=len(counts)):
            codes[:, j] = mask
        return Mixed(numbers, codes, (*counts, *[2] * len(self.masks)))

    def arrays(self) -> dict[str, NDArray[np.float64] | NDArray[np.int32]]:
        """Give the columns as ``Table.rebuild`` takes them: NaN and -1 where missing."""
        found: dict[str, NDArray[np.float64] | NDArray[np.int32]] = {**self.known_numbers()}
        for name, places in self.codes.items():
            found[name] = (
                np.where(self.masks[self.mask_of[name]], np.int32(-1), places)
                if name in self.mask_of
                else places
            )
        return found
