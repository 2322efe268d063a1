"""Share what personal data teach without sharing the persons."""

from sosie.errors import DataError, ParameterError, SchemaError, SosieError
from sosie.generators import Avatar
from sosie.table import Schema, Table

__all__ = [
    "Avatar",
    "DataError",
    "ParameterError",
    "Schema",
    "SchemaError",
    "SosieError",
    "Table",
]
