"""Mixed columns to coordinates and back; neighbours among them. Knows no privacy."""

from sosie.space._cells import cells
from sosie.space._columns import Columns
from sosie.space._distances import fidelity, largest_distance
from sosie.space._famd import FAMD
from sosie.space._margins import Margin
from sosie.space._mixed import Mixed
from sosie.space._moments import Moments
from sosie.space._neighbours import Neighbours
from sosie.space._trees import Tree

__all__ = [
    "FAMD",
    "Columns",
    "Margin",
    "Mixed",
    "Moments",
    "Neighbours",
    "Tree",
    "cells",
    "fidelity",
    "largest_distance",
]
