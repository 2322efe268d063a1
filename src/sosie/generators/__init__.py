"""Makers of people who do not exist: one class a file, one protocol: fit, sample."""

from sosie.generators._avatar import KERNELS, Avatar
from sosie.generators._gaussian import Gaussian
from sosie.generators._gibbs import Gibbs
from sosie.generators._kernel import Kernel
from sosie.generators._published import Published
from sosie.generators._rotation import Rotation

__all__ = ["KERNELS", "Avatar", "Gaussian", "Gibbs", "Kernel", "Published", "Rotation"]
