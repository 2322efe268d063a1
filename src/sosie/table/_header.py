"""The names of the columns of a file, before any row is read."""

from pathlib import Path

from sosie.errors import DataError
from sosie.table._csv_read import csv_columns
from sosie.table._files import READERS, binary_columns, suffix_of

__all__ = ["columns_of"]


def columns_of(path: str | Path) -> list[str]:
    r"""Read the names of the columns of a file, without reading what is known of any person.

    Parameters
    ----------
    path : str or Path
        As for :meth:`sosie.table.Table.read`.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If there is no such file, or its header cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = file.write_text("age;sex\n41;f\n52;m\n")
    >>> columns_of(file)
    ['age', 'sex']
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a file.")
    if not path.exists():
        raise DataError(f"{path} does not exist; check its name.")
    return binary_columns(path) if suffix_of(path) in READERS else csv_columns(path)
