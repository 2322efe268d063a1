"""Models of images, and of images with rows, in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import jax.numpy as jnp
import numpy as np

from sosie.errors import ParameterError
from sosie.generators.artificial._image_data import Pictures
from sosie.generators.artificial._image_draws import ImageDraws
from sosie.generators.artificial._image_labels import Labels
from sosie.generators.artificial._image_noise import Texture
from sosie.generators.artificial._store import Stored, begun, generator_in, read, said_of, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from sosie.generators.artificial._image_rhvae import ImageRHVAE
    from sosie.generators.artificial._joint import JointRHVAE

    Arrays = dict[str, NDArray[Any]]

__all__ = [
    "check_storable",
    "read_image_model",
    "read_joint_model",
    "write_image_model",
    "write_joint_model",
]

_NETWORK = "network."
"""Before the names of parameters of networks, so that no other array is taken for one."""

Image = TypeVar("Image", bound="ImageRHVAE")
Joint = TypeVar("Joint", bound="JointRHVAE")


def check_storable(labels: Iterable[Any]) -> None:
    """Refuse labels that a folder of a model could not hold.

    Raises
    ------
    ParameterError
        If one is neither text nor a number.

    Examples
    --------
    >>> check_storable(["a", "b"])
    """
    for one in labels:
        if not isinstance(one, str | int | float | None):
            raise ParameterError(
                f"Labels of type {type(one).__name__} cannot be saved in a model: learn with text "
                "or whole numbers."
            )


def write_image_model(model: ImageRHVAE, folder: Path) -> None:
    """Write a model of images; see :meth:`ImageRHVAE.save`."""
    labels = model.labels_
    check_storable(labels)
    around, texture = model._around, model._draws.texture
    # Single precision is all that the encoder gives.
    arrays = _arrays(model) | {
        "codes": model._labels.codes,
        "latent_mean": around.mean.astype(np.float32),
        "latent_sigma": around.sigma.astype(np.float32),
        "left_together": texture.together,
        "left_apart": texture.apart,
        "left_sigma": texture.sigma,
    }
    write(folder, "images", Stored(said_of(model) | {"labels": labels}, arrays))


def read_image_model(kind: type[Image], folder: Path, seed: int | None) -> Image:
    """Read a model of images; see :meth:`ImageRHVAE.load`."""
    said, arrays, _ = read(folder, "images")
    model = begun(kind, said, seed)
    pictures, known = Pictures.of(arrays["images"]), Labels(arrays["codes"], said["labels"])
    model._learnt(_params(arrays), pictures, known)
    mean, sigma = (arrays[f"latent_{name}"].astype(np.float64) for name in ("mean", "sigma"))
    each = len(mean) // len(pictures)
    persons = np.tile(np.arange(len(pictures)), each)
    texture = Texture(*(arrays[f"left_{name}"] for name in ("together", "apart", "sigma")))
    draws = ImageDraws(pictures, texture)
    model._settle(mean, sigma, np.tile(known.codes, each), persons, draws)
    return model


def write_joint_model(model: JointRHVAE, folder: Path) -> None:
    """Write a model of images with rows; see :meth:`JointRHVAE.save`."""
    said = said_of(model) | {"settled_by": model._settled_by}
    arrays = _arrays(model) | {"row_of": model._rows}
    write(folder, "images with rows", Stored(said, arrays, model._cohort.table))


def read_joint_model(kind: type[Joint], folder: Path, data: Any, seed: int | None) -> Joint:
    """Read a model of images with rows; see :meth:`JointRHVAE.load`."""
    said, arrays, table = read(folder, "images with rows", data)
    assert table is not None
    model = begun(kind, said, seed)
    model._take(Pictures.of(arrays["images"]), table, arrays["row_of"])
    model._learnt(_params(arrays), generator_in(said["settled_by"]))
    return model


def _arrays(model: ImageRHVAE | JointRHVAE) -> Arrays:
    """Give the networks and the originals, as these were given."""
    networks = {f"{_NETWORK}{name}": np.asarray(a) for name, a in model._params.items()}
    return networks | {"images": model._pictures.restored(model._pictures.pixels)}


def _params(arrays: Arrays) -> dict[str, Any]:
    return {
        name.removeprefix(_NETWORK): jnp.asarray(values)
        for name, values in arrays.items()
        if name.startswith(_NETWORK)
    }
