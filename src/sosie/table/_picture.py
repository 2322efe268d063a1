"""A picture from a file, as shades of 0 to 255."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import DataError, ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["folders_of", "inside", "pictures_of", "read_picture"]

_DEEP = ("I", "F")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")
_PAGED = ("GIF", "TIFF")
"""Formats of which a file may hold several images; of JPEG the second is a preview."""
_OF_SYSTEMS = ("__macosx", "desktop.ini", "thumbs.db")


def read_picture(file: Path, most: int | None = None) -> NDArray[np.uint8]:
    """Read a picture upright, as the camera says it was held.

    Parameters
    ----------
    file : Path
        PNG, JPEG or another form that Pillow reads.
    most : int, optional
        Pixels of its longer side, at most.

    Returns
    -------
    ndarray of shape (h, w), or (h, w, 3) where it is not grey

    Raises
    ------
    DataError
        If it cannot be read, is larger, is one of several, or has more shades than 256.
    ParameterError
        If Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise ParameterError(
            "Folders of images need Pillow: pip install 'sosie[plot]', or give an .npz file."
        ) from None
    try:
        with Image.open(file) as image:
            width, height = image.size
            if most is not None and max(width, height) > most:  # told before it is decoded
                raise DataError(
                    f"{file} is of {width} x {height} pixels: resize images to at most {most} x "
                    f"{most}."
                )
            if image.format in _PAGED and getattr(image, "n_frames", 1) > 1:
                raise DataError(
                    f"{file} holds {getattr(image, 'n_frames', 1)} images: save each as a file of "
                    "its own."
                )
            if image.mode.startswith(_DEEP):
                raise DataError(
                    f"{file} has more than 256 shades: choose the window of shades that matter and "
                    "save images with 8 bits, or give an .npz file of numbers from 0 to 1."
                )
            grey = image.mode in ("1", "L", "LA")
            shades = np.asarray(ImageOps.exif_transpose(image).convert("L" if grey else "RGB"))
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        raise DataError(f"{file} is not an image that can be read.") from error
    same = shades.ndim == 3 and (shades == shades[..., :1]).all()
    return shades[..., 0] if same else shades


def pictures_of(folder: Path) -> list[Path]:
    """List the pictures of a folder, but those that systems leave there."""
    return [one for one in inside(folder) if one.suffix.lower() in _SUFFIXES and one.is_file()]


def folders_of(folder: Path) -> list[Path]:
    """List the folders of a folder, but those that systems leave there."""
    return [one for one in inside(folder) if one.is_dir()]


def inside(folder: Path) -> list[Path]:
    """List what a folder holds, but what systems leave there: hidden files, `Thumbs.db`."""
    return sorted(
        one
        for one in folder.iterdir()
        if not one.name.startswith(".") and one.name.lower() not in _OF_SYSTEMS
    )
