"""Where the records of a delimited text begin, and how many cells each has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Records", "scan"]

_PIECE = 1 << 22


@dataclass(frozen=True)
class Records:
    """The records of a text, the header left out.

    Attributes
    ----------
    cells : array of int, shape (n,)
        Number of cells of each record.
    lines : array of int, shape (n,)
        Line of the file on which each begins, counted from 1.
    blank : array of bool, shape (n,)
        Whether the record is an empty line.
    """

    cells: NDArray[np.int64]
    lines: NDArray[np.int64]
    blank: NDArray[np.bool_]


def scan(data: bytes, start: int, first_line: int, separator: str, quote: str | None) -> Records:
    r"""Count the cells of each record, separators and line ends within quotes left aside.

    Parameters
    ----------
    data : bytes
        The text, as UTF-8.
    start : int
        Where the first record begins.
    first_line : int
        Number of the line it begins on.
    separator : str
        What separates the cells.
    quote : str or None
        What encloses a cell.

    Returns
    -------
    Records

    Examples
    --------
    >>> scan(b'1,2\n"x\ny"\n\n3,4', 0, 2, ",", '"').cells.tolist()
    [2, 1, 1, 2]
    """
    ends: list[NDArray[np.int64]] = []
    cuts: list[NDArray[np.int64]] = []
    breaks: list[NDArray[np.int64]] = []
    inside = 0
    for begin in range(start, len(data), _PIECE):
        piece = np.frombuffer(data, np.uint8, min(_PIECE, len(data) - begin), begin)
        newline = piece == 10
        cut = piece == ord(separator)
        breaks.append(np.flatnonzero(newline) + begin)
        if quote is not None:
            # Parity of the quotes seen so far; 8 bits are enough, they wrap around evenly.
            parity = (np.add.accumulate(piece == ord(quote), dtype=np.uint8) + inside) & 1
            inside = int(parity[-1])
            outside = parity == 0
            newline &= outside
            cut &= outside
        ends.append(np.flatnonzero(newline) + begin)
        cuts.append(np.flatnonzero(cut) + begin)
    end = np.concatenate([*ends, np.array([], np.int64)])
    if not data.endswith(b"\n") or inside:
        end = np.append(end, len(data))
    begin_of = np.append(start, end[:-1] + 1)
    all_cuts = np.concatenate([*cuts, np.array([], np.int64)])
    all_breaks = np.concatenate([*breaks, np.array([], np.int64)])
    cells = np.searchsorted(all_cuts, end) - np.searchsorted(all_cuts, begin_of) + 1
    lines = np.searchsorted(all_breaks, begin_of) + first_line
    width = end - begin_of
    carriage = np.zeros(len(end), bool)
    short = np.flatnonzero(width == 1)
    carriage[short] = [data[int(begin_of[i])] == 13 for i in short]
    return Records(cells, lines, (width == 0) | carriage)
