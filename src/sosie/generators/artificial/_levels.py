"""Levels of columns without an order, put in one where their bonds to other columns have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.space import Columns

    Floats = NDArray[np.float64]

__all__ = ["Levels"]


_LESS = 0.2
"""Share of what levels tell of other columns, parameters paid (BIC), that an order may lose."""


class Levels:
    """Put the levels of columns in order along the one direction in which they differ.

    Thirds, grades and stages that come as labels are steps of one score, which tells their
    bonds to other columns better than logits of few factors do. The order is that of the means
    of the other columns in every level, along the axis on which these differ most. A column has
    it if means of their own for all levels tell little more for their parameters (BIC).

    Parameters
    ----------
    columns : Columns
    ordered : set of str
        Columns that are in order as they are.
    stratum : str, optional
        A column that is to stay as it is.

    Attributes
    ----------
    found : set of str
        The columns that are put in order.

    Examples
    --------
    >>> from sosie.space import Columns
    >>> size = np.arange(90.0)
    >>> grade = np.array([2, 0, 1], np.int32)[(size // 30).astype(int)]
    >>> columns = Columns({"size": size}, {"grade": grade}, {"grade": 3}, (), {})
    >>> levels = Levels(columns, set())
    >>> levels.taken(columns).codes["grade"][[0, 40, 80]].tolist() in ([0, 1, 2], [2, 1, 0])
    True
    """

    def __init__(self, columns: Columns, ordered: set[str], stratum: str | None = None) -> None:
        self._rank: dict[str, NDArray[np.int32]] = {}
        free = [n for n, k in columns.levels.items() if k > 2 and n not in ordered | {stratum}]
        # By numbers first: the indicators of two columns in order would hide each other's.
        self._find(free, columns, ordered, set(free))
        self._find(free, self.taken(columns), ordered | set(self._rank), set())
        self.found = set(self._rank)

    def _find(self, free: list[str], columns: Columns, ordered: set[str], but: set[str]) -> None:
        """Put in order those of the free columns whose bonds to all others tell one."""
        told = _told(columns, ordered)
        found = {}
        for name in free:
            parts = [part for other, part in told.items() if other not in but | {name}]
            known = np.ones(len(columns), bool)
            if name in columns.mask_of:
                known = ~columns.masks[columns.mask_of[name]]
            if parts:
                codes, X = columns.codes[name][known], np.hstack(parts)[known]
                rank = _ranks(codes, columns.levels[name], X)
                if rank is not None:
                    before = self._rank.get(name)
                    found[name] = rank if before is None else rank[before]
        self._rank = found

    def taken(self, columns: Columns) -> Columns:
        """Give the columns with the places of levels in order for codes."""
        ranks = {name: rank[columns.codes[name]] for name, rank in self._rank.items()}
        return replace(columns, codes=columns.codes | ranks)

    def place(self, name: str, code: int) -> int:
        """Give the place of a level of a column."""
        return int(self._rank[name][code]) if name in self._rank else code

    def undone(self, codes: dict[str, NDArray[np.int32]]) -> dict[str, NDArray[np.int32]]:
        """Give the codes of places, -1 where missing, for the columns put in order."""
        found = {}
        for name, rank in self._rank.items():
            of_place = np.argsort(rank).astype(np.int32)
            found[name] = np.where(codes[name] < 0, np.int32(-1), of_place[codes[name]])
        return found


def _told(columns: Columns, ordered: set[str]) -> dict[str, Floats]:
    """Give every column as standardised normal scores or indicators, 0 where missing."""
    found = {}
    for name, values in columns.known_numbers().items():
        known = ~np.isnan(values)
        part = np.zeros((len(values), 1))
        part[known, 0] = ndtri((rankdata(values[known]) - 0.5) / known.sum())
        found[name] = part
    for name, codes in columns.codes.items():
        k = columns.levels[name]
        if name in ordered:
            part = ndtri((rankdata(codes) - 0.5) / len(codes))[:, None]
        else:
            part = np.eye(k)[codes][:, int(k == 2) :]
        if name in columns.mask_of:
            part[columns.masks[columns.mask_of[name]]] = part.mean(0)
        found[name] = part - part.mean(0)
    return {name: part / np.maximum(part.std(0), 1e-6) for name, part in found.items()}


def _ranks(codes: NDArray[np.int32], k: int, X: Floats) -> NDArray[np.int32] | None:
    """Give the place of every level, None where one direction does not do."""
    n, counts = len(codes), np.bincount(codes, minlength=k)
    held = np.flatnonzero(counts)
    if len(held) <= 2 or not X.shape[1]:
        return np.arange(k, dtype=np.int32)
    X = X - X.mean(0)
    sums = np.zeros((k, X.shape[1]))
    np.add.at(sums, codes, X)
    root = np.sqrt(counts[held])[:, None]
    along = np.linalg.svd(sums[held] / root, full_matrices=False)[0][:, 0] / root[:, 0]
    along *= np.sign(along[-1] - along[0]) or 1  # an axis has no direction
    rank = np.empty(k, np.int32)
    rank[[*held[np.argsort(along)], *np.flatnonzero(counts == 0)]] = np.arange(k)
    ends = np.r_[0, np.cumsum(np.bincount(rank[codes], minlength=k))] / n
    score = ndtri((ends[:-1] + ends[1:])[rank[codes]] / 2)
    score -= score.mean()
    total = np.maximum((X**2).sum(0), 1e-9)
    of_levels = (sums[held] ** 2 / counts[held][:, None]).sum(0)
    of_score = (score @ X) ** 2 / (score**2).sum()
    rest = np.maximum(total - of_levels, 1e-3 * total), np.maximum(total - of_score, 1e-3 * total)
    worth = 0.5 * np.log(n)
    by_levels = (0.5 * n * np.log(total / rest[0]) - worth * (len(held) - 1)).sum()
    by_score = (0.5 * n * np.log(total / rest[1]) - worth).sum()
    return rank if by_levels - by_score <= _LESS * max(by_levels, 0) else None
