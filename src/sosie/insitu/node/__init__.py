"""The holder's side: a node that serves one table under one agreement."""

from sosie.insitu.node._node import Node
from sosie.insitu.node._place import Place
from sosie.insitu.node._served import commitment_of

__all__ = ["Node", "Place", "commitment_of"]
