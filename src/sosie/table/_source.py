"""Where a table came from, so that another can go out the same way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from sosie.table._dialect import Dialect
from sosie.table._frames import Frame
from sosie.table._places import Places
from sosie.table._spell import spell
from sosie.table._spelling import Spelling

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """Where a table came from.

    Attributes
    ----------
    came : Frame or None
        The dataframe it was, if it was one.
    types : Schema of polars
        Types of the columns as they came: those of dates and numbers in text are String.
    spellings : dict of str to Spelling
        How the columns read from text are spelt.
    nan : frozenset of str
        Columns in which missing is NaN and not null.
    dialect : Dialect or None
        Of the text file, if it was one.
    ordered : frozenset of str
        Columns whose categories came in an order.
    labelled : dict of str to frozenset
        Of columns that are codes though some of these have labels in the file, these codes.
    places : Places
        For messages.
    """

    places: Places
    came: Frame | None = None
    types: pl.Schema = field(default_factory=pl.Schema)
    spellings: dict[str, Spelling] = field(default_factory=dict)
    nan: frozenset[str] = frozenset()
    dialect: Dialect | None = None
    ordered: frozenset[str] = frozenset()
    labelled: Mapping[str, frozenset[Any]] = field(default_factory=dict)

    def as_it_came(self, frame: pl.DataFrame, decimals: dict[str, int | None]) -> pl.DataFrame:
        """Give typed columns the types in which they came."""
        return pl.DataFrame(
            {v.name: self._column(v, decimals.get(v.name)) for v in frame.iter_columns()}
        )

    def as_labels(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give labels that came as text back as text; dates and numbers stay what they are."""
        return frame.with_columns(
            pl.col(name).cast(pl.String)
            for name, dtype in frame.schema.items()
            if isinstance(dtype, pl.Enum) and self.types.get(name) == pl.String
        )

    def _column(self, values: pl.Series, decimals: int | None) -> pl.Series:
        wanted = self.types.get(values.name)
        if wanted is None:
            return values
        how = self.spellings.get(values.name)
        if how is not None and wanted == pl.String:
            values = values if values.dtype == wanted else spell(values, how, decimals)
            return values.fill_null(how.missing) if how.missing else values
        values = values if values.dtype == wanted else values.cast(wanted)
        return values.fill_null(float("nan")) if values.name in self.nan else values
