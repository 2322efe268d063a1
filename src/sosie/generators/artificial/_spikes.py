"""Numbers that are to be learnt in two, looked for in the scores that a cohort is learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.generators._spikes import Spikes

if TYPE_CHECKING:
    from collections.abc import Collection

    from sosie.generators.artificial._coding import Coded, Coding
    from sosie.space import Columns

__all__ = ["spikes_of"]


def spikes_of(columns: Columns, coding: Coding, coded: Coded, kept: Collection[str] = ()) -> Spikes:
    """Look for them in columns as a coding has them, were none parted."""
    n_scored = len(coding.scored)
    seen = [np.where(coded.seen[:, :n_scored] > 0, coded.point[:, :n_scored], np.nan)]
    first = 0
    for k in coding.shape.levels:
        part = coded.level[:, first : first + k]
        seen.append(np.where(part.any(axis=1, keepdims=True), part, np.nan))
        first += k
    place = {name: j for j, name in enumerate(coding.scored)}
    return Spikes(columns, np.hstack(seen).astype(np.float64), place, coding.strata, kept)
