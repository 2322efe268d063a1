"""Avatars of several holders as one table, in which no row is of a known holder."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError, TrustError
from sosie.insitu.synthetic._judge import verdicts_of
from sosie.insitu.synthetic._told import Told
from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.insitu._result import Result

__all__ = ["together"]

_LARGEST = 12 << 20
_BOUND = (
    "Rows of nobody: what is computed from them is near what the persons would give, not the same. "
    "Each holder judged its own before they left."
)


def together(payloads: Sequence[bytes], columns: Sequence[str]) -> Result:
    """Put the rows of all holders together, at the hub.

    Parameters
    ----------
    payloads : sequence of bytes
        One a holder.
    columns : sequence of str
        That were asked for.

    Returns
    -------
    Result
        Values ``csv``, its ``sha256`` and ``rows``, and ``verdict``, the worst; the tables of
        :func:`~sosie.insitu.synthetic.verdicts`.

    Raises
    ------
    TrustError
        If a payload brings no such rows.
    DataError
        If they are more than one answer carries.
    """
    told = [Told.read(payload) for payload in payloads]
    texts = [one.rows for one in told]
    if sum(map(len, texts)) > _LARGEST:
        raise DataError("These are more rows than one answer carries; ask for fewer columns.")
    found: list[list[str]] = []
    for text in texts:
        head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        if head != list(columns) or any(len(row) != len(head) for row in rows):
            raise TrustError("These avatars do not have the columns that were asked for.")
        found += rows
    # Sorted first, so that their order tells nothing of their holders.
    found.sort()
    order = np.random.default_rng(0).permutation(len(found))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(found[place] for place in order)
    said, whole = verdicts_of(told), out.getvalue()
    values: dict[str, Any] = {"rows": len(found), "sha256": sha256(whole.encode()), "csv": whole}
    return replace(said, analysis="avatars", values={**said.values, **values}, bound=_BOUND)
