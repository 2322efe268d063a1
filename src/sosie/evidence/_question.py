"""The user's own analyses, as a file in which a statistician writes them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import SchemaError
from sosie.evidence._analyses import KINDS, Analysis
from sosie.table import read_toml

if TYPE_CHECKING:
    from sosie.evidence._people import Layout

__all__ = ["Question"]


class Question(BaseModel):
    """What the user asks of the data: analyses that a synthetic table should replicate.

    Examples
    --------
    >>> from sosie.evidence._people import Layout
    >>> question = Question(
    ...     title="Trial",
    ...     analysis=[{"name": "Age", "kind": "mean", "column": "aeg"}],
    ... )
    >>> question.check(Layout(("age",), ("age",), {}))
    Traceback (most recent call last):
    ...
    sosie.errors.ParameterError: Analysis 'Age': there is no column 'aeg' among those compared \
(identifiers, free text and constant columns are not); did you mean 'age'?
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(default="", description="What the report calls the study.")
    analysis: Annotated[list[Analysis], Field(min_length=1)]

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a question file.

        Parameters
        ----------
        path : str or Path
            A TOML file with a ``title`` and ``[[analysis]]`` tables.

        Raises
        ------
        SchemaError
            If the file cannot be read, is not TOML, or says what a question cannot say.
        """
        path = Path(path)
        content = read_toml(path)
        try:
            _check_kinds(content)
            found = cls.model_validate(content)
        except ValidationError as error:
            raise SchemaError(f"{path} is no valid question: {_first(error, content)}.") from error
        except _UnclearError as error:
            raise SchemaError(f"{path} is no valid question: {error}.") from error
        names = [analysis.name for analysis in found.analysis]
        for name in names:
            if names.count(name) > 1:
                raise SchemaError(f"{path} has two analyses named {name!r}; name them apart.")
        return found

    def check(self, layout: Layout) -> None:
        """Refuse what cannot be computed on tables with this layout.

        Raises
        ------
        ParameterError
            One sentence: which analysis, and what is wrong.
        """
        for analysis in self.analysis:
            analysis.check(layout)


class _UnclearError(ValueError):
    """What is wrong with the file, as the end of a sentence."""


def _check_kinds(content: dict[str, Any]) -> None:
    """Tell what pydantic would say less well: kinds and settings that do not exist."""
    listed = content.get("analysis")
    if not isinstance(listed, list) or not listed:
        raise _UnclearError("it has no [[analysis]] table")
    for place, described in enumerate(listed):
        if not isinstance(described, dict):
            raise _UnclearError("analyses are written as [[analysis]] tables")
        who = _who(described, place)
        kind = described.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            kinds = ", ".join(KINDS)
            said = "has no kind" if kind is None else f"is of kind {kind!r}, which is unknown"
            raise _UnclearError(f"{who} {said}; the kinds are {kinds}")
        fields = list(KINDS[kind].model_fields)
        for setting in described:
            if setting not in fields:
                near = difflib.get_close_matches(setting, fields, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(fields)}"
                raise _UnclearError(
                    f"{who} has a setting {setting!r} that kind {kind!r} has not; {hint}".rstrip(
                        "?"
                    )
                )
        for field, about in KINDS[kind].model_fields.items():
            if about.is_required() and field not in described:
                raise _UnclearError(f"{who} lacks {field!r}, which kind {kind!r} needs")


def _who(described: Any, place: int) -> str:
    name = described.get("name") if isinstance(described, dict) else None
    return (
        f"analysis {name!r}" if isinstance(name, str) and name else f"analysis number {place + 1}"
    )


def _first(error: ValidationError, content: dict[str, Any]) -> str:
    """Tell the first thing that is wrong, by the name of the analysis where there is one."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = list(first["loc"])
    if len(place) > 1 and place[0] == "analysis" and isinstance(place[1], int):
        # Behind the number of the analysis pydantic names its kind, and at the end a type.
        place = [_who(content["analysis"][place[1]], place[1]), *place[3:4]]
    where = ", ".join(str(step) for step in place)
    return f"{where}: {first['msg']}" if where else first["msg"]
