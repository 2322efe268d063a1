"""How near the pixels of artificial images are to those of the originals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["image_fidelity"]


def image_fidelity(
    original: NDArray[Any],
    drawn: NDArray[Any],
    labels: ArrayLike | None = None,
    drawn_labels: ArrayLike | None = None,
) -> float:
    """Give 1 minus the mean over pixels of the Kolmogorov-Smirnov distance.

    Originals are weighted to the shares of the labels drawn, so that balancing costs nothing.

    Parameters
    ----------
    original, drawn : ndarray of shape (n, h, w) or (n, h, w, colours)
        Of one type.
    labels, drawn_labels : array of shape (n,), optional

    Returns
    -------
    float
        From 0 to 1. It says nothing of privacy, and nothing of how pixels go together.

    Examples
    --------
    >>> ones = np.ones((4, 8, 8))
    >>> image_fidelity(ones, ones), image_fidelity(ones, 0 * ones)
    (1.0, 0.0)
    """
    a, b = original.reshape(len(original), -1), drawn.reshape(len(drawn), -1)
    weight = np.ones(len(a))
    if labels is not None and drawn_labels is not None:
        of, wanted = np.asarray(labels).ravel(), np.asarray(drawn_labels).ravel()
        for label in np.unique(of):
            rows = of == label
            weight[rows] = (wanted == label).mean() / rows.sum()
    both = np.concatenate([a, b])
    steps = np.concatenate([weight / weight.sum(), np.full(len(b), -1 / len(b))])
    order = np.argsort(both, axis=0, kind="stable")
    gap = np.abs(np.cumsum(steps[order], axis=0))
    ordered = np.take_along_axis(both, order, axis=0)
    # Equal values are one step: only the last of them counts.
    gap[:-1][ordered[:-1] == ordered[1:]] = 0
    return float(1 - gap[:-1].max(axis=0).mean())
