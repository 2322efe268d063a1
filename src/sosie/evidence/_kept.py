"""Identifiers and texts of persons that the synthetic table still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sosie.table import Table

    Found = NDArray[np.bool_]

__all__ = ["Kept", "kept_cells"]


_FEWEST = 5
"""Cells below which no share is told."""


class Kept(NamedTuple):
    """Cells of a column, and which of them are found in the synthetic table."""

    found: Found
    """One a cell of the original that is not missing."""

    of_control: Found | None
    """The same of the control; None where it has no such column."""

    running: bool
    """Whether the cells are running numbers that the control does not share: whoever makes
    numbers afresh from the same beginning meets them."""


def kept_cells(
    original: Table, synthetic: Table, control: Table | None, left_out: dict[str, str]
) -> dict[str, Kept]:
    """Look up the identifiers and the texts of persons in the synthetic table.

    However they are spelt there: in capitals, without accents, spaces, points or leading zeros,
    or as numbers with decimals, as pandas writes whole ones where a cell is missing. Numbers of
    rows, from 0 or 1, are nobody's.

    Parameters
    ----------
    original, synthetic : Table
    control : Table or None
    left_out : dict of str to str
        Columns of the original that are not compared, and why.
    """
    found = {}
    for name, why in left_out.items():
        if why == "constant" or name not in synthetic.names:
            continue
        mine = _plain(original.frame[name])
        ends = _running(mine)
        if len(mine) < _FEWEST or (ends and ends[0] <= 1):
            continue
        made = _plain(synthetic.frame[name]).unique().implode()
        theirs, shares = None, False
        if control is not None and name in control.names:
            others = _plain(control.frame[name])
            theirs = others.is_in(made).to_numpy() if len(others) >= _FEWEST else None
            shares = ends is not None and 2 * _numbers(others).is_between(*ends).sum() > len(others)
        found[name] = Kept(mine.is_in(made).to_numpy(), theirs, ends is not None and not shares)
    return found


def _plain(cells: pl.Series) -> pl.Series:
    """Spell cells as whoever looks for a person reads them, without those of no letter or digit."""
    said = cells.cast(pl.String).str.to_lowercase().str.normalize("NFKD")
    said = said.str.replace(r"^\s*([+-]?\d+)[.,]0{0,2}\s*$", "$1")
    said = said.str.replace_all(r"[^\p{L}\p{N}]", "")
    number = said.str.contains(r"^\d+$")
    bare = said.str.replace(r"^0+(\d)", "$1")
    plain = pl.select(pl.when(number).then(bare).otherwise(said)).to_series().drop_nulls()
    return plain.filter(plain != "")


def _numbers(plain: pl.Series) -> pl.Series:
    return plain.str.extract(r"^\D*(\d{1,15})$").cast(pl.Int64, strict=False)


def _running(plain: pl.Series) -> tuple[int, int] | None:
    """Give the ends of numbers that count rows, with or without the same letters before."""
    digits = _numbers(plain)
    low, high = digits.min(), digits.max()
    before = plain.str.replace(r"\d+$", "").n_unique()
    if before > 1 or digits.null_count() or not isinstance(low, int) or not isinstance(high, int):
        return None
    return (low, high) if high - low < 1.5 * len(plain) else None
