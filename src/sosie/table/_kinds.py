"""The kinds a column can be of: what its values mean, whatever they are stored as."""

from enum import StrEnum

__all__ = ["CODED", "NUMERIC", "Kind"]


class Kind(StrEnum):
    """What the values of a column mean.

    Examples
    --------
    >>> Kind("ordinal") is Kind.ORDINAL
    True
    """

    IDENTIFIER = "identifier"
    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"
    ORDINAL = "ordinal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TEXT = "text"
    CONSTANT = "constant"


NUMERIC = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.DATE, Kind.DATETIME})
"""Kinds that :meth:`sosie.table.Table.numbers` returns as float64."""

CODED = frozenset({Kind.CATEGORY, Kind.ORDINAL, Kind.BOOLEAN})
"""Kinds that :meth:`sosie.table.Table.codes` returns as codes into their levels."""
