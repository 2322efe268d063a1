"""The latent of a patient of whom the picture, or the row, is known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._image_law import log_pixels
from sosie.generators.artificial._joint_law import cell_sigma, pixel_sigma
from sosie.generators.artificial._likelihoods import log_prob

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sosie.generators.artificial._coding import Shape

    Floats = NDArray[np.float64]

__all__ = ["Candidates", "chance_of_image", "chance_of_row"]

_CANDIDATES = 4096
_NUMBERS = 1 << 24
"""Pixels of candidates held at once."""


class Candidates:
    """Latents drawn from the posteriors of all patients, to be chosen by what is known of one.

    What is chosen by its likelihood is a draw from the law of the latent given what is known,
    where patients are as those learnt from: importance resampling from the aggregate posterior
    [1]_. What the encoder says given one modality alone is wider than that and strays: of 300
    digits it gave images of the digit asked for 7 times in 10, where this gives 9 or more.

    Parameters
    ----------
    mean, spread : ndarray of shape (n, d)
        Posteriors of the patients.
    pixels : int
        Of an image: candidates are fewer where images are large.
    rng : Generator

    Attributes
    ----------
    persons : ndarray of shape (m,)
        From whose posterior each is.
    z : ndarray of shape (m, d)

    References
    ----------
    .. [1] D. B. Rubin, "The calculation of posterior distributions by data augmentation:
       comment", JASA 82 (1987): sampling importance resampling.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> some = Candidates(np.array([[-1.0], [1.0]]), np.full((2, 1), 0.1), 64, rng)
    >>> bool(some.chosen(np.where(some.persons == 1, 0.0, -np.inf), rng) > 0.5)
    True
    """

    def __init__(self, mean: Floats, spread: Floats, pixels: int, rng: np.random.Generator) -> None:
        n = len(mean)
        self.persons = np.resize(rng.permutation(n), max(min(_CANDIDATES, _NUMBERS // pixels), n))
        noise = rng.standard_normal((len(self.persons), mean.shape[1]))
        self.z = mean[self.persons] + spread[self.persons] * noise

    def chosen(self, chance: ArrayLike, rng: np.random.Generator) -> Floats:
        """Choose a latent by the chance of each, told as logarithms of shape (m,)."""
        said = np.asarray(chance, np.float64)
        found: Floats = self.z[(said + rng.gumbel(size=said.shape)).argmax()]
        return found


@jax.jit
def chance_of_image(params: Any, means: jax.Array, x: jax.Array) -> jax.Array:
    """Give log p(x | z) of one image under every candidate, whose means are of shape (m, p)."""
    return log_pixels(jnp.broadcast_to(x, means.shape), means, pixel_sigma(params))


@partial(jax.jit, static_argnames="shape")
def chance_of_row(params: Any, told: jax.Array, shape: Shape, *known: jax.Array) -> jax.Array:
    """Give log p(t | z) of one row under every candidate; what is known is of one row each."""
    each = [jnp.broadcast_to(part, (len(told), part.shape[1])) for part in known]
    return log_prob(told, cell_sigma(params), shape, *each)
