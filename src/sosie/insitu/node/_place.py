"""The folder of a node: its ledger, what it released, how it stands; for the holder alone."""

from __future__ import annotations

import contextlib
import json
import os
from typing import IO, TYPE_CHECKING, Any

from pydantic import ValidationError

from sosie.errors import DataError, ParameterError, TrustError
from sosie.insitu.gate import forgive, mend
from sosie.trust import Broken, Head, append, head_of, verify_ledger
from sosie.trust._ledger import FIRST, LONGEST, locked, read_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sosie.trust._ledger_check import Verified

__all__ = ["Place"]


class Place:
    """Where a node keeps what must outlive it.

    Parameters
    ----------
    folder : Path
        Made where it does not exist, readable by its owner alone.

    Attributes
    ----------
    ledger, released : Path
    durable : Head or None
        Where the ledger stood when something was last put on the disk, by this process.

    Raises
    ------
    DataError
        If it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new = not folder.exists()
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"{folder} cannot be made ({error.strerror}); give another place with --state."
            ) from error
        self.ledger = folder / "ledger.jsonl"
        self.released = folder / "released.bin"
        self._status = folder / "status.json"
        self._paused = folder / "paused"
        self._lock = folder / "node.lock"
        self.durable: Head | None = None
        self._held: IO[bytes] | None = None
        self._kept: int | None = None

    @classmethod
    def existing(cls, folder: Path) -> Place:
        """Take the folder of a node that was up before.

        Raises
        ------
        ParameterError
            If it is none.
        """
        if not (folder / "ledger.jsonl").is_file():
            raise ParameterError(f"{folder} is not the folder of a node: it holds no ledger.jsonl.")
        return cls(folder)

    def hold(self) -> None:
        """Keep other nodes out of this folder until this process ends.

        Raises
        ------
        DataError
            If one is there.
        """
        self._lock.touch(mode=0o600)
        self._held = self._lock.open("ab")
        if not _lock(self._held):
            self._held.close()
            self._held = None
            raise DataError(f"A node is up in {self.folder} already; see `sosie node status`.")
        self._mend_ledger()

    def release(self) -> None:
        """Let other nodes in; a folder in which nothing ever happened goes."""
        if self._held is None:
            return
        if not self.ledger.exists():
            with contextlib.suppress(OSError):
                self._lock.unlink()
                if self._new:
                    self.folder.rmdir()
        self._held.close()
        self._held = None

    def check(self) -> None:
        """Look whether the ledger is whole, and has all that was in it when the node last told.

        Raises
        ------
        TrustError
            If not: what the lines that went tell of could be asked for again.
        """
        expected = self._told_head()
        nothing = not self.ledger.exists() and not self.released.exists()
        if nothing and (expected is None or not expected.lines):
            return  # new, or stopped before its first line
        try:
            broken = [one.why for one in self.verified().broken]
        except DataError as error:
            broken = [str(error)]
        if broken:
            raise TrustError(
                f"{self.ledger} is not as this node left it ({broken[0].rstrip('.')}); nothing is "
                "served. Put it back as it was, or have a new agreement signed and give another "
                "--state."
            )

    def verified(self) -> Verified:
        """Verify the ledger, against where it stood when the node last told.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        expected = self._told_head()
        found = verify_ledger(self.ledger, expected=expected)
        if expected is None:
            why = (
                f"{self._status.name}, which tells where the ledger stood, is missing or damaged: "
                "lines cut off at its end would not be seen."
            )
            found.broken.append(Broken("untold", None, why))
        return found

    def _told_head(self) -> Head | None:
        try:
            return Head.model_validate(self.told().get("ledger"))
        except ValidationError:
            return None

    @property
    def up(self) -> bool:
        """Whether a node is up here."""
        self._lock.touch(mode=0o600)
        with self._lock.open("ab") as file:
            return not _lock(file)

    @property
    def paused(self) -> bool:
        """Whether the holder has paused the node."""
        return self._paused.exists()

    def pause(self, *, on: bool) -> None:
        """Pause the node, or let it go on; also one that is down."""
        if on == self.paused:
            return
        if on:
            self._paused.touch(mode=0o600)
        else:
            self._paused.unlink(missing_ok=True)
        self.write("paused" if on else "resumed", {})

    def write(self, event: str, content: Mapping[str, Any], *, durable: bool = True) -> Head:
        """Add a line to the ledger.

        Raises
        ------
        TrustError
            If the ledger is gone, or its last line is damaged.
        DataError
            If it cannot be written.
        """
        fresh = not self.ledger.exists()
        if fresh:
            self._begin()
        head = append(self.ledger, event, content, durable=durable)
        if fresh:
            self.ledger.chmod(0o600)
        if durable:
            self.durable = head
        return head

    def _begin(self) -> None:
        """Write that there is no line yet: a ledger with lines and no word of them is not served.

        It is on the disk before the first line is, so that no power cut leaves the one without
        the other.
        """
        self.check()
        self.durable = Head(lines=0, sha256=FIRST)
        try:
            self.tell(self.told())
        except OSError as error:
            raise DataError(f"{self._status} could not be written ({error.strerror}).") from error

    def head(self) -> Head:
        """Tell where the ledger stands."""
        return head_of(self.ledger)

    def lines(self, *, damaged: bool = False) -> Iterator[dict[str, Any]]:
        """Read the ledger; :meth:`verified` is what finds out changes.

        A last line without its end is left out: it was cut while it was written, and nothing left.

        Parameters
        ----------
        damaged : bool
            Go on after a line that cannot be read, which is left out.

        Raises
        ------
        TrustError
            At such a line otherwise.
        """
        if not self.ledger.exists():
            return
        with self.ledger.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield read_line(line.removesuffix(b"\n")).model_dump()
                except TrustError as error:
                    if not damaged:
                        why = str(error).rstrip(".")
                        raise TrustError(f"{self.ledger}, line {number}: {why}.") from error

    def mend(self) -> None:
        """Take away what was being kept of a task when its process was killed.

        Raises
        ------
        TrustError
            If what is kept is less than what the ledger says was released.
        """
        if self._kept is None:
            kept = (line["content"].get("kept", 0) for line in self.lines())
            self._kept = max(kept, default=0)
        mend(self.released, self._kept)

    def forgive(self) -> None:
        """Begin to count refusals anew, and write down that the holder did so.

        Raises
        ------
        DataError
            If the node is up: it would be counting meanwhile.
        TrustError
            If the ledger is not as the node left it.
        """
        self.hold()
        try:
            self.check()
            self.mend()
            if self.released.exists():
                forgive(self.released)
                self.write("forgiven", {"kept": self.kept()})
        finally:
            self.release()

    def kept(self) -> int:
        """Tell how many bytes are kept of what was released, before anything of it leaves."""
        self._kept = self.released.stat().st_size
        return self._kept

    def _mend_ledger(self) -> None:
        """Take away a last line that was cut while it was written.

        What a line tells of is done once the line is whole and on the disk, so nothing is lost;
        a line that somebody cuts off is found by the heads that certificates quote.
        """
        if not self.ledger.exists():
            return
        with self.ledger.open("rb+", buffering=0) as file, locked(file):
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - LONGEST)
            file.seek(start)
            end = start + file.read().rfind(b"\n") + 1
            if end < size and (end > start or start == 0):
                file.truncate(end)

    def tell(self, status: Mapping[str, Any]) -> None:
        """Write how the node stands, and its ledger, whole or not at all."""
        draft = self._status.with_suffix(".draft")
        head = self.durable or self._told_head()
        said = {**status, "pid": os.getpid(), "ledger": head and head.model_dump()}
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8") as file:
            file.write(json.dumps(said))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._status)

    def told(self) -> dict[str, Any]:
        """Read how the node stood."""
        try:
            found = json.loads(self._status.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def _lock(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
