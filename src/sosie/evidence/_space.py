"""Mixed rows as points, so that near means alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from sosie.evidence._nearness import Nearness, highest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sosie.evidence._people import People

    Points = NDArray[np.float32]

__all__ = ["Space", "nearest", "nearest_rows"]

_BLOCK = 8_192


class Space:
    """Numbers as z-scores, levels as indicators over the root of 2.

    Two different levels are thus at distance 1, one standard deviation. A missing number is
    the mean, with an indicator of its own; a missing level is one more level.

    Attributes
    ----------
    layout_ : Layout
    centre_, scale_ : ndarray of shape (numbers,)

    Examples
    --------
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age", "sex"), ("age",), {"sex": ("f", "m")})
    >>> people = People(layout, np.array([[40.0], [60.0]]), np.array([[0], [1]], np.int32))
    >>> points = Space().fit(people).points(people)
    >>> float(((points[0] - points[1]) ** 2).sum().round(6))
    5.0
    """

    def fit(self, people: People) -> Self:
        """Learn centres and scales."""
        self.layout_ = people.layout
        known = ~np.isnan(people.numbers)
        count = np.maximum(known.sum(axis=0), 1)
        values = np.where(known, people.numbers, 0)
        self.centre_ = values.sum(axis=0) / count
        around = np.where(known, people.numbers - self.centre_, 0)
        scale = np.sqrt((around**2).sum(axis=0) / count)
        # A constant column is told from others by any difference at all.
        self.scale_ = np.where(scale > 0, scale, 1)
        return self

    def points(self, people: People, names: Sequence[str] | None = None) -> Points:
        """Give the coordinates of rows along some columns, all where not told.

        Returns
        -------
        ndarray of shape (n, coordinates), float32
        """
        names = self.layout_.names if names is None else names
        n, parts = len(people), []
        for name in names:
            values = people.column(name)
            if self.layout_.is_number(name):
                place = self.layout_.place(name)
                missing = np.isnan(values)
                scores = np.clip((values - self.centre_[place]) / self.scale_[place], -1e6, 1e6)
                parts.append(np.where(missing, 0, scores).astype(np.float32)[:, None])
                parts.append((missing / np.float32(np.sqrt(2)))[:, None].astype(np.float32))
            else:
                found = np.zeros((n, len(self.layout_.levels[name]) + 1), np.float32)
                found[np.arange(n), values] = np.float32(1 / np.sqrt(2))  # missing is the last
                parts.append(found)
        return np.concatenate(parts, axis=1) if parts else np.zeros((n, 0), np.float32)


def nearest(queries: Points, rows: Points, k: int = 1) -> tuple[Points, NDArray[np.intp]]:
    """Find the ``k`` nearest rows of each query: Euclidean distances and places, (m, k).

    Equal rows stand at distance exactly 0.
    """
    places = nearest_rows(queries, rows, k)
    distances = np.empty(places.shape, np.float32)
    for start in range(0, len(queries), _BLOCK):
        block = slice(start, start + _BLOCK)
        # The search expands the square, which leaves equal rows a little apart.
        difference = queries[block, None] - rows[places[block]]
        distances[block] = np.sqrt(np.einsum("qkd,qkd->qk", difference, difference))
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(distances, order, 1), np.take_along_axis(places, order, 1)


def nearest_rows(queries: Points, rows: Points, k: int = 1) -> NDArray[np.intp]:
    """Find the places of the ``k`` nearest rows of each query, nearest first: (m, k)."""
    k = min(k, len(rows))
    found = np.empty((len(queries), k), np.intp)
    near = Nearness.of(queries, rows)

    def search(block: slice) -> None:
        found[block] = highest(near.product(block), k)

    near.in_blocks(search)
    return found
