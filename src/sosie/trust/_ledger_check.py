"""What is wrong with a ledger: every line, and the signed checkpoint beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

from pydantic import Field, ValidationError

from sosie.errors import DataError, TrustError
from sosie.table import whole_file
from sosie.trust._canonical import canonical, sha256, strict_json
from sosie.trust._envelope import carried_keys, opened, seal
from sosie.trust._ledger import FIRST, LONGEST, Head, Line, is_whole, now, read_line
from sosie.trust._written import Written, faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sosie.trust._keys import Key, PublicKey

__all__ = [
    "CHECKPOINT",
    "Broken",
    "Checkpoint",
    "Verified",
    "checkpoint",
    "checkpoint_path",
    "verify_ledger",
]

CHECKPOINT = "application/vnd.sosie.checkpoint+json"
"""The media type of a signed checkpoint."""

_TOLD = 50


class Checkpoint(Written):
    """What a key signs of a ledger: where it stood, and when."""

    format: Literal["sosie-checkpoint/1"] = "sosie-checkpoint/1"
    head: Head
    at: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]


@dataclass(frozen=True)
class Broken:
    """What is wrong with a ledger.

    Attributes
    ----------
    name : str
        ``changed``, ``missing``, ``moved``, ``repeated``, ``unreadable``, ``rewritten`` or
        ``checkpoint``.
    line : int or None
        The line, counted from 1 as in the file; for missing lines, the number they had.
    why : str
        One sentence.
    last : int or None
        The last of several missing lines.
    """

    name: str
    line: int | None
    why: str
    last: int | None = None


@dataclass(frozen=True)
class Verified:
    """A ledger that was verified.

    Attributes
    ----------
    head : Head
        Where it stands.
    broken : list of Broken
        What is wrong with it; empty where it holds.
    checkpoint : Checkpoint or None
        The one beside it, if there is one and its signature holds.
    signer : PublicKey or None
        Who signed that.
    vouched : bool
        Whether the reader trusts the key that signed it.
    """

    head: Head
    broken: list[Broken] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    signer: PublicKey | None = None
    vouched: bool = False


def checkpoint_path(path: str | Path) -> Path:
    """Give where the checkpoint of a ledger is: beside it.

    Examples
    --------
    >>> checkpoint_path("trace.jsonl").name
    'trace.jsonl.checkpoint'
    """
    path = Path(path)
    return path.with_name(f"{path.name}.checkpoint")


def checkpoint(path: str | Path, key: Key) -> Checkpoint:
    """Sign where a ledger stands: lines cut off at its end, or made afresh, are then found.

    It is written beside the ledger, in place of the former one. Give a copy to someone else:
    whoever can change both files could go back to an older pair.

    Raises
    ------
    TrustError
        If the ledger does not hold, or the key has expired.
    DataError
        If it cannot be read or written.
    """
    found = verify_ledger(path)
    if found.broken:
        raise TrustError(f"{path} does not hold and is not signed: {found.broken[0].why}")
    made = Checkpoint(head=found.head, at=now())
    envelope = seal(canonical(made.model_dump()), CHECKPOINT, [key], carry=True)
    with whole_file(checkpoint_path(path)) as out:
        out.write(canonical(envelope) + b"\n")
    return made


def verify_ledger(
    path: str | Path,
    keys: Mapping[str, PublicKey] | None = None,
    *,
    expected: Head | None = None,
) -> Verified:
    """Verify every line of a ledger, and its checkpoint if there is one beside it.

    Parameters
    ----------
    path : str or Path
    keys : mapping of str to PublicKey, optional
        Those trusted to sign checkpoints; that which the checkpoint carries where not given.
    expected : Head, optional
        Where the ledger stood once, from a certificate: those lines must still be there.

    Returns
    -------
    Verified
        At most 50 things that are wrong.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            found = list(_found(file))
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}).") from error
    broken = list(_broken(found))[:_TOLD]
    beside = checkpoint_path(path)
    signed, signer = None, None
    if beside.exists():
        try:
            signed, signer = _signed(beside, keys)
            broken += _against(signed.head, found, f"the checkpoint of {signed.at}", broken)
        except TrustError as error:
            broken.append(Broken("checkpoint", None, f"{beside}: {error}"))
    if expected is not None:
        broken += _against(expected, found, "the head that was expected", broken)
    head = Head(lines=len(found), sha256=found[-1].sha256 if found else FIRST)
    return Verified(head, broken, signed, signer, keys is not None and signer is not None)


