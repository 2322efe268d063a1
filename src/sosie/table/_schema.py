"""What the columns of a table mean, as a file a person can read and edit."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from sosie.errors import ParameterError, SchemaError
from sosie.table._atomic import whole_file
from sosie.table._kinds import Kind
from sosie.table._toml import read_toml

__all__ = ["Column", "Determined", "Level", "Schema", "Sum"]

Level = StrictBool | StrictInt | StrictFloat | StrictStr
Bound = StrictInt | StrictFloat | datetime | date


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Column(_Model):
    """What one column means; only the fields that apply are set.

    Examples
    --------
    >>> Column(name="weight", kind="number", decimals=1, lower=0).kind
    <Kind.NUMBER: 'number'>
    """

    name: str
    kind: Kind
    lower: Bound | None = Field(default=None, description="Declared lowest value allowed.")
    upper: Bound | None = Field(default=None, description="Declared highest value allowed.")
    decimals: Annotated[int, Field(ge=0, le=15)] | None = Field(
        default=None, description="Digits after the decimal mark that the values have at most."
    )
    step: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Every value is a multiple of it; in seconds for a datetime."
    )
    levels: list[Level] = Field(
        default_factory=list, description="Labels; in their order where the kind is ordinal."
    )
    format: str | None = Field(default=None, description="How a date is spelt, as strftime has it.")
    time_zone: str | None = Field(default=None, description="Time zone of a datetime.")
    missing: str | None = Field(
        default=None, description="How a missing cell is spelt in a text file."
    )
    recreate: bool = Field(
        default=False,
        description="Re-make this identifier as fresh pseudo-ids of nobody.",
    )
    remark: str = Field(default="", description="Why the column is taken to be of this kind.")


class Determined(_Model):
    """Column `column` is a function of column `by`, in every row.

    Examples
    --------
    >>> Determined(column="education_num", by="education").by
    'education'
    """

    column: str
    by: str


class Sum(_Model):
    """Column `total` is the sum of the columns `parts`, in every row.

    Examples
    --------
    >>> Sum(total="total", parts=["left", "right"]).parts
    ['left', 'right']
    """

    total: str
    parts: Annotated[list[str], Field(min_length=1)]


class Schema(_Model):
    """What the columns of a table mean and the rules that hold in each row.

    A schema may be partial: a column it does not mention is inferred, a column it
    mentions must exist.

    Examples
    --------
    >>> schema = Schema(columns=[Column(name="age", kind="integer")], drop=["phone"])
    >>> schema["age"].kind
    <Kind.INTEGER: 'integer'>
    """

    max_levels: Annotated[int, Field(ge=2)] = Field(
        default=200, description="A category with more labels than this is refused in an output."
    )
    drop: list[str] = Field(default_factory=list, description="Columns to leave out.")
    order: list[list[str]] = Field(
        default_factory=list,
        description="Chains of columns that never decrease where present: birth, visit, death.",
    )
    determined: list[Determined] = Field(
        default_factory=list, description="Columns that are a function of another."
    )
    sums: list[Sum] = Field(default_factory=list, description="Totals and their parts.")
    columns: list[Column] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ValueError(f"column {column.name!r} is described twice")
            seen.add(column.name)
        return self

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise ParameterError(f"There is no column {name!r} in the schema; check its spelling.")

    def find(self, name: str) -> Column | None:
        """Give the column of this name, or None.

        Examples
        --------
        >>> Schema().find("age") is None
        True
        """
        return next((column for column in self.columns if column.name == name), None)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the order of the table."""
        return [column.name for column in self.columns]

    def only(self, names: list[str]) -> "Schema":
        """Describe these columns alone, with the rules that still apply to them.

        Examples
        --------
        >>> Schema(columns=[Column(name="a", kind="text")]).only([]).names
        []
        """
        kept = set(names)
        chains = ([name for name in chain if name in kept] for chain in self.order)
        return self.model_copy(
            update={
                "columns": [self[name] for name in names],
                "order": [chain for chain in chains if len(chain) > 1],
                "determined": [r for r in self.determined if {r.column, r.by} <= kept],
                "sums": [rule for rule in self.sums if {rule.total, *rule.parts} <= kept],
            }
        )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a schema from a TOML file.

        Parameters
        ----------
        path : str or Path
            The file, as :meth:`write` or `sosie inspect --write` makes it.

        Returns
        -------
        Schema

        Raises
        ------
        SchemaError
            If the file cannot be read, is not TOML, or says something a schema cannot say.
        """
        path = Path(path)
        content = read_toml(path)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise SchemaError(f"{path} is not a valid schema: {_first(error, content)}.") from error

    def write(self, path: str | Path) -> None:
        r"""Write the schema as TOML, whole or not at all.

        Parameters
        ----------
        path : str or Path
            The file to make or replace.

        Raises
        ------
        DataError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "schema.toml"
        >>> Schema(columns=[Column(name="âge \n", kind="integer")]).write(file)
        >>> Schema.read(file).names
        ['âge \n']
        """
        content = self.model_dump(mode="python", exclude_none=True, exclude_defaults=True)
        for column in content.get("columns", []):
            column["kind"] = str(column["kind"])
            if "--missing" in column.get("remark", ""):  # of the values of a table
                del column["remark"]
        content = {"max_levels": self.max_levels, **content}
        with whole_file(Path(path)) as out:
            out.write(tomli_w.dumps(content).encode())


def _first(error: ValidationError, content: dict[str, Any]) -> str:
    """Tell the first thing that is wrong, by the name of the column where there is one."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = list(first["loc"])
    if len(place) > 1 and place[0] == "columns" and isinstance(place[1], int):
        described = content["columns"][place[1]]
        name = described.get("name") if isinstance(described, dict) else None
        place[:2] = [f"column {name!r}" if name else f"column number {place[1] + 1}"]
    where = ", ".join(str(step) for step in place)
    return f"{where}: {first['msg']}" if where else first["msg"]
