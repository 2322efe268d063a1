"""A ledger: lines that are only added, each holding the hash of the one before."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from sosie.errors import DataError, TrustError
from sosie.trust._canonical import canonical, sha256, strict_json
from sosie.trust._written import Digest, Word, Written, faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import FileIO

__all__ = [
    "FIRST",
    "LONGEST",
    "Head",
    "Line",
    "append",
    "head_of",
    "is_whole",
    "locked",
    "now",
    "read_line",
]

FIRST = "0" * 64
"""What the first line has for the hash of the line before."""

LONGEST = 1 << 16
"""Bytes of a line, at most."""


class Head(Written):
    """Where a ledger stands: quoted in a certificate, it fixes all the lines so far."""

    lines: Annotated[int, Field(ge=0)]
    sha256: Digest = Field(description="Of the last line; 64 zeros where there is none.")


class Line(Written):
    """One line of a ledger, as canonical JSON."""

    number: Annotated[int, Field(ge=1)]
    at: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    event: Word
    content: dict[str, Any]
    former: Digest = Field(description="SHA-256 of the line before.")
    own: Digest = Field(description="SHA-256 of this line without this field.")


def append(
    path: str | Path, event: str, content: Mapping[str, Any], *, durable: bool = True
) -> Head:
    """Add a line to a ledger, which begins with its first line.

    Parameters
    ----------
    path : str or Path
        A file; several programs may add lines at the same time.
    event : str
        What happened, in one word: ``release``, ``refusal``...
    content : mapping
        JSON; never the value of a person. At most 64 KiB.
    durable : bool
        Whether the line, and all before it, is on the disk when this returns. Where nothing
        hangs on a line before the next one is written, a power cut may take it away.

    Returns
    -------
    Head
        Where the ledger then stands.

    Raises
    ------
    TrustError
        If the content is no JSON or too long, or the last line is damaged.
    DataError
        If the line cannot be written; nothing of it then is.
    """
    path = Path(path)
    try:
        with path.open("ab+", buffering=0) as file, locked(file):
            last = _head(file, path)
            data = _line(last.lines + 1, event, content, last.sha256)
            _write_whole(file, data + b"\n", durable=durable)
            return Head(lines=last.lines + 1, sha256=sha256(data))
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}).") from error


def head_of(path: str | Path) -> Head:
    """Tell where a ledger stands, by its last line; this does not verify the lines before.

    Raises
    ------
    TrustError
        If the last line is damaged.
    DataError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb", buffering=0) as file:
            return _head(file, path)
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}).") from error


def _line(number: int, event: str, content: Mapping[str, Any], former: str) -> bytes:
    said = {"number": number, "at": now(), "event": event, "content": dict(content)}
    said["former"] = former
    try:
        line = Line.model_validate(said | {"own": sha256(canonical(said))})
    except ValidationError as error:
        raise TrustError(f"This cannot be a line of a ledger: {faults(error)[0]}.") from error
    data = canonical(line.model_dump())
    if len(data) >= LONGEST:
        raise TrustError(f"A line of a ledger has at most {LONGEST:,} bytes; say less.")
    return data


def now() -> str:
    """Tell the time, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_line(data: bytes) -> Line:
    """Read a line, without its line end; its own hash is not looked at.

    Raises
    ------
    TrustError
        If it is no line of a ledger.
    """
    try:
        line = Line.model_validate(strict_json(data, largest=LONGEST))
    except ValidationError as error:
        raise TrustError(f"it is no line of a ledger ({faults(error)[0]})") from error
    if canonical(line.model_dump()) != data:
        raise TrustError("it is not spelt in the one canonical way")
    return line


def is_whole(line: Line) -> bool:
    """Tell whether a line is as it was written, by its own hash."""
    return line.own == sha256(canonical(line.model_dump(exclude={"own"})))


def _head(file: FileIO, path: Path) -> Head:
    """Tell where a ledger stands, by its last line."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return Head(lines=0, sha256=FIRST)
    file.seek(max(0, size - LONGEST - 1))
    tail = file.read()
    data = tail.removesuffix(b"\n").rpartition(b"\n")[2]
    try:
        if not tail.endswith(b"\n"):
            raise TrustError("it is cut")
        line = read_line(data)
        if not is_whole(line):
            raise TrustError("it was changed")
    except TrustError as error:
        why = str(error).rstrip(".")
        raise TrustError(
            f"The last line of {path} is damaged ({why}); see `sosie ledger verify`, keep the file "
            "as it is, and begin another ledger."
        ) from error
    # It is spelt in the canonical way, so this is its hash.
    return Head(lines=line.number, sha256=sha256(data))


def _write_whole(file: FileIO, data: bytes, *, durable: bool) -> None:
    """Write a line whole or not at all; others wait meanwhile."""
    size = file.seek(0, os.SEEK_END)
    try:
        if file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if durable:
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(size)
        raise


@contextlib.contextmanager
def locked(file: FileIO) -> Iterator[None]:
    """Hold a file so that other programs wait until the block ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
