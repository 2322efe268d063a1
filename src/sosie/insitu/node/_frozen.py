"""A holder's columns as its node keeps them: bytes that it hands on, and never computes with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.table import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Frozen"]


class Frozen:
    """A snapshot as it was spelt, of which some columns are spelt again for each question.

    Parameters
    ----------
    said : dict
        What its columns mean, as :func:`~sosie.insitu.node._spelt.spelt_snapshot` gives it.
    data : bytes
        The columns, one after the other.

    Attributes
    ----------
    schema : Schema
    """

    def __init__(self, said: dict[str, Any], data: bytes) -> None:
        self.schema = Schema.model_validate(said["schema"])
        self._rows = int(said["rows"])
        self._alike: dict[str, str] = said["alike"]
        self._columns: dict[str, tuple[str, memoryview]] = {}
        place, view = int(said["start"]), memoryview(data)
        for name, dtype in said["columns"]:
            end = place + self._rows * int(dtype[2:])  # as "<f8": 8 bytes a row
            self._columns[name] = dtype, view[place:end]
            place = end

    def __len__(self) -> int:
        return self._rows

    def spelt(self, names: Iterable[str], start: int = 0) -> tuple[dict[str, Any], bytes]:
        """Spell some columns: what they mean, and their bytes, which begin at `start`."""
        kept = [(name, *self._columns[name]) for name in names]
        said = {
            "schema": self.schema.only([name for name, *_ in kept]).model_dump(mode="json"),
            "columns": [[name, dtype] for name, dtype, _ in kept],
            "rows": self._rows, "start": start,
            "alike": {n: self._alike[n] for n, *_ in kept if n in self._alike},
        }  # fmt: skip
        return said, b"".join(data for *_, data in kept)
