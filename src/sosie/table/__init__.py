"""A table and what its columns mean: kinds, schema, reading, writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.table._atomic import Drafts, whole_file
    from sosie.table._dialect import Dialect, as_utf8, read_bytes
    from sosie.table._files import check_output
    from sosie.table._folders import check_folder, whole_folder
    from sosie.table._formula import Factor, Formula, FormulaError
    from sosie.table._header import columns_of
    from sosie.table._kinds import CODED, NUMERIC, Kind
    from sosie.table._picture import folders_of, inside, pictures_of, read_picture
    from sosie.table._rebuild import before_of, in_order, spacing_of, ticks_of
    from sosie.table._schema import Column, Determined, Schema, Sum
    from sosie.table._spell import spell
    from sosie.table._spelling import Spelling
    from sosie.table._sums import added_up
    from sosie.table._table import Table
    from sosie.table._tellable import FEWEST_TOLD, tellable
    from sosie.table._toml import read_toml
    from sosie.table._verbatim import is_text, spelt_cells, verbatim_cells
else:
    # Polars is half of the memory of a process that only needs a schema.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_atomic": "Drafts whole_file",
            "_dialect": "Dialect as_utf8 read_bytes",
            "_files": "check_output",
            "_folders": "check_folder whole_folder",
            "_formula": "Factor Formula FormulaError",
            "_header": "columns_of",
            "_kinds": "CODED NUMERIC Kind",
            "_picture": "folders_of inside pictures_of read_picture",
            "_rebuild": "before_of in_order spacing_of ticks_of",
            "_schema": "Column Determined Schema Sum",
            "_spell": "spell",
            "_spelling": "Spelling",
            "_sums": "added_up",
            "_table": "Table",
            "_tellable": "FEWEST_TOLD tellable",
            "_toml": "read_toml",
            "_verbatim": "is_text spelt_cells verbatim_cells",
        },
    )

__all__ = [
    "CODED",
    "FEWEST_TOLD",
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
    "Spelling",
    "Sum",
    "Table",
    "added_up",
    "as_utf8",
    "before_of",
    "check_folder",
    "check_output",
    "columns_of",
    "folders_of",
    "in_order",
    "inside",
    "is_text",
    "pictures_of",
    "read_bytes",
    "read_picture",
    "read_toml",
    "spacing_of",
    "spell",
    "spelt_cells",
    "tellable",
    "ticks_of",
    "verbatim_cells",
    "whole_file",
    "whole_folder",
]
