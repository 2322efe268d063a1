"""A process certificate: what was used, done, found and decided before a table was released."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import TrustError
from sosie.trust._judged import Judged
from sosie.trust._written import Digest, Identity, Name, Text, Word

__all__ = [
    "FORMAT",
    "NOT_PROVED",
    "Agreed",
    "Article30",
    "Certificate",
    "Computation",
    "Crossing",
    "Decision",
    "Environment",
    "LedgerQuoted",
    "Opinion",
    "Original",
    "Party",
    "Result",
    "Risk",
    "Signer",
    "Variable",
]

FORMAT = "sosie-certificate/1"

NOT_PROVED = (
    "data_quality",
    "other_attacks",
    "other_files",
    "honest_signers",
    "no_collusion",
    "signing_time",
    "not_article_42",
)
"""What a certificate does not prove: keys of the texts in which a person reads it."""

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
Public = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
Line = Annotated[str, Field(min_length=1, max_length=400)]
Parameter = bool | int | float | str | list[str] | dict[str, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Party(_Part):
    """Who takes part, and as what."""

    name: Name
    roles: list[Word]


class Signer(_Part):
    """Who signs the certificate, and with which key."""

    name: Name
    key: Digest | None = Field(
        description="SHA-256 of the public key; None where any key of that name will do."
    )
    public: Public | None = Field(
        description="The Ed25519 public key, in Base64. Whose it is, this file cannot prove."
    )
    required: bool = Field(description="Without this signature nothing is verified.")


class Agreed(_Part):
    """The agreement under which it was done, as far as a reader of the certificate needs it."""

    id: Identity
    sha256: Digest = Field(description="Of the signed document.")
    title: Text
    parties: list[Party]
    purpose: Text
    purpose_terms: list[Line] = Field(description="In the Data Privacy Vocabulary.")
    legal_basis: list[Line]
    uses: list[Text]
    recipients: list[Name]
    valid_from: Day
    valid_until: Day
    retention: Text
    withdrawal: Text
    charter: Line | None = Field(description="Its name and version.")


class Variable(_Part):
    """A column of the original: its name, never a value."""

    name: str
    kind: Word
    category: Line | None = Field(description="As the agreement has it.")


class Original(_Part):
    """The persons' table: what is told of it says nothing of any of them."""

    columns: list[Variable]
    rows: int | None = Field(description="Rounded to tens; none below 11.")
    schema_sha256: Digest
    commitment: Digest = Field(
        description="HMAC-SHA-256 of the hash of its content under a nonce that the holder keeps: "
        "a plain hash would tell, to whoever knows all cells but one, whether a guess is right."
    )


class Crossing(_Part):
    """Data sets that met."""

    sets: list[Word]
    on: list[str] = Field(description="Columns.")
    how: Word


class Computation(_Part):
    """What made the results."""

    generator: Word | None = Field(description="None where nobody recorded it.")
    version: Line
    parameters: dict[Word, Parameter]
    seed_commitment: Digest | None = Field(
        description="HMAC-SHA-256 of the seed under a nonce that the holder keeps: the seed "
        "itself would let anyone who guesses the original check the guess."
    )


class Risk(_Part):
    """One criterion of opinion WP216 (05/2014), or membership: why it was so decided."""

    verdict: Literal["pass", "attention", "fail", "not_measured", "information"]
    argument: Literal["below", "uncertain", "above", "not_measured"]
    attacks: list[Word] = Field(description="Those that decided, in `evidence`.")
    residual: float | None = Field(
        description="The most an attacker may gain by the worst of its attacks, at the upper end "
        "of the 95 % interval."
    )


class Opinion(_Part):
    """The verdict in the words of opinion WP216 of the Article 29 group."""

    conclusion: Literal["no_criterion_met", "not_excluded", "detailed_analysis_needed"]
    singling_out: Risk
    linkability: Risk
    inference: Risk
    membership: Risk


class Result(_Part):
    """A file that is released."""

    name: Line
    media_type: Line
    rows: int | None
    columns: list[str]
    sha256: Digest = Field(description="Of the file.")
    content_sha256: Digest = Field(description="Of what it says, whatever its format.")


class Exemption(_Part):
    """A rule that was not met, and why that was accepted."""

    item: Literal["verdict", "threshold", "effort"]
    found: Line
    asked: Line
    reason: Annotated[Text, Field(min_length=1)]


class Decision(_Part):
    """Who decided what, and when."""

    who: Name
    what: Literal["release"]
    at: Time
    exceptions: list[Exemption]


class LedgerQuoted(_Part):
    """Where a ledger stood."""

    name: Line
    lines: int
    sha256: Digest


class Environment(_Part):
    """The programs that ran."""

    python: Line
    sosie: Line
    code_sha256: Digest = Field(description="Of the files of sosie.")
    packages: dict[Line, Line]
    packages_sha256: Digest = Field(description="Of names and versions of all that is installed.")


class Article30(_Part):
    """What a register of processing activities asks (GDPR, article 30(1)(a) to (g))."""

    controllers: list[Name]
    purposes: Text
    persons_and_data: Text
    recipients: list[Name]
    transfers: Text
    erasure: Text
    security: list[Word]


class Certificate(_Part):
    """All that is certified.

    Examples
    --------
    >>> Certificate.of({"format": "sosie-certificate/1"})
    Traceback (most recent call last):
    sosie.errors.TrustError: The record of the certificate is not as it must be (at id).
    """

    format: Literal["sosie-certificate/1"]
    id: Identity
    made_at: Time
    signers: Annotated[list[Signer], Field(min_length=1)]
    agreement: Agreed
    original: Original
    crossings: list[Crossing]
    computation: Computation
    evidence: Judged
    opinion: Opinion
    results: Annotated[list[Result], Field(min_length=1)]
    expires: Day
    decisions: Annotated[list[Decision], Field(min_length=1)]
    ledgers: list[LedgerQuoted]
    environment: Environment
    article_30: Article30
    not_proved: list[Word]

    @classmethod
    def of(cls, content: Any) -> Self:
        """Take the record out of what was read.

        Raises
        ------
        TrustError
            If it is no record, naming the first place that is wrong.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            where = ".".join(str(step) for step in error.errors()[0]["loc"])[:100]
            raise TrustError(
                f"The record of the certificate is not as it must be (at {where or 'its top'})."
            ) from error

    def content(self) -> dict[str, Any]:
        """Give what is written: JSON, as Python has it."""
        return self.model_dump(mode="json")

    @property
    def exceptions(self) -> list[Exemption]:
        """What was accepted against a rule, by whomever."""
        return [one for decision in self.decisions for one in decision.exceptions]
