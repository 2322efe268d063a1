"""Rows made of other rows: numbers combined, levels drawn, by the same weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.space import Columns, Margin

__all__ = ["blend", "restore_margins"]

_BLOCK = 65_536


def blend(
    columns: Columns,
    donors: NDArray[np.int32],
    weights: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    chances: NDArray[np.float32] | None = None,
) -> Columns:
    """Make a row from each set of donors.

    A number is the weighted sum of the donors' numbers; a level, and whether a cell is
    missing, is that of one donor, drawn for each column with the weights that are positive,
    and once for columns that are missing together.

    Parameters
    ----------
    columns : Columns
        Of n persons.
    donors : ndarray of shape (m, k)
        Persons each row is made from.
    weights : ndarray of shape (m, k), float32
        Their weights; they sum to 1 and may be negative.
    rng : Generator
    chances : ndarray of shape (m, k), float32, optional
        Other weights for the draw of levels.

    Returns
    -------
    Columns
        Of m rows.
    """
    m = len(donors)
    chance = np.cumsum(np.maximum(weights if chances is None else chances, 0), axis=1)

    def drawn() -> NDArray[np.int32]:
        """Draw one donor a row."""
        found = np.empty(m, np.int32)
        for start in range(0, m, _BLOCK):
            some = slice(start, min(start + _BLOCK, m))
            bar = rng.random(some.stop - start, dtype=np.float32) * chance[some, -1]
            place = (chance[some] <= bar[:, None]).sum(axis=1)
            rows = np.arange(some.stop - start)
            found[some] = donors[some][rows, np.minimum(place, donors.shape[1] - 1)]
        return found

    numbers = {
        name: _combined(
            values,
            columns.masks[columns.mask_of[name]] if name in columns.mask_of else None,
            donors,
            weights,
        )
        for name, values in columns.numbers.items()
    }
    # Whether a cell is missing, and its level where it is not, come from the same donor.
    of_mask = [drawn() for _ in columns.masks]
    codes = {
        name: places[of_mask[columns.mask_of[name]] if name in columns.mask_of else drawn()]
        for name, places in columns.codes.items()
    }
    masks = tuple(mask[donor] for mask, donor in zip(columns.masks, of_mask, strict=True))
    return replace(columns, numbers=numbers, codes=codes, masks=masks)


def _combined(
    values: NDArray[np.float64],
    missing: NDArray[np.bool_] | None,
    donors: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Combine numbers about the mean of the donors that have one."""
    # Centred in double, combined in single precision: dates in seconds lose nothing.
    centre = values.mean()
    around = (values - centre).astype(np.float32)
    found = np.empty(len(donors))
    for start in range(0, len(donors), _BLOCK):
        some = slice(start, start + _BLOCK)
        theirs = around.take(donors[some])
        if missing is not None:
            known = ~missing.take(donors[some])
            mean = (theirs * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            theirs = np.where(known, theirs, mean[:, None])
        found[some] = np.einsum("ij,ij->i", weights[some], theirs)
    return found + centre


def restore_margins(
    columns: Columns, margins: dict[str, Margin], rng: np.random.Generator
) -> Columns:
    """Give numbers their margins back, in the order they have."""
    numbers = dict(columns.numbers)
    for name, margin in margins.items():
        around = (numbers[name] - margin.mean_) / margin.scale_
        numbers[name] = margin.spread(around.astype(np.float32), rng)[0]
    return replace(columns, numbers=numbers)
