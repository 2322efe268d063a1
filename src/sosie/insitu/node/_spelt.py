"""Columns of a snapshot as plain bytes, for a process that reads them or computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sosie.insitu._beside import Beside
from sosie.insitu._snapshot import Snapshot
from sosie.table import NUMERIC, Schema

__all__ = ["beside_in", "snapshot_in", "spelt_snapshot"]


def spelt_snapshot(snapshot: Snapshot) -> tuple[dict[str, Any], bytes]:
    """Spell a snapshot: what its columns mean, and their bytes."""
    arrays, said = [], []
    for name in snapshot.schema.names:
        numeric = snapshot.schema[name].kind in NUMERIC
        array = np.ascontiguousarray(snapshot.numbers(name) if numeric else snapshot.codes(name))
        arrays.append(array.tobytes())
        said.append([name, array.dtype.str])
    schema = snapshot.schema.model_dump(mode="json")
    head = {"schema": schema, "columns": said, "rows": len(snapshot), "start": 0}
    return head | {"alike": snapshot.alike}, b"".join(arrays)


def snapshot_in(said: dict[str, Any], data: bytes) -> Snapshot:
    """Read what :func:`spelt_snapshot`, or :meth:`Frozen.spelt` of some of it, spelt."""
    columns, place, rows = {}, int(said["start"]), int(said["rows"])
    for name, dtype in said["columns"]:
        kind = np.dtype(dtype)
        columns[name] = np.frombuffer(data, kind, rows, place)
        place += rows * kind.itemsize
    return Snapshot(Schema.model_validate(said["schema"]), columns, rows, said["alike"])


def beside_in(said: dict[str, Any], data: bytes) -> Beside[Snapshot]:
    """Read what :func:`~sosie.insitu.node._beside.spelt_beside` spelt."""
    found = dict(said)
    for name in {"synthetic", "control"} & set(found):
        found[name] = snapshot_in(found[name], data)
    return Beside(**found | {"accept": tuple(found["accept"])})
