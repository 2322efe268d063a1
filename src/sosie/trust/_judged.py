"""What a certificate takes from evidence: measures, targets and verdicts, no small count."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import TrustError
from sosie.trust._canonical import strict_json

__all__ = ["FEWEST", "Criterion", "EvidenceFile", "Judged", "Measured", "judged_of", "rounded"]

FEWEST = 11
"""Persons below which neither a count nor what would give it away is told."""

_COUNTED = frozenset(
    {
        "exact_copies", "near_copies", "moved_copies", "unique_copies", "known_copies",
        "identifiers_copied", "row_direct_match_protection",
    }
)  # fmt: skip
"""Measures whose value times the persons is a count of persons found in the synthetic table."""

_DIGITS = 4

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Verdict = Literal["pass", "attention", "fail", "information", "not_measured"]
Criteria = Literal["singling_out", "linkability", "inference", "membership"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Pair = tuple[float, float]


class _Read(BaseModel):
    """A part of a file of which the rest is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Finding(_Read):
    value: float | None = None
    ci: Pair | None = None
    control: float | None = None
    naive: float | None = None
    difference: float | None = None
    difference_ci: Pair | None = None
    target: float | None = None
    better: Literal["lower", "higher"] = "lower"
    verdict: Verdict
    criterion: Criteria | None = None
    n: int | None = None
    n_control: int | None = None
    p_value: float | None = None
    why_not: Word | None = None


class _Criterion(_Read):
    verdict: Verdict
    drivers: list[Word]
    columns: list[str]


class _Input(_Read):
    sha256: Digest
    rows: int
    columns: int


class _Inputs(_Read):
    original: _Input
    synthetic: _Input | None = None
    control: _Input | None = None


class _Settings(_Read):
    effort: Word
    threshold: float
    generator: dict[str, Any] | None = None
    rounds: int | None = None


class _Alarms(_Read):
    as_expected: bool


class _Planted(_Read):
    found: bool
    share: float


class _Controls(_Read):
    original_as_synthetic: _Alarms | None = None
    fresh_control: _Alarms | None = None
    planted: _Planted | None = None


class EvidenceFile(_Read):
    """The part of ``evidence.json`` that a certificate needs, read as data.

    Examples
    --------
    >>> EvidenceFile.read(b'{"format": "another"}')
    Traceback (most recent call last):
    sosie.errors.TrustError: This is not evidence of this version of sosie (at format); make it ...
    """

    format: Literal["sosie-evidence/1"]
    sosie: Annotated[str, Field(max_length=60)]
    rulebook: Annotated[str, Field(max_length=200)]
    judged: Literal["table", "generator"]
    made_on: Day
    review_by: Day
    verdict: Literal["pass", "attention", "fail"]
    criteria: dict[Criteria, _Criterion]
    privacy: dict[Word, _Finding]
    utility: dict[Word, _Finding]
    controls: _Controls
    inputs: _Inputs
    settings: _Settings

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read the bytes of ``evidence.json``.

        Raises
        ------
        TrustError
            If they are not evidence.
        """
        try:
            return cls.model_validate(strict_json(content))
        except ValidationError as error:
            where = ".".join(str(step) for step in error.errors()[0]["loc"])
            raise TrustError(
                f"This is not evidence of this version of sosie (at {where or 'its top'}); make it "
                "with `sosie evidence --json`."
            ) from error


class _Kept(BaseModel):
    """A part of a certificate: nothing but what it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Measured(_Kept):
    """One attack or one measure of use, with its target and its verdict.

    Examples
    --------
    >>> Measured(value=0.52, verdict="pass").hidden
    False
    """

    value: float | None = Field(default=None, description="On persons of the original.")
    ci: Pair | None = Field(default=None, description="95 % interval of `value`.")
    control: float | None = Field(default=None, description="On persons never seen.")
    naive: float | None = Field(default=None, description="Without the synthetic table.")
    difference: float | None = Field(default=None, description="`value` less `control`.")
    difference_ci: Pair | None = Field(default=None, description="95 % interval of `difference`.")
    target: float | None = None
    better: Literal["lower", "higher"] = "lower"
    verdict: Verdict
    criterion: Criteria | None = None
    attacks: int | None = Field(default=None, description="Rounded to tens; none below 11.")
    p_value: float | None = None
    why_not: Word | None = Field(default=None, description="Why it was not measured.")
    hidden: bool = Field(
        default=False, description="The numbers would give away a count of 1 to 10 persons."
    )


