"""Frames between a program and its processes: a JSON header, and bytes."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["BEGIN", "END", "read_frame", "write_frame"]

BEGIN, END = "begin", "end"
"""What a program says to a process before a task, and once it is over."""

_HEAD = struct.Struct("<IQ")


def write_frame(out: BinaryIO, said: dict[str, Any], data: bytes = b"") -> None:
    """Write one frame."""
    head = json.dumps(said).encode()
    out.write(_HEAD.pack(len(head), len(data)))
    out.write(head)
    out.write(data)
    out.flush()


def read_frame(file: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None at the end."""
    head = _exactly(file, _HEAD.size)
    if head is None:
        return None
    said, data = _HEAD.unpack(head)
    first, rest = _exactly(file, said), _exactly(file, data)
    if first is None or rest is None:
        return None
    found: dict[str, Any] = json.loads(first)
    return found, rest


def _exactly(file: BinaryIO, size: int) -> bytes | None:
    parts = []
    while size:
        part = file.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
