"""The risk of a way of sharing: three shares of persons, the same for every way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.insitu.compare._attacks import Held
    from sosie.insitu.compare._model import Model
    from sosie.insitu.compare._persons import Persons

    Floats = NDArray[np.float64]

__all__ = ["THRESHOLD", "Measured", "Risk", "risk_of"]

THRESHOLD = 0.05
"""Of an attacker's advantage, as in the evidence room."""

_TOLERANCE = 0.1
"""A number is guessed when it is this near, in interquartile ranges, as in the evidence room."""

_MOST_ATTACKED = 2_000
_Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Risk:
    """What a recipient learns of persons.

    Attributes
    ----------
    found : Measured
        Chance that the recipient, who knows all values of a person, points at the row or the
        group made of this person; shared among those of whom it was made. 0 to 1.
    recognised : Measured
        Shown what was shared with a person and what was shared without, how often the recipient
        says which is which. 0.5 is chance.
    guessed : Measured
        Share of persons whose outcome is guessed from their other columns, less the share
        guessed where they were not among those shared. 0 is what the population teaches.
    """

    found: Measured
    recognised: Measured
    guessed: Measured

    @property
    def verdict(self) -> str:
        """Say ``fail`` if one advantage is surely above 0.05, ``pass`` if all are surely below."""
        advantages = [
            (one.low - chance, one.high - chance)
            for one, chance in ((self.found, 0.0), (self.recognised, 0.5), (self.guessed, 0.0))
        ]
        if any(low > THRESHOLD for low, _ in advantages):
            return "fail"
        return "pass" if all(high < THRESHOLD for _, high in advantages) else "attention"


def risk_of(
    share: Callable[[Persons], Held], persons: Persons, half: NDArray[np.bool_], model: Model
) -> Risk:
    """Share one half of the persons, attack both, and in turn.

    Every person is thus attacked twice by the same means: once among those who were shared, once
    among those who were not, which tells what the population teaches from what the person leaked.

    Parameters
    ----------
    share : callable
        Shares persons in some way, and gives what the recipient then holds.
    persons : Persons
    half : ndarray of shape (n,), bool
    model : Model
    """
    halves = [np.flatnonzero(half), np.flatnonzero(~half)]
    held = [share(persons.taken(rows)) for rows in halves]
    found, present, apart, right, right_apart = [], [], [], [], []
    truth = model.told(persons)
    low, high = np.quantile(truth, [0.25, 0.75])
    two = len(np.unique(truth)) <= 2
    near = 0.5 if two else max(_TOLERANCE * float(high - low), 1e-12)
    for one, rows in enumerate(halves):
        chances = held[one].found(persons.taken(rows))
        some = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_ATTACKED)).astype(int)
        attacked = persons.taken(rows[some])
        with_them, without = held[one].guess(attacked), held[1 - one].guess(attacked)
        found.append(chances)
        present.append(with_them.present)
        apart.append(without.present)
        right.append(np.abs(with_them.secret - truth[rows[some]]) < near)
        right_apart.append(np.abs(without.secret - truth[rows[some]]) < near)
    more = np.concatenate(right).astype(float) - np.concatenate(right_apart)
    ours, theirs = np.concatenate(present), np.concatenate(apart)
    wins = (ours > theirs) + 0.5 * (ours == theirs)
    return Risk(
        _mean(np.concatenate(found), 0.0), _wilson(float(wins.mean()), len(wins)), _mean(more, -1.0)
    )


def _mean(values: Floats, least: float) -> Measured:
    """Give a mean; a spread of none is taken for that of one person who differs."""
    n, mean = len(values), float(values.mean())
    half = _Z * float(np.sqrt(max(((values - mean) ** 2).sum(), 1e-300 if least == 0 else 1.0))) / n
    return Measured(mean, max(least, mean - half), min(1.0, mean + half))


def _wilson(share: float, n: int) -> Measured:
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2) / (1 + _Z**2 / n)
    return Measured(share, float(centre - half), float(centre + half))
