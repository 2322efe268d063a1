"""Whole or absent: files appear under their name only once they are complete."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sosie.errors import DataError

__all__ = ["Drafts", "whole_file"]


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
    with Drafts() as drafts, drafts.file(path, private=private) as out:
        yield out


class Drafts:
    """Files that take their names together, only if all are complete.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with Drafts() as drafts:
    ...     for name in ("a.txt", "b.txt"):
    ...         with drafts.file(folder / name) as out:
    ...             _ = out.write(b"whole")
    ...     made_before_the_end = list(folder.glob("*.txt"))
    >>> made_before_the_end, len(list(folder.iterdir()))
    ([], 2)
    """

    def __init__(self) -> None:
        self._drafts: dict[Path, Path] = {}  # of the file it will be
        self._former: dict[Path, Path] = {}  # what was under the name of a file
        self._named: list[Path] = []

    def __enter__(self) -> "Drafts":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._name_all()
        except BaseException:
            self._unname_all()
            raise
        finally:
            for leftover in (*self._drafts.values(), *self._former.values()):
                with contextlib.suppress(OSError):
                    leftover.unlink(missing_ok=True)

    @contextlib.contextmanager
    def file(self, path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
        """Open one of the files, as :func:`whole_file` does."""
        folder = path.parent
        if not folder.is_dir():
            raise DataError(f"{path}: the folder {folder} does not exist; make it first.")
        if path.is_dir():
            raise DataError(f"{path} is a folder; give the name of a file to write.")
        draft = self._drafts[path] = _beside(path, "part")
        with _told(path):
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, _mode(path, private))
            with os.fdopen(descriptor, "w+b") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())

    def _name_all(self) -> None:
        last = len(self._drafts) - 1
        for i, (path, draft) in enumerate(self._drafts.items()):
            with _told(path):
                if i < last:  # a later file may fail: this one would then have to come back
                    self._keep_former(path)
                self._named.append(path)
                draft.replace(path)

    def _keep_former(self, path: Path) -> None:
        if not os.path.lexists(path):
            return
        former = self._former[path] = _beside(path, "old")
        try:
            os.link(path, former, follow_symlinks=False)
        except (OSError, NotImplementedError):  # a file system without a second name
            path.replace(former)

    def _unname_all(self) -> None:
        for path, former in self._former.items():
            if os.path.lexists(former):
                former.replace(path)
        for path in self._named:
            if path not in self._former and not self._drafts[path].exists():
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into one sentence."""
    try:
        yield
    except Exception as error:
        # Errors of polars have no base outside it, and most who write a file do without it.
        if not isinstance(error, OSError) and not type(error).__module__.startswith("polars"):
            raise
        why = getattr(error, "strerror", None) or "the disk may be full"
        raise DataError(f"{path} could not be written ({why}); nothing was changed.") from error


def _beside(path: Path, suffix: str) -> Path:
    return path.parent / f".{path.name[:100]}.{secrets.token_hex(6)}.{suffix}"


def _mode(path: Path, private: bool) -> int:
    """Permissions of the new file; one that is replaced keeps no wider ones."""
    if private:
        return 0o600
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    return 0o666
