"""The same messages as files in a folder, for holders who have no network at all.

The folder is carried, or synchronised, by whoever carries files: on a stick, by sFTP. ``to-hub``
holds what parties signed, ``to-PARTY`` what the hub has for them: ``answer-TASK.json`` for who
asked, whenever it is fetched. A file is whole or absent.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from sosie.errors import DataError, SosieError, TrustError
from sosie.insitu.exchange._http import raised
from sosie.insitu.exchange._letter import letter, read_letter
from sosie.insitu.exchange._messages import PartyId, task_in
from sosie.table import whole_file
from sosie.trust import canonical, payload_of, sha256, strict_json

if TYPE_CHECKING:
    from pathlib import Path

    from sosie.insitu.hub._hub import Hub

__all__ = ["Drop", "serve_drop"]

_LARGEST = 64 << 20
_EVERY, _LONGEST = 0.1, 1.0
_PARTY: TypeAdapter[str] = TypeAdapter(PartyId)


class Drop:
    """A way to the hub by files.

    Parameters
    ----------
    folder : Path
        That both sides have.
    by : str
        The party.

    Raises
    ------
    DataError
        If the folder cannot be used.
    """

    def __init__(self, folder: Path, by: str) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; give the one that the hub serves.")
        self._out = _made(folder / "to-hub")
        self._in = _made(folder / f"to-{by}")
        self._said: tuple[str, bool] | None = None
        self._open: Path | None = None

    def bear(self, token: str) -> None:
        """There are no tokens in files: messages are signed."""

    def post(
        self, message: dict[str, Any], payload: bytes | None = None, wait: float = 0.0
    ) -> dict[str, Any]:
        """Leave a message, and wait for what the hub leaves."""
        said = strict_json(payload_of(message))
        data = canonical(letter(message, payload))
        # The hub reads them by name: a question before who waits for its answer.
        out = self._out / f"{said['kind']}-{sha256(data)}.json"
        if said["kind"] == "poll":
            # Carrying a question for work would only carry "none": what is new is who asks.
            if self._said != (said["instance"], said["paused"]):
                self._said = (said["instance"], said["paused"])
                _write(out, data)
            return self._work(wait)
        if said["kind"] == "wait":
            answer = self._in / _answer_to(said["task"])
            if not answer.exists():
                _write(self._out / f"wait-{said['task']}.json", data)
            return self._answer(answer, wait)
        _write(out, data)
        if said["kind"] == "ask":
            return {}
        if said["kind"] in ("join", "part", "decline"):
            if self._open is not None:
                self._open.unlink(missing_ok=True)
                self._open = None
            return self._work(wait)
        return self._answer(self._in / out.name, wait)

    def close(self) -> None:
        """Nothing is open."""

    def _work(self, wait: float) -> dict[str, Any]:
        until = time.monotonic() + min(wait, _LONGEST)
        while True:
            for path in sorted(self._in.glob("work-*.json")):
                self._open = path
                found = strict_json(_read(path), largest=_LARGEST)
                return found if isinstance(found, dict) else {}
            if time.monotonic() >= until:
                return {}
            time.sleep(_EVERY)

    def _answer(self, path: Path, wait: float) -> dict[str, Any]:
        until = time.monotonic() + max(wait, 1.0)
        while not path.exists():
            if time.monotonic() >= until:
                return {"state": "waiting", "why": "The folder has no answer yet."}
            time.sleep(_EVERY)
        found = strict_json(_read(path), largest=_LARGEST)
        path.unlink(missing_ok=True)
        return raised(int(found["status"]), canonical(found["said"]), str(path.parent))


async def serve_drop(hub: Hub, folder: Path) -> None:
    """Serve a folder until cancelled."""
    inbox = _made(folder / "to-hub")
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
                    _write(out, canonical({"status": 200, "said": said}))
                    del waiting[out]
            _hand_out(hub, folder, written)
        await asyncio.sleep(_EVERY)


def _take(hub: Hub, folder: Path, path: Path, waiting: dict[Path, Any], refused: set[Path]) -> None:
    data = _read(path)
    path.unlink(missing_ok=True)
    try:
        message, payload = read_letter(strict_json(data, largest=_LARGEST))
        inner = strict_json(payload_of(message))
        kind = str(inner["kind"])
        place = folder / f"to-{_PARTY.validate_python(inner['by'])}"
        name = f"{kind}-{sha256(data)}.json"
        if kind in ("ask", "wait"):
            name = _answer_to(task_in(inner))
    except (KeyError, TypeError, AttributeError, ValueError, TrustError):
        return  # whoever left it is not known, so there is nobody to tell
    told = kind in ("ask", "wait", "list", "certify")
    try:
        ticket = hub.take(message, payload, carried=True)
    except SosieError as error:
        from sosie.insitu.hub._app import failed

        status, why = failed(error)
        # Who waits for a question that was refused has been told why.
        if told and place / name not in refused:
            _write(_made(place) / name, canonical({"status": status, "said": why}))
        if kind == "ask":
            refused.add(place / name)
        return
    if told and kind != "ask":
        waiting[_made(place) / name] = ticket


def _hand_out(hub: Hub, folder: Path, written: dict[str, Path]) -> None:
    due: dict[str, Path] = {}
    for ticket, name in hub.due():
        out = _made(folder / f"to-{ticket.by}") / f"work-{name}.json"
        key = f"{ticket.by}/{name}"
        due[key] = out
        if key not in written:
            said = hub.reply(ticket)
            if said is not None:
                _write(out, canonical(said))
                written[key] = out
    for key in set(written) - set(due):  # given up, or answered
        written.pop(key).unlink(missing_ok=True)


def _answer_to(task: str) -> str:
    return f"answer-{task}.json"


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be made ({error.strerror}).") from error
    return folder


def _write(path: Path, data: bytes) -> None:
    with whole_file(path) as file:
        file.write(data)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST + 1)
