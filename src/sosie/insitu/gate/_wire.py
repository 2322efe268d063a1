"""How parts and totals are spelt between holders and hub."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import TrustError
from sosie.insitu._aggregate import Total
from sosie.insitu.gate._secure_sum import WORDS, of_words
from sosie.trust import canonical, strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
    Arrays = dict[str, tuple[tuple[int, ...], Words]]

__all__ = ["added", "read", "spelt", "total_of"]

_FORMAT = "sosie-part/2"
_LARGEST = 2 << 20
_MOST_DIMENSIONS = 4
_MOST_OFF = 1_000_000


def spelt(
    arrays: Mapping[str, tuple[tuple[int, ...], Words]],
    question: str,
    turn: int,
    holders: int,
    off: int = 0,
) -> bytes:
    """Spell arrays of fixed-point words as canonical JSON.

    Parameters
    ----------
    arrays : mapping of str to (shape, words)
    question : str
        SHA-256 of the question.
    turn : int
        Number of the round, from 0.
    holders : int
        1 for a part; for a total, how many parts are in it.
    off : int
        How far at most a count is from the true one, where counts are rounded or have noise; it
        is spelt there alone.
    """
    said = {
        name: {
            "shape": list(shape),
            "words": base64.b64encode(words.astype("<u8").tobytes()).decode(),
        }
        for name, (shape, words) in arrays.items()
    }
    whole: dict[str, Any] = {
        "format": _FORMAT, "question": question, "round": turn, "holders": holders, "arrays": said,
    }  # fmt: skip
    return canonical(whole | {"off": off} if off else whole)


def read(data: bytes, question: str, turn: int) -> tuple[Arrays, int, int]:
    """Read what :func:`spelt` wrote, for this question and round alone.

    Returns
    -------
    tuple
        The arrays, the holders, and how far at most a count is from the true one.

    Raises
    ------
    TrustError
        If it is too large, malformed, of another question or another round.
    """
    said = strict_json(data, largest=_LARGEST)
    try:
        if set(said) - {"off"} != {"format", "question", "round", "holders", "arrays"}:
            raise ValueError
        expected = (_FORMAT, question, turn)
        if (said["format"], said["question"], said["round"]) != expected:
            raise TrustError("This message is of another question or round; it is not used.")
        holders = said["holders"]
        if not isinstance(holders, int) or not 1 <= holders <= 1000:
            raise ValueError
        off = said.get("off", 0)
        if type(off) is not int or not 0 <= off <= _MOST_OFF:
            raise ValueError
        return {name: _array(one) for name, one in said["arrays"].items()}, holders, off
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise TrustError("This message is no part of an analysis; it is not used.") from error


def added(parts: Sequence[bytes], question: str, turn: int) -> bytes:
    """Add up the parts of all holders; masks then cancel.

    Raises
    ------
    TrustError
        If the parts do not fit together.
    """
    found = [read(part, question, turn) for part in parts]
    if not found or any(holders != 1 for _, holders, _ in found):
        raise TrustError("There is nothing to add up.")
    first = found[0][0]
    shapes = {name: shape for name, (shape, _) in first.items()}
    if any({name: shape for name, (shape, _) in a.items()} != shapes for a, _, _ in found):
        raise TrustError("The parts of the holders do not have the same form.")
    total: Arrays = {}
    for name, shape in shapes.items():
        words = np.stack([arrays[name][1] for arrays, _, _ in found])
        total[name] = (shape, np.asarray(words.sum(axis=0, dtype=np.uint64)))
    return spelt(total, question, turn, len(found), sum(off for _, _, off in found))


def total_of(data: bytes, question: str, turn: int) -> Total:
    """Read a total as numbers."""
    arrays, holders, off = read(data, question, turn)
    return Total({name: of_words(w, shape) for name, (shape, w) in arrays.items()}, holders, off)


def _array(said: Any) -> tuple[tuple[int, ...], Words]:
    shape = tuple(said["shape"])
    if len(shape) > _MOST_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError
    words = np.frombuffer(base64.b64decode(said["words"], validate=True), "<u8")
    return shape, words.astype(np.uint64).reshape(WORDS, int(np.prod(shape)))
