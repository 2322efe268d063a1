"""What a holder told of a synthetic table, as who receives it reads it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import TrustError
from sosie.insitu.gate import MOST_TOLD
from sosie.trust import sha256, strict_json

__all__ = ["Told"]

Word = Literal["pass", "attention", "fail"]
WordOfMeasure = Literal["pass", "attention", "fail", "information", "not_measured"]
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]
Setting = float | Annotated[str, Field(max_length=120)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _File(_Strict):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    rows: Annotated[int, Field(ge=0)]


class _Measured(_Strict):
    verdict: WordOfMeasure
    value: float
    advantage: float | None
    step: float


class Told(_Strict):
    """One message, which the gate of a holder wrote."""

    format: Literal["sosie-verdict/1"]
    synthetic: _File
    persons_about: Annotated[int, Field(ge=0)]
    verdict: Word
    criteria: dict[Name, WordOfMeasure]
    measures: dict[Name, _Measured]
    settings: dict[Name, Setting]
    csv: str | None = None

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """Read a message.

        Raises
        ------
        TrustError
            If it is no verdict.
        """
        try:
            return cls.model_validate(strict_json(payload, largest=MOST_TOLD))
        except ValidationError as error:
            raise TrustError("This message is no verdict; it is not used.") from error

    @property
    def rows(self) -> str:
        """The rows, as CSV.

        Raises
        ------
        TrustError
            If there are none, or not those that were judged.
        """
        if self.csv is None or self.verdict == "fail":
            raise TrustError("This message brings no avatars; it is not used.")
        if self.synthetic.sha256 != sha256(self.csv.encode()):
            raise TrustError("These avatars are not those that were judged; they are not used.")
        return self.csv
