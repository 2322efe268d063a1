"""What each way of sharing lets out of one holder, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import SosieError
from sosie.insitu.compare._microaggregation import groups_of
from sosie.insitu.compare._model import NoAnswer
from sosie.insitu.compare._persons import Persons, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.table import Table

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = ["Release", "artificial", "avatars", "k_anonymous", "noised", "stacked"]


@dataclass(frozen=True)
class Release:
    """Rows that leave.

    Attributes
    ----------
    rows : Persons
    about : ndarray of shape (persons,)
        For each person the row that was made of this person; -1 where no row was.
    """

    rows: Persons
    about: NDArray[np.intp]


def stacked(releases: Sequence[Release]) -> Release:
    """Put the releases of several holders together, as their recipient does."""
    starts = np.cumsum([0, *(len(one.rows) for one in releases)])
    about = [
        np.where(one.about < 0, -1, one.about + start)
        for one, start in zip(releases, starts, strict=False)
    ]
    return Release(Persons.stacked([one.rows for one in releases]), np.concatenate(about))


def k_anonymous(persons: Persons, k: int) -> Release:
    """Give every person the mean of a group of k alike, and its commonest labels.

    A number of two values is a label. All columns of the question make the groups.
    """
    if len(persons) < k:
        raise NoAnswer("too_few")
    group = groups_of(Scale(persons).points(persons, persons.columns), k)
    size = np.bincount(group)
    columns: dict[str, Floats | Codes] = {}
    for name, values in persons.columns.items():
        if _is_label(persons, name):
            distinct, codes = np.unique(values, return_inverse=True)
            counted = np.zeros((len(size), len(distinct)))
            np.add.at(counted, (group, codes), 1)
            columns[name] = distinct[counted.argmax(axis=1)]
        else:
            columns[name] = np.bincount(group, values) / size
    # One row a person, as a file of persons has; those of a group are alike.
    rows = persons.with_columns({name: one[group] for name, one in columns.items()})
    return Release(rows, np.arange(len(persons)))


def noised(persons: Persons, amplitude: float, rng: np.random.Generator) -> Release:
    """Add normal noise to every number, and draw some labels again.

    The standard deviation of the noise is `amplitude` times that of the column. A label is
    drawn again from those of the column with the probability that weakens a slope as much:
    amplitude**2 / (1 + amplitude**2). Numbers that were never below 0 are made positive.
    """
    again = amplitude**2 / (1 + amplitude**2)
    n = len(persons)
    columns: dict[str, Floats | Codes] = {}
    for name, values in persons.columns.items():
        if _is_label(persons, name):
            other = values[rng.integers(n, size=n)]
            columns[name] = np.where(rng.random(n) < again, other, values)
        else:
            noisy = values + amplitude * values.std() * rng.standard_normal(n)
            columns[name] = np.abs(noisy) if (values >= 0).all() else noisy
    return Release(persons.with_columns(columns), np.arange(n))


def avatars(persons: Persons, table: Table, k: int, seed: int) -> Release:
    """Make an avatar of each person with the default kernel."""
    from sosie.generators import Avatar

    try:
        linked = Avatar(k=k, seed=seed).fit(table).sample_tables()[1]
    except SosieError as error:
        raise NoAnswer("not_made") from error
    n = len(persons)
    rows = persons.with_columns(persons.like(linked))
    return Release(rows, np.arange(n))


def artificial(persons: Persons, table: Table, seed: int) -> Release:
    """Draw as many artificial patients from a model of the persons: no row is of anybody."""
    if any(find_spec(library) is None for library in ("jax", "optax")):
        raise NoAnswer("not_installed")
    from sosie.generators.artificial import RHVAE

    try:
        drawn: Any = RHVAE(seed=seed).fit(table).sample_table(len(persons))
    except (SosieError, ValueError) as error:
        raise NoAnswer("not_made") from error
    rows = persons.made(persons.like(drawn))
    return Release(rows, np.full(len(persons), -1))


def _is_label(persons: Persons, name: str) -> bool:
    return name in persons.levels or len(np.unique(persons.columns[name])) <= 2
