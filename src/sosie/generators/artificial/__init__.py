"""Artificial patients: rows drawn from a model learnt on a small cohort."""

from importlib.util import find_spec

from sosie.errors import SosieError

if any(find_spec(library) is None for library in ("jax", "optax", "scipy")):
    raise SosieError(
        "Artificial persons need more libraries; install them: pip install 'sosie[artificial]'."
    )

from sosie.generators.artificial._behind import Behind, behind
from sosie.generators.artificial._image_fidelity import image_fidelity
from sosie.generators.artificial._image_files import (
    check_label_names,
    files_left,
    read_images,
    write_images,
)
from sosie.generators.artificial._image_labels import check_balance, count_of
from sosie.generators.artificial._image_rhvae import ImageRHVAE
from sosie.generators.artificial._image_store import check_storable
from sosie.generators.artificial._joint import JointRHVAE
from sosie.generators.artificial._latent_tables import (
    geodesic,
    interpolate,
    latent,
    latent_map,
    latent_path,
)
from sosie.generators.artificial._pictures import curve_of, grid_of, map_of, path_of, saved
from sosie.generators.artificial._rhvae import RHVAE
from sosie.generators.artificial._room import check_images, check_rows
from sosie.generators.artificial._store import is_model

__all__ = [
    "RHVAE",
    "Behind",
    "ImageRHVAE",
    "JointRHVAE",
    "behind",
    "check_balance",
    "check_images",
    "check_label_names",
    "check_rows",
    "check_storable",
    "count_of",
    "curve_of",
    "files_left",
    "geodesic",
    "grid_of",
    "image_fidelity",
    "interpolate",
    "is_model",
    "latent",
    "latent_map",
    "latent_path",
    "map_of",
    "path_of",
    "read_images",
    "saved",
    "write_images",
]
