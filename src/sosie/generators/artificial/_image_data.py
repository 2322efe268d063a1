"""Images as a model sees them: rows of pixels from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST", "Pictures"]

FEWEST = 30
"""Images that a model needs."""

_SIDES = (8, 64)


@dataclass(frozen=True)
class Pictures:
    """Images of one size.

    Parameters
    ----------
    pixels : ndarray of shape (n, p), float32
        From 0 to 1.
    shape : tuple of int
        (h, w), or (h, w, colours).
    dtype : dtype
        Of the images as they were given.
    """

    pixels: NDArray[np.float32]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return len(self.pixels)

    @classmethod
    def of(cls, images: Any, fewest: int = FEWEST) -> Pictures:
        """Check images and flatten them.

        Parameters
        ----------
        images : array or sequence of arrays of shape (n, h, w) or (n, h, w, colours)
        fewest : int

        Raises
        ------
        DataError
            If they are of unequal sizes, too few, too small or too large, or not from 0 to 1
            (0 to 255 for uint8).

        Examples
        --------
        >>> pictures = Pictures.of(np.zeros((30, 8, 8), np.uint8))
        >>> pictures.shape, pictures.pixels.shape
        ((8, 8), (30, 64))
        """
        if not isinstance(images, np.ndarray):
            images = _stacked(images)
        if images.dtype == object:
            images = _stacked(images)
        if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
            raise DataError(
                "Images are an array (n, height, width), or (n, height, width, 1 or 3 colours), "
                f"and not of shape {images.shape}."
            )
        n, height, width = images.shape[:3]
        least, most = _SIDES
        if not (least <= height <= most and least <= width <= most):
            raise DataError(
                f"Images are of {height} x {width} pixels: resize them to between {least} x "
                f"{least} and {most} x {most}."
            )
        if n < fewest:
            raise DataError(f"There are {n} images: a model of them needs at least {fewest}.")
        dtype = images.dtype
        if dtype == np.uint8:
            pixels = images.reshape(n, -1) / np.float32(255)
        elif np.issubdtype(dtype, np.floating):
            pixels = images.reshape(n, -1).astype(np.float32)
            broken = ~np.isfinite(pixels).all(axis=1)
            if broken.any():
                n_broken, first = int(broken.sum()), int(broken.argmax()) + 1
                if n_broken == 1:
                    raise DataError(f"Image {first} has pixels that are no numbers: leave it out.")
                raise DataError(
                    f"{n_broken} images have pixels that are no numbers (the first is image "
                    f"{first}): leave them out."
                )
            if pixels.min() < 0:
                raise DataError(
                    "Pixels that are floats go from 0 to 1, and some are below 0: subtract the "
                    "smallest value that a pixel can have, then divide by the largest that is left."
                )
            if pixels.max() > 1:
                raise DataError(
                    "Pixels that are floats go from 0 to 1: divide them by the largest value that "
                    "a pixel can have."
                )
        else:
            raise DataError(f"Pixels are of type {dtype}: give uint8, or floats from 0 to 1.")
        return cls(pixels, images.shape[1:], dtype)

    def like(self, images: Any) -> Pictures:
        """Take images of the size of these.

        Raises
        ------
        DataError
            If they are no images, or of another size.
        """
        others = Pictures.of(images, 1)
        if others.shape != self.shape:
            raise DataError(
                f"Images are of shape {others.shape}, and those learnt from of {self.shape}: "
                "resize them."
            )
        return others

    def restored(self, pixels: NDArray[np.floating]) -> NDArray[Any]:
        """Give rows of pixels as images of the size and the type of these."""
        cut = np.clip(pixels, 0, 1)
        if self.dtype == np.uint8:
            cut = np.rint(cut * 255)
        return cut.astype(self.dtype).reshape(-1, *self.shape)


def _stacked(images: Any) -> NDArray[Any]:
    try:
        found = [np.asarray(image) for image in images]
    except TypeError:
        raise DataError("Images are an array (n, height, width), or a list of arrays.") from None
    sizes = sorted({image.shape for image in found})
    if not found:
        raise DataError("There are no images.")
    if len(sizes) > 1:
        first, second = (" x ".join(map(str, size)) for size in sizes[:2])
        raise DataError(
            f"Images are of unequal sizes ({first} and {second}, among {len(sizes)}): resize them "
            "to one."
        )
    return np.stack(found)
