"""The file of what was released: one record after the other, each with its hash."""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from sosie.errors import DataError, TrustError
from sosie.trust import canonical, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["append", "forgive", "mend", "records"]

_HEAD = struct.Struct("<I")


def append(path: Path, head: Mapping[str, object], words: bytes = b"") -> None:
    """Write one record at the end, and see it on the disk.

    Parameters
    ----------
    path : Path
        For the owner alone; begun where it does not exist.
    head : mapping
        What the record is of, as JSON.
    words : bytes, optional
        What it holds.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    body = canonical(head)
    body = _HEAD.pack(len(body)) + body + _HEAD.pack(len(words)) + words
    body += bytes.fromhex(sha256(body))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.write(file, body) != len(body):
                raise OSError(28, os.strerror(28))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}).") from error


def records(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Read all records, in the order in which they were written; none where there is no file.

    Raises
    ------
    DataError
        If the file cannot be read.
    TrustError
        If it was damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}).") from error
    place = 0
    while place < len(data):
        said, words, place = _record(data, place, path)
        yield said, words


def forgive(path: Path) -> None:
    """Begin to count refusals anew, as the holder says who has looked at them.

    Parameters
    ----------
    path : Path
        No other process may be writing it. What was released stays.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    append(path, {"forgiven": 1})


def mend(path: Path, least: int = 0) -> None:
    """Take away a last record that was cut while it was written.

    Parameters
    ----------
    path : Path
        No other process may be writing it.
    least : int
        Bytes that it had when something last left.

    Raises
    ------
    TrustError
        If it has fewer whole records than `least`: what left cannot be known then.
    DataError
        If it cannot be read or written.
    """
    whole = 0
    try:
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            while (end := _end_of(file, whole)) <= size:
                whole = end
            # A record is whole, and its end in the ledger, before what it tells of leaves. So
            # beyond `least` nothing has left, and a cut record is of a task that came to nothing.
            if least <= whole < size:
                file.truncate(whole)
                os.fsync(file.fileno())
        if not whole and not least:
            path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise DataError(f"{path} could not be mended ({error.strerror}).") from error
    if whole < least:
        raise TrustError(
            f"{path} has lost some of what was released before; nothing leaves until it is put "
            "back."
        )


def _end_of(file: BinaryIO, place: int) -> int:
    """Tell where a record ends that begins at a place; far away where its lengths are cut."""
    for _ in ("head", "words"):
        file.seek(place)
        length = file.read(_HEAD.size)
        if len(length) < _HEAD.size:
            return sys.maxsize
        place += _HEAD.size + _HEAD.unpack(length)[0]
    return place + 32


def _record(data: bytes, place: int, path: Path) -> tuple[dict[str, Any], bytes, int]:
    start = place
    try:
        (length,) = _HEAD.unpack_from(data, place)
        said = json.loads(data[place + 4 : place + 4 + length])
        place += 4 + length
        (length,) = _HEAD.unpack_from(data, place)
        words = data[place + 4 : place + 4 + length]
        place += 4 + length
        if data[place : place + 32].hex() != sha256(data[start:place]):
            raise ValueError
    except (struct.error, ValueError) as error:
        raise TrustError(
            f"{path} is damaged: what was released before cannot be known, so nothing leaves."
        ) from error
    return said, words, place + 32
