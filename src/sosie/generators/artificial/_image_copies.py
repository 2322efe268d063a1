"""Originals and deformed copies of them, from which a model of images learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sosie.generators.artificial._image_networks import LINEAR_PIXELS, uncut
from sosie.generators.artificial._image_warps import Deformations
from sosie.generators.artificial._person_rows import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Copies"]

_IMAGES = 8192
"""Originals and copies, about: of more originals, each has fewer copies."""

_MOST_EACH = 20
"""Of each original, itself among them, at most."""

_PIXELS = 100_000_000
"""Pixels of originals and copies, at most."""

_SOME = 2048
"""Originals and copies that what is linear is learnt from, about."""


@dataclass(frozen=True)
class Copies:
    """Images, and copies of them deformed as images of a label are of their neighbours.

    Parameters
    ----------
    pixels : ndarray of shape (each x n, p)
        First the images, then a deformation of each, and again.
    codes : ndarray of shape (each x n,)
        Labels.
    each : int
        Rows of each image.
    """

    pixels: NDArray[np.float32]
    codes: NDArray[np.intp]
    each: int

    @classmethod
    def of(
        cls, images: NDArray[np.floating], codes: NDArray[np.intp], rng: np.random.Generator
    ) -> Copies:
        """Deform images, as many times as there is use and room for.

        Parameters
        ----------
        images : ndarray of shape (n, h, w) or (n, h, w, colours)
            From 0 to 1.
        codes : ndarray of shape (n,)
        rng : Generator

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> copies = Copies.of(rng.random((300, 8, 8)), np.zeros(300, int), rng)
        >>> copies.each, copies.pixels.shape
        (20, (6000, 64))
        """
        law = Deformations(images, codes, rng)
        # A black pixel beside a white one is not grey when it moves by half a pixel: it was black
        # by far.
        flat = images.reshape(len(images), -1).astype(np.float64)
        whole = uncut(flat, codes, int(codes.max()) + 1).reshape(images.shape)
        wanted = min(max(_IMAGES // len(images), 2), _MOST_EACH)
        each = max(min(wanted, _PIXELS // images.size), 1)
        found = np.empty((each, *images.shape), np.float32)
        found[0] = images
        for copy in found[1:]:
            copy[...] = np.clip(law.draw(whole, rng), 0, 1)
        return cls(found.reshape(each * len(images), -1), np.tile(codes, each), each)

    @property
    def n(self) -> int:
        """Number of images that the copies are of."""
        return len(self.codes) // self.each

    @property
    def person(self) -> NDArray[np.intp]:
        """The image that each row is a copy of, of shape (each x n,)."""
        return np.tile(np.arange(self.n), self.each)

    def some(self, persons: NDArray[np.intp]) -> NDArray[np.intp]:
        """Give rows of some images, not many more than what is linear has use for."""
        most = min(_SOME, LINEAR_PIXELS // self.pixels.shape[1])
        return rows_of(persons, self.n, self.each, most)
