"""The holder's side: a node that serves one table under one agreement."""

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.insitu.node._node import Node
    from sosie.insitu.node._place import Place
    from sosie.insitu.node._served import commitment_of
else:
    # The process that computes is of this room too, and has no business with keys or a network.
    __getattr__, __dir__ = on_demand(
        __name__, {"_node": "Node", "_place": "Place", "_served": "commitment_of"}
    )

__all__ = ["Node", "Place", "commitment_of"]
