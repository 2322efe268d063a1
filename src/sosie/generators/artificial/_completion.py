"""A table completed several times, by models learnt again of the kinds that complete best."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.generators.artificial._draws import Networks
from sosie.generators.artificial._filled import filled_arrays, filled_table
from sosie.generators.artificial._training import Course, trained_alike

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded
    from sosie.generators.artificial._cohort import Cohort
    from sosie.table import Table

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

__all__ = ["Completion"]

_FOLDS = 3
"""Parts of the persons, each filled by models of the two others."""

_HIDINGS = 1000
"""Times that cells of a person are hidden, in all: of few persons each several times."""

_DRAWS = 4
"""Times that hidden cells are filled."""


class Completion:
    """Fill the missing cells of a table of persons, each time or two by a model learnt again.

    Such a model is one of two kinds: the linear one that training begins at, or one trained as
    long as the model of the whole table was. Training is stopped by the bound of whole persons,
    and may tell one cell given the others worse than the linear model does. So cells of persons
    held out are hidden and filled by both. Where neither fills them better by two standard
    errors, both are taken in turn, the trained one first, as one more thing that is not known.

    Parameters
    ----------
    cohort : Cohort
    model : Networks
        Trained on all persons.
    begun : callable
        Gives the linear model of the persons of some rows.
    course : Course
        Of the training.
    seed : int
    """

    def __init__(
        self,
        cohort: Cohort,
        model: Networks,
        begun: Callable[[Rows, np.random.Generator], dict[str, Any]],
        course: Course,
        seed: int,
    ) -> None:
        self._cohort, self._model, self._begun = cohort, model, begun
        self._course, self._seed = course, seed

    def tables(self, draws: int) -> list[Table]:
        """Give completed tables; every two lie on the two sides of the middle of one model."""
        rng = np.random.default_rng([self._seed, draws, 1])
        if not self._cohort.missing:  # nothing to fill
            return [filled_table(self._cohort, self._model, rng) for _ in range(draws)]
        courses, everybody = self.courses, np.arange(len(self._cohort.coded))
        if draws == 1:
            trained = courses[0] == self._course
            one = self._model if trained else self._learnt(everybody, courses[0], rng)
            return [filled_table(self._cohort, one, rng)]
        found: list[Table] = []
        for first in range(0, draws, 2):
            again = rng.integers(len(everybody), size=len(everybody))
            model = self._learnt(again, courses[first // 2 % len(courses)], rng)
            noise = int(rng.integers(2**53))
            found += [
                filled_table(self._cohort, model, np.random.default_rng(noise), sign)
                for sign in (1, -1)[: draws - first]
            ]
        return found

    @cached_property
    def courses(self) -> list[Course]:
        """The courses to take in turn: of the training, of the linear model, or both."""
        n, taken = len(self._cohort.coded), self._course
        if taken.epochs == 0:
            return [taken]
        none = taken._replace(epochs=0, settling=0)
        rng = np.random.default_rng([self._seed, 2])
        fold = rng.permutation(n) % _FOLDS
        gains = []
        for k in range(_FOLDS):
            others, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            models = [self._learnt(others, course, rng) for course in (none, taken)]
            held = rng.permutation(held)[: _HIDINGS // _FOLDS]
            again = np.tile(held, -(-_HIDINGS // n))
            hidden = self._as_missing_for(again, rng)
            noise = int(rng.integers(2**53))
            linear, trained = (self._score(model, again, hidden, noise) for model in models)
            gains.append((linear - trained).reshape(-1, len(held)).mean(axis=0))
        gain = np.concatenate(gains)
        sure = 2 * gain.std() / np.sqrt(len(gain))
        if abs(gain.mean()) <= sure:
            return [taken, none]
        return [taken] if gain.mean() > 0 else [none]

    def _learnt(self, rows: Rows, course: Course, rng: np.random.Generator) -> Networks:
        """Learn from the persons of some rows, repeated or not."""
        cohort = self._cohort
        begun = self._begun(rows, rng)
        params = trained_alike(begun, cohort.coded, cohort.coding.shape, course, rows, rng)
        return Networks(params, cohort.coding)

    def _as_missing_for(self, held: Rows, rng: np.random.Generator) -> dict[str, Bools]:
        """Tell which known cells of persons to hide: those that another person misses."""
        gone = self._cohort.missing
        someone = np.flatnonzero(np.any(list(gone.values()), axis=0))
        other = rng.choice(someone, len(held))
        return {name: missing[other] & ~missing[held] for name, missing in gone.items()}

    def _score(self, model: Networks, held: Rows, hidden: dict[str, Bools], noise: int) -> Floats:
        """Give, of every person, how far the law of hidden cells is from what they hold.

        The sum over cells of the energy score: the mean distance of draws from the value, less
        half of that between draws; of numbers in standard deviations, of levels 0 or 1.

        References
        ----------
        .. [1] T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and
           estimation", J. Am. Stat. Assoc. 102 (2007), equation 21.
        """
        cohort = self._cohort
        coded, strata = self._hidden(held, hidden), cohort.coding.strata[held]
        rng = np.random.default_rng(noise)
        draws = [
            cohort.spikes.undone(filled_arrays(cohort, model, coded, strata, rng))
            for _ in range(_DRAWS)
        ]
        known = cohort.spikes.undone(cohort.columns.arrays())
        found, pairs = np.zeros(len(held)), _DRAWS * (_DRAWS - 1)
        for name, gone in hidden.items():
            drawn, truth = np.stack([draw[name][gone] for draw in draws]), known[name][held][gone]
            if name in cohort.columns.numbers:
                spread = np.nanstd(known[name]) or 1.0
                away, apart = abs(drawn - truth), abs(drawn[:, None] - drawn)
                away, apart = away / spread, apart / spread
            else:
                away, apart = drawn != truth, drawn[:, None] != drawn
            found[gone] += away.mean(axis=0) - apart.sum(axis=(0, 1)) / (2 * pairs)
        return found

    def _hidden(self, held: Rows, hidden: dict[str, Bools]) -> Coded:
        """Give persons as if their cells were missing."""
        coding, coded = self._cohort.coding, self._cohort.coded.taken(held)
        seen, level = coded.seen.copy(), coded.level.copy()
        ends = np.cumsum([0, *coding.shape.levels])
        hidden = hidden | {
            told: hidden[name] for name, told in self._cohort.spikes.found.items() if name in hidden
        }
        for name, gone in hidden.items():
            if name in coding.scored:
                seen[gone, coding.scored.index(name)] = 0
            else:
                i = coding.nominal.index(name)
                level[gone, ends[i] : ends[i + 1]] = 0
        return replace(coded, seen=seen, level=level)
