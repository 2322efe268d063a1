"""The holder's side: a node that serves one table under one agreement."""

from sosie.insitu.node._node import Node, commitment_of
from sosie.insitu.node._place import Place

__all__ = ["Node", "Place", "commitment_of"]
