"""Whether models learnt from the synthetic table predict real persons as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.errors import DataError
from sosie.evidence._case import drawn
from sosie.evidence._finding import Finding, Verdict
from sosie.evidence._intervals import auc_of
from sosie.evidence.utility._design import Design, as_codes
from sosie.evidence.utility._logistic import logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]
    Scores = tuple[float, float]

__all__ = ["Prediction"]

_WITHIN = 0.05
_ROWS = 5_000
"""Rows drawn for one training, and persons tested, in one repetition."""

_MOST_BOOSTED = 10_000
_BOOSTED_CLASSES = 5
_MOST_CLASSES = 20
"""Classes, the most frequent of the test, over which the AUC is averaged."""


class Prediction:
    """Train on synthetic rows, test on real persons; beside it, train on the original.

    Trained on bootstrap resamples (at most 5,000 rows) of the synthetic table (``tstr_auc``)
    or of the original (``trtr_auc``), tested on the same resamples of the control persons, whom
    neither saw; without a control, on a third of the original that is held out of the training
    (``detail["tested_on"]``): the generator saw those.

    - Two classes: logistic regression (L2, C = 1); the area under the ROC curve, the last
      level being the positive one. More: ridge regression of each class against the rest; the
      areas' average. A number: ridge regression; R2 on the test.
    - Value: the median of the repetitions; interval: from their 2.5 to their 97.5 %.
    - The target of ``tstr_auc`` is ``trtr_auc`` less 0.05. The test persons are the same in
      both, so that the verdict is on the difference: ``detail["difference"]``.
    - ``detail["boosted"]``: boosted trees, once, on all rows (at most 10,000).

    References
    ----------
    .. [1] C. Esteban, S. Hyland, G. Rätsch, "Real-valued (medical) time series generation
       with recurrent conditional GANs", arXiv 1706.02633, 2017.
    """

    name: ClassVar[str] = "tstr_auc"

    def run(self, case: Case) -> dict[str, Finding]:
        """Train and test again and again."""
        if case.target is None:
            return {key: _not_measured("no_target") for key in ("tstr_auc", "trtr_auc")}
        task = _Task.of(case.original, case.target)
        if not task.others:
            return {key: _not_measured("too_few") for key in ("tstr_auc", "trtr_auc")}
        rng = case.rng("prediction")
        train, test = case.original, case.control
        if test is None:
            order = rng.permutation(len(train))
            third = len(train) // 3
            train, test = train.taken(np.sort(order[third:])), train.taken(np.sort(order[:third]))
        test, train = task.known(test), task.known(train)
        synthetic = task.known(case.synthetic)
        if len(train) < 2 or len(test) < 2 or not task.testable(task.outcome(test)):
            return {key: _not_measured("too_few") for key in ("tstr_auc", "trtr_auc")}
        with threadpool_limits(1):
            tstr, trtr = _repeated(task, train, synthetic, test, case.effort.resamples, rng)
            boosted = _boosted(task, train, synthetic, test, rng) if case.effort.learners else None
        return _findings(case, task, tstr, trtr, boosted)


@dataclass(frozen=True)
class _Task:
    """What is predicted, from what, and how it is scored."""

    target: str
    others: tuple[str, ...]
    model: str
    classes: NDArray[Any]
    """Values of the target that are told apart; empty for a number."""

    @classmethod
    def of(cls, original: People, target: str) -> _Task:
        layout = original.layout
        if target not in layout.names:
            raise DataError(
                f"The target {target!r} is not a column that can be compared: it has one class, "
                "or is an identifier, a text or no column at all; choose another."
            )
        values = original.column(target)[~original.missing(target)]
        classes = np.unique(values)
        if len(classes) < 2:
            raise DataError(
                f"The target {target!r} has one class in the original: nothing can be predicted; "
                "choose another."
            )
        others = tuple(name for name in layout.names if name != target)
        if len(classes) == 2:
            return cls(target, others, "logistic", classes)
        if layout.is_number(target):
            return cls(target, others, "ridge", classes[:0])
        return cls(target, others, "ridge_classifier", classes)

    @property
    def score_name(self) -> str:
        return "auc" if len(self.classes) else "r2"

    def known(self, people: People) -> People:
        """Keep the rows whose target is known (and one of the classes)."""
        kept = ~people.missing(self.target)
        if len(self.classes):
            kept &= np.isin(people.column(self.target), self.classes)
        return people.taken(np.flatnonzero(kept))

    def outcome(self, people: People) -> NDArray[Any]:
        """Give the place of the class, or the number."""
        values = people.column(self.target)
        return np.searchsorted(self.classes, values) if len(self.classes) else values

    def testable(self, truth: NDArray[Any]) -> bool:
        return bool(np.ptp(truth) > 0)

    def fit(self, x: NDArray[np.float32], y: NDArray[Any], start: Any = None) -> Any:
        """Give coefficients: (terms,) or (terms, classes); None where there is but one class."""
        if not len(y):
            return None
        if self.model == "logistic":
            return None if np.ptp(y) == 0 else logistic(x, y, 1.0, start, tolerance=1e-3)
        if self.model == "ridge":
            return _ridge(x, y.astype(np.float64))
        return _ridge(x, (y[:, None] == np.arange(len(self.classes))).astype(np.float64))

    def score(self, guess: NDArray[Any] | None, truth: NDArray[Any]) -> float:
        """Score predictions; what knows nothing gets 0.5, or an R2 of 0."""
        if not self.testable(truth):
            return float("nan")
        if self.model == "ridge":
            return 0.0 if guess is None else _r2(guess, truth)
        if guess is None:
            return 0.5
        if guess.ndim == 1:
            return auc_of(guess[truth == 1], guess[truth == 0])
        return _macro_auc(guess, truth)


def _repeated(
    task: _Task,
    train: People,
    synthetic: People,
    test: People,
    repeats: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Give the scores of the repetitions, trained on the synthetic table and the original."""
    design = Design().fit(train, task.others)
    tables = []
    for people in (synthetic, train):
        x, y = design.matrix(people).astype(np.float32), task.outcome(people)
        few = slice(None) if len(x) <= _ROWS else np.sort(rng.choice(len(x), _ROWS, replace=False))
        tables.append((x, y, task.fit(x[few], y[few])))
    x_test, truth = design.matrix(test).astype(np.float32), task.outcome(test)
    found = np.full((repeats, 2), np.nan)
    for repeat in range(repeats):
        tested = rng.integers(0, len(truth), min(len(truth), _ROWS))
        for j, (x, y, start) in enumerate(tables):
            if not len(y):
                beta = None
            else:
                drawn_rows = rng.integers(0, len(y), min(len(y), _ROWS))
                beta = task.fit(x[drawn_rows], y[drawn_rows], start)
            guess = None if beta is None else x_test[tested] @ beta.astype(np.float32)
            found[repeat, j] = task.score(guess, truth[tested])
    return found[:, 0], found[:, 1]


