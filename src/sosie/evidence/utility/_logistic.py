"""Logistic regression by Newton's method, quick enough to be done hundreds of times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["logistic", "probability"]

_STEPS = 25


def logistic(
    x: NDArray[Any],
    y: NDArray[Any],
    penalty: float = 1.0,
    start: Floats | None = None,
    tolerance: float = 1e-6,
) -> Floats:
    r"""Minimise :math:`\sum \log(1 + e^{\eta}) - y \eta + \frac\lambda2 \sum_{j>0} \beta_j^2`.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        The first column is the intercept, which is not penalised.
    y : ndarray of shape (n,)
        0 or 1, both present.
    penalty : float
        Above 0, so that terms which say the same do no harm.
    start : ndarray of shape (d,), optional
        Coefficients near the solution.
    tolerance : float
        Largest change of a coefficient at which to stop.

    Returns
    -------
    ndarray of shape (d,)

    Examples
    --------
    >>> x = np.array([[1.0], [1.0], [1.0], [1.0]])
    >>> logistic(x, np.array([0, 1, 1, 1])).round(4).tolist()  # log(3)
    [1.0986]
    """
    ridge = np.full(x.shape[1], penalty)
    ridge[0] = 1e-9
    beta = np.zeros(x.shape[1]) if start is None else start.copy()
    y = y.astype(x.dtype)
    loss, eta = _loss(x, y, beta, ridge)
    for _ in range(_STEPS):
        p = probability(eta)
        weight = np.maximum(p * (1 - p), 1e-9)
        gradient = x.T @ (p - y) + ridge * beta
        hessian = (x.T @ (x * weight[:, None])).astype(np.float64)
        hessian[np.diag_indices_from(hessian)] += ridge
        step = np.linalg.solve(hessian, gradient.astype(np.float64))
        for _ in range(10):
            tried = beta - step
            after, eta_after = _loss(x, y, tried, ridge)
            if after <= loss + 1e-6 * abs(loss):
                break
            step = step / 2
        else:
            break
        beta, eta, loss = tried, eta_after, after
        if np.abs(step).max() < tolerance:
            break
    return beta


def probability(eta: NDArray[Any]) -> NDArray[Any]:
    """Give 1 / (1 + exp(-eta)), without overflow.

    Examples
    --------
    >>> probability(np.array([-1000.0, 0.0])).tolist()
    [0.0, 0.5]
    """
    return 0.5 * (1 + np.tanh(eta / 2))


def _loss(
    x: NDArray[Any], y: NDArray[Any], beta: Floats, ridge: Floats
) -> tuple[float, NDArray[Any]]:
    eta = x @ beta.astype(x.dtype)
    each = np.logaddexp(0, eta) - y * eta
    return float(each.sum(dtype=np.float64) + 0.5 * (ridge * beta**2).sum()), eta
