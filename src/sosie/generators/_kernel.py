"""What a kernel is: the law by which a person's avatar is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np

from sosie.space import FAMD, Margin, Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.space import Columns

__all__ = ["Kernel", "Setting", "coordinates_of", "margins_of", "neighbours_of"]


@dataclass(frozen=True)
class Setting:
    """What neighbourhoods are made with.

    Parameters
    ----------
    k : int
        Persons in a neighbourhood, besides the person.
    n_factors : int
        Factors in which neighbourhoods are made.
    weights : ndarray of float or None
        Inertia of each column of ``Columns.mixed``.
    coordinates : ndarray of shape (n, factors), float32, or None
        Where the persons stand, in factors that were found elsewhere.
    whole : frozenset of str
        Numbers that are never drawn in two, as steps between columns.
    """

    k: int
    n_factors: int
    weights: NDArray[np.float64] | None = None
    coordinates: NDArray[np.float32] | None = None
    whole: frozenset[str] = frozenset()


class Kernel(Protocol):
    """The law by which avatars are drawn: learns from columns, draws one row a person."""

    name: ClassVar[str]
    keeps_rules: ClassVar[bool]
    """Whether columns that others determine are left out and put back."""
    n_factors_: int

    def fit(
        self,
        columns: Columns,
        setting: Setting,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Learn from n persons."""
        ...

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw n avatars, in the order of the persons."""
        ...


def coordinates_of(columns: Columns, setting: Setting) -> NDArray[np.float32]:
    """Place persons in the first factors, unless it is known where they stand."""
    if setting.coordinates is not None:
        return setting.coordinates
    mixed = columns.mixed()
    weights = None if setting.weights is None else setting.weights.tolist()
    return FAMD(setting.n_factors, weights=weights).fit(mixed).transform(mixed)


def neighbours_of(
    coordinates: NDArray[np.float32], k: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Find the distances and the rows of the ``k`` nearest neighbours of each person."""
    return Neighbours(k, seed=int(rng.integers(2**31))).fit(coordinates).kneighbours()


def margins_of(columns: Columns, k: int) -> dict[str, Margin]:
    """Learn the margin of each number, from the persons who have one."""
    return {
        name: Margin(k).fit(values[~np.isnan(values)])
        for name, values in columns.known_numbers().items()
    }
