"""What was measured, kept as JSON lines, so that a run that stopped goes on where it was."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def measured(file: Path | None, keys: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Read the rows of earlier runs that have all the keys and no mask but among them."""
    if file is None or not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {tuple(row[k] for k in keys): row for row in rows if ("mask" in row) == ("mask" in keys)}


def note(row: dict[str, Any], file: Path | None) -> None:
    """Tell what was measured, and keep it."""
    line = json.dumps(row)
    print(line, file=sys.stderr, flush=True)
    if file is not None:
        with file.open("a", encoding="utf-8") as out:
            out.write(line + "\n")
