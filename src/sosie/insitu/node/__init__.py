"""The holder's side: a node that serves one table under one agreement."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sosie.insitu.node._node import Node
    from sosie.insitu.node._place import Place
    from sosie.insitu.node._served import commitment_of

__all__ = ["Node", "Place", "commitment_of"]

_FILE_OF = {"Node": "_node", "Place": "_place", "commitment_of": "_served"}


def __getattr__(name: str) -> Any:
    # The process that computes is of this room too, and has no business with keys or a network.
    if name in _FILE_OF:
        return getattr(import_module(f"sosie.insitu.node.{_FILE_OF[name]}"), name)
    raise AttributeError(f"module 'sosie.insitu.node' has no attribute {name!r}")
