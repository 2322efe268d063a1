"""The law of one column given the others, drawn from the leaves of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.generators._blocks import by_blocks, n_blocks
from sosie.generators._moments import calibrated
from sosie.generators._predictors import Others, Predictors, outputs_of
from sosie.space import Tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators._coding import Persons
    from sosie.generators._kernel import Setting

__all__ = ["Conditional"]

_GROWN_ON = 4_000
"""Persons a tree is grown on; the donors are then let down to its leaves."""

_DONORS = 32_768
"""Persons from whom the values of a column come, drawn anew for each column."""

_STEPS = 1 << 16
"""Scores told apart when the persons of a leaf are ordered."""

_NOISE = np.float32(0.3)
"""Standard deviation, in that of a leaf, of the noise that hides a donor's number."""


class Conditional:
    r"""Draws of one variable given all others, each from at least ``k`` other persons.

    A tree is grown to explain the variable by the bins of the others and by their linear
    prediction of it, so that its cuts may be oblique. A row is let down the tree; its
    value is that of a person of the leaf, never its own person's. A number :math:`s`
    (a score) is blurred about the mean :math:`\mu` of the leaf,
    :math:`\mu + \sqrt{1 - h^2} (s - \mu) + h \sigma \varepsilon`, which keeps mean and
    variance, unless it is an atom; its margin is then restored by ranks.

    Parameters
    ----------
    v : int
        The variable.
    persons : Persons
        The originals.
    setting : Setting
        Its ``k`` is the least number of other persons in a leaf; its weights are those of the
        variables where a tree chooses what to split on.
    rng : Generator
    n_predictors : int
        Most variables the tree may split on.
    keep_moments : bool
        Whether :meth:`draw` may be asked to keep moments.
    """

    def __init__(
        self,
        v: int,
        persons: Persons,
        setting: Setting,
        rng: np.random.Generator,
        n_predictors: int,
        *,
        keep_moments: bool,
    ) -> None:
        missing = persons.missing(v)
        n = len(persons)
        known = np.arange(n) if missing is None else np.flatnonzero(~missing)
        some = known
        if len(known) > _GROWN_ON:
            some = np.sort(rng.choice(known, _GROWN_ON, replace=False))
        self._v = v
        self._margin = persons.coding.margins[v] if persons.coding.is_number(v) else None
        others = Others(v, persons, some)
        self._outputs = outputs_of(v, persons, some, others)
        source = persons.scores[v] if self._margin else persons.values[v]
        targets = self._targets(source[some])
        self._predictors = Predictors(
            v,
            persons,
            some,
            others,
            targets,
            setting.weights,
            n_predictors,
            coarse=not keep_moments,
        )
        self._tree = Tree(setting.k + 1, self._predictors.n_bins)
        self._tree.fit(self._predictors.bins(persons, some), targets)
        self._set_donors(
            persons, _representatives(known, source, rng), source, ordered=keep_moments
        )
        if keep_moments:
            x = _with_one(persons.others(v, known))
            self._moments = x.T @ self._coded(source[known]) / np.float32(n)

    def draw(
        self, rows: Persons, rng: np.random.Generator, *, keep_moments: bool
    ) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Draw the variable for every row.

        Parameters
        ----------
        rows : Persons
            Row i is the avatar in the making of person i.
        rng : Generator
        keep_moments : bool
            Whether the draws are tilted so that the mean products of the variable with
            the coordinates of the others are those of the originals.

        Returns
        -------
        values : ndarray of shape (n,)
        scores : ndarray of shape (n,), float32, or None
            The scores of a number.
        """
        if keep_moments:
            drawn = self._drawn(rows, slice(0, len(rows)), rng, keep_moments=True)
        else:
            rngs = rng.spawn(n_blocks(len(rows)))
            parts = by_blocks(lambda i, block: self._drawn(rows, block, rngs[i]), len(rows))
            drawn = np.concatenate(parts)
        if self._margin is None:
            return drawn, None
        missing = rows.missing(self._v)
        if missing is None or not missing.any():
            return self._margin.spread(drawn, rng)
        # What would stand in a missing cell is kept in case a later mask uncovers it.
        scores = np.clip(drawn, 0, 1)
        values, known = np.empty(len(drawn)), ~missing
        values[missing] = self._margin.quantile(scores[missing])
        if known.any():
            values[known], scores[known] = self._margin.spread(drawn[known], rng)
        return values, scores

    def _drawn(
        self, rows: Persons, block: slice, rng: np.random.Generator, *, keep_moments: bool = False
    ) -> NDArray[Any]:
        """Draw a block of rows: codes, or scores before their margin is restored."""
        leaf = self._tree.leaves(self._predictors.bins(rows, block))
        n = len(leaf)
        start, size = self._start.take(leaf), self._size.take(leaf)
        own = self._place[block] - start
        # Where the person is a donor of the leaf, its place is passed over.
        barred = (self._place[block] >= 0) & (own >= 0) & (own < size) & (size > 1)
        choices = (size - barred).astype(np.float32)
        noise = rng.standard_normal(n, dtype=np.float32) if self._margin else None

        def at(chance: NDArray[np.float32]) -> NDArray[Any]:
            """Give the value at ``chance`` in (0, 1) of the law of each row."""
            place = np.minimum((chance * choices).astype(np.intp), size - barred - 1)
            place += barred & (place >= own)
            place += start
            drawn = self._values.take(place)
            if noise is None:
                return drawn
            mean, spread = self._mean.take(leaf), self._spread.take(leaf)
            blurred = mean + np.sqrt(1 - _NOISE**2) * (drawn - mean) + _NOISE * spread * noise
            return np.where(self._atom.take(place), drawn, blurred)

        chance = rng.random(n, dtype=np.float32)
        if keep_moments:
            missing = rows.missing(self._v)
            known = np.arange(n) if missing is None else np.flatnonzero(~missing)
            if len(known):
                chance = calibrated(
                    chance,
                    lambda c: self._coded(at(c)),
                    _with_one(rows.others(self._v)),
                    known,
                    self._moments,
                )
        return at(chance)

    def _targets(self, source: NDArray[Any]) -> NDArray[np.float64]:
        """Give what the tree explains: scores, or outputs of levels, (m, outputs)."""
        if self._outputs is None:
            return (source - source.mean())[:, None].astype(np.float64)
        return self._outputs.take(source.astype(np.intp), axis=0).astype(np.float64)

    def _coded(self, source: NDArray[Any]) -> NDArray[np.float32]:
        """Give what moments are taken of: standardised numbers, or outputs of levels."""
        if self._outputs is None:
            assert self._margin is not None
            return self._margin.standardised(source)[:, None]
        return self._outputs.take(source.astype(np.intp), axis=0)

    def _set_donors(
        self, persons: Persons, known: NDArray[np.intp], source: NDArray[Any], *, ordered: bool
    ) -> None:
        """Order the donors by leaf and, if moments are to be kept, by value in a leaf."""
        leaf = self._tree.leaves(self._predictors.bins(persons, known))
        if ordered:
            donors = known[_order(leaf, source[known])]
        else:
            # Sixteen bits are sorted by radix, in linear time.
            donors = known[np.argsort(leaf.astype(np.uint16), kind="stable")]
        self._place = np.full(len(persons), -1)
        self._place[donors] = np.arange(len(donors))
        self._size = np.bincount(leaf, minlength=self._tree.n_leaves_)
        self._start = np.cumsum(self._size) - self._size
        self._values = source[donors]
        if self._margin is not None:
            scores = self._values
            self._mean = np.add.reduceat(scores, self._start) / self._size
            square = np.add.reduceat(scores**2, self._start) / self._size
            self._mean = self._mean.astype(np.float32)
            self._spread = np.sqrt(np.maximum(square - self._mean**2, 0)).astype(np.float32)
            self._atom = self._margin.is_atom(scores)


def _representatives(
    known: NDArray[np.intp], source: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw the donors of a column: one of each run of equal length, ordered by value.

    Every value keeps its share, to within one donor: a label of so few that it falls between
    two donors is drawn as often, on average, as it is held.
    """
    n = len(known)
    if n <= _DONORS:
        return known
    ordered = _order(np.zeros(n, np.int32), source[known])
    place = ((np.arange(_DONORS) + rng.random(_DONORS)) * (n / _DONORS)).astype(np.intp)
    return np.sort(known[ordered[np.minimum(place, n - 1)]])


def _order(leaf: NDArray[np.int32], values: NDArray[Any]) -> NDArray[np.intp]:
    """Order rows by leaf and, in a leaf, by value: one word a row sorts fastest."""
    if values.dtype.kind == "f":
        values = values * np.float32(_STEPS - 1)  # a score
    word = leaf.astype(np.uint64) << np.uint64(48) | values.astype(np.uint64) << np.uint64(32)
    word |= np.arange(len(leaf), dtype=np.uint64)
    word.sort()
    return (word & np.uint64(0xFFFFFFFF)).astype(np.intp)


def _with_one(coordinates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put a column of ones before the coordinates."""
    return np.column_stack([np.ones(len(coordinates), np.float32), coordinates])
