"""The hub by files in a folder: what parties left is taken, what is due to them is left."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from sosie.errors import SosieError, TrustError
from sosie.insitu.exchange._drop import EVERY, LARGEST, answer_to, made, read_file, write_file
from sosie.insitu.exchange._letter import read_letter
from sosie.insitu.exchange._messages import PartyId, task_in
from sosie.insitu.exchange._raised import failed
from sosie.trust import canonical, payload_of, sha256, strict_json

if TYPE_CHECKING:
    from pathlib import Path

    from sosie.insitu.hub._hub import Hub

__all__ = ["serve_drop"]

_PARTY: TypeAdapter[str] = TypeAdapter(PartyId)


async def serve_drop(hub: Hub, folder: Path) -> None:
    """Serve a folder until cancelled."""
    inbox = made(folder / "to-hub")
    waiting: dict[Path, Any] = {}
    refused: set[Path] = set()
    written: dict[str, Path] = {}
    for former in folder.glob("to-*/work-*.json"):  # of attempts that ended with a former hub
        former.unlink(missing_ok=True)
    while True:
        # Whatever somebody leaves there, and when the disk is full, the folder is served.
        with contextlib.suppress(Exception):
            hub.expire()
            for path in sorted(inbox.glob("*.json")):
                with contextlib.suppress(Exception):
                    _take(hub, folder, path, waiting, refused)
            for out, ticket in list(waiting.items()):
                said = hub.reply(ticket)
                if said is not None:
                    write_file(out, canonical({"status": 200, "said": said}))
                    del waiting[out]
            _hand_out(hub, folder, written)
        await asyncio.sleep(EVERY)


def _take(hub: Hub, folder: Path, path: Path, waiting: dict[Path, Any], refused: set[Path]) -> None:
    data = read_file(path)
    path.unlink(missing_ok=True)
    try:
        message, payload = read_letter(strict_json(data, largest=LARGEST))
        inner = strict_json(payload_of(message))
        kind = str(inner["kind"])
        place = folder / f"to-{_PARTY.validate_python(inner['by'])}"
        name = f"{kind}-{sha256(data)}.json"
        if kind in ("ask", "wait"):
            name = answer_to(task_in(inner))
    except (KeyError, TypeError, AttributeError, ValueError, TrustError):
        return  # whoever left it is not known, so there is nobody to tell
    told = kind in ("ask", "wait", "list", "certify")
    try:
        ticket = hub.take(message, payload, carried=True)
    except SosieError as error:
        status, why = failed(error)
        # Who waits for a question that was refused has been told why.
        if told and place / name not in refused:
            write_file(made(place) / name, canonical({"status": status, "said": why}))
        if kind == "ask":
            refused.add(place / name)
        return
    if told and kind != "ask":
        waiting[made(place) / name] = ticket


def _hand_out(hub: Hub, folder: Path, written: dict[str, Path]) -> None:
    due: dict[str, Path] = {}
    for ticket, name in hub.due():
        out = made(folder / f"to-{ticket.by}") / f"work-{name}.json"
        key = f"{ticket.by}/{name}"
        due[key] = out
        if key not in written:
            said = hub.reply(ticket)
            if said is not None:
                write_file(out, canonical(said))
                written[key] = out
    for key in set(written) - set(due):  # given up, or answered
        written.pop(key).unlink(missing_ok=True)
