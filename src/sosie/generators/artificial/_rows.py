"""Rows drawn from a model: within conditions, and none too near to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from sosie.errors import DataError
from sosie.generators.artificial._conditions import met

if TYPE_CHECKING:
    from sosie.generators.artificial._cohort import Cohort
    from sosie.generators.artificial._conditions import Condition
    from sosie.generators.artificial._draws import Limits, Model
    from sosie.generators.artificial._filter import Filter
    from sosie.table import Table

__all__ = ["Rows"]

_ROUNDS = 60
_STRICT_ROUNDS = 20
"""Rounds after which new rows no longer change the ranks of all, and 5 % are near enough."""

_SMALLEST_BATCH = 64


class Rows:
    """Draw rows, and count how many the filter kept.

    Parameters
    ----------
    cohort : Cohort
    model : Model
    similar : Filter
    rng : Generator

    Attributes
    ----------
    tried, kept : int
        Rows drawn first, and those of them that stand far enough from every person.
    ess : float
        Effective number of the latents that rows were drawn from.
    """

    def __init__(
        self, cohort: Cohort, model: Model, similar: Filter, rng: np.random.Generator
    ) -> None:
        self._cohort, self._model, self._filter, self._rng = cohort, model, similar, rng
        self.tried = self.kept = 0
        self.ess = 0.0

    def drawn(self, n: int, conditions: list[Condition]) -> pl.DataFrame:
        """Draw n rows of the free columns that meet conditions."""
        limits, direct = self._cohort.limits(conditions)
        found: list[pl.DataFrame] = []
        have, want = 0, n
        for _ in range(_ROUNDS):
            small = self._batch(want, limits, direct)
            if conditions:
                kept = met(conditions, self._cohort.table.restored(small))
                small = small.taken(np.flatnonzero(kept))
                share = max(float(kept.mean()), 0.02)
            else:
                share = 1.0
            found.append(small.frame)
            have += len(small)
            if have >= n:
                return pl.concat(found).head(n)
            want = int(max((n - have) / share * 1.1, _SMALLEST_BATCH))
        listed = ", ".join(repr(condition.name) for condition in conditions)
        raise DataError(f"Rows as asked of {listed} are too rare to be drawn: ask for less.")

    def _batch(self, n: int, limits: Limits, direct: list[Condition]) -> Table:
        """Draw n rows within limits, none too near to a person."""
        model, rng = self._model, self._rng
        z, strata, ess = model.conditioned(n, limits, rng)
        self.ess += ess if limits.inside else n
        drawn = model.drawn(z, strata, rng, limits)
        ranked = not limits.inside
        places = model.places(drawn, rng, ranked=ranked)
        rows = np.flatnonzero(self._filter.near(drawn, places))
        self.tried += n
        self.kept += n - len(rows)
        for round_ in range(_ROUNDS):
            if not len(rows):
                break
            if limits.inside:
                z, strata, _ = model.conditioned(len(rows), limits, rng)
            else:  # the shares of the strata stay as drawn
                strata = drawn.strata[rows]
                z = model.latents(strata, rng)
            new = model.drawn(z, strata, rng, limits)
            drawn.replaced(rows, new)
            if round_ < _STRICT_ROUNDS:
                places = model.places(drawn, rng, ranked=ranked)
                rows = np.flatnonzero(self._filter.near(drawn, places))
            else:
                places[rows] = model.places(new, rng, ranked=False)
                rows = rows[self._filter.near(new, places[rows], eased=True)]
        else:
            raise DataError(
                "Rows that differ enough from every person could not be drawn; leave out columns "
                "that hardly vary."
            )
        arrays = self._cohort.arrays(drawn, places)
        for condition in direct:
            arrays[condition.name] = condition.kept(arrays[condition.name])
        return self._cohort.rebuilt(arrays)
