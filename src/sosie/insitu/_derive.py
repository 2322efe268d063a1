"""Columns made from others by a few declared rules; a request brings no code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sosie.errors import ParameterError
from sosie.table import CODED, NUMERIC, Column, Kind, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Numbers = Callable[[str], Floats]
    Levels = Callable[[str], Codes]

__all__ = ["Cut", "Derivation", "Indicator", "Log", "Ratio", "Recode", "derived", "spelt"]

Name = Annotated[str, Field(min_length=1, max_length=300)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def spelt(level: object) -> str:
    """Spell a label of a column, alike at every holder.

    Examples
    --------
    >>> spelt(True), spelt(1.0), spelt("II")
    ('true', '1', 'II')
    """
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)


class _Derivation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Of the new column.")


class Recode(_Derivation):
    """Group labels; a label that is not mentioned becomes missing.

    Examples
    --------
    >>> Recode(name="late", column="stage", groups={"no": ["I", "II"], "yes": ["III"]}).sources
    ('stage',)
    """

    rule: Literal["recode"] = "recode"
    column: Name
    groups: Annotated[dict[Name, list[str]], Field(min_length=2, max_length=50)] = Field(
        description="New label: the labels it stands for."
    )

    @model_validator(mode="after")
    def _once_each(self) -> Recode:
        told = [label for group in self.groups.values() for label in group]
        if len(set(told)) < len(told):
            raise ValueError("a label is in two groups")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.column,)

    def described(self, schema: Schema) -> Column:
        """Say what the new column means."""
        known = [spelt(level) for level in _coded(schema, self.column).levels]
        unknown = [one for group in self.groups.values() for one in group if one not in known]
        if unknown:
            raise ParameterError(f"Column {self.column!r} has no label {unknown[0]!r}.")
        return Column(name=self.name, kind=Kind.CATEGORY, levels=list(self.groups))

    def codes(self, codes: Levels, numbers: Numbers, schema: Schema) -> Codes:
        """Compute the codes of the new column."""
        known = [spelt(level) for level in schema[self.column].levels]
        to = np.full(len(known) + 1, -1, np.int32)  # the last place is that of a missing label
        for code, group in enumerate(self.groups.values()):
            to[[known.index(label) for label in group]] = code
        return to[codes(self.column)]


class Cut(_Derivation):
    """Cut a number into classes: below the first edge, from it to the next, ...

    Examples
    --------
    >>> Cut(name="old", column="age", edges=[65]).labels
    ['< 65', '>= 65']
    """

    rule: Literal["cut"] = "cut"
    column: Name
    edges: Annotated[list[Finite], Field(min_length=1, max_length=49)]

    @model_validator(mode="after")
    def _rising(self) -> Cut:
        if any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("the edges do not rise")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.column,)

    @property
    def labels(self) -> list[str]:
        """Names of the classes."""
        inner = zip(self.edges, self.edges[1:], strict=False)
        return [
            f"< {self.edges[0]:g}",
            *(f"{a:g} to < {b:g}" for a, b in inner),
            f">= {self.edges[-1]:g}",
        ]

    def described(self, schema: Schema) -> Column:
        """Say what the new column means."""
        _numeric(schema, self.column)
        return Column(name=self.name, kind=Kind.ORDINAL, levels=list(self.labels))

    def codes(self, codes: Levels, numbers: Numbers, schema: Schema) -> Codes:
        """Compute the codes of the new column."""
        values = numbers(self.column)
        found = np.searchsorted(np.asarray(self.edges), values, side="right").astype(np.int32)
        return np.where(np.isfinite(values), found, np.int32(-1))


class Indicator(_Derivation):
    """Tell whether a person has a label: ``no`` or ``yes``.

    Examples
    --------
    >>> Indicator(name="female", column="sex", level="f").sources
    ('sex',)
    """

    rule: Literal["indicator"] = "indicator"
    column: Name
    level: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.column,)

    def described(self, schema: Schema) -> Column:
        """Say what the new column means."""
        if self.level not in [spelt(level) for level in _coded(schema, self.column).levels]:
            raise ParameterError(f"Column {self.column!r} has no label {self.level!r}.")
        return Column(name=self.name, kind=Kind.CATEGORY, levels=["no", "yes"])

    def codes(self, codes: Levels, numbers: Numbers, schema: Schema) -> Codes:
        """Compute the codes of the new column."""
        place = [spelt(level) for level in schema[self.column].levels].index(self.level)
        found = codes(self.column)
        return np.where(found < 0, np.int32(-1), (found == place).astype(np.int32))


class Log(_Derivation):
    """Natural logarithm; missing where the number is not above 0.

    Examples
    --------
    >>> Log(name="log_cost", column="cost").sources
    ('cost',)
    """

    rule: Literal["log"] = "log"
    column: Name

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.column,)

    def described(self, schema: Schema) -> Column:
        """Say what the new column means."""
        _numeric(schema, self.column)
        return Column(name=self.name, kind=Kind.NUMBER)

    def numbers(self, numbers: Numbers) -> Floats:
        """Compute the numbers of the new column."""
        values = numbers(self.column)
        with np.errstate(all="ignore"):
            return np.where(values > 0, np.log(values), np.nan)


class Ratio(_Derivation):
    """One number over another; missing where the other is 0.

    Examples
    --------
    >>> Ratio(name="bmi", over="height2", column="weight").sources
    ('weight', 'height2')
    """

    rule: Literal["ratio"] = "ratio"
    column: Name
    over: Name

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.column, self.over)

    def described(self, schema: Schema) -> Column:
        """Say what the new column means."""
        _numeric(schema, self.column)
        _numeric(schema, self.over)
        return Column(name=self.name, kind=Kind.NUMBER)

    def numbers(self, numbers: Numbers) -> Floats:
        """Compute the numbers of the new column."""
        top, bottom = numbers(self.column), numbers(self.over)
        with np.errstate(all="ignore"):
            return np.where(bottom != 0, top / bottom, np.nan)


Derivation = Annotated[Recode | Cut | Indicator | Log | Ratio, Field(discriminator="rule")]
"""One of the rules, told by its ``rule``."""


def derived(schema: Schema, rules: tuple[Derivation, ...]) -> Schema:
    """Describe the columns of a table and those that rules make from them.

    Raises
    ------
    ParameterError
        If a rule names a column that does not exist, is of another kind, or is there already.
    """
    for rule in rules:
        if rule.name in schema:
            raise ParameterError(f"A column {rule.name!r} exists already; name the new one else.")
        more = [*schema.columns, rule.described(schema)]
        schema = schema.model_copy(update={"columns": more})
    return schema


def _coded(schema: Schema, name: str) -> Column:
    column = schema[name]
    if column.kind not in CODED or not column.levels:
        raise ParameterError(f"Column {name!r} is of kind {column.kind} and has no labels.")
    return column


def _numeric(schema: Schema, name: str) -> Column:
    column = schema[name]
    if column.kind not in NUMERIC:
        raise ParameterError(f"Column {name!r} is of kind {column.kind} and has no numbers.")
    return column
