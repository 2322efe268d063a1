"""Labels that a message may name: what few persons have may tell who they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["FEWEST_TOLD", "tellable"]

FEWEST_TOLD = 5
"""Persons, or images, of a label below which no message names it."""


def tellable(labels: Sequence[Any], counts: ArrayLike) -> list[Any]:
    """Give the labels that a message may name, in their order.

    Parameters
    ----------
    labels : sequence
    counts : array of shape (n,)
        Persons who have each.

    Examples
    --------
    >>> tellable(["high", "low", "superrare"], [7, 5, 1])
    ['high', 'low']
    """
    return [
        label
        for label, count in zip(labels, np.asarray(counts).tolist(), strict=True)
        if count >= FEWEST_TOLD
    ]
