"""Newton's steps from pooled sums: the same at the hub and at every holder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["begin", "inverse", "next_step", "solved"]

_CLOSE = 1e-11
_WORSE = 1e-9
_FAR = 40.0


def begin(beta: Floats) -> dict[str, Any]:
    """Give the state of the first round."""
    return {"beta": beta, "former": None, "deviance": np.inf}


def solved(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric system, scaled so that units do not matter.

    Raises
    ------
    DataError
        If its columns depend on each other.
    """
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all():
        raise DataError("A column of the model is constant, or nobody has that label.")
    scaled = matrix / np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled)[0] < 1e-12:
        raise DataError("Columns of the model depend on each other; leave one out.")
    once = np.linalg.solve(scaled, right / (scale if right.ndim == 1 else scale[:, None]))
    return once / (scale if right.ndim == 1 else scale[:, None])


def inverse(matrix: Floats) -> Floats:
    """Invert a symmetric matrix as :func:`solved` does."""
    return solved(matrix, np.eye(len(matrix)))


def next_step(
    score: Floats, information: Floats, deviance: float, state: dict[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Go on from what was pooled at the present coefficients.

    A step after which the deviance is larger is halved.

    Returns
    -------
    tuple
        The next state, and whether the present coefficients are the solution.

    Raises
    ------
    DataError
        If there is none, as where a column separates the outcomes.
    """
    beta = state["beta"]
    worse = deviance > state["deviance"] + _WORSE * (1 + abs(state["deviance"]))
    if (worse or not np.isfinite(deviance)) and state["former"] is not None:
        half = (state["former"] + beta) / 2
        return state | {"beta": half}, False
    step = solved(information, score)
    size = np.sqrt(np.diag(information))
    if float(np.abs(step * size).max()) < _CLOSE * np.sqrt(max(1.0, abs(deviance))):
        return state, True
    after = beta + step
    spread = np.sqrt(np.diag(inverse(information)))
    if (spread * size > 1e6).any() or (np.abs(after) > _FAR * (1 + 10 * spread)).all():
        raise DataError("The model has no finite solution: a column separates the outcomes.")
    return {"beta": after, "former": beta, "deviance": deviance}, False
