"""Rows drawn from a model: within conditions, and none too near to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from sosie.errors import DataError
from sosie.generators.artificial._conditions import met
from sosie.generators.artificial._draws import RANKED
from sosie.generators.artificial._representative import representative

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._cohort import Cohort
    from sosie.generators.artificial._conditions import Condition
    from sosie.generators.artificial._draws import Draws, Limits, Model
    from sosie.generators.artificial._filter import Filter
    from sosie.table import Table

    Floats = NDArray[np.float64]

__all__ = ["Rows"]

_ROUNDS = 60
_STRICT_ROUNDS = 20
"""Rounds after which 5 % are near enough."""

_RANKED_ROUNDS = 40
"""Rounds after which new rows no longer change the ranks of all."""

_SMALLEST_BATCH = 64

_CANDIDATES, _MOST_CANDIDATES = 16, 10_000
"""Rows of which one is chosen, and of which all are: of so many rows chance levels out anyway."""

_TOGETHER = 256
"""Rows that are chosen at once: what they take grows with the square."""


class Rows:
    """Draw rows, and count how many the filter kept.

    Of a small table half of what is told is the chance of the draw. Of each stratum many rows
    are drawn, therefore, and those given that stand best for all of these.

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
        Effective number of different latents that the rows given were drawn from: of latents
        of which each gives c rows, (sum of c)^2 / (sum of c^2). At most the rows, and no
        number of persons.
    """

    def __init__(
        self, cohort: Cohort, model: Model, similar: Filter, rng: np.random.Generator
    ) -> None:
        self._cohort, self._model, self._filter, self._rng = cohort, model, similar, rng
        self._possible = cohort.possible
        self.tried = self.kept = 0
        self.ess = 0.0

    def drawn(self, n: int, conditions: list[Condition]) -> pl.DataFrame:
        """Draw n rows of the free columns that meet conditions."""
        limits, direct = self._cohort.limits(conditions)
        if limits.barred(self._cohort.coding.shape.n_strata).all():
            raise DataError(
                f"Among persons of one {self._cohort.coding.stratum!r} nobody comes as far as is "
                f"asked of {_listed(conditions)}: nothing is known of such persons; ask for less."
            )
        sifted = [one if one in direct else one.exactly() for one in conditions]
        found: list[pl.DataFrame] = []
        latents: list[Floats] = []
        have, want = 0, n
        for _ in range(_ROUNDS):
            small, z = self._batch(want, limits, direct, conditions)
            if conditions:
                kept = met(sifted, self._cohort.table.restored(small))
                small, z = small.taken(np.flatnonzero(kept)), z[kept]
                share = max(float(kept.mean()), 0.02)
            else:
                share = 1.0
            found.append(small.frame)
            latents.append(z)
            have += len(small)
            if have >= n:
                self.ess += _different(np.concatenate(latents)[:n])
                return pl.concat(found).head(n)
            want = int(max((n - have) / share * 1.1, _SMALLEST_BATCH))
        raise DataError(
            f"Rows as asked of {_listed(conditions)} are too rare to be drawn: ask for wider "
            "ranges, or fewer columns."
        )

    def _batch(
        self, n: int, limits: Limits, direct: list[Condition], conditions: list[Condition]
    ) -> tuple[Table, Floats]:
        """Draw n rows within limits, none too near to a person, and tell their latents."""
        model, rng = self._model, self._rng
        ranked = not limits.inside
        many = min(_CANDIDATES, _MOST_CANDIDATES // n) if ranked else 1
        if many > 1:
            z, drawn = self._chosen(n, many, limits)
        else:
            z, strata = model.conditioned(n, limits, rng)
            drawn = model.drawn(z, strata, rng, limits)
        places = model.places(drawn, rng, ranked=ranked)
        odd = self._mended(drawn, places, z, ranked=ranked)
        near = self._filter.near(drawn, places)
        if many <= 1:
            self._count(near)
        if conditions and odd.all() and n >= _SMALLEST_BATCH:
            raise _none_has(conditions)
        rows = np.flatnonzero(near | odd)
        for round_ in range(_ROUNDS):
            if not len(rows):
                break
            if limits.inside:
                z[rows], strata = model.conditioned(len(rows), limits, rng)
            else:  # the shares of the strata stay as drawn
                strata = drawn.strata[rows]
                z[rows] = model.latents(strata, rng)
            new = model.drawn(z[rows], strata, rng, limits)
            drawn.replaced(rows, new)
            if round_ < _RANKED_ROUNDS:
                places = model.places(drawn, rng, ranked=ranked)
                odd = self._mended(drawn, places, z, ranked=ranked)
                near = self._filter.near(drawn, places, eased=round_ >= _STRICT_ROUNDS)
                rows = np.flatnonzero(near | odd)
            else:
                places[rows] = model.places(new, rng, ranked=False)
                near = self._filter.near(new, places[rows], eased=True)
                rows = rows[near | self._possible.odd(new, places[rows])]
        else:
            if conditions and self._possible.odd(drawn, places).any():
                raise _none_has(conditions)
            raise DataError(
                "Rows that differ enough from every person could not be drawn; leave out columns "
                "that hardly vary, or that few persons have."
            )
        arrays = self._cohort.arrays(drawn, places)
        for condition in direct:
            arrays[condition.name] = condition.kept(arrays[condition.name])
        return self._cohort.rebuilt(arrays), z

    def _chosen(self, n: int, many: int, limits: Limits) -> tuple[Floats, Draws]:
        """Draw n rows of whole strata: those that stand best for many times as many."""
        model, rng = self._model, self._rng
        one_of_each = model.strata_within(n, limits, rng)
        strata = np.tile(one_of_each, many)
        z = model.latents(strata, rng)
        drawn = model.drawn(z, strata, rng, limits)
        stands = self._filter.seen(drawn, model.places(drawn, rng, ranked=True))
        near = self._filter.too_near(stands)
        self._count(near)
        chosen = np.arange(n)
        for c in np.unique(one_of_each):
            rows = np.flatnonzero(one_of_each == c)
            if len(rows) < RANKED:  # few that stand for all stand in the middle
                continue
            for part in np.array_split(rows, -(-len(rows) // _TOGETHER)):
                candidates = (part + n * np.arange(many)[:, None]).ravel()
                apart = ~near[candidates]
                if apart.sum() < len(part):
                    apart[:] = True
                points = stands.scores[candidates]
                chosen[part] = candidates[representative(points, len(part), apart)]
        return z[chosen], drawn.taken(chosen)

    def _count(self, near: NDArray[np.bool_]) -> None:
        self.tried += len(near)
        self.kept += len(near) - int(near.sum())

    def _mended(
        self, drawn: Draws, places: Floats, z: Floats, *, ranked: bool
    ) -> NDArray[np.bool_]:
        """Rid rows of pairs of values that hardly anybody has; tell which have one still."""
        before, levels = drawn.scores.copy(), drawn.levels.copy()
        odd = self._possible.mend(drawn, places, z, self._model, self._rng)
        if not ((before == drawn.scores).all() and (levels == drawn.levels).all()):
            self._model.place_again(drawn, places, self._rng, ranked=ranked)
            odd = self._possible.odd(drawn, places)
        return odd


def _none_has(conditions: list[Condition]) -> DataError:
    return DataError(
        f"Nobody, or one person alone, has at once what is asked of {_listed(conditions)}, and "
        "chance does not explain it: ask for less."
    )


def _listed(conditions: list[Condition]) -> str:
    return ", ".join(dict.fromkeys(repr(condition.name) for condition in conditions))


def _different(z: Floats) -> float:
    """Give the effective number of different points.

    Examples
    --------
    >>> _different(np.array([[0.5], [0.5], [1.0], [2.0]])).__round__(2)
    2.67
    """
    counts = np.unique(z, axis=0, return_counts=True)[1]
    return float(len(z) ** 2 / (counts**2).sum())
