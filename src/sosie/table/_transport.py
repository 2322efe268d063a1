"""Transport files of SAS: records of 80 bytes, with nothing that tells how many."""

from pathlib import Path

from sosie.errors import DataError

__all__ = ["check_transport"]

_RECORD = 80
_MEMBERS = (b"HEADER RECORD*******MEMBER  HEADER", b"HEADER RECORD*******MEMBV8  HEADER")
_ROWS = (b"HEADER RECORD*******OBS     HEADER", b"HEADER RECORD*******OBSV8   HEADER")


def check_transport(path: Path, row: int) -> None:
    """Refuse a transport file of several tables, or whose end is certainly not there.

    Parameters
    ----------
    path : Path
    row : int
        Bytes of one row.

    Raises
    ------
    DataError
        If it holds several tables, if it is no whole number of records, or if its last row is
        not whole. A file cut between two rows, at the end of a record, shows nothing.
    """
    content = path.read_bytes()
    members = _places(content, _MEMBERS)
    if len(members) > 1:
        raise DataError(
            f"{path} holds {len(members)} tables; save the one of the persons in a file of its own."
        )
    if len(content) % _RECORD or _lacks_rows(content, row):
        raise DataError(
            f"{path} is cut short: its last rows are not whole; copy or download it again."
        )


def _lacks_rows(content: bytes, row: int) -> bool:
    """Tell whether the rows end too early, by their number if it is told, or by what is left."""
    starts = _places(content, _ROWS)
    if not starts or not row:
        return False
    data = content[starts[0] + _RECORD :]
    said = content[starts[0] : starts[0] + _RECORD].rpartition(b"!")[2].strip()
    if _ROWS[1] in content[starts[0] : starts[0] + _RECORD] and said.isdigit():
        return len(data) < int(said) * row
    # Blanks fill the last record: less than one, and nothing else.
    rest = data[len(data) - len(data) % row :]
    return bool(rest.strip(b" ")) or len(rest) >= _RECORD


def _places(content: bytes, marks: tuple[bytes, ...]) -> list[int]:
    """Find the records that begin with one of some marks."""
    found = []
    for mark in marks:
        place = content.find(mark)
        while place >= 0:
            if place % _RECORD == 0:
                found.append(place)
            place = content.find(mark, place + 1)
    return found
