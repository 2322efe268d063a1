"""The clauses of an agreement, each by itself."""

import datetime as dt
from collections import Counter
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from sosie.table import Kind
from sosie.trust._names import quoted
from sosie.trust._vocabulary import Vocabulary, terms_of
from sosie.trust._written import Digest, Name, Text, Word, Written

__all__ = [
    "CharterAdopted",
    "ColumnAgreed",
    "Crossing",
    "DataSet",
    "EvidenceAsked",
    "GeneratorAllowed",
    "ParameterAllowed",
    "Party",
    "Purpose",
    "Role",
    "Validity",
    "check_known",
    "check_unique",
]

Role = Literal["controller", "joint_controller", "processor", "trusted_third_party", "recipient"]
Setting = StrictBool | StrictInt | StrictFloat | Text
Number = StrictInt | StrictFloat


def check_known(vocabulary: Vocabulary, terms: list[str]) -> None:
    """Refuse a term that is not of the vocabulary.

    Raises
    ------
    ValueError
        Listing those that are.
    """
    unknown = [term for term in terms if term not in terms_of(vocabulary)]
    if unknown:
        listed = ", ".join(terms_of(vocabulary))
        raise ValueError(f"{quoted(unknown[0][:60])} is none of the {vocabulary}: {listed}")


class Party(Written):
    """Who takes part, and as what."""

    id: Word = Field(description="What the other fields call this party.")
    name: Name
    roles: Annotated[list[Role], Field(min_length=1)]
    contact: Text = ""
    key: Digest | None = Field(
        default=None,
        description="Identifier of the only key that signs for this party; where it is not given, "
        "the key of the party's name.",
    )


class Purpose(Written):
    """What the data are used for."""

    description: Annotated[Text, Field(min_length=1)]
    terms: Annotated[list[str], Field(min_length=1)] = Field(
        description="In the Data Privacy Vocabulary: AcademicResearch, PublicBenefit..."
    )

    @model_validator(mode="after")
    def _terms_are_known(self) -> Self:
        check_known("purposes", self.terms)
        return self


class ColumnAgreed(Written):
    """A column that may be used."""

    since: ClassVar[frozenset[str]] = frozenset({"kind", "levels", "lower", "upper", "unit"})

    name: Annotated[str, Field(min_length=1, max_length=300)]
    category: str = Field(description="Of personal data: Health, Age, PersonalData...")
    kind: Kind | None = Field(
        default=None, description="number, integer, category...; analyses in place need it."
    )
    levels: Annotated[list[Setting], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="Labels, alike and in the same order at every holder."
    )
    lower: Number | None = Field(
        default=None, description="No value is below it; sums with noise need it."
    )
    upper: Number | None = Field(default=None, description="No value is above it.")
    unit: Text | None = Field(default=None, description="Of the numbers: kg, years...")

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        ends = [end for end in (self.lower, self.upper) if end is not None]
        if any(end != end for end in ends) or (len(ends) == 2 and ends[0] > ends[1]):
            raise ValueError("lower is above upper")
        return self

    @model_validator(mode="after")
    def _category_is_known(self) -> Self:
        check_known("categories", [self.category])
        return self


class DataSet(Written):
    """A table of persons that a party holds."""

    since: ClassVar[frozenset[str]] = frozenset({"snapshot"})

    id: Word
    title: Annotated[Text, Field(min_length=1)]
    holder: Word = Field(description="The party that holds it, and signs.")
    persons: Annotated[Text, Field(min_length=1)] = Field(description="Who they are.")
    columns: Annotated[list[ColumnAgreed], Field(min_length=1)]
    snapshot: Digest | None = Field(
        default=None,
        description="Commitment to the content, as `sosie node snapshot` prints it: other data are "
        "refused.",
    )

    @model_validator(mode="after")
    def _columns_are_unique(self) -> Self:
        check_unique("column", [column.name for column in self.columns])
        return self


class Crossing(Written):
    """Data sets that may meet."""

    sets: Annotated[list[Word], Field(min_length=2)]
    on: Annotated[list[str], Field(min_length=1)] = Field(description="Columns.")
    how: Literal["direct", "keyed_hash", "trusted_third_party", "private_set_intersection"]


class ParameterAllowed(Written):
    """The values that a parameter may have: a range, both ends allowed, or a list."""

    lower: Number | None = None
    upper: Number | None = None
    one_of: Annotated[list[Setting], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _a_range_or_a_list(self) -> Self:
        ends = [end for end in (self.lower, self.upper) if end is not None]
        if bool(ends) == (self.one_of is not None):
            raise ValueError("give lower or upper or both, or else one_of")
        if any(end != end for end in ends) or (len(ends) == 2 and ends[0] > ends[1]):
            raise ValueError("lower is above upper")
        return self

    def allows(self, value: object) -> bool:
        """Tell whether the parameter may have this value.

        Examples
        --------
        >>> ParameterAllowed(lower=10).allows(12), ParameterAllowed(one_of=["gibbs"]).allows("x")
        (True, False)
        """
        if self.one_of is not None:
            return any(type(value) is type(one) and value == one for one in self.one_of)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        # A value that is no number compares as false with both ends.
        above = self.lower is None or value >= self.lower
        return above and (self.upper is None or value <= self.upper) and value == value

    def __str__(self) -> str:
        if self.one_of is not None:
            return "one of " + ", ".join(str(one) for one in self.one_of)
        if self.upper is None:
            return f"at least {self.lower}"
        return f"at most {self.upper}" if self.lower is None else f"{self.lower} to {self.upper}"


class GeneratorAllowed(Written):
    """A generator that may be used, and with which parameters.

    A parameter that is not mentioned may not be given.
    """

    name: Word = Field(description="avatar or rhvae.")
    parameters: dict[Word, ParameterAllowed] = Field(default_factory=dict)


class EvidenceAsked(Written):
    """What evidence must show before a release; set by the controller beforehand."""

    threshold: Annotated[float, Field(gt=0, le=1)] = Field(
        description="Advantage of an attacker above which a criterion fails, at most."
    )
    accept: Annotated[list[Literal["pass", "attention"]], Field(min_length=1)] = Field(
        description="Verdicts with which a table may be released."
    )
    effort: Literal["quick", "standard", "thorough"] = Field(
        description="Of the battery of attacks, at least."
    )


class Validity(Written):
    """From which day to which, both included."""

    starts: dt.date
    ends: dt.date

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends < self.starts:
            raise ValueError("it ends before it starts")
        return self


class CharterAdopted(Written):
    """The charter that the parties adopted."""

    name: Name
    version: Annotated[Text, Field(min_length=1)]
    sha256: Digest | None = Field(default=None, description="What `sosie charter check` prints.")


def check_unique(what: str, names: list[str]) -> None:
    """Refuse a name that is there twice.

    Raises
    ------
    ValueError
        Naming it.
    """
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(f"{what} {quoted(twice[0])} is there twice")
