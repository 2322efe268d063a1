"""Keeps a holder on the one path that an iterative analysis has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Part, Total

    Floats = NDArray[np.float64]

__all__ = ["MOST_ROUNDS", "Path"]

MOST_ROUNDS = 30
_SLACK = 1e-6
_SAME = frozenset({"n", "events"})
"""Counts that no round changes."""


class Path:
    """The totals that a holder has accepted in one task.

    A score at coefficients that somebody chooses is one more equation about the persons, and
    enough of them give the persons away [1]_. So a holder is never told at which coefficients to
    compute: it is given the total of the round before, which must be one that its own part can
    be in, and computes the next step itself, by the same code as the hub.

    Parameters
    ----------
    holders : int
        Who take part, from the first round to the last.

    References
    ----------
    .. [1] F. Ritchie, "Disclosure controls for regression outputs", WISERD 2012; see also the
       score replay of iterative generalised linear models.
    """

    def __init__(self, holders: int) -> None:
        self.turn = 0
        self._holders = holders
        self._counted: dict[str, Floats] = {}

    def accepts(self, own: Part, total: Total) -> bool:
        """Check a total before the next step is computed from it.

        Parameters
        ----------
        own : Part
            What this holder let out, noise and rounding included, without masks.
        total : Total

        Returns
        -------
        bool
            False if it has other arrays or holders than the parts, is less than this holder's own
            part where only less than all is possible, is not that part where there is no other
            holder, has other numbers of persons or events than before, or comes after too many
            rounds.
        """
        self.turn += 1
        return self.turn <= MOST_ROUNDS and self._can_be(own, total)

    def _can_be(self, own: Part, total: Total) -> bool:
        shapes = {name: one.values.shape for name, one in own.arrays.items()}
        if total.holders != self._holders:
            return False
        if {name: values.shape for name, values in total.arrays.items()} != shapes:
            return False
        for name, one in own.arrays.items():
            rest = total[name] - one.values
            if not np.isfinite(rest).all():
                return False
            slack = _SLACK * (1 + np.abs(total[name]).max(initial=0))
            if one.kind == "vote" and (rest > self._holders - 1 + slack).any():
                return False
            if one.kind in ("count", "vote") and (rest < -slack).any():
                return False
            if self._holders == 1 and (np.abs(rest) > slack).any():
                return False
            if name == "information" and np.linalg.eigvalsh(rest).min(initial=0) < -slack:
                return False
            if name == "deviance" and (rest < -slack).any():
                return False
        for name in _SAME.intersection(own.arrays):
            if not np.array_equal(self._counted.setdefault(name, total[name]), total[name]):
                return False
        return True
