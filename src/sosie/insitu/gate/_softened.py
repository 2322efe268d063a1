"""Counts that are rounded or have noise, and the sums that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import TrustError
from sosie.insitu.gate._cell_key import MOST_NOISE, CellKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Aggregate

    Floats = NDArray[np.float64]

__all__ = ["Softening"]


class Softening:
    """Rounds counts, or gives them cell-key noise, and scales sums to the counts that are told.

    Everybody of a cell then weighs the same: the count that is told over the true one. So the
    means, squares and products per person of what leaves a holder are those of its persons,
    whatever count is told, and a sum of ones over a cell is that count, not the true one.

    Parameters
    ----------
    round_to : int
        1 for counts as they are.
    secret : bytes, optional
        Of the holder, for cell-key noise; no noise without one.

    Examples
    --------
    >>> from sosie.insitu._aggregate import counts, over, sums
    >>> n = counts(np.zeros(12, int), 1, np.ones(12, bool))
    >>> ones = over(sums(np.ones((12, 1))), n)
    >>> five = Softening(5)
    >>> five.values(n).tolist(), five.values(ones).tolist(), five.off
    ([10.0], [10.0], 2)
    """

    def __init__(self, round_to: int, secret: bytes | None = None) -> None:
        self._step = round_to
        self._secret = secret
        self._key: CellKey | None = None

    @property
    def off(self) -> int:
        """How far at most a count that is told is from the true one; 0 where all are told."""
        return self._step // 2 + (0 if self._secret is None else MOST_NOISE)

    def values(self, one: Aggregate) -> Floats:
        """Give what leaves of an array.

        Raises
        ------
        TrustError
            If it is a sum that does not say over which count it goes: it would tell the true one.
        """
        if not self.off or one.kind == "vote":
            return one.values
        if one.kind == "count":
            return self._told(one)
        if one.over is None:
            raise TrustError("A sum does not say over which count it goes; it does not leave.")
        true = one.over.values
        share = np.divide(self._told(one.over), true, out=np.ones_like(true), where=true > 0)
        if share.size == 1:
            return one.values * share.item()
        return one.values * share.reshape(share.shape + (1,) * (one.values.ndim - share.ndim))

    def _told(self, count: Aggregate) -> Floats:
        values = count.values
        if self._secret is not None and count.members:
            if self._key is None:
                self._key = CellKey(self._secret, len(count.members[0]))
            values = self._key.noised(count)
        return np.rint(values / self._step) * self._step if self._step > 1 else values
