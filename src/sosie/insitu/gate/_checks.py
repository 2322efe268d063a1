"""What a part must satisfy before it leaves; each check by itself, with who asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sosie.insitu.gate._secure_sum import LARGEST, SMALLEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from sosie.insitu._aggregate import Part
    from sosie.trust import Floors

__all__ = ["CHECKS", "Verdict", "holders_suffice"]

_BOTTOM = 0.1
"""p of the p % rule (ACRO 1.0, safe_pratio_p): what the third and smaller contributions are
together, as a share of the largest; below, the second contributor can tell the largest."""

_MOST_NUMBERS = 20_000
_MOST_VOTES = 4_096


@dataclass(frozen=True)
class Verdict:
    """What one check found.

    Attributes
    ----------
    check : str
    source : str
        Who asks for it.
    holds : bool
    """

    check: str
    source: str
    holds: bool


def _small_cells(part: Part, floors: Floors) -> bool:
    for one in part.arrays.values():
        if one.kind == "vote":
            continue
        sizes = np.concatenate([one.persons.ravel(), np.asarray(one.cells, np.int64)])
        if ((sizes > 0) & (sizes < floors.min_cell)).any():
            return False
    return True


def _zero_cells(part: Part, floors: Floors) -> bool:
    if not floors.zero_discloses:
        return True
    tables = (one for one in part.arrays.values() if one.kind == "count")
    return all(bool((one.persons > 0).all()) for one in tables)


def _persons(part: Part, floors: Floors) -> bool:
    sizes = [int(one.rows.sum()) for one in part.selections]
    return all(size == 0 or size >= floors.min_cell for size in sizes) and any(sizes)


def _dominance(part: Part, floors: Floors) -> bool:
    for one in part.arrays.values():
        if one.largest is None or one.two is None or one.total is None:
            continue
        some = one.total > 0
        if (one.largest[some] > floors.max_share * one.total[some]).any():
            return False
        if (one.two[some] > floors.max_share_of_two * one.total[some]).any():
            return False
    return True


def _p_percent(part: Part, _: Floors) -> bool:
    for one in part.arrays.values():
        if one.largest is None or one.two is None or one.total is None:
            continue
        some = one.total > 0
        rest = one.total[some] - one.two[some]
        if (rest < _BOTTOM * one.largest[some]).any():
            return False
    return True


def _degrees(part: Part, floors: Floors) -> bool:
    model = part.model
    return model is None or model.persons - model.parameters >= floors.min_degrees


def _parameters(part: Part, floors: Floors) -> bool:
    model = part.model
    return model is None or model.parameters <= floors.max_parameters * model.persons


def _leverage(part: Part, floors: Floors) -> bool:
    return part.model is None or part.model.leverage <= floors.max_leverage


def _bins(part: Part, floors: Floors) -> bool:
    for one in part.arrays.values():
        if one.kind == "count" and np.count_nonzero(one.persons) > max(
            1, floors.max_parameters * one.persons.sum()
        ):
            return False
    return True


def _form(part: Part, _: Floors) -> bool:
    numbers = votes = 0
    for one in part.arrays.values():
        if not np.isfinite(one.values).all() or (np.abs(one.values) >= LARGEST).any():
            return False
        # Of what is smaller, digits would be lost on the way, and nobody told.
        if one.total is not None and ((one.total > 0) & (one.total < SMALLEST)).any():
            return False
        if one.kind == "vote":
            votes += one.values.size
            if not np.isin(one.values, (0.0, 1.0)).all():
                return False
        else:
            numbers += one.values.size
    return numbers <= _MOST_NUMBERS and votes <= _MOST_VOTES


CHECKS: dict[str, tuple[str, Callable[[Part, Floors], bool]]] = {
    "small_cells": ("CASD, health data: no count of 1 to 10; dsBase nfilter.tab", _small_cells),
    "zero_cells": ("ACRO 1.0, zeros_are_disclosive", _zero_cells),
    "persons": ("dsBase nfilter.subset; vantage6, minimum of rows", _persons),
    "dominance": ("Insee, 85 %; ACRO 1.0, safe_nk", _dominance),
    "p_percent": ("ACRO 1.0, safe_pratio_p", _p_percent),
    "degrees": ("ACRO 1.0, safe_dof_threshold", _degrees),
    "parameters": ("dsBase nfilter.glm; vantage6, 10 %", _parameters),
    "leverage": ("Ritchie 2012, disclosure by regressions", _leverage),
    "bins": ("NVFlare, HistogramBinsCleanser", _bins),
    "form": ("default deny: finite numbers of a bounded size, in a bounded number", _form),
}
"""By name: who asks for it, and whether a part holds."""


def holders_suffice(holders: int, floors: Floors, *, to_holders: bool) -> bool:
    """Tell whether nobody who has a total can subtract his own part and so read another's.

    Parameters
    ----------
    holders : int
    floors : Floors
    to_holders : bool
        Whether a holder receives the total: as the recipient, or between rounds.

    Examples
    --------
    >>> from sosie.trust import PRESETS
    >>> [holders_suffice(n, PRESETS["snds-11"], to_holders=True) for n in (1, 2, 3)]
    [True, False, True]
    """
    return not to_holders or holders == 1 or holders >= floors.min_holders
