"""The columns that a question reads, as arrays: what a fresh process for one task is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie.errors import ParameterError
from sosie.insitu._alike import alike_in
from sosie.table import NUMERIC, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sosie.table import Table

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["Snapshot"]


class Snapshot:
    """Some columns of a table, to be pickled for a process that needs no dataframe library.

    Such a process sees no column that its question does not read.

    Parameters
    ----------
    schema : Schema
        Of these columns.
    columns : mapping of str to ndarray of shape (n,)
        What :meth:`sosie.table.Table.numbers` or :meth:`~sosie.table.Table.codes` gives.
    rows : int
    alike : mapping of str to str, optional
        Of columns that others that were read with them are like, the first of these:
        :func:`alike_in`.

    Examples
    --------
    >>> import polars as pl
    >>> from sosie.table import Table
    >>> table = Table.of(pl.DataFrame({"age": [41.5, 52.0], "sex": ["f", "m"], "bp": [1.5, 2.5]}))
    >>> kept = Snapshot.of(table, ["age", "sex"])
    >>> len(kept), kept.codes("sex").tolist(), "bp" in kept.schema
    (2, [0, 1], False)
    """

    def __init__(
        self,
        schema: Schema,
        columns: Mapping[str, Floats | Codes],
        rows: int,
        alike: Mapping[str, str] | None = None,
    ) -> None:
        self.schema = schema
        self._columns = dict(columns)
        self._rows = rows
        self.alike = dict(alike or {})

    @classmethod
    def of(cls, table: Table, names: Iterable[str]) -> Snapshot:
        """Take columns of a table, as ``question.columns``; one that it lacks is left out.

        Parameters
        ----------
        table : Table
        names : iterable of str

        Raises
        ------
        DataError
            If a column has too many labels.
        ParameterError
            If a column is neither of numbers nor of labels.
        """
        kept = [name for name in dict.fromkeys(names) if name in table.schema]
        columns: dict[str, Floats | Codes] = {}
        for name in kept:
            numeric = table.schema[name].kind in NUMERIC
            columns[name] = table.numbers(name) if numeric else table.codes(name)
        found = cls(table.schema.only(kept), columns, len(table))
        found.alike |= alike_in(found, kept)
        return found

    def __len__(self) -> int:
        return self._rows

    def numbers(self, name: str) -> Floats:
        """Give a column of numbers; NaN where missing.

        Raises
        ------
        ParameterError
            If it is no such column.
        """
        return self._column(name, numeric=True).astype(float, copy=False)

    def codes(self, name: str) -> Codes:
        """Give a column of labels as places among them; -1 where missing.

        Raises
        ------
        ParameterError
            If it is no such column.
        """
        return self._column(name, numeric=False).astype("int32", copy=False)

    def _column(self, name: str, *, numeric: bool) -> Floats | Codes:
        if (self.schema[name].kind in NUMERIC) != numeric:
            raise ParameterError(f"Column {name!r} holds no {'numbers' if numeric else 'labels'}.")
        return self._columns[name]
