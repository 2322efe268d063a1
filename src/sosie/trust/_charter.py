"""An ethics charter as data: principles, the question each asks, what answers it, and who."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from sosie.errors import TrustError
from sosie.trust._canonical import canonical, sha256
from sosie.trust._clauses import check_unique
from sosie.trust._template import Lang
from sosie.trust._written import Name, Text, Word, Written, faults, read_toml, to_fill

__all__ = ["Charter", "Principle", "charter_template"]


class Principle(Written):
    """What the parties hold themselves to, as a question."""

    id: Word
    title: Annotated[Text, Field(min_length=1)]
    question: Annotated[Text, Field(min_length=1)]
    kind: Literal["document", "measure", "person"] = Field(description="What answers it.")
    answer: Text = Field(default="", description="Which document, measure or function.")
    by: Text = Field(default="", description="Who answers for it.")

    @property
    def lacks(self) -> list[str]:
        """Name the fields that are still to be filled in: ``answer``, ``by``."""
        fields = (("answer", self.answer), ("by", self.by))
        return [name for name, text in fields if not text.strip() or to_fill(text.strip())]


class Charter(Written):
    """A charter of the parties to an agreement.

    Examples
    --------
    >>> import tomllib
    >>> charter = Charter.of(tomllib.loads(charter_template("en")))
    >>> [principle.id for principle in charter.unanswered()][:3]
    ['finality', 'proportionality', 'transparency']
    """

    format: Literal["sosie-charter/1"]
    name: Name
    version: Annotated[Text, Field(min_length=1, max_length=60)]
    language: Lang
    principles: Annotated[list[Principle], Field(min_length=1)]

    @model_validator(mode="after")
    def _principles_are_unique(self) -> Self:
        check_unique("principle", [principle.id for principle in self.principles])
        return self

    @property
    def sha256(self) -> str:
        """SHA-256 of its canonical JSON: what an agreement quotes."""
        return sha256(canonical(self.model_dump(mode="json")))

    def unanswered(self) -> list[Principle]:
        """List the principles of which nothing, or nobody, answers the question."""
        return [principle for principle in self.principles if principle.lacks]

    @classmethod
    def of(cls, content: Any) -> Self:
        """Take a charter out of what was read.

        Raises
        ------
        TrustError
            If it is none, telling the first thing that is wrong.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise TrustError(f"The charter is not valid: {faults(error)[0]}.") from error

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read ``charter.toml``.

        Raises
        ------
        TrustError
            If it is no charter.
        """
        return cls.of(read_toml(Path(path)))


def charter_template(lang: Lang) -> str:
    """Give a charter of which no question is answered yet, in English or French.

    Examples
    --------
    >>> "souveraineté" in charter_template("fr").lower()
    True
    """
    return (files("sosie.trust") / "templates" / f"charter.{lang}.toml").read_text("utf-8")
