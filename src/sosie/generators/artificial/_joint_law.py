"""A latent that a picture and a row of a table share; either may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sosie.generators.artificial._image_law import log_normal, log_pixels
from sosie.generators.artificial._image_networks import NOISE_FLOOR, factors, noise
from sosie.generators.artificial._likelihoods import SIGMA_FLOOR, log_prob
from sosie.generators.artificial._networks import linear, sigmas

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape

    Floats = NDArray[np.float64]
    Params = dict[str, Array]

__all__ = [
    "JointLaw",
    "begun",
    "cell_sigma",
    "decode_image",
    "decode_table",
    "expert_of",
    "pixel_sigma",
]

_VIEWS = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
"""What is shown of a person: both, the image, the row."""


class JointLaw(NamedTuple):
    r"""Images and rows of a table, independent given z; z standard normal.

    The posterior is a product of experts: what each modality says of z, and the prior,

    .. math:: q(z | x, t) \propto p(z) \, q_x(z) \, q_t(z)

    where a missing modality is left out. Each person is shown three times, whole and by one
    modality alone, and the bound is that of what is shown: so each expert learns to stand
    alone.

    Data: pixels; score, its two ends, seen, levels; whether there is an image, and a row.

    References
    ----------
    .. [1] M. Wu, N. Goodman, "Multimodal generative models for scalable weakly-supervised
       learning", NeurIPS 2018.
    """

    shape: Shape

    def encode(self, params: Params, data: tuple[Array, ...]) -> tuple[Array, Array]:
        """Give mean and log standard deviation of the views of persons, (3 b, d) each."""
        x, point, _, _, seen, level, has_image, has_row = data
        image = expert_of(params, "image", x - 0.5)
        row = expert_of(params, "row", _read(point, seen, level))
        found = [
            _product(image, row, with_image * has_image, with_row * has_row)
            for with_image, with_row in _VIEWS
        ]
        mean, log_sigma = (jnp.concatenate(parts) for parts in zip(*found, strict=True))
        return mean, log_sigma

    def log_joint(self, params: Params, data: tuple[Array, ...], z: Array) -> Array:
        """Give log p(z) and that of what is shown, of shape (3 b,)."""
        x, _, low, high, seen, level, has_image, has_row = data
        said = []
        for (with_image, with_row), at in zip(_VIEWS, jnp.split(z, len(_VIEWS)), strict=True):
            image = log_pixels(x, decode_image(params, at), pixel_sigma(params))
            row = log_prob(
                decode_table(params, at), cell_sigma(params), self.shape, low, high, seen, level
            )
            said.append(with_image * has_image * image + with_row * has_row * row)
        return jnp.concatenate(said) + log_normal(z, jnp.zeros(()), jnp.zeros(()))


def decode_image(params: Params, z: Array) -> Array:
    """Give the means of the pixels, of shape (b, p)."""
    return _out(params, "pixels", z)


def decode_table(params: Params, z: Array) -> Array:
    """Give the means of the scores, then the logits of the levels."""
    return _out(params, "cells", z)


def pixel_sigma(params: Params) -> Array:
    """Give the standard deviation of every pixel about its mean."""
    return noise({"dec_noise": params["pixels_noise"]})


def cell_sigma(params: Params) -> Array:
    """Give the standard deviation of every score about its mean."""
    return sigmas({"dec_noise": params["cells_noise"]})


def expert_of(params: Params, name: str, given: Array) -> tuple[Array, Array]:
    """Give what a modality says of z: precision times mean, and precision, (b, d) each."""
    hidden = jax.nn.gelu(given @ params[f"{name}_in"] + params[f"{name}_at"])
    out = hidden @ params[f"{name}_out"]
    d = params[f"{name}_sure"].shape[0]
    mean = given @ params[f"{name}_mean"] + params[f"{name}_level"] + out[:, :d]
    return mean, jnp.exp(params[f"{name}_sure"] + jnp.clip(out[:, d:], -4, 4))


def _product(
    image: tuple[Array, Array], row: tuple[Array, Array], has_image: Array, has_row: Array
) -> tuple[Array, Array]:
    a, b = has_image[:, None], has_row[:, None]
    precision = 1 + a * image[1] + b * row[1]
    return (a * image[0] + b * row[0]) / precision, -0.5 * jnp.log(precision)


def _read(point: Array, seen: Array, level: Array) -> Array:
    return jnp.concatenate([point * seen, level, 1 - seen], axis=1)


def _out(params: Params, name: str, z: Array) -> Array:
    hidden = jax.nn.gelu(z @ params[f"{name}_in"] + params[f"{name}_at"])
    return z @ params[f"{name}_mean"] + params[f"{name}_level"] + hidden @ params[f"{name}_out"]


def begun(
    x: Floats, coded: Coded, shape: Shape, d: int, hidden: int, rng: np.random.Generator
) -> Params:
    """Give the parameters at which the model is one factor model of pixels and cells.

    Parameters
    ----------
    x : ndarray of shape (n, p)
        Pixels of persons who have both.
    coded : Coded
        Their rows.
    shape : Shape
    d, hidden : int
    rng : Generator
        Of the first layers; the last ones are zero.
    """
    cells, p, s = linear(coded), x.shape[1], shape.n_scores
    found = factors(np.hstack([x, cells]), np.zeros(len(x), int), 1, d, pixels=p)
    W, at, unique = found.loadings, found.level[0], found.unique
    # z of this model is standard normal, whatever the variance the factors found for it.
    W = W * np.sqrt(found.variance)
    at = at + found.loadings @ found.mean[0]
    shares = coded.level.mean(0)
    spread = np.sqrt(np.maximum(shares * (1 - shares), 1e-3))
    to_logit = np.r_[np.ones(s), spread / np.maximum(shares, 1e-2)]
    base = np.r_[at[p : p + s], np.log(np.maximum(shares, 1e-3))]
    weight = W / unique[:, None]
    image_sure, row_sure = ((W[part] * weight[part]).sum(0) for part in (slice(p), slice(p, None)))
    # A row is read as scores, levels as 0 or 1, and what is missing.
    scale = np.r_[np.ones(s), 1 / spread]
    to_row = np.vstack([weight[p:] * scale[:, None], np.zeros((s, d))])
    middle = np.r_[at[p : p + s], at[p + s :] * spread + shares]

    def layer(rows: int, columns: int) -> Floats:
        return rng.standard_normal((rows, columns)) / np.sqrt(rows)

    params: dict[str, NDArray[np.floating]] = {
        "image_mean": weight[:p],
        "image_level": (0.5 - at[:p]) @ weight[:p],
        "image_sure": np.log(np.maximum(image_sure, 1e-3)),
        "row_mean": to_row,
        "row_level": -middle @ to_row[: len(middle)],
        "row_sure": np.log(np.maximum(row_sure, 1e-3)),
        "pixels_mean": W[:p].T,
        "pixels_level": at[:p],
        "cells_mean": (W[p:] * to_logit[:, None]).T,
        "cells_level": base,
    }
    for name, rows, out in (("image", p, 2 * d), ("row", len(to_row), 2 * d)):
        params |= {f"{name}_in": layer(rows, hidden), f"{name}_out": np.zeros((hidden, out))}
    for name, out in (("pixels", p), ("cells", shape.n_outputs)):
        params |= {f"{name}_in": layer(d, hidden), f"{name}_out": np.zeros((hidden, out))}
    for name in ("image", "row", "pixels", "cells"):
        params[f"{name}_at"] = rng.standard_normal(hidden) * 0.5
    for name, floor, sigma in (
        ("pixels", NOISE_FLOOR, np.sqrt(unique[:p])),
        ("cells", SIGMA_FLOOR, np.sqrt(unique[p : p + s])),
    ):
        params[f"{name}_noise"] = np.log(np.expm1(np.maximum(sigma - floor, 1e-3)))
    return {name: jnp.asarray(values, jnp.float32) for name, values in params.items()}
