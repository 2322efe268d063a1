"""What figures may show of a column: shares without small counts, edges without persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["FEWEST", "edges_of", "round_edges", "share_or_none", "shares_shown", "spread_over"]

FEWEST = 5
"""Persons below which a count is not shown."""

_BINS = 20
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def shares_shown(counts: NDArray[Any], n: int) -> list[float | None]:
    """Give shares of ``n`` persons, None for cells that hold fewer than five.

    Where the persons of the hidden cells, which the others leave to guess, are fewer than five
    together, the smallest of the other cells is hidden too.

    Examples
    --------
    >>> shares_shown(np.array([60, 30, 7, 3]), 100)
    [0.6, 0.3, None, None]
    """
    counts = np.asarray(counts)
    hidden = counts < FEWEST
    if 0 < counts[hidden].sum() < FEWEST and not hidden.all():
        hidden[np.where(hidden, np.inf, counts).argmin()] = True
    return [
        None if h else round(c / n, 6)
        for h, c in zip(hidden.tolist(), counts.tolist(), strict=True)
    ]


def share_or_none(count: int, n: int) -> float | None:
    """Give a share of persons, None for one to four of them or all but so few."""
    few = 0 < count < FEWEST or 0 < n - count < FEWEST
    return None if few else round(count / n, 6)


def edges_of(values: Floats, bins: int = _BINS) -> list[float]:
    """Choose round edges of a histogram, at least five persons beyond either end.

    The ends are open: between the quantiles at 0.5 and 99.5 %, nearer where so few persons
    would not be five. Whole numbers of a narrow range each stand in a cell of their own.

    Parameters
    ----------
    values : ndarray
        NaN where missing.

    Returns
    -------
    list of float
        Of at least two edges; empty where fewer than 20 values are known.

    Examples
    --------
    >>> edges_of(np.arange(1000.0) / 100)[:4]
    [0.0, 0.5, 1.0, 1.5]
    >>> edges_of(np.repeat([1.0, 2.0, 3.0], 50))
    [0.5, 1.5, 2.5, 3.5]
    """
    known = values[~np.isnan(values)]
    if len(known) < 4 * FEWEST:
        return []
    beyond = max(0.005, FEWEST / len(known))
    low, high = np.quantile(known, [beyond, 1 - beyond])
    if bool((known == np.round(known)).all()) and high - low <= 2 * bins:
        return [float(edge) for edge in np.arange(np.ceil(low), np.floor(high) + 2) - 0.5]
    return round_edges(low, high, bins)


def round_edges(low: float, high: float, bins: int = _BINS) -> list[float]:
    """Give about ``bins`` cells with round edges that span from ``low`` to ``high``."""
    width = high - low
    if not width > 1e-12 * max(abs(low), abs(high)):
        return [low - 0.5, low + 0.5]
    rough = width / bins
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min(_STEPS, key=lambda s: abs(np.log(s * power / rough)))
    first, last = np.floor(low / step), np.ceil(high / step)
    return [float(f"{edge * step:.12g}") for edge in np.arange(first, last + 1)]


def spread_over(values: Floats, edges: list[float]) -> NDArray[np.int64]:
    """Count known values between the edges, the first and the last cell open."""
    known = values[~np.isnan(values)]
    place = np.searchsorted(edges[1:-1], known, side="right")
    return np.bincount(place, minlength=len(edges) - 1)
