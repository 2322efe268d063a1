"""An agreement: who may do what with which data, for whom, until when; enforced as data."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from sosie.errors import TrustError
from sosie.trust._allowed import Refusal, refusals
from sosie.trust._canonical import canonical, sha256
from sosie.trust._clauses import (
    CharterAdopted,
    Crossing,
    DataSet,
    EvidenceAsked,
    GeneratorAllowed,
    Party,
    Purpose,
    Role,
    Validity,
    check_known,
    check_unique,
)
from sosie.trust._disclosure import Disclosure
from sosie.trust._names import check_distinct, quoted
from sosie.trust._vocabulary import is_special
from sosie.trust._written import Identity, Text, Word, Written, faults, read_toml, to_fill

__all__ = ["AGREEMENT", "Agreement", "faults_of"]

AGREEMENT = "application/vnd.sosie.agreement+json"
"""The media type of a signed agreement."""


class Agreement(Written):
    """All that the parties agreed.

    Examples
    --------
    >>> Agreement.of({"format": "sosie-agreement/1"})
    Traceback (most recent call last):
    sosie.errors.TrustError: The agreement is not valid: id: Field required; and 12 more.
    """

    format: Literal["sosie-agreement/1"]
    id: Identity
    title: Annotated[Text, Field(min_length=1)]
    parties: Annotated[list[Party], Field(min_length=1)]
    purpose: Purpose
    legal_basis: Annotated[list[str], Field(min_length=1)] = Field(
        description="Of the GDPR: A6-1-e, A9-2-j..."
    )
    data_sets: Annotated[list[DataSet], Field(min_length=1)]
    crossings: list[Crossing] = Field(default_factory=list)
    uses: Annotated[list[Text], Field(min_length=1)] = Field(description="That are allowed.")
    analyses: list[Word] = Field(
        default_factory=list, description="Of the catalogue, that may be run in place."
    )
    generators: list[GeneratorAllowed] = Field(default_factory=list)
    disclosure: Disclosure
    evidence: EvidenceAsked
    retention: Annotated[Text, Field(min_length=1)]
    transfers: Annotated[Text, Field(min_length=1)] = Field(
        description="To countries outside the European Union; how they are covered."
    )
    validity: Validity
    withdrawal: Annotated[Text, Field(min_length=1)] = Field(description="Who may end it, and how.")
    charter: CharterAdopted | None = None

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        check_known("legal_bases", self.legal_basis)
        check_unique("party", [party.id for party in self.parties])
        check_unique("data set", [one.id for one in self.data_sets])
        check_unique("generator", [one.name for one in self.generators])
        try:
            check_distinct([party.name for party in self.parties], "party name")
        except TrustError as error:
            raise ValueError(str(error).rstrip(".")) from error
        self._check_references()
        self._check_legal_basis()
        return self

    def _check_references(self) -> None:
        known = [party.id for party in self.parties]
        columns = {one.id: {column.name for column in one.columns} for one in self.data_sets}
        for one in self.data_sets:
            if one.holder not in known:
                raise ValueError(f"data set {one.id!r} is held by {one.holder!r}, who is no party")
        for crossing in self.crossings:
            for name in crossing.sets:
                if name not in columns:
                    raise ValueError(f"a crossing names data set {name!r}, which does not exist")
                absent = [column for column in crossing.on if column not in columns[name]]
                if absent:
                    raise ValueError(
                        f"a crossing is on {quoted(absent[0])}, not a column of {name!r}"
                    )
        if not any(self._has(party, "controller", "joint_controller") for party in self.parties):
            raise ValueError("no party is a controller or a joint controller")

    def _check_legal_basis(self) -> None:
        if not any(term.startswith("A6-") for term in self.legal_basis):
            raise ValueError("legal_basis names no basis of article 6 of the GDPR")
        special = [c.name for one in self.data_sets for c in one.columns if is_special(c.category)]
        if special and not any(term.startswith("A9-") for term in self.legal_basis):
            raise ValueError(
                f"column {quoted(special[0])} is of a special category and legal_basis names no "
                "exception of article 9(2) of the GDPR"
            )

    @staticmethod
    def _has(party: Party, *roles: Role) -> bool:
        return not set(roles).isdisjoint(party.roles)

    @property
    def sha256(self) -> str:
        """SHA-256 of its canonical JSON: what is signed."""
        return sha256(self.canonical())

    @property
    def holders(self) -> list[Party]:
        """The parties that hold a data set: all of them sign."""
        held = {one.holder for one in self.data_sets}
        return [party for party in self.parties if party.id in held]

    @property
    def controllers(self) -> list[Party]:
        """The controllers and joint controllers."""
        return [p for p in self.parties if self._has(p, "controller", "joint_controller")]

    @property
    def recipients(self) -> list[Party]:
        """The parties that may receive results."""
        return [party for party in self.parties if self._has(party, "recipient")]

    def party_of(self, called: str) -> Party | None:
        """Find a party by its id or its name."""
        return next((p for p in self.parties if called in (p.id, p.name)), None)

    def allows(
        self,
        *,
        generator: str | None = None,
        parameters: Mapping[str, object] | None = None,
        columns: Iterable[str] | None = None,
        recipient: str | None = None,
        analysis: str | None = None,
        date: dt.date | None = None,
    ) -> list[Refusal]:
        """List what is not allowed; what is not asked is not judged, but for the day.

        Parameters
        ----------
        generator : str, optional
            Its name, whatever the case.
        parameters : mapping of str to value, optional
            All that are given to the generator; of a mapping, each value is judged. One that the
            agreement does not mention is refused.
        columns : iterable of str, optional
            Those that are read: all of one data set, or of data sets that may meet.
        recipient : str, optional
            Name or id of a party.
        analysis : str, optional
            Of the catalogue.
        date : date, optional
            Today where not given.

        Returns
        -------
        list of Refusal
            Empty where all is allowed.
        """
        return refusals(
            self,
            generator=generator,
            parameters=parameters or {},
            columns=columns,
            recipient=recipient,
            analysis=analysis,
            date=date or dt.datetime.now(dt.UTC).date(),
        )

    def unfilled(self) -> list[str]:
        """Name the fields that still hold a text between < and >, to be filled in."""
        return [where for where, value in _texts(self.content()) if to_fill(value)]

    def content(self) -> dict[str, Any]:
        """Give what is signed: JSON, as Python has it."""
        return self.model_dump(mode="json")

    def canonical(self) -> bytes:
        """Give the bytes that are signed."""
        return canonical(self.content())

    @classmethod
    def of(cls, content: Any) -> Self:
        """Take an agreement out of what was read.

        Raises
        ------
        TrustError
            If it is none, telling the first thing that is wrong.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            found = faults(error)
            more = f"; and {len(found) - 1} more" if found[1:] else ""
            raise TrustError(f"The agreement is not valid: {found[0]}{more}.") from error

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read ``agreement.toml``, not signed.

        Raises
        ------
        TrustError
            If it is no agreement.
        """
        return cls.of(read_toml(Path(path)))


def faults_of(path: Path) -> tuple[Agreement | None, list[str]]:
    """Read ``agreement.toml`` and list all that is wrong with it, by its place.

    Raises
    ------
    TrustError
        If the file cannot be read or is no TOML.
    """
    try:
        return Agreement.model_validate(read_toml(path)), []
    except ValidationError as error:
        return None, faults(error)


def _texts(content: Any, where: str = "") -> list[tuple[str, str]]:
    if isinstance(content, str):
        return [(where, content)]
    if isinstance(content, dict):
        steps = list(content.items())
    elif isinstance(content, list):
        steps = [(str(place), part) for place, part in enumerate(content, start=1)]
    else:
        return []
    return [
        found
        for step, part in steps
        for found in _texts(part, f"{where}.{step}" if where else step)
    ]
