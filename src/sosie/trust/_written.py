"""What persons write into agreements and charters: texts that are seen as they are."""

import unicodedata
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from sosie.errors import TrustError
from sosie.table import read_toml as read_any_toml
from sosie.trust._names import check_name

__all__ = [
    "Digest",
    "Identity",
    "Name",
    "Text",
    "Word",
    "Written",
    "faults",
    "read_toml",
    "to_fill",
]

_LARGEST = 4 << 20


def _seen(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs") and character != "\n":
            raise ValueError(f"it holds a character that is not seen (U+{ord(character):04X})")
    return text


def _named(name: str) -> str:
    try:
        return check_name(name)
    except TrustError as error:
        raise ValueError(str(error).rstrip(".")) from error


Text = Annotated[str, Field(max_length=4000), AfterValidator(_seen)]
Name = Annotated[str, AfterValidator(_named)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Identity = Annotated[str, Field(pattern=r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Written(BaseModel):
    """A part of a document that is signed: nothing but its fields, and never changed.

    Attributes
    ----------
    since : frozenset of str
        Fields that earlier versions did not have. They are written only where they are given:
        what was signed before keeps its hash.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = write(self)
        return {name: v for name, v in said.items() if v is not None or name not in self.since}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    TrustError
        If it cannot be read, is too large, or is no TOML.
    """
    return read_any_toml(path, TrustError, _LARGEST)


def to_fill(text: str) -> bool:
    """Tell whether a text, between < and >, still stands as the template has it."""
    return text.startswith("<") and text.endswith(">")


def faults(error: ValidationError) -> list[str]:
    """Tell each thing that is wrong in a document, by its place.

    Examples
    --------
    >>> class Page(Written):
    ...     names: list[Name]
    >>> try:
    ...     Page(names=["a", " "])
    ... except ValidationError as error:
    ...     faults(error)[0][:12]
    'names.2: The'
    """
    told = []
    for one in error.errors(include_url=False, include_input=False):
        steps = [str(step + 1) if isinstance(step, int) else step for step in one["loc"]]
        where = ".".join(steps)
        message = one["msg"].removeprefix("Value error, ")
        told.append(f"{where}: {message}" if where else message)
    return told
