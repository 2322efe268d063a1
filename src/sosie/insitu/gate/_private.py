"""Noise of differential privacy, drawn once for each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import SosieError

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Aggregate

    Floats = NDArray[np.float64]

__all__ = ["noised_privately", "opendp"]


def opendp() -> ModuleType:
    """Load OpenDP.

    Raises
    ------
    SosieError
        If it is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise SosieError(
            "Differential privacy needs another library; install it: pip install 'sosie[dp]'."
        ) from error
    dp.enable_features("contrib")
    return dp


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

    References
    ----------
    .. [1] A. Ghosh, T. Roughgarden, M. Sundararajan, "Universally utility-maximizing privacy
       mechanisms", STOC 2009; made by OpenDP's ``make_laplace``.
    """
    dp = opendp()
    assert one.sensitivity is not None
    flat = one.values.ravel()
    asked: list[Any] = flat.tolist()
    bound: float = one.sensitivity
    space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.l1_distance(T=float)
    if one.kind == "count":
        asked, bound = [int(value) for value in asked], int(bound)
        space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l1_distance(T=dp.i64)
    measure = dp.m.make_laplace(*space, scale=one.sensitivity / epsilon)
    if measure.map(bound) > epsilon * (1 + 1e-6):
        raise SosieError("The noise is less than was asked; nothing leaves.")
    return np.array(measure(asked), float).reshape(one.values.shape)
