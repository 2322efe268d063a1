"""Mixed columns to coordinates and back; neighbours among them. Knows no privacy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.space._cells import cells
    from sosie.space._columns import Columns
    from sosie.space._distances import fidelity, largest_distance
    from sosie.space._famd import FAMD
    from sosie.space._margins import Margin
    from sosie.space._mixed import Mixed
    from sosie.space._moments import Moments
    from sosie.space._neighbours import Neighbours
    from sosie.space._trees import Tree
else:
    # A hub that fits factors from moments has no table, and needs no search.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_cells": "cells",
            "_columns": "Columns",
            "_distances": "fidelity largest_distance",
            "_famd": "FAMD",
            "_margins": "Margin",
            "_mixed": "Mixed",
            "_moments": "Moments",
            "_neighbours": "Neighbours",
            "_trees": "Tree",
        },
    )

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
