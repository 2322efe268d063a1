"""What is checked, and chosen from the data, before a model is trained."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.generators.artificial._factors import log_held_out
from sosie.generators.artificial._telling import telling_stratum
from sosie.table import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._factors import Known
    from sosie.space import Columns
    from sosie.table import Table

    Floats = NDArray[np.float64]

__all__ = ["check_latent_dim", "check_whole", "learnable", "most_factors", "stratum_of"]

_FEWEST = 30
_CANDIDATES = (5, 7, 10, 15, 20, 30, 45)
"""Latent dimensions tried: fewer than 5 leave a bend no room, and a useless one costs little."""

_FOLDS = 3


def learnable(table: Table) -> Table:
    """Give what has to be learnt of a table, if it can be.

    Raises
    ------
    DataError
        If it holds what an artificial table may not, or is too small.
    """
    n = len(table)
    if n < _FEWEST:
        raise DataError(
            f"The table has {n} persons: a model of them needs at least {_FEWEST}; "
            "avatars (sosie avatar) need fewer."
        )
    table.refuse()
    free = table.reduced()
    _refuse_told_of_one(free)
    if not free.names:
        raise DataError("Every column is constant: there is nothing to tell persons apart.")
    if len(free.names) == 1:
        _refuse_repeated(table, free.names[0])
        raise DataError("There is one column only to learn: a model needs two or more.")
    return free


def _refuse_told_of_one(free: Table) -> None:
    """Refuse columns of which one person alone has a cell: every row drawn would hold that one."""
    known = [(name, len(free) - free.frame[name].null_count()) for name in free.names]
    if alone := [repr(name) for name, count in known if count == 1]:
        raise DataError(
            f"Of one person only is known: {', '.join(alone)}. What is drawn there would be that "
            "person's cell; leave such columns out."
        )


def _refuse_repeated(table: Table, by: str) -> None:
    """Say that a few rows stand there again and again, where one column therefore tells others."""
    names = [c.name for c in table.schema.columns if c.kind is not Kind.IDENTIFIER]
    different = table.frame.select(names).n_unique()
    if table.schema.determined and different < _FEWEST:
        raise DataError(
            f"The table repeats its rows: of {len(table)} only {different} are different, so that "
            f"column {by!r} tells the others; give each person once."
        )


def stratum_of(asked: str | None, columns: Columns) -> str | None:
    """Give the column that parts persons: the one asked for, or one found where it is "auto"."""
    if asked is None:
        return None
    if asked == "auto":
        return telling_stratum(columns)
    if asked not in columns.codes or asked in columns.mask_of:
        raise ParameterError(
            f"{asked!r} cannot be the stratum or outcome: it has to be a column of levels, of "
            "which no cell is missing and that no other column tells."
        )
    return asked


def most_factors(asked: int | None, Y: Floats, known: Known, rng: np.random.Generator) -> int:
    """Give the latent dimensions asked for, or those that tell persons held out best.

    Parameters
    ----------
    asked : int or None
    Y : ndarray of shape (n, v)
        Scores and standardised indicators.
    known : Known
        Which of them are known.
    rng : Generator
        Of the parts that are held out.
    """
    n, v = Y.shape
    if asked is not None:
        if asked > min(n, v):
            what = "persons" if n < v else "variables"
            raise ParameterError(
                f"latent_dim = {asked} is more than the {min(n, v)} {what} there are: use a "
                "smaller one."
            )
        return asked
    most = max(min(v - 1, int(0.6 * n)), 1)
    fold = rng.permutation(n) % _FOLDS
    said = {d: np.empty(n) for d in sorted({min(d, most) for d in _CANDIDATES})}
    whole = bool(known.seen.all())
    for d, found in said.items():
        for k in range(_FOLDS):
            a, b = fold != k, fold == k
            found[b] = log_held_out(
                Y[a], Y[b], d, None if whole else (known.taken(a), known.taken(b))
            )
    best = max(said.values(), key=lambda found: float(found.mean()))

    def as_good(found: Floats) -> bool:
        # One standard error: a bond lost is seen sooner than a bond learnt too well.
        return bool((best - found).mean() <= (best - found).std() / np.sqrt(n))

    return max(d for d, found in said.items() if as_good(found))


def check_latent_dim(asked: int, n: int, p: int, what: str) -> int:
    """Refuse more latent dimensions than n images of p pixels tell, and give those asked for."""
    most = min(int(0.8 * n) - 1, p - 1)
    if asked > most:
        raise ParameterError(
            f"latent_dim = {asked} is more than {n} {what} of {p} pixels can tell: use at most "
            f"{most}."
        )
    return asked


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number of at least ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} is a whole number of at least {least}, not {value!r}.")
