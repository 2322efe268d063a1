"""The same messages as files in a folder, for parties who have no network at all.

The folder is carried, or synchronised, by whoever carries files: on a stick, by sFTP. ``to-hub``
holds what parties signed, ``to-PARTY`` what the hub has for them: ``answer-TASK.json`` for who
asked, whenever it is fetched. A file is whole or absent.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError
from sosie.insitu.exchange._letter import letter
from sosie.insitu.exchange._raised import raised
from sosie.table import whole_file
from sosie.trust import canonical, payload_of, sha256, strict_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EVERY", "LARGEST", "Drop", "answer_to", "made", "read_file", "write_file"]

LARGEST = 64 << 20
"""Bytes of a file."""

EVERY = 0.1
"""Seconds between two looks into a folder."""

_LONGEST = 1.0


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
        self._out = made(folder / "to-hub")
        self._in = made(folder / f"to-{by}")
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
                write_file(out, data)
            return self._work(wait)
        if said["kind"] == "wait":
            answer = self._in / answer_to(said["task"])
            if not answer.exists():
                write_file(self._out / f"wait-{said['task']}.json", data)
            return self._answer(answer, wait)
        write_file(out, data)
        if said["kind"] == "ask":
            return {}
        if said["kind"] in ("join", "part", "decline"):
            if self._open is not None:
                self._open.unlink(missing_ok=True)
                self._open = None
            return self._work(wait)
        return self._answer(self._in / out.name, wait)

    def close(self, last: dict[str, Any] | None = None) -> None:
        """Nothing is open; files are carried later, so that a last one would say nothing."""

    def _work(self, wait: float) -> dict[str, Any]:
        until = time.monotonic() + min(wait, _LONGEST)
        while True:
            for path in sorted(self._in.glob("work-*.json")):
                self._open = path
                found = strict_json(read_file(path), largest=LARGEST)
                return found if isinstance(found, dict) else {}
            if time.monotonic() >= until:
                return {}
            time.sleep(EVERY)

    def _answer(self, path: Path, wait: float) -> dict[str, Any]:
        until = time.monotonic() + max(wait, 1.0)
        while not path.exists():
            if time.monotonic() >= until:
                return {"state": "waiting", "why": "The folder has no answer yet."}
            time.sleep(EVERY)
        found = strict_json(read_file(path), largest=LARGEST)
        path.unlink(missing_ok=True)
        return raised(int(found["status"]), canonical(found["said"]), str(path.parent))


def answer_to(task: str) -> str:
    """Name the file that answers a question."""
    return f"answer-{task}.json"


def made(folder: Path) -> Path:
    """Give a folder, made where it is not there.

    Raises
    ------
    DataError
        If it cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be made ({error.strerror}).") from error
    return folder


def write_file(path: Path, data: bytes) -> None:
    """Leave a file, whole or not at all."""
    with whole_file(path) as file:
        file.write(data)


def read_file(path: Path) -> bytes:
    """Read a file; of one that is too large, enough to tell."""
    with path.open("rb") as file:
        return file.read(LARGEST + 1)
