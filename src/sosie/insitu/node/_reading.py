"""The process that reads a holder's table, once: its node never loads a dataframe library."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError, SosieError
from sosie.insitu.node._frozen import Frozen
from sosie.insitu.process import environment, read_frame, write_frame

if TYPE_CHECKING:
    from sosie.table import Schema

__all__ = ["file_sha256", "main", "read_snapshot"]


def read_snapshot(
    path: Path, schema: Schema, *, synthetic: bool = False
) -> tuple[Frozen, str, str]:
    """Read the columns of an agreement out of a file, in a process that then ends.

    Parameters
    ----------
    path : Path
    schema : Schema
        Of these columns, in the order of the agreement.
    synthetic : bool
        Whether it is a table of nobody: it may lack columns, and have no others, for what is said
        of it is said of the whole file.

    Returns
    -------
    tuple of Frozen, str, str
        The columns that have numbers or labels; SHA-256 of the file; hash of the content of the
        columns of the agreement.

    Raises
    ------
    DataError
        In one sentence, if the file does not hold what the agreement says.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", "from sosie.insitu.node._reading import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        asked = {
            "path": str(path.resolve()), "schema": schema.model_dump(mode="json"),
            "synthetic": synthetic,
        }  # fmt: skip
        write_frame(process.stdin, asked)  # type: ignore[arg-type]
        frame = read_frame(process.stdout)  # type: ignore[arg-type]
    except OSError:  # it ended before it was asked
        frame = None
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        process.wait()
    if frame is None:
        raise DataError(f"{path} could not be read: it takes more memory than there is.")
    said, data = frame
    if "error" in said:
        raise DataError(said["error"])
    return Frozen.of(said["snapshot"], data), said["sha256"], said["content"]


def file_sha256(path: Path) -> str:
    """Hash the bytes of a file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}).") from error


def main() -> None:
    """Read one file and give its columns on standard output."""
    from sosie.insitu.process._inside import channels

    source, out = channels()
    frame = read_frame(source)
    if frame is None:
        return
    try:
        said, data = _read(Path(frame[0]["path"]), frame[0]["schema"], frame[0]["synthetic"])
    except SosieError as error:
        said, data = {"error": str(error)}, b""
    except Exception as error:  # its message may hold the value of a person
        said, data = {"error": f"The table could not be read ({type(error).__name__})."}, b""
    write_frame(out, said, data)


def _read(
    path: Path, described: dict[str, Any], synthetic: bool = False
) -> tuple[dict[str, Any], bytes]:
    from sosie.insitu._snapshot import Snapshot
    from sosie.insitu.node._spelt import spelt_snapshot
    from sosie.table import CODED, NUMERIC, Schema, Table, columns_of
    from sosie.trust import content_hash

    schema = Schema.model_validate(described)
    present = columns_of(path)
    if synthetic:
        others = [name for name in present if name not in schema]
        if others:
            raise DataError(
                f"{path}: column {others[0]!r} is not one of numbers or labels that the agreement "
                "lists, so it would not be judged; leave it out."
            )
        schema = schema.only([name for name in schema.names if name in present])
    absent = [name for name in schema.names if name not in present]
    if absent:
        raise DataError(f"{path}: there is no column {absent[0]!r}, which the agreement lists.")
    read = schema.model_copy(update={"drop": [n for n in present if n not in schema]})
    before = file_sha256(path)
    table = Table.read(path, read)
    if file_sha256(path) != before:
        raise DataError(f"{path} was changed while it was read; serve a file that stays as it is.")
    usable = [c.name for c in table.schema.columns if c.kind in CODED | NUMERIC]
    said, data = spelt_snapshot(Snapshot.of(table, usable))
    return {"snapshot": said, "sha256": before, "content": content_hash(table)}, data
