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

__all__ = ["FEWEST", "SecureSum", "as_words", "of_words"]

FEWEST = 3
"""Holders below which a sum hides nothing: each of two subtracts his own."""

_FRACTION = 2.0**52


def as_words(values: Floats) -> Words:
    """Write numbers in fixed point: two words each, a whole part and 2**-52ths.

    Sums modulo 2**64 of up to 1,000 such pairs are those of the numbers, to 2**-53 a term.

    Parameters
    ----------
    values : ndarray
        Below 2**62 in size.

    Returns
    -------
    ndarray of uint64, shape (2, size)

    Examples
    --------
    >>> of_words(as_words(np.array([1.5, -0.25])), (2,)).tolist()
    [1.5, -0.25]
    """
    flat = np.asarray(values, float).ravel()
    whole = np.floor(flat)
    part = np.rint((flat - whole) * _FRACTION)
    return np.stack([whole.astype(np.int64), part.astype(np.int64)]).view(np.uint64)


def of_words(words: Words, shape: tuple[int, ...]) -> Floats:
    """Read numbers, or their sums, in fixed point."""
    whole, part = words.view(np.int64)
    # Carry first: a large negative whole and many fractions would lose digits in one addition.
    carry = part // int(_FRACTION)
    rest = (part - carry * int(_FRACTION)) / _FRACTION
    return ((whole + carry).astype(float) + rest).reshape(shape)


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
        words : ndarray of uint64, shape (2, size)
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
