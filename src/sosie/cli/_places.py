"""Where files go: refused before any work where nothing could or should be written."""

from pathlib import Path

from sosie.errors import DataError, ParameterError

__all__ = ["check_apart", "check_new", "check_outside", "check_place"]


def check_place(path: Path, *suffixes: str) -> None:
    """Refuse a file that could not be written, or of another format.

    Raises
    ------
    DataError
        If its folder is missing or it is no file.
    ParameterError
        If its suffix is not among ``suffixes``.
    """
    if path.suffix.lower() not in suffixes:
        listed = " or ".join(suffixes)
        raise ParameterError(f"{path}: give a name that ends in {listed}.")
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist; make it first.")
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is not a file that can be replaced; give another name.")


def check_new(path: Path) -> None:
    """Refuse to replace what a person wrote.

    Raises
    ------
    DataError
        If something of this name exists, or its folder does not.
    """
    if path.exists():
        raise DataError(f"{path} exists already; give another name, or remove it first.")
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist; make it first.")


def check_apart(outputs: list[Path], inputs: list[Path]) -> None:
    """Refuse an output that would replace an input or another output.

    Raises
    ------
    ParameterError
        If two are the same file.
    """
    taken = list(inputs)
    for path in outputs:
        for other in taken:
            if _same(path, other):
                raise ParameterError(f"{path} would replace {other}; give another name.")
        taken.append(path)


def check_outside(folder: Path, others: list[Path]) -> None:
    """Refuse an output inside of a folder that is made anew, or is read.

    Raises
    ------
    ParameterError
        If one is.
    """
    for path in others:
        if folder.resolve() in path.resolve().parents:
            raise ParameterError(f"{path} is in {folder}: give a place outside of it.")


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