def _boosted(
    task: _Task, train: People, synthetic: People, test: People, rng: np.random.Generator
) -> dict[str, float] | None:
    """Give the scores of boosted trees, trained once on either table."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if len(task.classes) > _BOOSTED_CLASSES:
        return None
    truth, found = task.outcome(test), {}
    state = int(rng.integers(2**31))
    for key, people in (("tstr", synthetic), ("trtr", train)):
        people = drawn(people, _MOST_BOOSTED, rng)
        y, guess = task.outcome(people), None
        if len(y) >= 2 and (task.model == "ridge" or np.ptp(y) > 0):
            kind = (
                HistGradientBoostingRegressor
                if task.model == "ridge"
                else HistGradientBoostingClassifier
            )
            model = kind(early_stopping=False, random_state=state)
            model.fit(as_codes(people, task.others), y)
            codes = as_codes(test, task.others)
            if task.model == "ridge":
                guess = model.predict(codes)
            else:
                guess = np.zeros((len(test), len(task.classes)))
                guess[:, model.classes_] = model.predict_proba(codes)
                guess = guess[:, 1] if len(task.classes) == 2 else guess
        found[key] = task.score(guess, truth)
    return found


def _findings(
    case: Case, task: _Task, tstr: Floats, trtr: Floats, boosted: dict[str, float] | None
) -> dict[str, Finding]:
    made, made_ci = _summary(tstr)
    real, real_ci = _summary(trtr)
    gap, gap_ci = _summary(tstr - trtr)
    verdict = Verdict.ATTENTION
    if gap_ci[0] >= -_WITHIN:
        verdict = Verdict.PASS
    elif gap < -_WITHIN and gap_ci[1] < 0:
        verdict = Verdict.FAIL
    detail = {
        "score": task.score_name,
        "model": task.model,
        "target": task.target,
        "tested_on": "held_out" if case.control is None else "control",
        "tstr": _plain(tstr),
        "trtr": _plain(trtr),
        "difference": gap,
        "difference_ci": list(gap_ci),
        "boosted": boosted,
    }
    tested = None if case.control is None else len(case.control)
    return {
        "tstr_auc": Finding(
            value=made,
            ci=made_ci,
            control=real,
            target=real - _WITHIN,
            better="higher",
            verdict=verdict,
            n=len(case.synthetic),
            n_control=tested,
            detail=detail,
        ),
        "trtr_auc": Finding(
            value=real,
            ci=real_ci,
            better="higher",
            verdict=Verdict.INFORMATION,
            n=len(case.original),
            n_control=tested,
            detail={k: detail[k] for k in ("score", "model", "target", "tested_on")},
        ),
    }


def _not_measured(why: str) -> Finding:
    return Finding(better="higher", why_not=why)


def _summary(scores: Floats) -> tuple[float, tuple[float, float]]:
    low, middle, high = np.nanquantile(scores, [0.025, 0.5, 0.975])
    return float(middle), (float(low), float(high))


def _plain(scores: Floats) -> list[float]:
    return [round(score, 6) for score in scores.tolist() if np.isfinite(score)]


def _ridge(x: NDArray[np.float32], y: Floats, penalty: float = 1.0) -> Floats:
    """Least squares with a penalty of 1 on every coefficient but the intercept."""
    gram = (x.T @ x).astype(np.float64)
    gram[np.diag_indices_from(gram)] += np.where(np.arange(len(gram)) > 0, penalty, 1e-9)
    centre = y.mean(axis=0)
    moments = x.T.astype(np.float64) @ (y - centre)
    beta = np.linalg.solve(gram, moments)
    beta[0] += centre
    return beta


def _r2(guess: NDArray[Any], truth: Floats) -> float:
    around = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - guess) ** 2).sum() / around)


def _macro_auc(guess: NDArray[Any], truth: NDArray[np.intp]) -> float:
    """Give the mean area of each class against the rest, over the frequent classes."""
    count = np.bincount(truth, minlength=guess.shape[1])
    frequent = np.argsort(-count, kind="stable")[:_MOST_CLASSES]
    found = [
        auc_of(guess[truth == k, k], guess[truth != k, k])
        for k in frequent
        if 0 < count[k] < len(truth)
    ]
    return float(np.mean(found))
