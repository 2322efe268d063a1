"""A table and what its columns mean."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sosie.errors import DataError, ParameterError
from sosie.table._atomic import Drafts
from sosie.table._csv_read import read_csv
from sosie.table._csv_write import write_csv
from sosie.table._dialect import Dialect
from sosie.table._files import (
    READERS,
    TEXT_SUFFIXES,
    WRITERS,
    check_output,
    read_binary,
    suffix_of,
    write_binary,
)
from sosie.table._frames import from_any, to_native
from sosie.table._interpret import interpret
from sosie.table._kinds import CODED, NUMERIC, Kind
from sosie.table._levels import codes_of
from sosie.table._places import Places
from sosie.table._rebuild import numbers_of, rebuilt
from sosie.table._refuse import refuse
from sosie.table._restore import free_columns, put_back
from sosie.table._schema import Schema
from sosie.table._source import Source
from sosie.table._spelling import Spelling

__all__ = ["Table"]


class Table:
    """Rows of persons and what each column means.

    Made by :meth:`read` from a file or by :meth:`of` from a dataframe.

    Attributes
    ----------
    frame : polars DataFrame
        The values: null where missing; dates and numbers as such even if they came as text;
        labels as Enums of their levels. :meth:`native` gives what came in.
    schema : Schema
        What the columns mean, in the order of the frame.
    sensitive : bool
        Whether it says whose row is whose: it is then only written for its owner.

    Examples
    --------
    >>> table = Table.of(pl.DataFrame({"age": [41.5, 52.0, None], "sex": ["f", "m", "f"]}))
    >>> table.numbers("age").tolist(), table.codes("sex").tolist()
    ([41.5, 52.0, nan], [0, 1, 0])
    """

    __slots__ = ("_source", "frame", "schema", "sensitive")

    def __init__(
        self, frame: pl.DataFrame, schema: Schema, source: Source, *, sensitive: bool = False
    ) -> None:
        self.frame = frame
        self.schema = schema
        self.sensitive = sensitive
        self._source = source

    @classmethod
    def read(
        cls,
        path: str | Path,
        schema: Schema | str | Path | None = None,
        *,
        missing: list[str] | None = None,
    ) -> Self:
        """Read a file and find what its columns mean.

        Parameters
        ----------
        path : str or Path
            CSV and other delimited text (gzipped or not), Parquet, Feather, Excel, SAS, Stata
            or SPSS, told by the suffix.
        schema : Schema, str or Path, optional
            What is already known of the columns; the rest is inferred.
        missing : list of str, optional
            Further spellings of a missing cell, in any column.

        Raises
        ------
        DataError
            If the file cannot be used; the message says why and where.
        SchemaError
            If the schema does not hold.
        """
        path = Path(path)
        said = Schema.read(schema) if isinstance(schema, str | Path) else schema
        if path.is_dir():
            raise DataError(f"{path} is a folder; give a file.")
        if not path.exists():
            raise DataError(f"{path} does not exist; check its name.")
        places = Places(str(path))
        if suffix_of(path) in READERS:
            numbers = [c.name for c in said.columns if c.kind in NUMERIC] if said else []
            read = read_binary(path, numbers, missing or [])
            source = Source(places, ordered=read.ordered, labelled=read.labelled)
            return cls(*interpret(read.frame, source, said, missing))
        text = read_csv(path)
        source = Source(text.places, dialect=text.dialect)
        return cls(*interpret(text.frame, source, said, missing, text))

    @classmethod
    def of(
        cls,
        data: Any,
        schema: Schema | str | Path | None = None,
        *,
        missing: list[str] | None = None,
    ) -> "Table":
        """Take a dataframe and find what its columns mean.

        Parameters
        ----------
        data : Table, dataframe or Arrow table
            pandas, polars, pyarrow or any other that Narwhals knows; a Table is given back.
        schema : Schema, str or Path, optional
            What is already known of the columns; the rest is inferred.
        missing : list of str, optional
            Further spellings of a missing cell, in any column.

        Raises
        ------
        ParameterError
            If it is no table.
        DataError, SchemaError
            As :meth:`read`.
        """
        if isinstance(data, Table):
            return data
        said = Schema.read(schema) if isinstance(schema, str | Path) else schema
        came = from_any(data)
        kept = replace(came, frame=came.frame.clear())
        source = Source(Places("The table"), kept, ordered=came.ordered)
        return cls(*interpret(came.frame, source, said, missing))

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"Table({len(self)} rows, {self.frame.width} columns)"

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return self.frame.columns

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Give a numeric column as float64.

        Parameters
        ----------
        name : str
            A column of kind number, integer, date or datetime.

        Returns
        -------
        array of float64, shape (n,)
            NaN where missing; days since 1970 for a date, microseconds since 1970 in UTC for
            a datetime.

        Raises
        ------
        ParameterError
            If the column does not exist or is of another kind.
        """
        column = self.schema[name]
        if column.kind not in NUMERIC:
            raise ParameterError(f"Column {name!r} is of kind {column.kind} and has no numbers.")
        return numbers_of(self.frame[name], column.kind)

    def codes(self, name: str) -> NDArray[np.int32]:
        """Give a column of levels as codes.

        Parameters
        ----------
        name : str
            A column of kind category, ordinal, boolean or constant.

        Returns
        -------
        array of int32, shape (n,)
            Places among ``schema[name].levels``; -1 where missing.

        Raises
        ------
        ParameterError
            If the column does not exist or is of another kind.
        DataError
            If it has too many levels.
        """
        column = self.schema[name]
        if column.kind not in CODED and column.kind is not Kind.CONSTANT:
            raise ParameterError(f"Column {name!r} is of kind {column.kind} and has no levels.")
        if not column.levels:
            raise DataError(
                f"Column {name!r} has more than {self.schema.max_levels} levels; group them, or "
                "raise max_levels in a schema."
            )
        return codes_of(self.frame[name], column.levels)

    def rebuild(self, columns: Mapping[str, NDArray[Any]]) -> "Table":
        """Make a table of the same columns and types from arrays.

        Parameters
        ----------
        columns : mapping of str to array, shape (m,)
            For every column, what :meth:`numbers` or :meth:`codes` gives for it; numbers are
            rounded to the decimals and steps of the column and kept within declared bounds.

        Returns
        -------
        Table
            Of m rows.

        Raises
        ------
        ParameterError
            If a column is absent, unknown, of another length, or cannot be made from arrays.

        Examples
        --------
        >>> table = Table.of(pl.DataFrame({"n": [18, 37, 25, 41], "x": [0.5, 1.25, 3.0, 0.5]}))
        >>> table.rebuild({"n": np.array([7.6]), "x": np.array([1.254])}).frame.rows()
        [(8, 1.25)]
        """
        unknown = [name for name in columns if name not in self.schema]
        absent = [name for name in self.names if name not in columns]
        if unknown or absent:
            listed = ", ".join(map(repr, unknown or absent))
            word = "unknown" if unknown else "absent"
            raise ParameterError(f"The arrays must be those of the columns; {word}: {listed}.")
        series = [
            rebuilt(columns[column.name], column, self.frame.schema[column.name])
            for column in self.schema.columns
        ]
        if len({len(values) for values in series}) > 1:
            raise ParameterError("The arrays must all have the same length.")
        return Table(pl.DataFrame({v.name: v for v in series}), self.schema, self._source)

    def spelling(self, name: str) -> Spelling | None:
        """Tell how the cells of a column are spelt as text; None where none was read."""
        return self._source.spellings.get(name)

    def native(self) -> Any:
        """Give the table as the kind of dataframe it came in, with the same types.

        Returns
        -------
        dataframe
            A polars frame where the table was read from a file.
        """
        came = self._source.came
        if came is None:
            return self._source.as_labels(self.frame)
        return to_native(self._source.as_it_came(self.frame, self._decimals()), came)

    def labelled(self) -> pl.DataFrame:
        """Give the frame with the labels that came as text as text again."""
        return self._source.as_labels(self.frame)

    def write(
        self,
        path: str | Path,
        *,
        private: bool = False,
        also: Mapping[Path, "Table"] | None = None,
    ) -> None:
        """Write the table, whole or not at all.

        Parameters
        ----------
        path : str or Path
            The suffix tells the format: .csv (.tsv, .txt, with .gz too), .parquet, .feather.
            Text is written in the dialect it was read in.
        private : bool
            Readable by the owner only.
        also : mapping of Path to Table, optional
            Other tables to write elsewhere at the same time: all or none.

        Raises
        ------
        DataError
            If it cannot be written.
        """
        with Drafts() as drafts:
            for other, table in (also or {}).items():
                table.draft(other, drafts)
            self.draft(Path(path), drafts, private=private)

    def draft(self, path: Path, drafts: Drafts, *, private: bool = False) -> None:
        """Write the table as one of several files that appear together or not at all."""
        private = private or self.sensitive
        suffix = suffix_of(path)
        check_output(path)
        if suffix in TEXT_SUFFIXES:
            with drafts.file(path, private=private) as out:
                write_csv(
                    self.frame, out, self._dialect(path), self._source.spellings, self._decimals()
                )
        elif suffix in WRITERS:
            if self._source.dialect is None:
                frame = self._source.as_it_came(self.frame, self._decimals())
            else:
                frame = self._source.as_labels(self.frame)
            ordered = self._source.ordered & {*frame.columns}
            with drafts.file(path, private=private) as out:
                write_binary(frame, ordered, suffix, out)

    def _dialect(self, path: Path) -> Dialect:
        """Give the dialect of the file that was read; the suffix tells compression."""
        dialect = self._source.dialect
        if dialect is None:
            dialect = Dialect(separator="\t" if suffix_of(path) in (".tsv", ".tab") else ",")
        return dialect.model_copy(update={"gzipped": path.name.lower().endswith(".gz")})

    def _decimals(self) -> dict[str, int | None]:
        return {column.name: column.decimals for column in self.schema.columns}

    def reduced(self) -> "Table":
        """Leave out the columns that rules make: determined, totals, constants, identifiers.

        Returns
        -------
        Table
            What a generator has to learn.
        """
        names = free_columns(self.schema)
        return Table(self.frame.select(names), self.schema.only(names), self._source)

    def without_rules(self) -> "Table":
        """Forget the rules between columns: each column is then by itself."""
        schema = self.schema.model_copy(update={"order": [], "determined": [], "sums": []})
        return Table(self.frame, schema, self._source)

    def taken(self, rows: NDArray[np.integer], *, sensitive: bool = False) -> "Table":
        """Take rows by their numbers, in that order."""
        return Table(self.frame[rows], self.schema, self._source, sensitive=sensitive)

    def restored(self, small: "Table", seed: int = 0) -> "Table":
        """Put back the columns that :meth:`reduced` left out.

        Parameters
        ----------
        small : Table
            Rows made like those of ``self.reduced()``.
        seed : int
            Of the pseudo-ids that are random.

        Returns
        -------
        Table
            With all columns, in the order of this table.

        Raises
        ------
        DataError
            If a column of this table is an identifier that is not to be made afresh.
        """
        frame = put_back(self.frame, self.schema, small.frame, seed)
        return Table(frame, self.schema, self._source)

    def refuse(self) -> None:
        """Refuse what an anonymous output may not hold.

        Raises
        ------
        DataError
            Naming every identifier, text, column of mixed types and category of too many
            levels, and what to do.
        """
        refuse(self.frame, self.schema, self._source.places)
