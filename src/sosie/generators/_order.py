"""Columns that never decrease along a row: kept by drawing the steps between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.float64]]

__all__ = ["Steps"]


class Steps:
    """Chains such as birth <= visit <= death, told by their first column and the steps.

    A step is counted from the last column of the chain that is not missing, or from the
    least value of the chain where none is, so that it is never negative.

    Parameters
    ----------
    chains : list of list of str
        Columns, each chain in order; a column belongs to one chain only.
    values : dict of name to ndarray of shape (n,)
        NaN where missing.

    Examples
    --------
    >>> dates = {"birth": np.array([10.0, 20.0]), "visit": np.array([15.0, 21.0])}
    >>> steps = Steps([["birth", "visit"]], dates)
    >>> steps.taken(dates)["visit"].tolist()
    [5.0, 1.0]
    >>> steps.undone({"birth": np.array([12.0]), "visit": np.array([3.0])})["visit"].tolist()
    [15.0]
    """

    def __init__(self, chains: list[list[str]], values: Arrays) -> None:
        self._chains: list[list[str]] = []
        used: set[str] = set()
        for chain in chains:
            # Sharing a column, two chains could not both be told by steps.
            free = [name for name in chain if name in values and name not in used]
            if len(free) > 1:
                self._chains.append(free)
                used.update(free)
        self._least = [min(float(np.nanmin(values[c])) for c in chain) for chain in self._chains]
        self._most = {c: float(np.nanmax(values[c])) for chain in self._chains for c in chain}

    def taken(self, values: Arrays) -> Arrays:
        """Replace the columns of chains by steps."""
        found = dict(values)
        for chain, least in zip(self._chains, self._least, strict=True):
            last = np.full(len(values[chain[0]]), least)
            for i, name in enumerate(chain):
                if i:
                    found[name] = values[name] - last
                last = np.where(np.isnan(values[name]), last, values[name])
        return found

    def undone(self, values: Arrays) -> Arrays:
        """Replace steps by the columns of chains, none beyond its largest value seen."""
        found = dict(values)
        for chain, least in zip(self._chains, self._least, strict=True):
            last = np.full(len(values[chain[0]]), least)
            for i, name in enumerate(chain):
                if i:
                    found[name] = np.maximum(
                        np.minimum(values[name] + last, self._most[name]), last
                    )
                last = np.where(np.isnan(found[name]), last, found[name])
        return found
