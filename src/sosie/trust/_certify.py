"""The making of a certificate: everything is compared before anything is said."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sosie.errors import TrustError
from sosie.table import Table
from sosie.trust._agreed import (
    agreed_of,
    article_30_of,
    crossings_of,
    party_of,
    refusals_of,
    signers_of,
    unmet,
)
from sosie.trust._certificate import (
    NOT_PROVED,
    Certificate,
    Computation,
    Decision,
    Exemption,
    LedgerQuoted,
    Original,
    Result,
    Variable,
)
from sosie.trust._content import content_hash, schema_hash
from sosie.trust._environment import environment
from sosie.trust._judged import EvidenceFile, judged_of, rounded
from sosie.trust._ledger import head_of
from sosie.trust._opening import Opening, committed
from sosie.trust._opinion import opinion_of
from sosie.trust._run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sosie.trust._agreed import Asked
    from sosie.trust._keys import Key
    from sosie.trust._signed import SignedAgreement

__all__ = ["Certified", "certify", "quoted"]

_MEDIA = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".parquet": "application/vnd.apache.parquet",
    ".pq": "application/vnd.apache.parquet",
    ".feather": "application/vnd.apache.arrow.file",
    ".arrow": "application/vnd.apache.arrow.file",
}


NO_REASON = "no reason given / aucun motif donné"
"""Of an exception, in both languages: it is signed as it stands."""


@dataclass(frozen=True)
class Certified:
    """A certificate that is not signed yet, and what its holder keeps.

    Attributes
    ----------
    certificate : Certificate
    opening : Opening
        Under which the original and the seed are committed to.
    """

    certificate: Certificate
    opening: Opening = field(repr=False)


def certify(
    signed: SignedAgreement,
    evidence: bytes,
    original: Path,
    synthetic: Path,
    key: Key,
    *,
    run: bytes | None = None,
    exception: str | None = None,
    ledgers: Sequence[LedgerQuoted] = (),
) -> Certified:
    """Write down what was done, if the agreement allows it and the evidence is of these files.

    Parameters
    ----------
    signed : SignedAgreement
    evidence : bytes
        What ``sosie evidence --json`` wrote.
    original, synthetic : Path
        The very files that were judged.
    key : Key
        Of the party that decides to release.
    run : bytes, optional
        What ``sosie avatar --json`` printed: the generator, its parameters and its seed.
    exception : str, optional
        Why evidence is accepted that shows less than the agreement asks; where it does and
        nothing is said, every reader is told that no reason was given.
    ledgers : sequence of LedgerQuoted, optional
        Where ledgers stood.

    Returns
    -------
    Certified

    Raises
    ------
    TrustError
        If the agreement is not signed by all who hold data, has ended or does not allow the
        columns, the generator or its parameters; if the evidence is of other files or is out
        of date; if the key is of none of the parties; or if the synthetic table is the original.
    DataError
        If a table cannot be read.
    """
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    found = EvidenceFile.read(evidence)
    judged = judged_of(found)
    ran = Run.read(run) if run is not None else Run.of_generator(found.settings.generator)
    _check_parties(signed, key)
    digests = {"original": _digest(original), "synthetic": _digest(synthetic)}
    _check_files(found, digests, ran, original, synthetic)
    _check_run(ran, digests["synthetic"], signed, synthetic)
    _check_dates(judged.made_on, judged.review_by, now.date())
    tables = {"original": Table.read(original), "synthetic": Table.read(synthetic)}
    contents = {role: content_hash(table) for role, table in tables.items()}
    if contents["original"] == contents["synthetic"]:
        raise TrustError(f"{synthetic} says, cell for cell, what the original says.")
    columns = tables["synthetic"].names
    refused = refusals_of(signed, columns, ran.generator, ran.parameters, now.date())
    if refused:
        raise TrustError(f"The agreement does not allow this: {refused[0].why}")
    opening = Opening.new(f"urn:uuid:{uuid.uuid4()}")
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    agreed = agreed_of(signed)
    certificate = Certificate(
        format="sosie-certificate/1",
        id=opening.certificate,
        made_at=at,
        signers=signers_of(signed, key.public),
        agreement=agreed,
        original=_original(signed, tables["original"], columns, opening, contents["original"]),
        crossings=crossings_of(signed.agreement, columns),
        computation=_computation(ran, found.sosie, opening),
        evidence=judged,
        opinion=opinion_of(judged),
        results=[_result(synthetic, tables["synthetic"], digests, contents)],
        expires=agreed.valid_until,
        decisions=[
            Decision(
                who=key.name,
                what="release",
                at=at,
                exceptions=_exceptions(unmet(signed.agreement, judged), exception),
            )
        ],
        ledgers=list(ledgers),
        environment=environment(),
        article_30=article_30_of(signed.agreement),
        not_proved=list(NOT_PROVED),
    )
    return Certified(certificate, opening)


def quoted(path: Path) -> LedgerQuoted:
    """Tell where a ledger stands, for a certificate.

    Raises
    ------
    TrustError
        If its last line is damaged.
    """
    head = head_of(path)
    return LedgerQuoted(name=path.name, lines=head.lines, sha256=head.sha256)


def _check_parties(signed: SignedAgreement, key: Key) -> None:
    if party_of(signed.agreement, key.public) is None:
        listed = ", ".join(party.name for party in signed.agreement.parties)
        raise TrustError(f"The key of {key.name!r} is of none of the parties: {listed}.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_files(
    found: EvidenceFile, digests: dict[str, str], ran: Run, original: Path, synthetic: Path
) -> None:
    """Refuse evidence of other files, or of a generator that did not make this table."""
    if found.inputs.original.sha256 != digests["original"]:
        raise TrustError(
            f"The evidence is not of {original}: it judged another original; run `sosie evidence` "
            "on the two files that you certify."
        )
    if found.judged == "table":
        judged = found.inputs.synthetic
        if judged is None or judged.sha256 != digests["synthetic"]:
            raise TrustError(
                f"The evidence is not of {synthetic}: it judged another synthetic table; run "
                "`sosie evidence` on the two files that you certify."
            )
    elif not ran.same_as(Run.of_generator(found.settings.generator)):
        raise TrustError(
            "The evidence judged a generator with other parameters than those of the run; give "
            "with --run what `sosie avatar --json` printed."
        )


def _check_run(ran: Run, digest: str, signed: SignedAgreement, synthetic: Path) -> None:
    """Refuse a run that says itself that it made another file, or was under another agreement."""
    if ran.made not in (None, digest):
        raise TrustError(f"--run is not of {synthetic}: it wrote another file.")
    if ran.agreement not in (None, signed.sha256):
        raise TrustError("--run was under another agreement than the one given.")


def _check_dates(made_on: str, review_by: str, today: dt.date) -> None:
    if not made_on <= today.isoformat() <= review_by:
        raise TrustError(
            f"The evidence is of {made_on} and was to be made again by {review_by}; make it again."
        )


def _exceptions(below: Mapping[Asked, tuple[str, str]], reason: str | None) -> list[Exemption]:
    """Write down what was accepted: a record that may not say so would only hide it."""
    given = (reason or "").strip() or NO_REASON
    if reason is not None and not below:
        raise TrustError("--exception: the evidence meets the agreement; there is none to make.")
    return [
        Exemption(item=item, found=has, asked=asked, reason=given)
        for item, (has, asked) in below.items()
    ]


def _original(
    signed: SignedAgreement, table: Table, used: Sequence[str], opening: Opening, content: str
) -> Original:
    categories = {
        column.name: column.category for one in signed.agreement.data_sets for column in one.columns
    }
    return Original(
        columns=[
            Variable(name=column.name, kind=str(column.kind), category=categories.get(column.name))
            for column in table.schema.columns
            if column.name in used
        ],
        rows=rounded(len(table)),
        schema_sha256=schema_hash(table),
        commitment=committed(opening.original, "original", content),
    )


def _computation(ran: Run, version: str, opening: Opening) -> Computation:
    seed = ran.seed
    return Computation(
        generator=ran.generator,
        version=f"sosie {version}",
        parameters=ran.parameters,
        seed_commitment=None if seed is None else committed(opening.seed, "seed", str(seed)),
    )


def _result(path: Path, table: Table, digests: dict[str, str], contents: dict[str, str]) -> Result:
    return Result(
        name=path.name,
        media_type=_MEDIA.get(path.suffix.lower(), "application/octet-stream"),
        rows=rounded(len(table)),
        columns=table.names,
        sha256=digests["synthetic"],
        content_sha256=contents["synthetic"],
    )
