"""Where a message points at: the file, the column, the row or the line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Places"]


@dataclass(frozen=True)
class Places:
    """Names of the places of a table, for messages.

    Attributes
    ----------
    table : str
        The file, or what stands for it.
    first_line : int or None
        Line of the first row where the table is a text file.
    lines : array of int or None, shape (n,)
        Line of each row where some records take several lines.

    Examples
    --------
    >>> Places("a.csv", first_line=2).row(3)
    'line 5'
    """

    table: str
    first_line: int | None = None
    lines: NDArray[np.int64] | None = None

    def column(self, name: str) -> str:
        """Name a column of the table."""
        return f"{self.table}, column {name!r}"

    def row(self, index: int) -> str:
        """Name a row, counted from 0, by its line in the file where there is one."""
        if self.lines is not None:
            return f"line {int(self.lines[index])}"
        if self.first_line is not None:
            return f"line {index + self.first_line}"
        return f"row {index + 1}"
