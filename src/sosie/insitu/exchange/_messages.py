"""What holders, hub and analysts say to each other: small signed documents."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sosie.errors import TrustError
from sosie.trust import canonical, opened, payload_of, seal, sha256, strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sosie.trust import Key, PublicKey

__all__ = [
    "MESSAGE",
    "MOST_ATTEMPTS",
    "NO_MESSAGE",
    "Ask",
    "Certify",
    "Decline",
    "Join",
    "Leave",
    "Listing",
    "Login",
    "Message",
    "Part",
    "PartyId",
    "Poll",
    "Wait",
    "agreement_in",
    "check_clock",
    "moment",
    "new_nonce",
    "read_message",
    "sealed",
    "task_in",
    "task_of",
    "time_now",
]

MESSAGE = "application/vnd.sosie.in-place+json"
"""The media type of a signed message."""

NO_MESSAGE = "This is no message of an analysis in place; it is not used."

MOST_ATTEMPTS = 100
"""Of one task: after these it has failed for the hub, and a holder takes part in no more."""

_SKEW = dt.timedelta(minutes=5)
_CARRIED = dt.timedelta(days=8)
_SPELT = "%Y-%m-%dT%H:%M:%SZ"

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
PartyId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: str
    agreement: Digest
    by: PartyId
    at: Time


class Login(_Message):
    """Ask for a token: who signs shows to hold the key of a party."""

    kind: Literal["login"] = "login"
    nonce: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Ask(_Message):
    """A question of an analyst; its hash is the name of the task."""

    kind: Literal["ask"] = "ask"
    question: dict[str, Any]
    nonce: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Wait(_Message):
    """Ask how a task stands."""

    kind: Literal["wait"] = "wait"
    task: Digest


class Listing(_Message):
    """Ask for the tasks under an agreement, without their results."""

    kind: Literal["list"] = "list"


class Certify(_Message):
    """Ask for one certificate of several answers."""

    kind: Literal["certify"] = "certify"
    tasks: Annotated[list[Digest], Field(min_length=1, max_length=1000)]


class Poll(_Message):
    """A holder asks for work."""

    kind: Literal["poll"] = "poll"
    instance: Digest
    paused: bool = False


class Leave(_Message):
    """A node was told to stop, and does nothing more."""

    kind: Literal["leave"] = "leave"
    instance: Digest


class _OfTask(_Message):
    instance: Digest
    task: Digest
    attempt: Count


class Join(_OfTask):
    """A holder has checked a question and takes part."""

    kind: Literal["join"] = "join"
    public: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")] | None = Field(
        description="X25519 key of this attempt, in Base64; None where nothing is masked."
    )


class CheckTold(BaseModel):
    """A check of the gate that held."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    check: Annotated[str, Field(max_length=60)]
    verdict: Literal["pass"] = "pass"


class LedgerHead(BaseModel):
    """Where the ledger of the holder then stood."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    lines: Annotated[int, Field(ge=0)]
    sha256: Digest


class Part(_OfTask):
    """What left a holder in one round: the bytes travel beside this, bound by their hash."""

    kind: Literal["part"] = "part"
    round: Count
    payload_sha256: Digest
    gate: Annotated[list[CheckTold], Field(max_length=50)]
    ledger: LedgerHead


class Decline(_OfTask):
    """A holder does not go on. Why tells nothing of the data."""

    kind: Literal["decline"] = "decline"
    why: Literal["gate", "agreement", "snapshot", "synthetic", "resources", "exchange"]


Message = Annotated[
    Login | Ask | Wait | Listing | Certify | Poll | Leave | Join | Part | Decline,
    Field(discriminator="kind"),
]
_ANY: TypeAdapter[Any] = TypeAdapter(Message)


def time_now() -> str:
    """Tell the time, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).strftime(_SPELT)


def new_nonce() -> str:
    """Draw 128 bits: no two messages are alike."""
    return secrets.token_hex(16)


def sealed(message: _Message, key: Key) -> dict[str, Any]:
    """Sign a message."""
    return seal(canonical(message.model_dump(mode="json")), MESSAGE, [key])


def read_message(envelope: Any, keys: Mapping[str, PublicKey]) -> Any:
    """Open a message.

    Parameters
    ----------
    envelope : dict
    keys : mapping of str to PublicKey
        By the id of the party that each signs for.

    Returns
    -------
    Message

    Raises
    ------
    TrustError
        If it is malformed, or not signed by the party that it says it is from.
    """
    by_key = {key.id: key for key in keys.values()}
    found = opened(envelope, by_key, MESSAGE)
    try:
        message = _ANY.validate_python(strict_json(found.payload))
    except ValidationError as error:
        raise TrustError(NO_MESSAGE) from error
    key = keys.get(message.by)
    if key is None or not found.holds or [one.id for one in found.signers] != [key.id]:
        expired = next((one.why for one in found.problems if one.name == "expired key"), None)
        raise TrustError(
            expired or "This message is not signed by the party that it says it is from."
        )
    return message


def agreement_in(envelope: Any) -> str:
    """Read under which agreement a message is; this does not say who signed it.

    Raises
    ------
    TrustError
        If it is no message.
    """
    said = strict_json(payload_of(envelope, MESSAGE))
    if not isinstance(said, dict) or not isinstance(said.get("agreement"), str):
        raise TrustError(NO_MESSAGE)
    return str(said["agreement"])


def task_in(said: Mapping[str, Any]) -> str:
    """Read of which task a question, or who waits for its answer, is.

    Raises
    ------
    TrustError
        If it is neither.
    """
    try:
        if said["kind"] == "ask":
            return task_of(Ask.model_validate(said))
        return Wait.model_validate(said).task
    except ValidationError as error:
        raise TrustError(NO_MESSAGE) from error


def check_clock(
    message: _Message, now: dt.datetime | None = None, *, carried: bool = False
) -> None:
    """Refuse a message of another time: one that was kept and sent again, or a clock that is off.

    Parameters
    ----------
    message : Message
    now : datetime, optional
    carried : bool
        Whether it came as a file: that may take a week.

    Raises
    ------
    TrustError
    """
    apart = (now or dt.datetime.now(dt.UTC)) - moment(message.at)
    if not -_SKEW <= apart <= (_CARRIED if carried else _SKEW):
        minutes = round(apart.total_seconds() / 60)
        way = "behind" if minutes > 0 else "ahead of"
        raise TrustError(
            f"The clock of {message.by!r} is {abs(minutes)} minutes {way} that of the hub; set it "
            "and ask again."
        )


def moment(spelt: str) -> dt.datetime:
    """Read a time.

    Raises
    ------
    TrustError
        If there is no such day.
    """
    try:
        return dt.datetime.strptime(spelt, _SPELT).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise TrustError(f"There is no such time as {spelt}.") from error


def task_of(ask: Ask) -> str:
    """Name the task of a question: the same question sent twice is one task."""
    return sha256(canonical(ask.model_dump(mode="json")))
