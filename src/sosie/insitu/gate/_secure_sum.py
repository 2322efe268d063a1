"""Sums of which nobody sees a term: pairwise masks that cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sosie.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Words = NDArray[np.uint64]

__all__ = ["FEWEST", "LARGEST", "SMALLEST", "WORDS", "SecureSum", "as_words", "of_words"]

FEWEST = 3
"""Holders below which a sum hides nothing: each of two subtracts his own."""

_UNIT = 2.0**52
_PLACES = (1, 0, -1, -2, -3)
"""Powers of the unit, one a word: so many that squares of small numbers keep their digits."""
WORDS = len(_PLACES)
"""Of each number."""

_BEYOND = 2.0**104
"""What a word no longer holds, with the sum of a thousand such."""

SMALLEST, LARGEST = 2.0**-120, 2.0**100
"""Sizes between which a sum keeps its digits; also one of 16 times that size, as a sum may be
that goes with a rounded count."""


def as_words(values: Floats) -> Words:
    """Write numbers in fixed point: a word for each of five powers of 2**52.

    Sums modulo 2**64 of the words of up to 1,000 numbers are those of the numbers, to 2**-157 a
    term: a column has the same digits in whatever unit it is.

    Parameters
    ----------
    values : ndarray
        Below 2**104 in size.

    Returns
    -------
    ndarray of uint64, shape (5, size)

    Raises
    ------
    TrustError
        If a number is as large as 2**104, or none.

    Examples
    --------
    >>> of_words(as_words(np.array([1.5, -0.25, 1e-24])), (3,)).tolist()
    [1.5, -0.25, 1e-24]
    """
    rest = np.asarray(values, float).ravel()
    if not (np.abs(rest) < _BEYOND).all():
        raise TrustError("A number is too large to be summed exactly; take another unit.")
    words = []
    for place in _PLACES:
        word = np.rint(rest / _UNIT**place)
        rest = rest - word * _UNIT**place
        words.append(word.astype(np.int64))
    return np.stack(words).view(np.uint64)


def of_words(words: Words, shape: tuple[int, ...]) -> Floats:
    """Read numbers, or their sums, in fixed point."""
    # Carry first, to the nearest: no word then takes digits away from the one above it.
    found, carry = np.zeros(words.shape[1]), np.int64(0)
    for place, word in zip(_PLACES[:0:-1], words.view(np.int64)[:0:-1], strict=True):
        whole = word + carry
        carry = (whole + int(_UNIT) // 2) // int(_UNIT)
        found = found + (whole - carry * int(_UNIT)) * _UNIT**place
    return (found + (words.view(np.int64)[0] + carry) * _UNIT ** _PLACES[0]).reshape(shape)


class SecureSum:
    """One holder's masks, for one task [1]_.

    Each pair of holders agrees on a key (X25519, HKDF-SHA256) and draws the same masks from it
    (ChaCha20); one adds them and the other subtracts them. The total is exact; a single part is
    uniformly random to whoever lacks the keys. Where a holder drops out, the task starts afresh
    with another name: a mask is never used twice.

    Parameters
    ----------
    own : X25519PrivateKey
        Made for this task alone.
    others : mapping of str to bytes
        Public keys of all other holders, by name; each signed by its holder, which the caller
        verifies: a hub that could replace them would see all.
    name : str
        Of this holder.
    task : str
        Identifier of the task, never used before.

    Raises
    ------
    TrustError
        If there are fewer than three holders.

    References
    ----------
    .. [1] K. Bonawitz et al., "Practical secure aggregation for privacy-preserving machine
       learning", ACM CCS 2017, section 4.
    """

    def __init__(
        self, own: X25519PrivateKey, others: Mapping[str, bytes], name: str, task: str
    ) -> None:
        if len(others) + 1 < FEWEST or name in others:
            raise TrustError(f"A secure sum needs {FEWEST} different holders at least.")
        self._secrets: dict[str, tuple[bool, bytes]] = {}
        for other, public in others.items():
            shared = own.exchange(X25519PublicKey.from_public_bytes(public))
            pair = "\0".join(sorted((name, other)))
            info = f"sosie secure sum 1\0{task}\0{pair}".encode()
            key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(shared)
            self._secrets[other] = (name < other, key)
        self._used: set[tuple[int, str]] = set()

    def masked(self, words: Words, turn: int, array: str, totals: str = "") -> Words:
        """Mask an array of one round.

        Parameters
        ----------
        words : ndarray of uint64, shape (5, size)
        turn : int
            Number of the round.
        array : str
            Its name.
        totals : str
            Digest of what this holder was told in the rounds before: masks of holders who were
            told different things do not cancel.

        Raises
        ------
        TrustError
            If this array of this round was masked before.
        """
        if (turn, array) in self._used:
            raise TrustError("A mask may be used once; begin a new task.")
        self._used.add((turn, array))
        found = words.copy()
        for adds, key in self._secrets.values():
            info = f"{turn}\0{array}\0{totals}".encode()
            one = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)
            stream = Cipher(algorithms.ChaCha20(one, bytes(16)), mode=None).encryptor()
            mask = np.frombuffer(stream.update(bytes(8 * words.size)), "<u8").astype(np.uint64)
            mask = mask.reshape(words.shape)
            found = found + mask if adds else found - mask
        return found
