"""Labels of images as codes, and the codes of those that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.generators.artificial._conditions import check_shared
from sosie.table import tellable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Labels", "check_balance", "count_of"]

_LISTED = 10
"""Labels that a refusal lists."""


@dataclass(frozen=True)
class Labels:
    """Labels of n images.

    Parameters
    ----------
    codes : ndarray of shape (n,)
    names : list
        What the codes stand for, in order; ``[None]`` where there are no labels.
    """

    codes: NDArray[np.intp]
    names: list[Any]

    @classmethod
    def of(cls, labels: ArrayLike | None, n: int) -> Labels:
        """Check the labels of n images; one code for all where there are none.

        Raises
        ------
        DataError
            If there are not as many labels as images, or one is missing.

        Examples
        --------
        >>> labels = Labels.of(["b", "a", "b", "b"], 4)
        >>> labels.codes.tolist(), labels.names
        ([1, 0, 1, 1], ['a', 'b'])
        """
        if labels is None:
            return cls(np.zeros(n, np.intp), [None])
        given = np.asarray(labels)
        if given.ndim == 2 and given.shape[1] == 1:
            given = given[:, 0]
        if given.shape != (n,):
            raise DataError(
                f"There are {n} images and labels of shape {given.shape}: give one each."
            )
        missing = np.array([one is None or one != one for one in given.tolist()])  # NaN != NaN
        if missing.any():
            count = int(missing.sum())
            said = "1 image has" if count == 1 else f"{count} images have"
            raise DataError(f"{said} no label: leave out what has none.")
        try:
            names, codes = np.unique(given, return_inverse=True)
        except TypeError:
            raise DataError("Labels are of several types: give all as text.") from None
        if len(names) > n // 2:
            raise DataError(
                f"{len(names)} labels for {n} images: a label needs two images or more; group them."
            )
        # Numbers of NumPy that stand in an array of objects are told as those of Python too.
        plain = [one.item() if isinstance(one, np.generic) else one for one in names.tolist()]
        return cls(codes, plain)

    def one_of(self, codes: NDArray[np.intp]) -> NDArray[np.float32]:
        """Give codes as indicators."""
        return np.eye(len(self.names), dtype=np.float32)[codes]

    def told(self, labels: ArrayLike | None, n: int) -> NDArray[np.intp]:
        """Give the codes of the labels of n other images.

        Raises
        ------
        ParameterError
            If there are none and these have some, not n, or one that these do not have.
        """
        if labels is None:
            if len(self.names) > 1:
                raise ParameterError("The model was learnt with labels: give those of the images.")
            return np.zeros(n, np.intp)
        given = np.asarray(labels).ravel()
        if len(given) != n:
            raise ParameterError(f"Give {n} labels, and not {len(given)}.")
        counts = self._counts()
        return np.array([_code_of(one, self.names, counts) for one in given.tolist()], np.intp)

    def asked(
        self,
        n: int,
        labels: ArrayLike | None,
        balance: bool,
        label: Any,
        rng: np.random.Generator,
    ) -> NDArray[np.intp]:
        """Give the code of each of n images that are to be drawn.

        Their labels, each label as often, one label only or, where nothing is asked, labels in
        the shares of these.

        Raises
        ------
        ParameterError
            If two things are asked for, or what no image has.
        """
        if (labels is not None) + bool(balance) + (label is not None) > 1:
            raise ParameterError("Ask for labels, balance or one label, and not for two of them.")
        c = len(self.names)
        if label is not None:
            return np.full(n, _code_of(label, self.names, self._counts()))
        if labels is not None:
            return self.told(labels, n)
        if balance:
            check_balance(c, n)
        counts = np.full(c, 1) if balance else self._counts()
        shares = counts / counts.sum()
        ends = (np.cumsum(shares) * n + (0 if balance else rng.random())).round(6).astype(int)
        ends[-1] = n
        return rng.permutation(np.repeat(np.arange(c), np.diff(np.minimum(ends, n), prepend=0)))

    def _counts(self) -> NDArray[np.intp]:
        return np.bincount(self.codes, minlength=len(self.names))


def check_balance(labels: int, n: int) -> None:
    """Refuse to balance images of one label, or fewer images than labels.

    Raises
    ------
    ParameterError
    """
    if labels < 2:
        raise ParameterError("The images have one label only: there is nothing to balance.")
    check_shared(f"The images have {labels} labels", labels, n)


def count_of(label: Any, labels: ArrayLike) -> int:
    """Count the images of a label; refuse one that none has.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> count_of("7", np.array([7, 1, 7]))
    2
    """
    names, counts = np.unique(np.asarray(labels).ravel(), return_counts=True)
    return int(counts[_code_of(label, names.tolist(), counts)])


def _code_of(label: Any, names: list[Any], counts: NDArray[np.intp]) -> int:
    """Find the code of a label; text stands for what it spells."""
    for code, name in enumerate(names):
        if name == label or str(name) == str(label):
            return code
    if names == [None]:
        raise ParameterError("The images have no labels: ask for none.")
    told = tellable(names, counts)[:_LISTED]
    if not told:
        raise ParameterError("No image has the label asked for.")
    raise ParameterError(
        "No image has the label asked for; the labels are"
        f"{', among others' if len(told) < len(names) else ''}: {', '.join(map(str, told))}."
    )
