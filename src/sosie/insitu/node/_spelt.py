"""Columns of a snapshot as plain bytes, for a process that reads them or computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sosie.insitu._beside import Beside
from sosie.insitu._snapshot import Snapshot
from sosie.insitu.node._frozen import Frozen
from sosie.table import NUMERIC

__all__ = ["beside_in", "snapshot_in", "spelt_snapshot"]


def spelt_snapshot(snapshot: Snapshot) -> tuple[dict[str, Any], bytes]:
    """Spell a snapshot: what its columns mean, and their bytes."""
    columns = {}
    for name in snapshot.schema.names:
        numeric = snapshot.schema[name].kind in NUMERIC
        array = snapshot.numbers(name) if numeric else snapshot.codes(name)
        columns[name] = array.dtype.str, array.tobytes()
    return Frozen(snapshot.schema, columns, len(snapshot), snapshot.alike).spelt(columns)


def snapshot_in(said: dict[str, Any], data: bytes) -> Snapshot:
    """Read what :func:`spelt_snapshot`, or :meth:`Frozen.spelt` of some of it, spelt."""
    kept = Frozen.of(said, data)
    columns = {name: np.frombuffer(its, dtype) for name, (dtype, its) in kept.columns.items()}
    return Snapshot(kept.schema, columns, len(kept), kept.alike)


def beside_in(said: dict[str, Any], data: bytes) -> Beside[Snapshot]:
    """Read what :func:`~sosie.insitu.node._beside.spelt_beside` spelt."""
    found = dict(said)
    for name in {"synthetic", "control"} & set(found):
        found[name] = snapshot_in(found[name], data)
    return Beside(**found | {"accept": tuple(found["accept"])})
