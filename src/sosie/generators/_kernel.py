"""What a kernel is: the law by which a person's avatar is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np

from sosie.space import FAMD, Margin

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.space import Columns

__all__ = ["Kernel", "coordinates_of", "margins_of"]


class Kernel(Protocol):
    """The law by which avatars are drawn: learns from columns, draws one row a person."""

    name: ClassVar[str]
    keeps_rules: ClassVar[bool]
    """Whether columns that others determine are left out and put back."""
    n_factors_: int

    def fit(
        self,
        columns: Columns,
        *,
        k: int,
        n_factors: int,
        weights: NDArray[np.float64] | None,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Learn from n persons; ``weights`` has one entry a column of ``columns.mixed()``."""
        ...

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw n avatars, in the order of the persons."""
        ...


def coordinates_of(
    columns: Columns, n_factors: int, weights: NDArray[np.float64] | None
) -> NDArray[np.float32]:
    """Place persons in the first factors."""
    mixed = columns.mixed()
    famd = FAMD(n_factors, weights=None if weights is None else weights.tolist())
    return famd.fit(mixed).transform(mixed)


def margins_of(columns: Columns, k: int) -> dict[str, Margin]:
    """Learn the margin of each number, from the persons who have one."""
    return {
        name: Margin(k).fit(values[~np.isnan(values)])
        for name, values in columns.known_numbers().items()
    }
