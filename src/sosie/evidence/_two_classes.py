"""A target of two classes, and how well a model tells them apart."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.errors import DataError, ParameterError
from sosie.evidence._intervals import auc_of
from sosie.evidence._learners import boosted, features
from sosie.evidence.utility._design import Design
from sosie.evidence.utility._logistic import logistic, probability
from sosie.table import CODED, NUMERIC, tellable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._people import People
    from sosie.table import Table

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["FEWEST", "TwoClasses", "best_cut", "check_target", "found_at"]

FEWEST = 20
"""Persons of a class below which nothing is compared: a quarter of them are tested on."""

_FOLDS = 5


def check_target(table: Table, target: str) -> None:
    """Refuse a target that no model can predict.

    Raises
    ------
    ParameterError
        If there is no such column, or it is one of identifiers or texts.
    DataError
        If it has one class only.
    """
    if target not in table.names:
        near = difflib.get_close_matches(target, table.names, 1)
        hint = f"did you mean {near[0]!r}?" if near else "check its spelling."
        raise ParameterError(f"There is no column {target!r}, given as target; {hint}")
    if table.frame[target].drop_nulls().n_unique() < 2:
        raise DataError(
            f"The target {target!r} has one class only: nothing can be predicted; choose another."
        )
    kind = table.schema[target].kind
    if kind not in NUMERIC and kind not in CODED:
        raise ParameterError(
            f"The target {target!r} is of kind {kind} and has no classes; choose another."
        )


@dataclass(frozen=True)
class TwoClasses:
    """Persons of the positive class against all others, and what they are told apart by.

    Attributes
    ----------
    target : str
    label : str
        The positive class, spelt.
    positive, other : float
        Its code or number; that of the other class, where there are two.
    number : bool
        Whether the target holds numbers.
    by : tuple of str
        The other columns.

    Examples
    --------
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age", "sex"), ("age",), {"sex": ("f", "m")})
    >>> codes = np.tile([[0], [1]], (20, 1)).astype(np.int32)
    >>> people = People(layout, np.arange(40.0)[:, None], codes)
    >>> classes = TwoClasses.of(people, "sex")
    >>> classes.label, classes.outcome(people)[:2].tolist()
    ('m', [False, True])
    """

    target: str
    label: str
    positive: float
    other: float
    number: bool
    by: tuple[str, ...]

    @classmethod
    def of(cls, people: People, target: str, positive: str | None = None) -> TwoClasses:
        """Find the classes; the positive one is the last unless it is told.

        Raises
        ------
        ParameterError
            If there are more than two classes and none is told, or the one told is none.
        DataError
            If there is no other column, or fewer than 20 persons of a class.
        """
        layout = people.layout
        by = tuple(name for name in layout.names if name != target)
        if not by:
            raise DataError(f"There is no column besides {target!r} that it could be told by.")
        known = people.column(target)[~people.missing(target)]
        values, persons = np.unique(known, return_counts=True)
        number = layout.is_number(target)
        if number and len(values) > 2:
            raise ParameterError(
                f"The target {target!r} is a number, and models of two classes are compared: "
                "choose another, or add a column that tells whether it is above a bound."
            )
        labels = [f"{v:g}" if number else layout.levels[target][int(v)] for v in values.tolist()]
        if positive is None and len(values) > 2:
            raise ParameterError(
                f"The target {target!r} has {len(values)} classes, and models of two are "
                "compared: name the one to find with --positive LEVEL; the others then stand "
                "together."
            )
        if positive is not None and positive not in labels:
            near = difflib.get_close_matches(positive, tellable(labels, persons), 1)
            hint = f"did you mean {near[0]!r}?" if near else "`sosie inspect` lists them."
            raise ParameterError(
                f"There is no class {positive!r} in the target {target!r}, given as positive; "
                f"{hint}"
            )
        place = len(labels) - 1 if positive is None else labels.index(positive)
        rest = np.delete(values, place)
        found = cls(target, labels[place], float(values[place]), float(rest[0]), number, by)
        sizes = np.bincount(found.outcome(found.known(people)).astype(int), minlength=2)
        if sizes.min() < FEWEST:
            raise DataError(
                f"Fewer than {FEWEST} persons are of one class of the target {target!r}: models "
                "cannot be compared on so few; choose another target or another positive class."
            )
        return found

    def known(self, people: People) -> People:
        """Keep the rows whose class is known."""
        return people.taken(np.flatnonzero(~people.missing(self.target)))

    def outcome(self, people: People) -> Flags:
        """Tell which rows are of the positive class; a number that of the nearer."""
        values = people.column(self.target)
        if self.number:
            return np.abs(values - self.positive) < np.abs(values - self.other)
        return values == self.positive

    def scores(self, learnt: People, tested: People, rng: np.random.Generator) -> dict[str, float]:
        """Train on one table, choose the cut there too, and test on persons.

        The model is a logistic regression, that of ``tstr_auc``. The probability at which a
        row counts as positive is the one with the best F1 on ``learnt``, where each row is
        predicted by a model that did not see it.

        Returns
        -------
        dict
            ``threshold``, and on ``tested`` ``f1``, ``auc``, ``recall``, ``precision`` and
            ``auc_boosted``, the AUC of boosted trees, which see interactions.
        """
        learnt, tested = self.known(learnt), self.known(tested)
        y, truth = self.outcome(learnt), self.outcome(tested)
        design = Design().fit(learnt, self.by)
        x, x_tested = design.matrix(learnt), design.matrix(tested)
        fold = _folds(y, rng)
        apart = np.empty(len(y))
        with threadpool_limits(1):
            for one in range(_FOLDS):
                left, held = fold != one, fold == one
                apart[held] = _predicted(x[left], y[left], x[held])
            guess = _predicted(x, y, x_tested)
        cut = best_cut(apart, y)
        seen = self._by_trees(learnt, y, tested, int(rng.integers(2**31)))
        return {
            "threshold": cut,
            **found_at(guess, truth, cut),
            "auc": auc_of(guess[truth], guess[~truth]),
            "auc_boosted": auc_of(seen[truth], seen[~truth]),
        }

    def _by_trees(self, learnt: People, y: Flags, tested: People, seed: int) -> Floats:
        if y.all() or not y.any():
            return np.zeros(len(tested))
        model = boosted(features(learnt, self.by), y, seed, number=False)
        with threadpool_limits(1):
            return model.predict_proba(features(tested, self.by))[:, 1]


def _predicted(x: Floats, y: Flags, asked: Floats) -> Floats:
    """Give probabilities; their share for all where there is but one class to learn from."""
    if y.all() or not y.any():
        return np.full(len(asked), float(y.mean()) if len(y) else 0.5)
    return probability(asked @ logistic(x, y))


def _folds(y: Flags, rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal the rows of each class out in turn."""
    fold = np.empty(len(y), np.intp)
    for value in (False, True):
        rows = rng.permutation(np.flatnonzero(y == value))
        fold[rows] = np.arange(len(rows)) % _FOLDS
    return fold


