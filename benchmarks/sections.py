"""Results in sections, one a part: a part that is not run keeps what an earlier run wrote."""

from __future__ import annotations

import os
import platform
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def machine() -> str:
    """Say on what is measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"


def busy() -> str:
    """Say what else runs: the load over 1, 5 and 15 minutes."""
    return ", ".join(f"{x:.1f}" for x in os.getloadavg())


def earlier(results: Path) -> dict[str, str]:
    """Give the sections that were written, by the first word of their headings."""
    text = results.read_text(encoding="utf-8") if results.exists() else ""
    found = re.split(r"(?m)^(?=## )", text)[1:]
    return {section[3:].split(maxsplit=1)[0].rstrip("."): section for section in found}


def write(results: Path, title: str, sections: dict[str, str]) -> None:
    """Write all sections under a title."""
    parts = [f"# {title}\n\n{machine()}.\n", *(one.strip() + "\n" for one in sections.values())]
    results.parent.mkdir(exist_ok=True)
    results.write_text("\n".join(parts), encoding="utf-8")
