"""Numbers that may leave a holder, and who is behind them, which stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = [
    "Aggregate",
    "Model",
    "Part",
    "Selection",
    "Summed",
    "Total",
    "counts",
    "estimates",
    "implied_cells",
    "over",
    "products",
    "shaped",
    "stacked",
    "sums",
    "votes",
]

_BLOCK = 65_536
_MOST_PAIRS = 4_000_000


@dataclass(frozen=True)
class Aggregate:
    """An array of sums over persons, with what the gate must know of the persons.

    Made by :func:`counts`, :func:`sums`, :func:`products` or :func:`votes`, which compute both
    from the same rows, so that the two cannot disagree.

    Attributes
    ----------
    kind : str
        ``count``, ``sum`` or ``vote``.
    values : ndarray of float64
        What may leave.
    persons : ndarray of int64, of the same shape
        Persons behind each value; in a sum, those who add something other than 0.
    cells : tuple of int
        Sizes of all groups that the values imply and that are not among `persons`, as of those
        who do not have a property that others have.
    largest, two : ndarray of float64, of the same shape, or None
        The largest contribution of one person, and of two, in absolute value.
    total : ndarray of float64, of the same shape, or None
        Sum of the absolute contributions.
    members : tuple of ndarray of shape (n,), bool
        Of a count, the persons of each cell in the order of ``values.ravel()``.
    sensitivity : float or None
        What one person can change at most, over all values together, whoever it is; None where
        nobody can say.
    over : Aggregate, optional
        Of a sum, the count of those over whom it goes: see :func:`over`.
    """

    kind: Literal["count", "sum", "vote"]
    values: Floats
    persons: NDArray[np.int64]
    cells: tuple[int, ...] = ()
    largest: Floats | None = None
    two: Floats | None = None
    total: Floats | None = None
    members: tuple[Mask, ...] = ()
    sensitivity: float | None = None
    over: Aggregate | None = None


@dataclass(frozen=True)
class Selection:
    """Persons about whom something leaves, for the audit of differences.

    Attributes
    ----------
    rows : ndarray of shape (n,), bool
        Over all rows of the holder.
    about : frozenset of str
        Columns of the holder of which something is told.
    by : frozenset of str
        Columns of the holder by whose values the persons were chosen.
    crossing : bool
        Whether they are those with two properties of whom a model tells the number alone: another
        such set may not differ by a few. What all of them tell together is that of a cross-table
        of all factors, which a model is not audited as.
    blurred : bool
        Whether a model tells of cells of them by the columns of `by`, some of too few persons,
        through a number that blurs the cells: of such models, few may be answered.
    """

    rows: Mask
    about: frozenset[str]
    by: frozenset[str]
    crossing: bool = False
    blurred: bool = False


@dataclass(frozen=True)
class Summed:
    """A number of each person that others were multiplied by before they were added up.

    Attributes
    ----------
    values : ndarray of shape (n,)
        Over all rows of the holder; 0 for who is not among the persons.
    about : frozenset of str
        Columns of the holder of which something is told.
    """

    values: Floats
    about: frozenset[str]


@dataclass(frozen=True)
class Model:
    """What a model is fitted on at a holder; it stays there.

    Attributes
    ----------
    persons, parameters : int
    leverage : float
        The largest of one person: a diagonal element of the hat matrix, 0 to 1.
    """

    persons: int
    parameters: int
    leverage: float


@dataclass(frozen=True)
class Part:
    """What a holder computes in one round.

    Attributes
    ----------
    arrays : dict of str to Aggregate
    selections : tuple of Selection
        Every group of persons that the arrays tell of.
    model : Model, optional
    summed : tuple of Summed
        Covariates and other numbers by which a model weighs persons, but those of two values,
        which are selections.
    """

    arrays: Mapping[str, Aggregate]
    selections: tuple[Selection, ...] = ()
    model: Model | None = None
    summed: tuple[Summed, ...] = ()


@dataclass(frozen=True)
class Total:
    """Parts of all holders, added up.

    Attributes
    ----------
    arrays : dict of str to ndarray of float64
    holders : int
    off : int
        How far at most a count is from the true one; 0 where all are as they are.

    Examples
    --------
    >>> Total({"n": np.array([4.0])}, holders=3).number("n")
    4.0
    """

    arrays: Mapping[str, Floats]
    holders: int
    off: int = 0

    def __getitem__(self, name: str) -> Floats:
        return self.arrays[name]

    def number(self, name: str) -> float:
        """Give an array of one value as a number."""
        return float(self.arrays[name].reshape(-1)[0])


@dataclass
class _Largest:
    """The two largest of many contributions, block by block."""

    first: Floats
    second: Floats
    total: Floats
    persons: NDArray[np.int64]
    values: Floats

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> _Largest:
        zero = np.zeros(shape)
        return cls(zero, zero.copy(), zero.copy(), np.zeros(shape, np.int64), zero.copy())

    def add(self, contributions: Floats) -> None:
        size = np.abs(contributions)
        # Along the last axis sums are made of sums of halves, and lose hardly a digit.
        self.values += np.ascontiguousarray(np.moveaxis(contributions, 0, -1)).sum(axis=-1)
        self.total += size.sum(axis=0)
        self.persons += np.count_nonzero(contributions, axis=0)
        for _ in range(min(2, len(size))):
            place = size.argmax(axis=0)
            top = np.take_along_axis(size, place[None], axis=0)[0]
            np.put_along_axis(size, place[None], 0.0, axis=0)
            self.second = np.maximum(self.second, np.minimum(top, self.first))
            self.first = np.maximum(self.first, top)

    def aggregate(self, cells: Sequence[int] = ()) -> Aggregate:
        return Aggregate(
            "sum",
            self.values,
            self.persons,
            tuple(cells),
            self.first,
            self.first + self.second,
            self.total,
        )


def counts(codes: NDArray[np.integer], shape: int | tuple[int, ...], rows: Mask) -> Aggregate:
    """Count the persons of each cell.

    Parameters
    ----------
    codes : ndarray of shape (m,), integer
        Cell of each chosen person, 0 to the number of cells less 1.
    shape : int or tuple of int
        Of the table of cells.
    rows : ndarray of shape (n,), bool
        Which rows of the holder were chosen: m of them.

    Examples
    --------
    >>> counts(np.array([0, 1, 1]), 2, np.array([True, False, True, True])).values.tolist()
    [1.0, 2.0]
    """
    size = int(np.prod(shape))
    found = np.bincount(codes, minlength=size).astype(np.int64)
    places = np.full(len(rows), -1, np.int64)
    places[rows] = codes
    members = tuple(places == cell for cell in range(size))
    return Aggregate(
        "count", found.astype(float).reshape(shape), found.reshape(shape), members=members,
        sensitivity=1.0,
    )  # fmt: skip


def sums(contributions: Floats, weights: Floats | None = None) -> Aggregate:
    """Add up one contribution a person and column.

    Parameters
    ----------
    contributions : ndarray of shape (m, p)
    weights : ndarray of shape (m,), optional

    Examples
    --------
    >>> sums(np.array([[1.0, 0.0], [-3.0, 0.0]])).values.tolist()
    [-2.0, 0.0]
    """
    found = _Largest.none(contributions.shape[1:])
    for start in range(0, len(contributions), _BLOCK):
        block = np.asarray(contributions[start : start + _BLOCK], float)
        if weights is not None:
            block = block * weights[start : start + _BLOCK, None]
        found.add(block)
    return found.aggregate()


def products(matrix: Floats, weights: Floats | None = None) -> Aggregate:
    """Add up the products of all pairs of columns.

    Parameters
    ----------
    matrix : ndarray of shape (m, p)
    weights : ndarray of shape (m,), optional

    Returns
    -------
    Aggregate
        Of shape (p, p). Its cells are the sizes of all groups that columns of two values and
        pairs of them make: a cross-product of two indicators is a cross-table.

    Examples
    --------
    >>> products(np.array([[1.0, 2.0], [1.0, 3.0]])).values.tolist()
    [[2.0, 5.0], [5.0, 13.0]]
    """
    n, p = matrix.shape
    found = _Largest.none((p, p))
    step = max(1, min(_BLOCK, _MOST_PAIRS // max(1, p * p)))
    for start in range(0, n, step):
        block = matrix[start : start + step]
        scaled = block if weights is None else block * weights[start : start + step, None]
        found.add(scaled[:, :, None] * block[:, None, :])
    return found.aggregate(implied_cells(matrix))


def shaped(found: Aggregate, shape: tuple[int, ...]) -> Aggregate:
    """Give an array of sums another shape."""
    largest, two, total = (
        None if one is None else one.reshape(shape)
        for one in (found.largest, found.two, found.total)
    )
    values, persons = found.values.reshape(shape), found.persons.reshape(shape)
    return Aggregate(found.kind, values, persons, found.cells, largest, two, total)


def stacked(found: Sequence[Aggregate]) -> Aggregate:
    """Put sums of the same form one upon the other, as those of several bins."""

    def together(arrays: Sequence[Floats | None]) -> Floats:
        return np.stack([np.zeros(()) if one is None else one for one in arrays])

    return Aggregate(
        "sum",
        np.stack([one.values for one in found]),
        np.stack([one.persons for one in found]),
        tuple(cell for one in found for cell in one.cells),
        together([one.largest for one in found]),
        together([one.two for one in found]),
        together([one.total for one in found]),
    )


def over(found: Aggregate, count: Aggregate) -> Aggregate:
    """Say over which count sums go: where the gate tells another count, they go with it.

    Parameters
    ----------
    found : Aggregate
        Sums over the persons of one cell; or of each of many cells, which its first axes are.
    count : Aggregate
        Of :func:`counts`, of one cell or of these; it need not leave itself.

    Examples
    --------
    >>> n = counts(np.array([0, 1, 1]), 2, np.ones(3, bool))
    >>> over(shaped(sums(np.ones((3, 4))), (2, 2)), n).over is n
    True
    """
    cells = count.values.shape
    if count.values.size != 1 and found.values.shape[: len(cells)] != cells:
        raise ValueError("These sums have other cells than the count.")
    return replace(found, over=count)


def estimates(values: Floats, persons: int) -> Aggregate:
    """Give what a model of one holder's persons found: no sum of values of persons."""
    return Aggregate("sum", np.asarray(values, float), np.full(np.shape(values), persons, np.int64))


def votes(said: Sequence[bool] | Mask) -> Aggregate:
    """Say yes or no to questions about groups; the total is the number of holders that say yes.

    Examples
    --------
    >>> votes([True, False]).values.tolist()
    [1.0, 0.0]
    """
    values = np.asarray(said, float)
    return Aggregate("vote", values, np.zeros(values.shape, np.int64))


def implied_cells(matrix: Floats) -> tuple[int, ...]:
    """Size the groups that columns of two values make, alone and in pairs.

    Examples
    --------
    >>> implied_cells(np.array([[0.0], [1.0], [1.0]]))
    (2, 0, 0, 1)
    """
    high = [
        column == column.max()
        for column in matrix.T
        if len(column) and column.max() != column.min() and _two_valued(column)
    ]
    cells = []
    for i, one in enumerate(high):
        for other in high[: i + 1]:
            both, ones, others = int((one & other).sum()), int(one.sum()), int(other.sum())
            cells += [both, ones - both, others - both, len(one) - ones - others + both]
    return tuple(cells)


def _two_valued(column: Floats) -> bool:
    return bool(((column == column.max()) | (column == column.min())).all())
