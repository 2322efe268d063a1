"""A rotation in cells, then every column drawn again given the others."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy.special import ndtri

from sosie.generators._coding import Coding, Persons
from sosie.generators._conditional import Conditional
from sosie.generators._kernel import coordinates_of, margins_of
from sosie.generators._rotation import Rotation
from sosie.generators._spikes import FEWEST, Spikes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.generators._kernel import Setting
    from sosie.space import Columns, Margin

__all__ = ["Gibbs"]

_MOMENTS_KEPT_UP_TO = 20_000
"""Rows up to which moments are kept: beyond, what chance moves is below 1 in 100."""

_MOST_FACTORS, _FEW_FACTORS = 100, 10
"""Factors that stand for the other columns where moments are kept, and where not."""

_MOST_PREDICTORS, _FEW_PREDICTORS = 30, 8
"""Columns a tree may split on, likewise: time then grows with rows alone."""

_LOOKED_AT = 10_000
"""Persons whom numbers to be drawn in two are looked for in, at most."""


class Gibbs:
    r"""Rotate persons in their cell, then redraw each column given all others.

    A Gibbs sampler leaves the joint law of the columns in place, whatever that law is, if
    each column is redrawn from its law given the others. Here that law is learned by a
    tree (:class:`Conditional`), and the sampler starts from a :class:`Rotation`, which is
    already close to it: one sweep repairs what the rotation distorts, and replaces every
    cell by one drawn from at least ``k`` other persons.

    - Up to 20,000 rows the mean product of each column with every other is held to that of
      the originals: the noise of the draws does not add to that of the sample.
    - No number is known finer than ``k`` persons, no leaf or cell holds fewer.
    - A number of which many are zero, where one score cannot tell who from how much, is drawn
      in two (:class:`Spikes`): whether it is zero, and the number where not.
    - Cells that are missing together go on being so: the pattern is drawn like a column.

    Parameters
    ----------
    sweeps : int
        How many times each column is redrawn.

    References
    ----------
    .. [1] S. Geman, D. Geman, "Stochastic relaxation, Gibbs distributions, and the Bayesian
       restoration of images", IEEE PAMI 6, 1984.
    .. [2] J. P. Reiter, "Using CART to generate partially synthetic public use microdata",
       Journal of Official Statistics 21(3), 2005.
    """

    name: ClassVar[str] = "gibbs"
    keeps_rules: ClassVar[bool] = True

    def __init__(self, sweeps: int = 1) -> None:
        self.sweeps = sweeps

    def fit(
        self,
        columns: Columns,
        setting: Setting,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Part the persons into cells and learn the law of each column."""
        self._columns, k = columns, setting.k
        self._keep_moments = len(columns) <= _MOMENTS_KEPT_UP_TO
        margins = margins_of(columns, k)
        self._spikes = _spikes_of(columns, margins, setting)
        if self._spikes.found:
            columns = self._spikes.taken(columns)
            setting = replace(setting, weights=self._weights(columns, setting.weights))
            margins = margins_of(columns, k)
        n_predictors = _MOST_PREDICTORS if self._keep_moments else _FEW_PREDICTORS
        coding = self._coding = Coding(columns, margins, self._n_coded(len(columns)))
        persons = Persons(coding, columns)
        own = setting.weights is None and setting.coordinates is None
        if own and setting.n_factors <= persons.coordinates.shape[1]:
            coordinates = persons.coordinates[:, : setting.n_factors]
        else:
            coordinates = coordinates_of(columns, setting)
        self._rotation = Rotation().part(columns, coordinates, margins, k, rng)
        self.n_factors_ = self._rotation.n_factors_
        done = 0

        def learn(v: int, own_rng: np.random.Generator) -> Conditional:
            nonlocal done
            law = Conditional(
                v,
                persons,
                setting,
                own_rng,
                n_predictors,
                keep_moments=self._keep_moments,
            )
            done += 1
            if progress:
                progress(done / coding.n_variables)
            return law

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self._laws = list(
                pool.map(learn, range(coding.n_variables), rng.spawn(coding.n_variables))
            )
        return self

    def _n_coded(self, n: int) -> int:
        """Give the number of factors that stand for the other columns of n persons."""
        # More moments than a tenth of the persons would tell of persons, not of columns.
        return min(_MOST_FACTORS, max(10, n // 10)) if self._keep_moments else _FEW_FACTORS

    def _weights(
        self, parted: Columns, weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64] | None:
        """Give whether a number is its value, and its cells without one, the weight it has."""
        if weights is None:
            return None
        p = len(parted.numbers)
        own = dict(zip(parted.numbers, weights[:p], strict=True))
        levels, masks = np.split(weights[p:], [len(self._columns.codes)])
        added = [own[name] for name in self._spikes.found]
        return np.array([*weights[:p], *levels, *added, *masks, *added])

    def _order(self, rng: np.random.Generator) -> list[int]:
        """Order the variables of a sweep: masks first, so that values are drawn for keeps.

        Then the numbers that are drawn in two: where one was zero and is not any more, nothing
        that others could be drawn from stands there yet.
        """
        names = self._coding.names
        masks = len(names) + rng.permutation(self._coding.n_masks)
        named = sorted(rng.permutation(len(names)), key=lambda v: names[v] not in self._spikes.at)
        return [*masks.tolist(), *map(int, named)]

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw one avatar a person, in the order of the persons."""
        coding = self._coding
        avatars = Persons(coding, self._rotation.draw(rng))
        total = self.sweeps * coding.n_variables
        done = 0
        for sweep in range(self.sweeps):
            keep = self._keep_moments and sweep == self.sweeps - 1
            for v in self._order(rng):
                avatars.put(v, *self._laws[v].draw(avatars, rng, keep_moments=keep))
                done += 1
                if progress:
                    progress(done / total)
        p, q = coding.n_numbers, coding.n_levels
        values = avatars.values
        arrays = self._spikes.undone(dict(zip(coding.names, values[: p + q], strict=True)))
        masks = values[p + q : p + q + len(self._columns.masks)]
        return replace(
            self._columns,
            numbers={name: arrays[name] for name in self._columns.numbers},
            codes={name: arrays[name] for name in self._columns.codes},
            masks=tuple(np.asarray(mask, dtype=np.bool_) for mask in masks),
        )


def _spikes_of(columns: Columns, margins: dict[str, Margin], setting: Setting) -> Spikes:
    """Look for numbers to draw in two, each part known of more than ``k`` persons.

    Where a level says already who is zero it is drawn with the number, and exactly so.
    """
    columns = columns.taken(np.arange(0, len(columns), -(-len(columns) // _LOOKED_AT)))
    known = columns.known_numbers()
    levels = {
        (name, level): np.where(gone, np.nan, codes == level)
        for name, codes in columns.codes.items()
        for gone in [columns.masks[columns.mask_of[name]] if name in columns.mask_of else False]
        for level in range(columns.levels[name])
    }
    kept = set(setting.whole)
    for name, values in known.items():
        there, seen = values == 0, ~np.isnan(values)
        told = any((level[seen] == there[seen]).all() for level in levels.values())
        if told or not there.any():
            kept.add(name)
    scores = [
        np.where(np.isnan(v), np.nan, ndtri(margins[name].scores(v))) for name, v in known.items()
    ]
    place = {name: j for j, name in enumerate(known)}
    everything = np.column_stack([*scores, *levels.values()]).astype(np.float64)
    return Spikes(columns, everything, place, kept=kept, fewest=max(FEWEST, setting.k + 1))
