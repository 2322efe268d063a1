"""The case that is judged: tables, what the attacker knows, and how hard to try."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sosie.evidence._space import Space, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import Layout, People
    from sosie.evidence._space import Points

__all__ = ["EFFORTS", "NEIGHBOURS", "Case", "Effort", "drawn"]

NEIGHBOURS = 10
"""Synthetic rows around a person that an attacker looks at."""

_FEWEST_ATTACKED = 300

_MEASURED = 50_000
"""Most rows of each table on which use is measured."""


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    Attributes
    ----------
    persons : int
        Most persons attacked, of the original and of the control each.
    rows : int
        Most synthetic rows that attackers compare with: all of them, unless there are more.
    pairs : int
        Most pairs of a person and a synthetic row in one search: with more rows, fewer
        persons are attacked, and intervals widen.
    attacks : int
        Singling-out predicates of each number of columns.
    splits : int
        Ways in which known columns are parted for linkability.
    learners : bool
        Whether attackers may train models, besides looking for neighbours.
    repeats : int
        Resamples of a bootstrap, permutations of a test.
    resamples : int
        Repetitions of train-synthetic-test-real.
    """

    persons: int
    rows: int
    pairs: int
    attacks: int
    splits: int
    learners: bool
    repeats: int
    resamples: int


EFFORTS = {
    "quick": Effort(1_000, 50_000, 20_000_000, 200, 4, learners=False, repeats=100, resamples=10),
    "standard": Effort(
        3_000, 200_000, 60_000_000, 800, 4, learners=True, repeats=200, resamples=100
    ),
    "thorough": Effort(
        10_000, 1_000_000, 1_000_000_000, 2_000, 20, learners=True, repeats=1_000, resamples=100
    ),
}


@dataclass(frozen=True)
class Case:
    """Everything an attack or a measure may look at.

    Attributes
    ----------
    original : People
        Persons the generator saw; those attacked.
    synthetic : People
    control : People or None
        Persons the generator never saw. Half of them serve, where an attacker needs persons
        of the population, as his reference while the other half is attacked, and in turn.
    linked : People or None
        Row i is the avatar of person i of ``original``.
    secrets : tuple of str
        Columns the attacker wants to learn.
    known : tuple of str
        Columns the attacker may know; a secret is never used to learn itself.
    target : str or None
        Column that models predict.
    threshold : float
        Advantage above which an attack has succeeded.
    effort : Effort
    seed : int
    """

    original: People
    synthetic: People
    control: People | None
    linked: People | None
    secrets: tuple[str, ...]
    known: tuple[str, ...]
    target: str | None = None
    threshold: float = 0.05
    effort: Effort = field(default_factory=lambda: EFFORTS["standard"])
    seed: int = 0

    @property
    def layout(self) -> Layout:
        """The columns that are compared."""
        return self.original.layout

    def rng(self, name: str) -> np.random.Generator:
        """Give the random numbers of one attack or measure, whatever else is computed."""
        return np.random.default_rng([self.seed, *name.encode()])

    def attacked(self) -> tuple[People, People | None]:
        """Draw the persons attacked: of the original, and of the control."""
        return (
            drawn(self.original, self.n_attacked, self.rng("attacked original")),
            None
            if self.control is None
            else drawn(self.control, self.n_attacked, self.rng("attacked control")),
        )

    @cached_property
    def near_synthetic(self) -> tuple[Points, Points | None]:
        """Distances of the persons attacked to their ten nearest synthetic rows, nearest first.

        Of the original and of the control, each of shape (persons, 10); fewer columns where
        there are fewer rows.
        """
        rows = self.space.points(self.compared)
        persons, control = self.attacked()
        return (
            nearest(self.space.points(persons), rows, NEIGHBOURS)[0],
            None if control is None else nearest(self.space.points(control), rows, NEIGHBOURS)[0],
        )

    @property
    def n_attacked(self) -> int:
        """Most persons attacked, of the original and of the control each."""
        return max(_FEWEST_ATTACKED, min(self.effort.persons, self._persons_a_search))

    @property
    def _persons_a_search(self) -> int:
        return self.effort.pairs // max(len(self.compared), 1)

    @property
    def visible_share(self) -> float:
        """Share of the synthetic rows that attackers compare with: of a leak they see as much."""
        return len(self.compared) / max(len(self.synthetic), 1)

    @cached_property
    def compared(self) -> People:
        """Synthetic rows that persons are compared with."""
        return drawn(self.synthetic, self.effort.rows, self.rng("compared"))

    @cached_property
    def space(self) -> Space:
        """Coordinates an attacker can make: scaled by the synthetic table alone."""
        return Space().fit(self.compared)

    def measured(self) -> Case:
        """Draw the rows on which measures of use are taken, where there are very many."""
        most = min(self.effort.rows, _MEASURED)
        return replace(
            self,
            original=drawn(self.original, most, self.rng("measured original")),
            synthetic=drawn(self.synthetic, most, self.rng("measured synthetic")),
            control=None
            if self.control is None
            else drawn(self.control, most, self.rng("measured control")),
            linked=None,
        )

    def judging(self, synthetic: People) -> Case:
        """Judge another synthetic table in the same circumstances."""
        return replace(self, synthetic=synthetic, linked=None)


def drawn(people: People, most: int, rng: np.random.Generator) -> People:
    """Draw at most ``most`` rows, in their order."""
    if len(people) <= most:
        return people
    rows: NDArray[np.intp] = np.sort(rng.choice(len(people), most, replace=False))
    return people.taken(rows)
