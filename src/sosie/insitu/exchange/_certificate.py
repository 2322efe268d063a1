"""The certificate of analyses in place: who asked, what left each holder, what came of it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import TrustError
from sosie.insitu.exchange._messages import Ask, Part, read_message, task_of, time_now
from sosie.trust import (
    PAYLOAD_TYPE,
    Item,
    PublicKey,
    canonical,
    opened,
    payload_of,
    seal,
    sha256,
    strict_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sosie.insitu.exchange._parties import Parties
    from sosie.trust import Key, Opened

__all__ = [
    "PREDICATE",
    "Answered",
    "InPlace",
    "answer_of",
    "certified",
    "is_in_place",
    "recorded",
    "verify_in_place",
]

PREDICATE = "urn:sosie:in-place-certificate:1"
_STATEMENT = "https://in-toto.io/Statement/v1"

NOT_PROVED = ("data_quality", "honest_signers", "no_collusion", "signing_time", "not_article_42")

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keyed(_Part):
    """A party and the key with which it signed what is quoted here."""

    party: str
    name: str
    role: Literal["hub", "holder", "analyst"]
    key: dict[str, str | None]


class Answered(_Part):
    """One question, and all that left the holders for it, as they signed it."""

    analysis: str
    task: Digest
    attempt: int
    rounds: int
    sites: list[str]
    asked: dict[str, Any] = Field(description="The question, signed by who asked it.")
    parts: list[dict[str, Any]] = Field(
        description="What each holder signed in each round: the hash of what left, the checks of "
        "its gate, and where its ledger stood."
    )
    result_sha256: Digest = Field(description="Of the canonical JSON of the result.")


class InPlace(_Part):
    """All that is certified of analyses in place."""

    format: Literal["sosie-in-place/1"] = "sosie-in-place/1"
    id: str
    made_at: str
    agreement: dict[str, Any]
    parties: list[Keyed]
    results: Annotated[list[Answered], Field(min_length=1)]
    not_proved: list[str] = list(NOT_PROVED)


def recorded(parties: Parties, answered: Sequence[Answered]) -> InPlace:
    """Put together all that is certified of answers."""
    from sosie.trust._agreed import agreed_of

    return InPlace(
        id=f"urn:uuid:{uuid.uuid4()}",
        made_at=time_now(),
        agreement=agreed_of(parties.signed).model_dump(mode="json"),
        parties=_keyed(parties, answered),
        results=list(answered),
    )


def certified(record: InPlace, keys: Sequence[Key]) -> dict[str, Any]:
    """Certify answers: an in-toto statement whose subjects are the results, signed.

    Parameters
    ----------
    record : InPlace
    keys : sequence of Key
        That of the hub first.
    """
    return seal(canonical(_statement(record)), PAYLOAD_TYPE, list(keys))


def answer_of(record: InPlace, answered: Answered, result: Any) -> dict[str, Any]:
    """Give what stands beside a certificate in an answer: the result, and what is signed of it."""
    gate: dict[str, str] = {}
    for part in answered.parts:
        gate |= {one["check"]: one["verdict"] for one in strict_json(payload_of(part))["gate"]}
    names = {one.party: one.name for one in record.parties}
    return {
        "analysis": answered.analysis,
        "agreement": record.agreement["sha256"],
        "sites": [names[site] for site in answered.sites],
        "question": strict_json(payload_of(answered.asked))["question"],
        "result": result,
        "gate": [{"check": check, "verdict": verdict} for check, verdict in gate.items()],
    }


def is_in_place(payload: bytes) -> bool:
    """Tell whether a statement is of analyses in place."""
    try:
        said = strict_json(payload)
    except TrustError:
        return False
    return isinstance(said, dict) and said.get("predicateType") == PREDICATE


def record_of(envelope: Mapping[str, Any]) -> InPlace:
    """Read the record of a certificate; this does not say who signed it.

    Raises
    ------
    TrustError
        If it is none.
    """
    payload = payload_of(envelope, PAYLOAD_TYPE)
    said = strict_json(payload)
    if not isinstance(said, dict) or said.get("predicateType") != PREDICATE:
        raise TrustError("What is signed is not a certificate of analyses in place.")
    try:
        record = InPlace.model_validate(said.get("predicate"))
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"])[:100]
        raise TrustError(
            f"The record of the certificate is not as it must be (at {where})."
        ) from error
    if canonical(_statement(record)) != payload:
        raise TrustError("The statement is not the one that its record makes.")
    return record


def verify_in_place(
    envelope: Mapping[str, Any],
    trusted: Mapping[str, PublicKey],
    *,
    answers: Sequence[Mapping[str, Any]] = (),
    agreement: str | None = None,
) -> tuple[list[Item], InPlace | None]:
    """Check a certificate of analyses in place, item by item, without a network.

    Parameters
    ----------
    envelope : dict
    trusted : mapping of str to PublicKey
        By their identifiers.
    answers : sequence of dict
        What was received, as in ``RESULT.json``, to be compared: the result, and the question,
        holders and checks that stand beside it. Which certificate is in it makes no difference.
    agreement : str, optional
        SHA-256 of the agreement at hand.

    Returns
    -------
    tuple of list of Item and InPlace or None
    """
    try:
        record = record_of(envelope)
    except TrustError as error:
        return [Item("document", ok=False, reason="said", values={"error": str(error)})], None
    items = [Item("document", ok=True, reason="in_place_good")]
    keys = {one.party: PublicKey.of(one.key) for one in record.parties}
    items += _signed(opened(envelope, trusted, PAYLOAD_TYPE), record, keys)
    for one in record.parties:
        key = keys[one.party]
        known = key.id in trusted
        reason = "party_known" if known else "party_unknown"
        values = {"name": key.name, "key": key.id[:16]}
        items.append(Item("party", ok=True if known else None, reason=reason, values=values))
    items += [_exchange(answered, record, keys) for answered in record.results]
    if agreement is not None:
        same = record.agreement["sha256"] == agreement
        items.append(_said("agreement", same, "in_place_agreed", "in_place_not_agreed"))
    broken = any(item.kind == "exchange" and not item.ok for item in items)
    items += [_received(dict(one), record, broken=broken) for one in answers]
    return items, record


def _received(answer: dict[str, Any], record: InPlace, *, broken: bool) -> Item:
    """Tell whether an answer is one that is certified: its result, and what it says of it."""
    answer.pop("certificate", None)
    digest = sha256(canonical(answer.get("result")))
    of_it = [one for one in record.results if one.result_sha256 == digest]
    if not of_it:
        return Item("result", ok=False, reason="result_other")
    beside = canonical(answer | {"result": None})
    same = not broken and any(canonical(answer_of(record, one, None)) == beside for one in of_it)
    return _said("result", same, "result_same", "result_of_other")


def _signed(found: Opened, record: InPlace, keys: Mapping[str, PublicKey]) -> list[Item]:
    hub = next((keys[one.party] for one in record.parties if one.role == "hub"), None)
    items = [
        Item("signature", ok=True, reason="signature_good",
             values={"name": key.name, "claimed": key.name, "key": key.id[:16]})
        for key in found.signers
    ]  # fmt: skip
    items += [
        Item("signature", ok=False if one.fatal else None,
             reason="signature_bad" if one.fatal else "key_unknown",
             values={"name": one.key[:16], "error": one.why})
        for one in found.problems
    ]  # fmt: skip
    whole = hub is not None and hub.id in [key.id for key in found.signers]
    names = {"names": hub.name if hub else ""}
    reason = "signers_good" if whole else "missing"
    return [*items, Item("signers", ok=whole, reason=reason, values=names)]


def _exchange(answered: Answered, record: InPlace, keys: Mapping[str, PublicKey]) -> Item:
    """Tell whether every holder signed what left it, once a round, for this question."""
    values = {"analysis": answered.analysis}
    try:
        ask = read_message(answered.asked, keys)
        parts = [read_message(one, keys) for one in answered.parts]
    except TrustError as error:
        values["error"] = str(error)
        return Item("exchange", ok=False, reason="exchange_broken", values=values)
    due = {(site, turn) for site in answered.sites for turn in range(answered.rounds)}
    of_task = (answered.task, answered.attempt)
    whole = (
        isinstance(ask, Ask)
        and task_of(ask) == answered.task
        and _analysis_of(ask) == answered.analysis
        and all(one.agreement == record.agreement["sha256"] for one in (ask, *parts))
        and all(isinstance(one, Part) and (one.task, one.attempt) == of_task for one in parts)
        and len(parts) == len(due)
        and {(one.by, one.round) for one in parts} == due
    )
    reason = "exchange_good" if whole else "exchange_other"
    return Item("exchange", ok=whole, reason=reason, values=values)


def _analysis_of(ask: Ask) -> Any:
    analysis = ask.question.get("analysis")
    return analysis.get("id") if isinstance(analysis, dict) else None


def _said(kind: str, ok: bool, good: str, bad: str) -> Item:
    return Item(kind, ok=ok, reason=good if ok else bad)


def _keyed(parties: Parties, answered: Sequence[Answered]) -> list[Keyed]:
    hub = parties.party_of(parties.hub)
    told: dict[str, Literal["hub", "holder", "analyst"]] = {hub: "hub"}
    for one in answered:
        told |= dict.fromkeys(one.sites, "holder")
    for one in answered:
        by = read_message(one.asked, parties.keys).by
        told.setdefault(by, "analyst")
    return [
        Keyed(
            party=party,
            name=parties.key_of(party).name,
            role=role,
            key=parties.key_of(party).content(),
        )
        for party, role in told.items()
    ]


def _statement(record: InPlace) -> dict[str, Any]:
    return {
        "_type": _STATEMENT,
        "subject": [
            {"name": f"{one.analysis}.{one.task[:12]}", "digest": {"sha256": one.result_sha256}}
            for one in record.results
        ],
        "predicateType": PREDICATE,
        "predicate": record.model_dump(mode="json"),
    }
