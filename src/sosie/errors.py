"""The one family of errors a user can cause.

The command line turns any :class:`SosieError` into one sentence and exit code 2.
A message says what is wrong, where (file, column, row) and what to do, and never
quotes a row value.
"""

__all__ = ["DataError", "ParameterError", "SchemaError", "SosieError", "TrustError"]


class SosieError(Exception):
    """Something the user can put right; the message is one complete sentence."""


class DataError(SosieError):
    """The table itself cannot be used as it is."""


class SchemaError(SosieError):
    """The schema and the table disagree, or the schema file is not valid."""


class ParameterError(SosieError):
    """A parameter is out of range, or names something that does not exist."""


class TrustError(SosieError):
    """A key, an agreement, a certificate or a ledger does not hold, or forbids what is asked."""
