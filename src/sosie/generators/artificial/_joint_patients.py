"""Patients with an image, a row of the table, or both, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sosie.generators.artificial._coding import Coded
    from sosie.generators.artificial._image_data import Pictures

__all__ = ["row_of_each", "rows_of", "together"]


def rows_of(row_of: ArrayLike | None, n_images: int, n_rows: int) -> NDArray[np.intp]:
    """Read which row each image has; -1 for none.

    Raises
    ------
    DataError
        If it is not told, or told wrongly.
    """
    if row_of is None:
        if n_images != n_rows:
            raise DataError(
                f"There are {n_images} images and {n_rows} rows: give row_of, the row of each "
                "image, -1 for none."
            )
        return np.arange(n_images)
    rows = np.asarray(row_of)
    if rows.shape != (n_images,) or rows.dtype.kind not in "iu":
        raise DataError(f"row_of gives a whole number for each of the {n_images} images.")
    named = rows[rows >= 0]
    if (rows < -1).any() or (named >= n_rows).any():
        raise DataError(f"row_of gives rows from 0 to {n_rows - 1}, and -1 for none.")
    if len(np.unique(named)) < len(named):
        raise DataError("row_of gives a row to two images: keep one image a patient.")
    return rows.astype(np.intp)


def row_of_each(coded: Coded, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give the row of each patient, -1 where there is none: those with an image come first."""
    return np.r_[rows, np.setdiff1d(np.arange(len(coded)), rows)]


def together(
    pictures: Pictures, coded: Coded, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float32], ...]:
    """Put patients side by side: pixels, what is coded of rows, and who has which of the two."""
    at = np.maximum(row_of_each(coded, rows), 0)
    m, k = len(rows), len(at) - len(rows)
    pixels = np.zeros((m + k, pictures.pixels.shape[1]), np.float32)
    pixels[:m] = pictures.pixels
    has_image = np.r_[np.ones(m), np.zeros(k)].astype(np.float32)
    has_row = np.r_[rows >= 0, np.ones(k)].astype(np.float32)
    return (pixels, *coded.taken(at).arrays()[:5], has_image, has_row)
