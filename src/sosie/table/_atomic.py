"""Whole or absent: files appear under their name only once they are complete."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from sosie.errors import DataError

__all__ = ["whole_file"]


@contextlib.contextmanager
def whole_file(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """Open a file that takes its name only if the block succeeds.

    Parameters
    ----------
    path : Path
        The file to make or to replace.
    private : bool
        Readable and writable by the owner only, from its creation on.

    Yields
    ------
    BinaryIO
        Where to write the bytes.

    Raises
    ------
    DataError
        If the folder is missing, or the bytes cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole_file(target) as out:
    ...     _ = out.write(b"whole")
    >>> target.read_text()
    'whole'
    """
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"{path}: the folder {folder} does not exist; make it first.")
    if path.is_dir():
        raise DataError(f"{path} is a folder; give the name of a file to write.")
    draft = folder / f".{path.name[:100]}.{secrets.token_hex(6)}.part"
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, _mode(path, private))
        with os.fdopen(descriptor, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        draft.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or "the disk may be full"
        raise DataError(f"{path} could not be written ({why}); nothing was left there.") from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _mode(path: Path, private: bool) -> int:
    """Permissions of the new file; one that is replaced keeps no wider ones."""
    if private:
        return 0o600
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    return 0o666
