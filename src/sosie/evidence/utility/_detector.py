"""Whether a learner tells synthetic rows from persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._case import drawn
from sosie.evidence._finding import Finding, Verdict
from sosie.evidence._intervals import auc_interval, auc_of
from sosie.evidence.utility._design import as_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Detector"]

_TARGET, _TOO_MUCH = 0.6, 0.75
_ALIKE = 0.55
"""Area above which two tables are surely not of one population."""
_MOST, _MOST_QUICKLY = 10_000, 3_000
_FOLDS, _FOLDS_QUICKLY = 5, 3
_POINTS = 101
_LEARNER: dict[str, Any] = {
    "max_iter": 50,
    "learning_rate": 0.2,
    "max_bins": 63,
    "early_stopping": False,
}
"""As sharp as the default of scikit-learn, in 40 % of its time."""


class Detector:
    """Area under the ROC curve of a boosted classifier of persons against synthetic rows.

    As many rows of either, at most 10,000; probabilities of a shuffled 5-fold
    cross-validation, pooled (at quick effort at most 3,000 rows, and 3 folds).

    - 0.5 where it cannot tell; 1 where it always can. Few users of a table need it low: a
      digit too many in one column is enough to tell.
    - Below 0.5 rows stand nearer to those persons than a new sample would: plain copies get
      about 0, as the twin of each row was learnt as the other sort. Low is then no merit.
      ``detail["against_control"]`` is the same against persons that the generator never saw,
      where nearness to the original earns nothing.
    - ``detail["of_control"]`` is the original against those persons, with its interval: they
      are ``alike``, of one population and of use to judge a leak, where that is about 0.5.
    - Interval: that of DeLong, which takes the scores as given.

    References
    ----------
    .. [1] D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
    .. [2] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44, 1988.
    """

    name: ClassVar[str] = "detector_auc"

    def run(self, case: Case) -> dict[str, Finding]:
        """Tell apart the original and the synthetic table."""
        rng = case.rng(self.name)
        persons, rows = _scores(case.original, case.synthetic, case.effort.learners, rng)
        value, interval = auc_of(persons, rows), auc_interval(persons, rows)
        detail: dict[str, Any] = {"roc": _curve(persons, rows), "against_control": None}
        if case.control is not None:
            rng = case.rng("detector_auc control")
            theirs = _scores(case.control, case.synthetic, case.effort.learners, rng)
            detail["against_control"] = auc_of(*theirs)
            rng = case.rng("detector_auc of control")
            others = _scores(case.original, case.control, case.effort.learners, rng)
            between = auc_interval(*others)
            detail["of_control"] = {
                "value": auc_of(*others),
                "ci": list(between),
                "alike": between[0] <= _ALIKE,
            }
        if interval[1] <= _TARGET:
            verdict = Verdict.PASS
        else:
            verdict = Verdict.FAIL if value > _TOO_MUCH else Verdict.ATTENTION
        return {
            self.name: Finding(
                value=value,
                ci=interval,
                target=_TARGET,
                verdict=verdict,
                n=len(persons) + len(rows),
                n_control=None if case.control is None else len(case.control),
                detail=detail,
            )
        }


def _scores(
    real: People, synthetic: People, thorough: bool, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Give the out-of-fold scores of persons and of as many synthetic rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold

    most, parts = (_MOST, _FOLDS) if thorough else (_MOST_QUICKLY, _FOLDS_QUICKLY)
    size = min(len(real), len(synthetic), most)
    both = drawn(real, size, rng).with_(drawn(synthetic, size, rng))
    x = as_codes(both, both.layout.names)
    is_real = np.repeat([1, 0], size)
    state = int(rng.integers(2**31))
    found = np.empty(2 * size)
    folds = StratifiedKFold(parts, shuffle=True, random_state=state)
    with threadpool_limits(1):
        for learn, test in folds.split(x, is_real):
            model = HistGradientBoostingClassifier(**_LEARNER, random_state=state)
            known = ~np.isnan(x[learn]).all(axis=0)  # a column without any value cannot be cut
            model.fit(x[learn][:, known], is_real[learn])
            found[test] = model.predict_proba(x[test][:, known])[:, 1]
    return found[:size], found[size:]


def _curve(persons: Floats, rows: Floats) -> dict[str, list[float]]:
    """Give the ROC curve at 101 false positive rates."""
    at = np.linspace(0, 1, _POINTS)
    thresholds = np.quantile(rows, 1 - at)
    true = [float((persons >= threshold).mean()) for threshold in thresholds]
    return {"fpr": at.round(4).tolist(), "tpr": np.maximum.accumulate(true).round(4).tolist()}
