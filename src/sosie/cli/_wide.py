"""A table in a terminal whose cells are never cut: columns that do not fit beside go below."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

__all__ = ["print_wide"]

_BETWEEN, _NARROWEST = 2, 8


def print_wide(
    console: Console,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[bool],
) -> None:
    """Print a table, in as many pieces as the width asks; each begins with the first column.

    Parameters
    ----------
    console : Console
    head : sequence of str
        Of the columns.
    rows : sequence of sequence of str
        Printed as they are: nothing in them is markup.
    right : sequence of bool
        Which columns are set to the right.

    Examples
    --------
    >>> console = Console(width=12)
    >>> print_wide(console, ["way", "bias", "overlap"], [["a", "0.1234", "1"]], right=[0, 1, 1])
    way    bias
    a    0.1234
    way  overlap
    a          1
    """
    widths = [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]
    if not right[0]:  # labels go on below rather than leave too little room for a number
        left = console.width - _BETWEEN - max(widths[1:], default=0)
        widths[0] = min(widths[0], max(_NARROWEST, min(left, console.width // 2)))
    room = [console.width, *(len(widths) - 1) * [console.width - widths[0] - _BETWEEN]]
    for piece in _pieces(widths, console.width):
        grid = Grid(box=None, pad_edge=False)
        for place in piece:
            grid.add_column(
                Text(head[place]),
                justify="right" if right[place] else "left",
                overflow="fold",
                width=max(1, min(widths[place], room[place])),
            )
        for row in rows:
            grid.add_row(*(Text(row[place]) for place in piece))
        console.print(grid)


def _pieces(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    piece, used = [0], widths[0]
    for place in range(1, len(widths)):
        needed = widths[place] + _BETWEEN
        if len(piece) > 1 and used + needed > room:
            yield piece
            piece, used = [0], widths[0]
        piece.append(place)
        used += needed
    yield piece
