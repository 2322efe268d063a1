"""Bins that all holders can use: cut again and again while enough persons are on both sides."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import ParameterError
from sosie.insitu._aggregate import votes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Aggregate, Total
    from sosie.trust import Floors

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

__all__ = ["begin_grid", "bins_of", "grid_votes", "next_grid", "told_bins"]

_FINEST = 64
_DEEPEST = 10


def begin_grid(
    lower: float, upper: float, *, early: bool = False, beyond: bool = False
) -> dict[str, Any]:
    """Give the state of a grid of one bin, which may be cut at 63 places.

    Parameters
    ----------
    lower, upper : float
    early : bool
        Whether the places lie closer at the beginning, as their squares: hazards change most
        there.
    beyond : bool
        Whether `upper` is a place too, and the first to be tried: what is beyond it, as infinity,
        is then a bin of its own where all holders can bear that.

    Raises
    ------
    ParameterError
        If there are no such places: the range is empty, too narrow or too wide for numbers.

    Examples
    --------
    >>> begin_grid(0, 8)["edges"].tolist()
    [0.0, 8.0]
    """
    if not lower < upper:
        raise ParameterError("lower is not below upper.")
    steps = np.linspace(0, 1, _FINEST + 1)
    with np.errstate(all="ignore"):
        fine = lower + (upper - lower) * (steps**2 if early else steps)
        cuttable = bool(np.isfinite(fine).all() and (np.diff(fine) > 0).all())
    if not cuttable:
        raise ParameterError(
            f"The range from {lower:g} to {upper:g} cannot be cut into {_FINEST} bins of numbers; "
            "give about the lowest and the highest value that you expect."
        )
    wanted = None
    if beyond:
        fine, wanted = np.append(fine, np.inf), _FINEST
    cuts = _cut_at(fine, [0, len(fine) - 1], [True])
    return {"fine": fine, "wanted": wanted, "depth": 0, "settled": False} | cuts


def bins_of(values: Floats, edges: Floats, *, right: bool = False) -> Codes:
    """Give the bin of each value; what is beyond the ends is in the first or last.

    Parameters
    ----------
    values : ndarray of shape (n,)
    edges : ndarray of shape (bins + 1,)
    right : bool
        Whether a value on an edge is in the bin below, as times are.

    Examples
    --------
    >>> bins_of(np.array([-1.0, 2.0, 9.0]), np.array([0.0, 2.0, 4.0])).tolist()
    [0, 1, 1]
    """
    return np.searchsorted(edges[1:-1], values, side="left" if right else "right")


def grid_votes(
    values: Floats,
    kinds: Sequence[Codes],
    state: dict[str, Any],
    floors: Floors,
    *,
    right: bool = False,
) -> Aggregate:
    """Say of each place within an open bin whether this holder can bear a cut there.

    Parameters
    ----------
    values : ndarray of shape (n,)
    kinds : sequence of ndarray of shape (n,), int
        Groupings of the persons: on both sides of a cut each group must be empty or large
        enough.
    state : dict
        Of :func:`begin_grid` or :func:`next_grid`.
    floors : Floors
    right : bool
        As in :func:`bins_of`.
    """
    cells = bins_of(values, state["fine"], right=right)
    tables, finest = [], len(state["fine"]) - 1
    for kind in kinds:
        many = int(kind.max(initial=0)) + 1
        table = np.bincount(kind * finest + cells, minlength=many * finest)
        tables.append(table.reshape(many, finest))
    found = np.vstack(tables)
    said = [
        _bears(found[:, low:place].sum(axis=1), floors)
        and _bears(found[:, place:high].sum(axis=1), floors)
        for low, high in _open_bins(state)
        for place in range(low + 1, high)
    ]
    return votes(said)


def next_grid(total: Total, state: dict[str, Any]) -> dict[str, Any]:
    """Cut each open bin in the middle of the places to which all holders said yes."""
    agreed = total["votes"] > total.holders - 0.5
    cuts, is_open, used = [0], [], 0
    bins = zip(state["cuts"], state["cuts"][1:], state["open"], strict=False)
    for low, high, was_open in bins:
        places: NDArray[np.intp] = np.empty(0, np.intp)
        if was_open:
            many = high - low - 1
            places = np.flatnonzero(agreed[used : used + many]) + low + 1
            used += many
        if len(places):
            middle = int(places[len(places) // 2])
            cuts.append(state["wanted"] if state["wanted"] in places else middle)
            is_open.append(True)
        cuts.append(high)
        is_open.append(bool(len(places)))
    depth = state["depth"] + 1
    after = state | _cut_at(state["fine"], cuts, is_open)
    left = sum(high - low - 1 for low, high in _open_bins(after))
    return after | {"depth": depth, "settled": depth == _DEEPEST or not left}


def told_bins(edges: Floats, *, ends: bool) -> list[dict[str, float | None]]:
    """Give the bins as rows of a table.

    Parameters
    ----------
    edges : ndarray of shape (bins + 1,)
    ends : bool
        Whether nothing can be beyond the ends; otherwise the first and the last bin are told
        as open, without the edge that does not bound them.

    Examples
    --------
    >>> told_bins(np.array([0.0, 2.0, 4.0]), ends=False)
    [{'from': None, 'to': 2.0}, {'from': 2.0, 'to': None}]
    """
    told: list[float | None] = [float(edge) for edge in edges]
    if not ends:
        told[0] = told[-1] = None
    return [{"from": low, "to": high} for low, high in pairwise(told)]


def _cut_at(fine: Floats, cuts: list[int], is_open: list[bool]) -> dict[str, Any]:
    return {"cuts": cuts, "open": is_open, "edges": fine[cuts]}


def _open_bins(state: dict[str, Any]) -> list[tuple[int, int]]:
    bins = zip(state["cuts"], state["cuts"][1:], state["open"], strict=False)
    return [(low, high) for low, high, is_open in bins if is_open]


def _bears(sizes: NDArray[np.integer], floors: Floors) -> bool:
    if sizes.sum() < floors.min_cell or ((sizes > 0) & (sizes < floors.min_cell)).any():
        return False
    return bool((sizes > 0).all()) or not floors.zero_discloses
