"""What a node takes of what the hub says: what parties of the agreement signed, nothing else."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sosie.errors import TrustError
from sosie.insitu.exchange._letter import read_letter
from sosie.insitu.exchange._messages import (
    MOST_ATTEMPTS,
    Ask,
    Join,
    Part,
    moment,
    read_message,
    task_of,
)
from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sosie.insitu._outline import Outline
    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.process import Worker

__all__ = [
    "DeclinedError",
    "Taken",
    "all_parts",
    "allowed_sites",
    "checked_ask",
    "keys_of_others",
]

_STALE = dt.timedelta(days=8)


class DeclinedError(Exception):
    """A step that this holder does not take."""

    def __init__(self, why: str, *reasons: str) -> None:
        super().__init__(why)
        self.why = why
        self.reasons = list(reasons)


@dataclass
class Taken:
    """The attempt that a node takes part in; its holders are known once its question is read."""

    task: str
    attempt: int
    worker: Worker
    sites: tuple[str, ...] = ()
    turn: int = -1
    payload: bytes = b""


def checked_ask(work: Mapping[str, Any], parties: Parties, attempts: Mapping[str, int]) -> Ask:
    """Check who asks, and when.

    Parameters
    ----------
    work : mapping
        As the hub says.
    parties : Parties
    attempts : mapping of str to int
        The last attempt that this holder took part in, of each task: none is ever repeated.

    Raises
    ------
    DeclinedError
    """
    task, attempt = work.get("task"), work.get("attempt")
    ask = _read(work.get("ask"), parties)
    if not isinstance(ask, Ask) or task_of(ask) != task:
        raise DeclinedError("exchange", "task")
    if ask.agreement != parties.signed.sha256:
        raise DeclinedError("agreement", "another")
    if _stale(ask):
        raise DeclinedError("exchange", "stale")
    if type(attempt) is not int or not attempts.get(task, 0) < attempt <= MOST_ATTEMPTS:
        raise DeclinedError("exchange", "attempt")
    return ask


def allowed_sites(question: Outline, parties: Parties, by: str, asks: str) -> tuple[str, ...]:
    """Check that the agreement allows a question, and give its holders.

    Parameters
    ----------
    question : Outline
    parties : Parties
    by : str
        This holder.
    asks : str
        Who asks.

    Raises
    ------
    DeclinedError
    """
    try:
        sites = parties.sites(question.columns)
        parties.schema(question.columns)
    except TrustError as error:
        raise DeclinedError("agreement", "question") from error
    refused = parties.refuses(question, asks)
    if refused or by not in sites:
        raise DeclinedError("agreement", *(one.item for one in refused))
    return sites


def keys_of_others(
    work: Mapping[str, Any], taken: Taken, parties: Parties, by: str
) -> dict[str, str]:
    """Read who takes part: exactly the holders of the question, each by its own word.

    Returns
    -------
    dict of str to str
        The X25519 keys of this attempt, in Base64, by holder; none where nothing is masked.

    Raises
    ------
    DeclinedError
    """
    found: dict[str, str | None] = {}
    for envelope in _listed(work, "joins"):
        message = _read(envelope, parties)
        if not isinstance(message, Join) or not _of(message, parties, taken):
            raise DeclinedError("exchange", "join")
        found[message.by] = message.public
    masked = len(taken.sites) >= 3
    if set(found) != set(taken.sites) or any((p is not None) != masked for p in found.values()):
        raise DeclinedError("exchange", "holders")
    return {other: public for other, public in found.items() if public and other != by}


def all_parts(work: Mapping[str, Any], taken: Taken, parties: Parties, by: str) -> list[str]:
    """Read the parts of all holders, as each signed its own.

    Returns
    -------
    list of str
        In Base64.

    Raises
    ------
    DeclinedError
    """
    found: dict[str, bytes] = {}
    for one in _listed(work, "parts"):
        try:
            envelope, payload = read_letter(one)
        except TrustError as error:
            raise DeclinedError("exchange", "part") from error
        message = _read(envelope, parties)
        good = isinstance(message, Part) and _of(message, parties, taken)
        if not good or message.round != taken.turn:
            raise DeclinedError("exchange", "part")
        if payload is None or message.payload_sha256 != sha256(payload):
            raise DeclinedError("exchange", "hash")
        found[message.by] = payload
    if set(found) != set(taken.sites) or found[by] != taken.payload:
        raise DeclinedError("exchange", "holders")
    return [base64.b64encode(payload).decode("ascii") for payload in found.values()]


def _stale(ask: Ask) -> bool:
    try:
        return abs(dt.datetime.now(dt.UTC) - moment(ask.at)) > _STALE
    except TrustError:
        return True


def _of(message: Any, parties: Parties, taken: Taken) -> bool:
    said = (message.agreement, message.task, message.attempt)
    return said == (parties.signed.sha256, taken.task, taken.attempt)


def _listed(work: Mapping[str, Any], name: str) -> list[Any]:
    found = work.get(name)
    if not isinstance(found, list) or len(found) > 1000:
        raise DeclinedError("exchange", name)
    return found


def _read(envelope: Any, parties: Parties) -> Any:
    try:
        return read_message(envelope, parties.keys)
    except TrustError as error:
        raise DeclinedError("exchange", "signature") from error
