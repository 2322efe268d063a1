"""Artificial patients: rows drawn from a model learnt on a small cohort."""

from importlib.util import find_spec

from sosie.errors import SosieError

if any(find_spec(library) is None for library in ("jax", "optax", "scipy")):
    raise SosieError(
        "Artificial persons need more libraries; install them: pip install 'sosie[artificial]'."
    )

from sosie.generators.artificial._behind import Behind, behind
from sosie.generators.artificial._image_rhvae import ImageRHVAE
from sosie.generators.artificial._rhvae import RHVAE
from sosie.generators.artificial._store import is_model

__all__ = ["RHVAE", "Behind", "ImageRHVAE", "behind", "is_model"]
