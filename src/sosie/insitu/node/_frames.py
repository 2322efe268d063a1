"""Frames between a node and its processes: a JSON header, and columns as plain arrays."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.insitu._snapshot import Snapshot
from sosie.table import Schema

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["BEGIN", "END", "read_frame", "snapshot_in", "spelt_snapshot", "write_frame"]

BEGIN, END = "begin", "end"
"""What a node says to a process before a task, and once it is over."""

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


def spelt_snapshot(
    snapshot: Snapshot, names: list[str], start: int = 0
) -> tuple[dict[str, Any], bytes]:
    """Spell some columns of a snapshot: what they mean, and their bytes, which begin at `start`."""
    from sosie.table import NUMERIC

    arrays, said = [], []
    for name in names:
        numeric = snapshot.schema[name].kind in NUMERIC
        array = np.ascontiguousarray(snapshot.numbers(name) if numeric else snapshot.codes(name))
        arrays.append(array.tobytes())
        said.append([name, array.dtype.str])
    schema = snapshot.schema.only(names).model_dump(mode="json")
    alike = {name: snapshot.alike[name] for name in names if name in snapshot.alike}
    head = {"schema": schema, "columns": said, "rows": len(snapshot), "start": start}
    return head | {"alike": alike}, b"".join(arrays)


def snapshot_in(said: dict[str, Any], data: bytes) -> Snapshot:
    """Read what :func:`spelt_snapshot` spelt."""
    columns, place, rows = {}, int(said["start"]), int(said["rows"])
    for name, dtype in said["columns"]:
        kind = np.dtype(dtype)
        columns[name] = np.frombuffer(data, kind, rows, place)
        place += rows * kind.itemsize
    return Snapshot(Schema.model_validate(said["schema"]), columns, rows, said["alike"])


def _exactly(file: BinaryIO, size: int) -> bytes | None:
    parts = []
    while size:
        part = file.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
