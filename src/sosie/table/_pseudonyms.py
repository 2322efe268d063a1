"""Fresh pseudo-ids that look like the ones they replace and point to nobody.

They count from 1 in the order of the rows, which the generator has shuffled: they carry
nothing of the identifiers they replace but their look.
"""

import re
import uuid

import numpy as np
import polars as pl

__all__ = ["fresh_identifiers"]

_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def fresh_identifiers(original: pl.Series, n: int, seed: int = 0) -> pl.Series:
    """Make n pseudo-ids of the look of a column.

    Parameters
    ----------
    original : Series
        The identifiers they stand for.
    n : int
        How many to make.
    seed : int
        Of those that are random.

    Returns
    -------
    Series
        Numbers from 1 on; or text with the same beginning, filled with zeros to the same
        width; or random UUIDs.

    Examples
    --------
    >>> fresh_identifiers(pl.Series("id", ["PAT-0412", "PAT-0077"]), 2).to_list()
    ['PAT-0001', 'PAT-0002']
    """
    serial = pl.Series(original.name, np.arange(1, n + 1))
    if original.dtype.is_numeric():
        narrow = serial.cast(original.dtype, strict=False)
        return serial if narrow.null_count() else narrow  # a type too small for n of them
    present = original.cast(pl.String).drop_nulls()
    if len(present) and present.str.contains(_UUID).all():
        drawn = np.random.default_rng(seed).bytes(16 * n)
        fresh = [str(uuid.UUID(bytes=drawn[i : i + 16], version=4)) for i in range(0, 16 * n, 16)]
        return pl.Series(original.name, fresh).cast(original.dtype)
    prefix = _shared_prefix(present)
    width = int(present.str.len_chars().median() or 0) - len(prefix)  # type: ignore[arg-type]
    text = prefix + serial.cast(pl.String).str.zfill(max(width, 1))
    return text.alias(original.name).cast(original.dtype)


def _shared_prefix(present: pl.Series) -> str:
    """Find the beginning that all share, up to its last character that is no digit."""
    lowest, highest = str(present.min() or ""), str(present.max() or "")
    shared = 0
    while shared < min(len(lowest), len(highest)) and lowest[shared] == highest[shared]:
        shared += 1
    match = re.match(r".*[^0-9]", lowest[:shared])
    # What one prefix says of all says nothing of anybody; a long one may be a name.
    return match[0] if match and len(match[0]) <= 12 else ""
