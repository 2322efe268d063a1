"""Images from a folder or an .npz file, as raters are to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from sosie.errors import DataError
from sosie.table import folders_of, pictures_of, read_picture

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

__all__ = ["are_images", "pictures"]


def are_images(path: Path) -> bool:
    """Tell whether a path is one of images: a folder, or an .npz or .npy file."""
    return path.is_dir() or path.suffix.lower() in (".npz", ".npy")


def pictures(path: Path) -> list[Image]:
    """Read images as grey or coloured ones of 256 shades.

    Parameters
    ----------
    path : Path
        A folder of images, or an .npz whose first array of three or four dimensions is of
        images; those of numbers other than bytes go from 0 to 1.

    Returns
    -------
    list of ndarray of shape (h, w) or (h, w, 3), uint8

    Raises
    ------
    DataError
        If there are none, or they cannot be read.
    """
    found = _of_folder(path) if path.is_dir() else _of_arrays(path)
    if not found:
        raise DataError(f"{path} holds no image.")
    return found


def _of_folder(path: Path) -> list[Image]:
    found = [read_picture(file) for file in pictures_of(path)]
    return found + [image for folder in folders_of(path) for image in _of_folder(folder)]


def _of_arrays(path: Path) -> list[Image]:
    try:
        with path.open("rb") as file:
            loaded: Any = np.load(file, allow_pickle=False)
            arrays = [loaded[n] for n in loaded.files] if hasattr(loaded, "files") else [loaded]
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise DataError(f"{path} is not a file of arrays that can be read.") from error
    stacks = [array for array in arrays if array.ndim in (3, 4)]
    if not stacks:
        return []
    images = stacks[0]
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim == 4 and images.shape[3] != 3:
        raise DataError(f"{path}: images are grey, or have three colours.")
    if images.dtype != np.uint8:
        if not np.isfinite(images).all() or images.min() < 0 or images.max() > 1:
            raise DataError(f"{path}: images that are no bytes have values from 0 to 1.")
        images = np.rint(images * 255).astype(np.uint8)
    return list(images)
