"""Noise on counts that is always the same for the same persons: the cell-key method."""

from __future__ import annotations

import functools
import hashlib
import hmac
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Aggregate

    Floats = NDArray[np.float64]

__all__ = ["MOST_NOISE", "CellKey", "noise_table"]

MOST_NOISE = 5
"""On one count, unless another is asked for."""


@functools.lru_cache(maxsize=64)
def noise_table(count: int, most: int, variance: float) -> tuple[float, ...]:
    r"""Give the chances of the noise on a count: mean 0, of largest entropy.

    :math:`p_d \propto e^{a d - b d^2}` for d from ``max(-most, -count)`` to ``most``, with b
    such that the variance is as asked for a large count, and a such that the mean is 0 [1]_.

    Parameters
    ----------
    count : int
        True count, at least 1.
    most : int
        Noise there is at most.
    variance : float
        Of the noise on a large count.

    Returns
    -------
    tuple of float
        Chances of -most to most.

    References
    ----------
    .. [1] J. K. Marley, V. L. Leaver, "A method for confidentialising user-defined tables",
       58th World Statistical Congress, 2011.

    Examples
    --------
    >>> chances = noise_table(100, 5, 4.0)
    >>> round(sum(d * d * p for d, p in zip(range(-5, 6), chances)), 6)
    4.0
    """
    noise = np.arange(-most, most + 1.0)

    def chances(a: float, b: float, lowest: int) -> Floats:
        exponent = np.where(noise >= lowest, a * noise - b * noise**2, -np.inf)
        found = np.exp(exponent - exponent.max())
        return found / found.sum()

    def solved(low: float, high: float, above: object) -> float:
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle) else (low, middle)  # type: ignore[operator]
        return (low + high) / 2

    b = solved(-1.0, 50.0, lambda b: float(chances(0, b, -most) @ noise**2) > variance)
    lowest = max(-most, -count)
    a = solved(-50.0, 50.0, lambda a: float(chances(a, b, lowest) @ noise) < 0)
    return tuple(chances(a, b, lowest).tolist())


class CellKey:
    """Adds to a count a noise that depends on who is counted, and on nothing else.

    Each row has a random key; a cell's key is the sum of those of its rows, modulo 2**64. The
    same persons always get the same noise, so that asking again or in another way averages
    nothing, and a difference of two counts has the noise of two sets [1]_.

    Parameters
    ----------
    secret : bytes
        At least 32, of the holder alone; for as long as the snapshot lives.
    rows : int
        Persons of the snapshot, whose order is fixed.
    most : int
        Noise there is at most.
    variance : float

    References
    ----------
    .. [1] B. Fraser, J. Wooton, "A proposed method for confidentialising tabular output to
       protect against differencing", UNECE work session on statistical confidentiality, 2005.

    Examples
    --------
    >>> from sosie.insitu._aggregate import counts
    >>> cell = counts(np.zeros(40, int), 1, np.ones(40, bool))
    >>> key = CellKey(b"s" * 32, 40)
    >>> bool((key.noised(cell) == key.noised(cell)).all())
    True
    """

    def __init__(
        self, secret: bytes, rows: int, most: int = MOST_NOISE, variance: float = 4.0
    ) -> None:
        self._secret = secret
        self._most, self._variance = most, variance
        stream = hashlib.shake_256(secret + b"sosie row keys 1").digest(8 * rows)
        self._keys = np.frombuffer(stream, "<u8").astype(np.uint64)

    def noised(self, count: Aggregate) -> Floats:
        """Give the counts with their noise; 0 stays 0."""
        flat = [
            self._one(int(size), members)
            for size, members in zip(count.persons.ravel(), count.members, strict=True)
        ]
        return np.array(flat, float).reshape(count.values.shape)

    def _one(self, size: int, members: NDArray[np.bool_]) -> int:
        if size == 0:
            return 0
        key = int(self._keys[members].sum(dtype=np.uint64))
        # The sum of keys of a union is the sum of the keys: hashed, noises do not add up.
        digest = hmac.digest(self._secret, key.to_bytes(8, "little"), "sha256")
        share = int.from_bytes(digest[:8], "little") / 2**64
        table = np.cumsum(noise_table(min(size, self._most), self._most, self._variance))
        return size + int(np.searchsorted(table, share * table[-1], side="right")) - self._most
