"""Evidence in, one page a controller can sign on out: HTML or PDF, French or English.

>>> from sosie.report import render
"""

from sosie.report._render import render, rendered
from sosie.report._sheet import sheet
from sosie.report._texts import wording

__all__ = ["render", "rendered", "sheet", "wording"]
