"""Images drawn about the means that a decoder gives, none of them too near to an original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._filter import TOO_NEAR, nearest
from sosie.generators.artificial._image_noise import Texture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.generators.artificial._image_data import Pictures

    Floats = NDArray[np.float64]
    Pixels = NDArray[np.float32]

__all__ = ["ImageDraws", "in_blocks"]

_BLOCK = 1024


class ImageDraws:
    """Draw images about means, and tell those that stand too near to an original.

    Parameters
    ----------
    pictures : Pictures
        The originals.
    texture : Texture
        Of what the decoder leaves out of them.

    Attributes
    ----------
    texture : Texture
    """

    def __init__(self, pictures: Pictures, texture: Texture) -> None:
        self.texture = texture
        self._rounded = pictures.dtype == np.uint8
        self._originals = pictures.pixels.astype(np.float64)
        apart = nearest(self._originals, self._originals, same=True)
        self._least = float(np.quantile(apart, TOO_NEAR))

    @classmethod
    def learnt(
        cls, pictures: Pictures, x: Pixels, means: Pixels, sigma: NDArray[np.floating]
    ) -> ImageDraws:
        """Learn what the decoder leaves out.

        Parameters
        ----------
        pictures : Pictures
        x, means : ndarray of shape (n, p)
            Pixels of originals, or of their copies, and what the decoder gives for them.
        sigma : ndarray of shape (p,)
            Standard deviation of each pixel.
        """
        # Of a pixel that is cut, as far as its mean is cut too, nothing is known.
        left = x - np.where((x <= 0) | (x >= 1), np.clip(means, 0, 1), means)
        return cls(pictures, Texture.of(left, sigma))

    def about(self, means: Pixels, rng: np.random.Generator) -> Pixels:
        """Draw an image about each mean, of shape (m, p): cut, and rounded as the originals."""
        pixels = np.clip(means + self.texture.draw(rng, len(means)), 0, 1)
        return (np.rint(pixels * 255) / 255).astype(np.float32) if self._rounded else pixels

    def too_near(self, pixels: Pixels) -> NDArray[np.bool_]:
        """Tell which stand nearer to an original than the 5 % nearest originals to another."""
        return nearest(pixels.astype(np.float64), self._originals) < self._least


def in_blocks(
    decode: Callable[..., Any], params: dict[str, Any], z: Floats, *more: Pixels
) -> Pixels:
    """Decode latents, of shape (n, d), in blocks of one size: it is compiled for that alone."""
    found = np.empty((0, 0), np.float32)
    for first in range(0, len(z), _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, len(z)))
        padded = np.resize(rows, _BLOCK)
        latents = jnp.asarray(z[padded], jnp.float32)
        part = np.asarray(decode(params, latents, *(one[padded] for one in more)))
        if first == 0:
            found = np.empty((len(z), part.shape[1]), np.float32)
        found[rows] = part[: len(rows)]
    return found
