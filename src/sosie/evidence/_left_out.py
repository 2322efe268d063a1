"""The nearest row by all known columns but one, for each column in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sosie.evidence._nearness import Nearness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.evidence._people import People
    from sosie.evidence._space import Space

__all__ = ["nearest_without"]

_EXACT = 1e5
"""Above, a squared distance in single precision no longer tells hundredths."""


def nearest_without(
    space: Space, persons: People, rows: People, known: Sequence[str], secrets: Sequence[str]
) -> dict[str, NDArray[np.intp]]:
    r"""Find each person's nearest row, the columns compared being the known less one secret.

    Distances along all known columns are computed once; from them the part of one secret is
    taken away, :math:`d^2_{-s} = d^2 - d_s^2`. Rows where the secret is missing are no answer.

    Parameters
    ----------
    space : Space
    persons : People
        m of them.
    rows : People
        Each secret is known in one of them at least.
    known, secrets : sequence of str

    Returns
    -------
    dict of str to ndarray of shape (m,)
        Places of rows, by secret.

    Examples
    --------
    >>> from sosie.evidence._people import Layout, People
    >>> from sosie.evidence._space import Space
    >>> layout = Layout(("x", "y"), ("x", "y"), {})
    >>> def people(values):
    ...     return People(layout, np.array(values, float), np.empty((len(values), 0), np.int32))
    >>> rows = people([[0, 9], [5, 0], [9, 4]])
    >>> found = nearest_without(Space().fit(rows), people([[1, 4]]), rows, "xy", "xy")
    >>> {secret: places.tolist() for secret, places in found.items()}
    {'x': [2], 'y': [0]}
    """
    whole = Nearness.of(space.points(persons, known), space.points(rows, known))
    parts = {secret: _Part.of(space, persons, rows, known, secret) for secret in secrets}
    found = {secret: np.empty(len(persons), np.intp) for secret in secrets}

    def search(block: slice) -> None:
        near = whole.product(block)
        for secret, part in parts.items():
            left = part.nearness.product(block)
            if part.taken_away:
                np.subtract(near, left, out=left)
            left[:, part.silent] = -np.inf
            found[secret][block] = left.argmax(axis=1)

    whole.in_blocks(search)
    return found


@dataclass(frozen=True)
class _Part:
    """What one secret adds to how near rows are; or, if far outliers would drown it, all else."""

    nearness: Nearness
    taken_away: bool
    silent: NDArray[np.intp]
    """Rows where the secret is missing."""

    @classmethod
    def of(
        cls, space: Space, persons: People, rows: People, known: Sequence[str], secret: str
    ) -> _Part:
        columns = [secret] if secret in known else []
        nearness = Nearness.of(space.points(persons, columns), space.points(rows, columns))
        drowned = bool(nearness.rows[-1].min() < -_EXACT)
        if drowned:
            columns = [name for name in known if name != secret]
            nearness = Nearness.of(space.points(persons, columns), space.points(rows, columns))
        return cls(nearness, not drowned, np.flatnonzero(rows.missing(secret)))
