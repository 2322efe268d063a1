"""A table and what its columns mean: kinds, schema, reading, writing."""

from sosie.table._atomic import Drafts, whole_file
from sosie.table._dialect import Dialect
from sosie.table._files import check_output
from sosie.table._folders import check_folder, whole_folder
from sosie.table._formula import Factor, Formula, FormulaError
from sosie.table._header import columns_of
from sosie.table._kinds import CODED, NUMERIC, Kind
from sosie.table._rebuild import before_of, in_order, ticks_of
from sosie.table._schema import Column, Determined, Schema, Sum
from sosie.table._table import Table

__all__ = [
    "CODED",
    "NUMERIC",
    "Column",
    "Determined",
    "Dialect",
    "Drafts",
    "Factor",
    "Formula",
    "FormulaError",
    "Kind",
    "Schema",
    "Sum",
    "Table",
    "before_of",
    "check_folder",
    "check_output",
    "columns_of",
    "in_order",
    "ticks_of",
    "whole_file",
    "whole_folder",
]