def best_cut(guess: Floats, truth: Flags) -> float:
    """Give the probability from which on rows count as positive, for the best F1.

    It lies half-way between the last row taken and the next one; where several are as good,
    the highest.

    Examples
    --------
    >>> best_cut(np.array([0.1, 0.4, 0.6, 0.8]), np.array([False, False, True, True]))
    0.5
    """
    if not truth.any():
        return 1.0
    order = np.argsort(-guess, kind="stable")
    ranked, hits = guess[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + hits[-1])
    ends = np.flatnonzero(np.append(np.diff(ranked) < 0, True))  # rows as probable go together
    last = ends[np.argmax(f1[ends])]
    below = ranked[last + 1] if last + 1 < len(ranked) else 0.0
    return float((ranked[last] + below) / 2)


def found_at(guess: Any, truth: Any, cut: float) -> dict[str, float]:
    """Give F1, recall and precision where ``cut`` and above is positive.

    Examples
    --------
    >>> found_at(np.array([0.2, 0.7, 0.9]), np.array([True, False, True]), 0.5)
    {'f1': 0.5, 'recall': 0.5, 'precision': 0.5}
    """
    taken = guess >= cut
    hits, positives, said = int((taken & truth).sum()), int(truth.sum()), int(taken.sum())
    return {
        "f1": 2 * hits / (positives + said) if positives + said else 0.0,
        "recall": hits / positives if positives else 0.0,
        "precision": hits / said if said else 0.0,
    }
