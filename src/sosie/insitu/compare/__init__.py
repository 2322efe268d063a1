"""Compare ways: one question answered by every way of sharing, and what each costs."""

from sosie.insitu.compare._compare import compare_ways
from sosie.insitu.compare._comparison import Comparison, Way
from sosie.insitu.compare._decomposition import Decomposition, decomposed
from sosie.insitu.compare._risk import Measured, Risk

__all__ = [
    "Comparison",
    "Decomposition",
    "Measured",
    "Risk",
    "Way",
    "compare_ways",
    "decomposed",
]