class Criterion(_Kept):
    """What the attacks say of one criterion of opinion WP216 (05/2014), or of membership.

    Examples
    --------
    >>> Criterion(verdict="pass", decided_by=["linkability"], columns=[]).verdict
    'pass'
    """

    verdict: Verdict
    decided_by: list[Word] = Field(description="Attacks, among those measured: the worst ones.")
    columns: list[str] = Field(description="Columns through which most was learned.")


class Judged(_Kept):
    """What evidence found, as a certificate tells it.

    Examples
    --------
    >>> sorted(Judged.model_fields)[:4]
    ['controls', 'criteria', 'effort', 'judged']
    """

    judged: Literal["table", "generator"]
    made_on: Day
    review_by: Day
    rulebook: str
    software: str = Field(description="Version of sosie that judged.")
    effort: Word
    threshold: float = Field(description="Advantage of an attacker above which a criterion fails.")
    verdict: Literal["pass", "attention", "fail"]
    criteria: dict[Criteria, Criterion]
    privacy: dict[Word, Measured]
    utility: dict[Word, Measured]
    controls: dict[Word, bool] = Field(
        description="Did the battery light its alarms on the original itself, stay silent on "
        "fresh persons, and find a planted leak?"
    )


def rounded(count: int | None) -> int | None:
    """Round a count of persons to tens; one below 11 is not told at all.

    Examples
    --------
    >>> rounded(347), rounded(7), rounded(0)
    (350, None, 0)
    """
    if count is None or 0 < count < FEWEST:
        return None
    return round(count / 10) * 10


def judged_of(evidence: EvidenceFile) -> Judged:
    """Take from evidence what a certificate tells of it.

    Values are rounded to four decimals and counts to tens. Labels, predicates and everything
    else that figures are drawn of stays behind.

    Examples
    --------
    >>> judged_of.__name__
    'judged_of'
    """
    return Judged(
        judged=evidence.judged,
        made_on=evidence.made_on,
        review_by=evidence.review_by,
        rulebook=evidence.rulebook,
        software=evidence.sosie,
        effort=evidence.settings.effort,
        threshold=evidence.settings.threshold,
        verdict=evidence.verdict,
        criteria={
            name: Criterion(verdict=one.verdict, decided_by=one.drivers, columns=one.columns)
            for name, one in evidence.criteria.items()
        },
        privacy={name: _measured(name, one) for name, one in evidence.privacy.items()},
        utility={name: _measured(name, one) for name, one in evidence.utility.items()},
        controls=_controls(evidence.controls),
    )


def _controls(tried: _Controls) -> dict[str, bool]:
    told = {}
    if tried.original_as_synthetic:
        told["original_as_synthetic"] = tried.original_as_synthetic.as_expected
    if tried.fresh_control:
        told["fresh_control"] = tried.fresh_control.as_expected
    if tried.planted:
        told["planted"] = tried.planted.found
    return told


def _measured(name: str, found: _Finding) -> Measured:
    hidden = name in _COUNTED and any(
        _few(value, count)
        for value, count in ((found.value, found.n), (found.control, found.n_control))
    )
    numbers = {} if hidden else _numbers(found)
    return Measured(
        **numbers,
        target=_short(found.target),
        better=found.better,
        verdict=found.verdict,
        criterion=found.criterion,
        attacks=rounded(found.n),
        why_not=found.why_not,
        hidden=hidden,
    )


def _numbers(found: _Finding) -> dict[str, Any]:
    single = ("value", "control", "naive", "difference", "p_value")
    return {key: _short(getattr(found, key)) for key in single} | {
        key: pair and tuple(_short(end) for end in pair)
        for key in ("ci", "difference_ci")
        for pair in (getattr(found, key),)
    }


def _few(share: float | None, of: int | None) -> bool:
    """Tell whether a share of persons is of fewer than 11, or of all but fewer than 11."""
    if share is None or of is None:
        return False
    count = round((share / 100 if share > 1 else share) * of)
    return 0 < count < FEWEST or 0 < of - count < FEWEST


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS) + 0.0
