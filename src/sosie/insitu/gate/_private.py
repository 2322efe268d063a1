"""Noise of differential privacy, drawn once for each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import SosieError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Aggregate

    Floats = NDArray[np.float64]

__all__ = ["noised_privately"]


def noised_privately(one: Aggregate, epsilon: float) -> Floats:
    r"""Add Laplace noise, discrete for counts, that hides any one person up to `epsilon` [1]_.

    The scale is the sensitivity over `epsilon`; of discrete noise of scale s the variance is
    :math:`2 e^{-1/s} / (1 - e^{-1/s})^2`. The bits are the operating system's: no seed gives
    them back.

    Parameters
    ----------
    one : Aggregate
        With a sensitivity.
    epsilon : float

    Raises
    ------
    SosieError
        If OpenDP is not installed.

    References
    ----------
    .. [1] A. Ghosh, T. Roughgarden, M. Sundararajan, "Universally utility-maximizing privacy
       mechanisms", STOC 2009; made by OpenDP's ``make_laplace``.
    """
    try:  # not its prelude, which loads polars, pandas and scikit-learn
        from opendp.domains import atom_domain, vector_domain
        from opendp.measurements import make_laplace
        from opendp.metrics import l1_distance
        from opendp.mod import enable_features
        from opendp.typing import i64
    except ImportError as error:
        raise SosieError(
            "Differential privacy needs another library; install it: pip install 'sosie[dp]'."
        ) from error
    enable_features("contrib")
    assert one.sensitivity is not None
    flat = one.values.ravel()
    asked: list[Any] = flat.tolist()
    bound: float = one.sensitivity
    space = vector_domain(atom_domain(T=float, nan=False)), l1_distance(T=float)
    if one.kind == "count":
        asked, bound = [int(value) for value in asked], int(bound)
        space = vector_domain(atom_domain(T=i64)), l1_distance(T=i64)
    measure: Any = make_laplace(*space, scale=one.sensitivity / epsilon)
    if measure.map(bound) > epsilon * (1 + 1e-6):
        raise SosieError("The noise is less than was asked; nothing leaves.")
    return np.array(measure(asked), float).reshape(one.values.shape)
