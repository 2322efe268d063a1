"""A blinded test: real and artificial cases in random order, and the key to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sosie.errors import DataError, ParameterError
from sosie.evidence._plain_labels import plain_labels
from sosie.table import CODED, NUMERIC, Kind, spell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.table import Column, Table

__all__ = ["Blinding", "blind_images", "blind_tables", "case_names"]

_FEWEST = 10
_SIGNIFICANT = 4
"""Digits shown of a number without a last decimal of its own."""

_MISSING = "–"


@dataclass(frozen=True)
class Blinding:
    """Cases in the order in which raters see them.

    Attributes
    ----------
    cases : tuple
        Of a table the cells of every row, as text; of images arrays of shape (h, w) or
        (h, w, 3), uint8.
    columns : tuple of str
        Names of the cells; empty for images.
    left_out : tuple of str
        Columns that would tell, or say nothing: identifiers, free text, constants.
    key : bytes
        JSON: the truth of every case, and a digest of what is shown of them. Its SHA-256 may be
        shown: the key holds 32 random bytes, so that nobody finds it by trying.
    """

    cases: tuple[Any, ...]
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    key: bytes

    @property
    def commitment(self) -> str:
        """SHA-256 of the key, in hexadecimal digits."""
        return hashlib.sha256(self.key).hexdigest()

    @property
    def names(self) -> list[str]:
        """Names of the cases, which tell the sheet too."""
        return case_names(self.key, len(self.cases))


def case_names(key: bytes, n: int) -> list[str]:
    """Name the cases of a key: answers to one sheet are not mistaken for answers to another.

    Examples
    --------
    >>> case_names(b"a key", 2)
    ['c8fa3-001', 'c8fa3-002']
    """
    seal = hashlib.sha256(key).hexdigest()[:4]
    # With a letter before the digits: a spreadsheet would make a number of 12e3-001.
    return [f"c{seal}-{i:03}" for i in range(1, n + 1)]


def blind_tables(real: Table, artificial: Table, n: int, seed: int) -> Blinding:
    """Draw rows of two tables in random order, both spelt as the real one spells its cells.

    Whether a case is real is decided by a fair coin for each: the number of real cases is not
    fixed, nothing is learnt of one case from the others, and where raters cannot tell, every
    answer is right with probability 1/2 exactly, whatever their habit.

    Parameters
    ----------
    real, artificial : Table
        The second read with the kinds of the first.
    n : int
        Cases; at least 10.
    seed : int

    Raises
    ------
    DataError
        If there are too few rows, no column is left, or a label of the artificial table is
        not one of the real one, which would tell.
    """
    kept = [c for c in real.schema.columns if _shown(c, real)]
    if not kept:
        raise DataError("There is no column of numbers or levels to show.")
    rng = np.random.default_rng(seed)
    truth, rows = _tossed(n, len(real), len(artificial), rng)
    cells = []
    for column in kept:
        cell = np.empty(n, object)
        for made, table in ((False, real), (True, artificial)):
            cell[truth == made] = _spelt(table, column, real)[rows[truth == made]]
        cells.append(cell)
    cases = tuple(zip(*(column.tolist() for column in cells), strict=True))
    names = tuple(column.name for column in kept)
    left_out = tuple(name for name in real.names if name not in names)
    return Blinding(cases, names, left_out, _key(cases, truth, rows, seed, rng))


def blind_images(
    real: Sequence[NDArray[np.uint8]], artificial: Sequence[NDArray[np.uint8]], n: int, seed: int
) -> Blinding:
    """Draw images in random order; see :func:`blind_tables`.

    Raises
    ------
    DataError
        If there are too few, or sizes or colours differ, which would tell.
    """
    shapes = {image.shape for image in (*real, *artificial)}
    if len(shapes) > 1:
        raise DataError(
            "Images differ in size or in colours, which tells the artificial ones: make them alike."
        )
    rng = np.random.default_rng(seed)
    truth, rows = _tossed(n, len(real), len(artificial), rng)
    cases = tuple(
        artificial[row] if made else real[row] for made, row in zip(truth, rows, strict=True)
    )
    return Blinding(cases, (), (), _key(cases, truth, rows, seed, rng))


def _tossed(
    n: int, n_real: int, n_artificial: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Toss a coin a case, and give it a row of its own."""
    if n < _FEWEST:
        raise ParameterError(f"A blinded test of {n} cases says nothing: use {_FEWEST} or more.")
    truth = rng.random(n) < 0.5
    rows = np.empty(n, np.intp)
    for made, there, name in ((False, n_real, "real"), (True, n_artificial, "artificial")):
        places = np.flatnonzero(truth == made)
        if len(places) > there:
            raise DataError(
                f"{len(places)} {name} cases are needed and there are {there}: ask for about "
                f"{int(1.6 * min(n_real, n_artificial))} cases."
            )
        rows[places] = rng.permutation(there)[: len(places)]
    return truth, rows


def _shown(column: Column, real: Table) -> bool:
    values = real.frame[column.name]
    coded = column.kind in CODED and bool(column.levels)
    return (column.kind in NUMERIC or coded) and values.n_unique() > 1


def _spelt(table: Table, column: Column, real: Table) -> NDArray[np.object_]:
    """Spell a column as the real table does, whichever table it comes from."""
    values, how = table.frame[column.name], real.spelling(column.name)
    if column.kind in CODED:
        text, known = (
            plain_labels(of).fill_null(_MISSING) for of in (values, real.frame[column.name])
        )
        strange = int((~text.is_in(known.unique().implode())).sum())
        if strange:
            raise DataError(
                f"Column {column.name!r}: {strange} artificial rows hold labels that no real row "
                "holds, which tells them; write labels alike, or add --drop for this column."
            )
        if how is not None and how.content == "boolean":
            text = spell(values, how, None)
    elif column.kind in (Kind.DATE, Kind.DATETIME):
        form = "%Y-%m-%d" if column.kind is Kind.DATE else "%Y-%m-%d %H:%M"
        text = values.dt.strftime(form) if how is None else spell(values, how, None)
    else:
        spelt = [_number(value, column.decimals) for value in table.numbers(column.name)]
        text = pl.Series(spelt, dtype=pl.String)
        if how is not None:
            text = spell(text.cast(pl.Float64), how, column.decimals)
    return text.fill_null(_MISSING).to_numpy().astype(object)


def _number(value: float, decimals: int | None) -> str | None:
    """Spell a number with the decimals of the column, else with four digits that count.

    Examples
    --------
    >>> [_number(58.76522, 1), _number(58.76522, None), _number(0.0, 2), _number(-0.0, 0)]
    ['58.8', '58.77', '0.00', '0']
    """
    if np.isnan(value):
        return None
    if decimals is not None:
        return f"{value + 0.0:.{decimals}f}"
    return f"{float(f'{value:.{_SIGNIFICANT}g}') + 0.0:,.10g}".replace(",", "")


def _key(
    cases: tuple[Any, ...],
    truth: NDArray[np.bool_],
    rows: NDArray[np.intp],
    seed: int,
    rng: np.random.Generator,
) -> bytes:
    shown = hashlib.sha256()
    for case in cases:
        whole = case if isinstance(case, tuple) else (case.shape, case.tobytes())
        shown.update(repr(whole).encode())
    content = {
        "format": "sosie blinded key",
        "version": 1,
        "seed": seed,
        "nonce": rng.bytes(32).hex(),
        "cases": shown.hexdigest(),
        "truth": ["artificial" if made else "real" for made in truth],
        "row": (rows + 1).tolist(),
    }
    return (json.dumps(content, indent=1) + "\n").encode()
