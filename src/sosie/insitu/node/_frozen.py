"""A holder's columns as bytes, which its node keeps and hands on, and never computes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sosie.table import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Frozen"]


@dataclass(frozen=True)
class Frozen:
    """A snapshot in frames: what its columns mean, and the bytes of each.

    Attributes
    ----------
    schema : Schema
    columns : mapping of str to (str, bytes)
        The type of the numbers, as NumPy spells it, and the numbers.
    rows : int
    alike : mapping of str to str
        As :class:`~sosie.insitu.Snapshot` has it.
    """

    schema: Schema
    columns: Mapping[str, tuple[str, bytes | memoryview]]
    rows: int
    alike: Mapping[str, str]

    @classmethod
    def of(cls, said: dict[str, Any], data: bytes) -> Self:
        """Read what :meth:`spelt` spelt."""
        place, rows, view = int(said["start"]), int(said["rows"]), memoryview(data)
        columns = {}
        for name, dtype in said["columns"]:
            end = place + rows * int(dtype[2:])  # as "<f8": 8 bytes a row
            columns[name] = dtype, view[place:end]
            place = end
        return cls(Schema.model_validate(said["schema"]), columns, rows, said["alike"])

    def __len__(self) -> int:
        return self.rows

    def spelt(self, names: Iterable[str], start: int = 0) -> tuple[dict[str, Any], bytes]:
        """Spell some columns: what they mean, and their bytes, which begin at `start`."""
        kept = [(name, *self.columns[name]) for name in names]
        said = {
            "schema": self.schema.only([name for name, *_ in kept]).model_dump(mode="json"),
            "columns": [[name, dtype] for name, dtype, _ in kept],
            "rows": self.rows, "start": start,
            "alike": {n: self.alike[n] for n, *_ in kept if n in self.alike},
        }  # fmt: skip
        return said, b"".join(data for *_, data in kept)
