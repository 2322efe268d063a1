"""Evidence: everything that was found, as an object and as a file."""

import json
from html import escape
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import DataError
from sosie.evidence._criteria import Judgement
from sosie.evidence._finding import Criterion, Finding, Verdict
from sosie.table import whole_file

__all__ = ["FORMAT", "RULEBOOK", "Evidence"]

FORMAT = "sosie-evidence/1"
RULEBOOK = "WP216 (2014), CNIL (2020), EDPB 28/2024; sosie rules 2026-11"

_MALFORMED = (AttributeError, LookupError, TypeError, ValueError)
"""What comes of details that are not of the form they have when sosie writes them."""


class Evidence(BaseModel):
    """What a synthetic table leaks and what it keeps.

    Examples
    --------
    >>> Evidence.model_fields["verdict"].description
    'The worst of the criteria.'
    """

    model_config = ConfigDict(extra="forbid")

    format: str = FORMAT
    sosie: str
    rulebook: str = RULEBOOK
    judged: str = Field(
        pattern="^(table|generator)$",
        description="The table that is to be released, or the generator, on split persons.",
    )
    made_on: str
    review_by: str = Field(description="Day by which the judgement is to be made again.")
    verdict: Verdict = Field(description="The worst of the criteria.")
    criteria: dict[Criterion, Judgement]
    privacy: dict[str, Finding]
    utility: dict[str, Finding]
    replication: list[dict[str, Any]] = Field(default_factory=list)
    controls: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, Any]
    settings: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Give what is written to a file, as Python makes JSON of it."""
        return self.model_dump(mode="json")

    def to_json(self) -> str:
        """Give the JSON text of the file."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> None:
        """Write the JSON file, whole or not at all."""
        with whole_file(Path(path)) as out:
            out.write(self.to_json().encode())

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a JSON file that :meth:`write` made.

        Raises
        ------
        DataError
            If it is not such a file, or its verdicts are not what its findings say.
        """
        from sosie.evidence._reread import follows, misplaced

        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{path} could not be read ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path} is not JSON; give what `sosie evidence --json` wrote."
            ) from error
        try:
            found = cls.model_validate(content)
        except ValidationError as error:
            where = ".".join(str(step) for step in error.errors()[0]["loc"])
            raise _not_evidence(path, where or "its top") from error
        if place := misplaced(found):
            raise _not_evidence(path, place)
        try:
            same = follows(found)
        except _MALFORMED as error:  # where judging looks into details
            raise _not_evidence(path, "privacy") from error
        if not same:
            raise DataError(
                f"{path}: its verdict is not what its findings say: it was changed, or made by "
                "another version of sosie; make it again with `sosie evidence --json`."
            )
        return found

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{_spelt(f.value)}</td><td>{_spelt(f.control)}</td>"
            f"<td>{_spelt(f.difference)}</td><td>{_spelt(f.target)}</td><td>{f.verdict}</td></tr>"
            for name, f in (*self.privacy.items(), *self.utility.items())
            if f.verdict is not Verdict.NOT_MEASURED
        )
        criteria = ", ".join(
            f"{criterion.replace('_', ' ')}: <b>{one.verdict}</b>"
            for criterion, one in self.criteria.items()
        )
        return (
            f"<p>Verdict: <b>{self.verdict}</b> ({criteria})</p><table><thead><tr><th>measure</th>"
            "<th>value</th><th>control</th><th>difference</th><th>target</th><th>verdict</th></tr>"
            f"</thead><tbody>{rows}</tbody></table>"
        )


def _not_evidence(path: Path, where: str) -> DataError:
    return DataError(
        f"{path} is not evidence of this version of sosie (at {where}); make it again with "
        "`sosie evidence --json`."
    )


def _spelt(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
