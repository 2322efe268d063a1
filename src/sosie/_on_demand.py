"""Public names of a room, each loaded when it is first asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["on_demand"]


def on_demand(
    room: str, names_of: dict[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Give the ``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Parameters
    ----------
    room : str
        Its ``__name__``.
    names_of : dict of str to str
        For each module below it, the public names that stand there, parted by spaces.

    Examples
    --------
    >>> find, names = on_demand("sosie", {"table": "Schema Table"})
    >>> find("Table").__name__, "Schema" in names()
    ('Table', True)
    """
    module_of = {name: module for module, names in names_of.items() for name in names.split()}

    def find(name: str) -> Any:
        if name in module_of:
            return getattr(import_module(f"{room}.{module_of[name]}"), name)
        raise AttributeError(f"module {room!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[room]), *module_of})

    return find, names
