"""What a decoder leaves out of images, drawn again with the texture that it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sosie.generators.artificial._image_networks import NOISE_FLOOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["Texture"]


@dataclass(frozen=True)
class Texture:
    """The law of what is left of images, normal with their covariance, shrunk to a product.

    Neighbouring pixels that the decoder leaves out of together are drawn together: noise that
    is independent from pixel to pixel has the right spread, and looks like snow.

    Parameters
    ----------
    together : ndarray of shape (n, p)
        What originals left out, in standard deviations of each pixel, times its share of a draw.
    apart : ndarray of shape (p,)
        Share of a draw that is independent from pixel to pixel.
    sigma : ndarray of shape (p,)
        Standard deviation of each pixel.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> left = np.repeat(rng.normal(0, 0.1, (500, 1)), 3, axis=1)
    >>> drawn = Texture.of(left, np.ones(3)).draw(rng, 2000)
    >>> float(np.corrcoef(drawn[:, 0], drawn[:, 2])[0, 1]) > 0.98
    True
    """

    together: Floats
    apart: Floats
    sigma: Floats

    @classmethod
    def of(cls, left: NDArray[np.floating], sigma: NDArray[np.floating]) -> Texture:
        """Learn the law of what is left.

        The share of the product law is that of Ledoit and Wolf.

        Parameters
        ----------
        left : ndarray of shape (n, p)
            Pixels minus their means, of the originals.
        sigma : ndarray of shape (p,)
            Standard deviation of each pixel, of which the part within the floor is needed to
            learn, and drawn only as far as it was left.
        """
        n, p = left.shape
        spread = np.sqrt((left.astype(np.float64) ** 2).mean(0))
        flat = spread < 1e-6
        rows = left / np.where(flat, 1, spread)
        rows[:, flat] = 0
        gram = rows @ rows.T
        square = float((gram**2).sum()) / n**2  # of the norm of their correlations
        alone = int((~flat).sum())
        noise = (float((gram.diagonal() ** 2).sum()) - n * square) / n**2
        shrinkage = min(max(noise / max(square - alone, 1e-12), 0.0), 1.0) if p > 1 else 1.0
        floor = np.where(flat, NOISE_FLOOR, np.minimum(spread, NOISE_FLOOR))
        return cls(
            (rows * np.sqrt((1 - shrinkage) / n)).astype(np.float32),
            np.sqrt(np.where(flat, 1, shrinkage)).astype(np.float32),
            (sigma - NOISE_FLOOR + floor).astype(np.float32),
        )

    def draw(self, rng: np.random.Generator, m: int) -> Floats:
        """Draw what is to be added to the means of m images, of shape (m, p)."""
        n, p = self.together.shape
        found = rng.standard_normal((m, n), np.float32) @ self.together
        found += self.apart * rng.standard_normal((m, p), np.float32)
        return self.sigma * found
