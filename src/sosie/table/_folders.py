"""A folder of files that belong together: whole or absent."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from sosie.errors import DataError

__all__ = ["check_folder", "whole_folder"]


def check_folder(path: Path) -> None:
    """Refuse, before any work, a folder that could not be made or that holds other things.

    Raises
    ------
    DataError
        If the folder above it is missing, or there is a file or a folder that is not empty.
    """
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist; make it first.")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DataError(f"{path} is there already; give the name of a new folder.")


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Open a folder that takes its name only if the block succeeds.

    It is for its owner only from its creation on, and takes the place of an empty folder or,
    if the caller did not check, of a former one.

    Parameters
    ----------
    path : Path
        The folder to make.

    Yields
    ------
    Path
        Where to put the files.

    Raises
    ------
    DataError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "whole"
    >>> with whole_folder(target) as draft:
    ...     _ = (draft / "a.txt").write_text("a")
    >>> [file.name for file in target.iterdir()], len(list(target.parent.iterdir()))
    (['a.txt'], 1)
    """
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist; make it first.")
    draft, former = (
        path.parent / f".{path.name[:100]}.{secrets.token_hex(6)}.{end}" for end in ("part", "old")
    )
    try:
        draft.mkdir(mode=0o700)
        yield draft
        if path.exists():
            path.replace(former)
        try:
            draft.replace(path)
        except OSError:
            if former.exists():
                former.replace(path)
            raise
    except OSError as error:
        why = error.strerror or "the disk may be full"
        raise DataError(f"{path} could not be written ({why}); nothing was changed.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)