@dataclass(frozen=True)
class _Found:
    """One line as it is in the file; `line` is None where it cannot be read."""

    sha256: str
    line: Line | None
    whole: bool
    why: str = ""


def _found(file: BinaryIO) -> Iterator[_Found]:
    """Read the lines; junk without line ends comes in pieces, none of which can be read."""
    unread = 0
    while unread < _TOLD and (data := file.readline(LONGEST + 1)):
        digest = sha256(data.removesuffix(b"\n"))
        if not data.endswith(b"\n"):
            yield _Found(digest, None, whole=False, why="it is cut at its end")
            unread += 1
            continue
        try:
            line = read_line(data.removesuffix(b"\n"))
            yield _Found(digest, line, is_whole(line))
        except TrustError as error:
            yield _Found(digest, None, whole=False, why=str(error).rstrip("."))
            unread += 1


def _broken(lines: list[_Found]) -> Iterator[Broken]:
    numbers = _numbers(lines)
    present = set(numbers)
    seen: set[int] = set()
    highest = 0
    former = (0, FIRST)
    for place, (found, number) in enumerate(zip(lines, numbers, strict=True), start=1):
        if found.line is None:
            yield Broken("unreadable", place, f"Line {place} cannot be read: {found.why}.")
        elif not found.whole:
            yield Broken("changed", place, f"Line {place} was changed after it was written.")
        elif number in seen:
            yield Broken("repeated", place, f"Line {place} is number {number} a second time.")
        elif number < highest:
            why = f"Line {place} is number {number}, after number {highest}: it was moved."
            yield Broken("moved", place, why)
        else:
            yield from _gap(place, number, highest, present)
            if number == former[0] + 1 and found.line.former != former[1]:
                why = (
                    f"Line {place} does not follow from the line before: one of the two was "
                    "changed, and its own hash made afresh."
                )
                yield Broken("rewritten", place, why)
        seen.add(number)
        highest = max(highest, number)
        # What follows a line that was changed cannot be told from its hash.
        former = (number, found.sha256) if found.whole else (-1, "")


def _numbers(lines: list[_Found]) -> list[int]:
    """Give the number of each line; one that cannot be trusted is that after the line before."""
    numbers: list[int] = []
    for found in lines:
        after = (numbers[-1] if numbers else 0) + 1
        numbers.append(found.line.number if found.line and found.whole else after)
    return numbers


def _gap(place: int, number: int, highest: int, present: set[int]) -> Iterator[Broken]:
    gone = [n for n in range(highest + 1, min(number, highest + 1000)) if n not in present]
    if gone:
        told = f"{gone[0]} to {gone[-1]}" if gone[1:] else f"{gone[0]}"
        why = f"Before line {place}, which is number {number}, number {told} was removed."
        yield Broken("missing", gone[0], why, gone[-1])


def _signed(path: Path, keys: Mapping[str, PublicKey] | None) -> tuple[Checkpoint, PublicKey]:
    with path.open("rb") as file:
        envelope = strict_json(file.read(LONGEST + 1), largest=LONGEST)
    found = opened(envelope, carried_keys(envelope) if keys is None else keys, CHECKPOINT)
    if not found.holds:
        why = found.problems[0].why if found.problems else "nobody signed it"
        raise TrustError(why)
    try:
        made = Checkpoint.model_validate(strict_json(found.payload))
    except ValidationError as error:
        raise TrustError(f"it is no checkpoint ({faults(error)[0]})") from error
    return made, found.signers[0]


def _against(head: Head, lines: list[_Found], what: str, broken: list[Broken]) -> list[Broken]:
    """Compare with where the ledger stood: lines cut off, or all made afresh."""
    last = max(_numbers(lines), default=0)
    if head.lines > last:
        gone = f"{last + 1} to {head.lines}" if head.lines - last > 1 else f"{head.lines}"
        why = f"By {what} there were {head.lines} lines; number {gone} was cut off at the end."
        return [Broken("missing", last + 1, why, head.lines)]
    if broken:  # then lines are not where their numbers say
        return []
    if (lines[head.lines - 1].sha256 if head.lines else FIRST) != head.sha256:
        why = f"Line {head.lines} is not that of {what}: it was changed, and its hash made afresh."
        return [Broken("rewritten", head.lines, why)]
    return []
