"""A random rotation of the persons of each cell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from sosie.generators._blend import blend, restore_margins
from sosie.generators._kernel import coordinates_of, margins_of
from sosie.space import cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sosie.generators._kernel import Setting
    from sosie.space import Columns, Margin

__all__ = ["Rotation"]


class Rotation:
    r"""Rotate the persons of a cell among themselves.

    Persons are parted into disjoint cells of ``k + 1`` to ``2k + 2`` by halving the first
    factors. In a cell of :math:`m` persons :math:`X`, the avatars are :math:`Q X` with
    :math:`Q` a uniform random rotation that leaves the mean in place: numbers keep the
    mean and the covariance of the cell *exactly*, so those of the table too, while an
    avatar is no nearer to its person than to anyone else in the cell. A level is that of
    another person of the cell, drawn with the positive weights of :math:`Q`; margins of
    numbers are then restored by ranks.

    - One partition serves all persons: nobody's nearest neighbours are searched.
    - Alone it leaves isolated cells recognisable; it is where :class:`Gibbs` starts.

    References
    ----------
    .. [1] D. Ting, S. Fienberg, M. Trottini, "Random orthogonal matrix masking methodology
       for microdata release", Int. J. Information and Computer Security 2(1), 2008.
    .. [2] F. Mezzadri, "How to generate random matrices from the classical compact
       groups", Notices of the AMS 54(5), 2007.
    """

    name: ClassVar[str] = "rotation"
    keeps_rules: ClassVar[bool] = True

    def fit(
        self,
        columns: Columns,
        setting: Setting,
        rng: np.random.Generator,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Part the persons into cells."""
        coordinates = coordinates_of(columns, setting)
        margins = margins_of(columns, setting.k)
        return self.part(columns, coordinates, margins, setting.k, rng)

    def part(
        self,
        columns: Columns,
        coordinates: NDArray[np.float32],
        margins: dict[str, Margin],
        k: int,
        rng: np.random.Generator,
    ) -> Self:
        """Part persons into cells of more than ``k`` by coordinates already known."""
        self._columns, self._margins = columns, margins
        self.n_factors_ = coordinates.shape[1]
        # A person has k others around, as with neighbours.
        self.cells_ = cells(coordinates, k + 1, rng)
        return self

    def draw(
        self, rng: np.random.Generator, progress: Callable[[float], None] | None = None
    ) -> Columns:
        """Draw one avatar a person, in the order of the persons."""
        parts = []
        for members in self.cells_:
            n_cells, m = members.shape
            turns = rotations(n_cells, m, rng)
            others = turns * (1 - np.eye(m, dtype=np.float32))
            donors = np.repeat(members, m, axis=0)
            shape = (n_cells * m, m)
            parts.append(
                blend(
                    self._columns,
                    donors,
                    turns.reshape(shape),
                    rng,
                    chances=others.reshape(shape),
                )
            )
        order = np.concatenate([members.ravel() for members in self.cells_])
        return restore_margins(_gathered(self._columns, parts, order), self._margins, rng)


def rotations(n: int, m: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw ``n`` uniform random orthogonal matrices of size ``m`` whose rows sum to 1.

    Returns
    -------
    ndarray of shape (n, m, m), float32
    """
    base = np.linalg.qr(np.column_stack([np.ones(m), np.eye(m)[:, : m - 1]]))[0][:, 1:]
    base = base.astype(np.float32)
    found = np.empty((n, m, m), np.float32)
    for start in range(0, n, 4096):
        some = found[start : start + 4096]
        draws = rng.standard_normal((len(some), m, m), dtype=np.float32)
        draws[:, :, 0] = 1
        q, r = np.linalg.qr(draws)
        # Haar measure needs the signs that Householder reflections fix.
        q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
        np.matmul(q[:, :, 1:], base.T, out=draws)
        some[:] = draws + np.float32(1 / m)
    return found


def _gathered(columns: Columns, parts: list[Columns], order: NDArray[np.int32]) -> Columns:
    """Put the rows of ``parts`` back in the order of the persons."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return replace(
        columns,
        numbers={
            name: np.concatenate([part.numbers[name] for part in parts])[place]
            for name in columns.numbers
        },
        codes={
            name: np.concatenate([part.codes[name] for part in parts])[place]
            for name in columns.codes
        },
        masks=tuple(
            np.concatenate([part.masks[i] for part in parts])[place]
            for i in range(len(columns.masks))
        ),
    )
