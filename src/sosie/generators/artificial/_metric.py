"""The Riemannian metric of the latent space: matrices carried by centroids, and a floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

if TYPE_CHECKING:
    from jax import Array

__all__ = ["CentroidMetric", "Local", "product"]


class Local(NamedTuple):
    """What the metric is at b points, worked out once for all the momenta tried there."""

    position: Array
    """The points, of shape (b, d)."""
    kernel: Array
    """Weight of each centroid at each point, of shape (b, k)."""
    inverse: Array
    """G(z)^-1, of shape (b, d, d)."""
    tensor: Array
    """G(z), of shape (b, d, d)."""
    log_det_inverse: Array
    """log det G(z)^-1, of shape (b,)."""


class CentroidMetric(NamedTuple):
    r"""A metric whose inverse is a sum of matrices, each felt around its centroid.

    .. math:: G(z)^{-1} = \sum_i M_i \exp(-\|z - c_i\|^2 / T^2) + \lambda I

    - :math:`G^{-1}` is large near the centroids (movement is cheap where persons are) and
      falls to :math:`\lambda I` far from them. Its sign is the opposite of a pull-back's.
    - A tuple of arrays: it can be traced, differentiated and given to a compiled function.
    - The mass of the sum follows the number of centroids: matrices learnt on batches of b
      among n persons are to be multiplied by n / b for the sum over b of them to stand for
      the sum over n.
    - Products run in full float32 on every device: the default of a GPU would round
      distances at the third digit.

    Parameters
    ----------
    centroids : Array of shape (k, d)
    matrices : Array of shape (k, d, d)
        Symmetric, positive semi-definite.
    temperature : float
        T, the distance at which a centroid is felt.
    floor : float
        :math:`\lambda > 0`.

    References
    ----------
    .. [1] C. Chadebec, C. Mantoux, S. Allassonnière, "Geometry-aware Hamiltonian
       variational auto-encoder", arXiv:2010.11518, 2020.
    .. [2] C. Chadebec, E. Thibeau-Sutre, N. Burgos, S. Allassonnière, "Data augmentation
       in high dimensional low sample size setting using a geometry-based variational
       autoencoder", IEEE TPAMI, 2022 (arXiv:2105.00026).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> metric = CentroidMetric(jnp.zeros((1, 2)), jnp.eye(2)[None], 1.0, 0.01)
    >>> [round(float(x), 3) for x in metric.inverse(jnp.array([[0.0, 0.0], [9.0, 9.0]]))[:, 0, 0]]
    [1.01, 0.01]
    """

    centroids: Array
    matrices: Array
    temperature: Array | float
    floor: Array | float

    @classmethod
    def of_factors(
        cls, centroids: Array, factors: Array, temperature: Array | float, floor: Array | float
    ) -> CentroidMetric:
        """Make the metric from the factors L of M = L L', of shape (k, d, d)."""
        return cls(centroids, product(factors, factors.mT), temperature, floor)

    def kernel(self, z: Array) -> Array:
        """Weigh each centroid at each point.

        Parameters
        ----------
        z : Array of shape (b, d)

        Returns
        -------
        Array of shape (b, k)
        """
        # Distances from the middle of the centroids lose fewer digits when expanded.
        middle = jax.lax.stop_gradient(self.centroids.mean(axis=0))
        z, centroids = z - middle, self.centroids - middle
        squared = (z**2).sum(1)[:, None] + (centroids**2).sum(1) - 2 * product(z, centroids.T)
        return jnp.exp(-jnp.maximum(squared, 0) / self.temperature**2)

    def inverse(self, z: Array) -> Array:
        """Compute G(z)^-1, of shape (b, d, d)."""
        return self._mixed(self.kernel(z))

    def tensor(self, z: Array) -> Array:
        """Compute G(z), of shape (b, d, d)."""
        return self.at(z).tensor

    def at(self, z: Array) -> Local:
        """Work out all that the metric is at ``z``, of shape (b, d)."""
        kernel = self.kernel(z)
        inverse = self._mixed(kernel)
        tensor, log_det = _inverted(inverse)
        return Local(z, kernel, inverse, tensor, log_det)

    def log_det_inverse(self, z: Array) -> Array:
        """Compute log det G(z)^-1, of shape (b,), through the Cholesky factor."""
        return self.at(z).log_det_inverse

    def grad_log_det(self, z: Array) -> Array:
        r"""Compute the gradient of log det G(z)^-1, of shape (b, d), in closed form.

        :math:`\frac{2}{T^2} \sum_i w_i(z) \, \mathrm{tr}(G(z) M_i) \, (c_i - z)`
        """
        return -2 * self.gradient(self.at(z), jnp.zeros_like(z))

    def gradient(self, local: Local, rho: Array) -> Array:
        r"""Compute the gradient in z of the kinetic energy of a momentum.

        That of :math:`\frac12 \rho' G^{-1} \rho - \frac12 \log\det G^{-1}`, which is
        :math:`\frac{1}{T^2} \sum_i w_i \langle \rho\rho' - G, M_i \rangle (c_i - z)`: two
        matrix products, and no derivative of a factorisation.

        Parameters
        ----------
        local : Local
            The metric at b points.
        rho : Array of shape (b, d)
            Momenta there.

        Returns
        -------
        Array of shape (b, d)
        """
        b, d = rho.shape
        gap = rho[:, :, None] * rho[:, None, :] - local.tensor
        pull = local.kernel * product(gap.reshape(b, d * d), self.matrices.reshape(-1, d * d).T)
        centred = product(pull, self.centroids) - pull.sum(1, keepdims=True) * local.position
        return centred / self.temperature**2

    def momentum(self, local: Local, gamma: Array) -> Array:
        """Turn standard normal draws into draws of N(0, G(z)), of shape (b, d).

        With G^-1 = C C', the momentum is C'^-1 gamma: a square root of G(z) itself, at the
        point where the person stands, not of the matrix of the person's centroid.
        """
        factor = jnp.linalg.cholesky(local.inverse)
        return solve_triangular(factor, gamma[:, :, None], lower=True, trans=1)[:, :, 0]

    def _mixed(self, kernel: Array) -> Array:
        k, d = self.centroids.shape
        mixed = product(kernel, self.matrices.reshape(k, d * d)).reshape(-1, d, d)
        return mixed + self.floor * jnp.eye(d, dtype=mixed.dtype)


def product(a: Array, b: Array) -> Array:
    """Multiply matrices in the precision of their type, on any device."""
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


@jax.custom_jvp
def _inverted(matrix: Array) -> tuple[Array, Array]:
    """Invert positive definite matrices (b, d, d), and give the log determinant (b,)."""
    factor = jnp.linalg.cholesky(matrix)
    eye = jnp.broadcast_to(jnp.eye(matrix.shape[-1], dtype=matrix.dtype), matrix.shape)
    root = solve_triangular(factor, eye, lower=True)
    log_det = 2 * jnp.log(jnp.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
    return product(root.mT, root), log_det


@_inverted.defjvp
def _(
    primals: tuple[Array], tangents: tuple[Array]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    # Products only: the derivative of a batch of small factorisations is slow on a CPU.
    inverse, log_det = _inverted(*primals)
    (change,) = tangents
    moved = -product(product(inverse, change), inverse)
    return (inverse, log_det), (moved, (inverse * change).sum((-2, -1)))
