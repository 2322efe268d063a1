"""Replication: whether the synthetic table answers the user's question as the original does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sosie.errors import ParameterError
from sosie.evidence._analysed import analysed
from sosie.evidence._finding import Finding, Verdict
from sosie.evidence._intervals import bootstrap
from sosie.evidence._models import Estimate, NotFitted

if TYPE_CHECKING:
    from sosie.evidence._analyses import Analysis
    from sosie.evidence._case import Case
    from sosie.evidence._question import Question

__all__ = ["Replication", "overlap"]

_TARGET = 0.5
_FEWEST_TERMS = 5
"""Terms below which their spread says nothing."""

_WHY = {
    "too_few": "too few complete persons or events in the original to compute it",
    "collinear": "a column is constant or determined by the others; leave one out",
    "not_converged": "the model does not converge on the original; make it simpler",
    "separated": "the columns foretell the outcome completely in the original; leave some out",
    "out_of_domain": "a logarithm or root of the original is not defined; transform it otherwise",
    "negative": "durations or counts of the original are negative",
    "not_binary": "its outcome or event is not 0 or 1; say which label counts with level",
    "too_many_levels": "a column has too many distinct numbers to make groups of; "
    "use it as a number",
}


class Replication:
    """The user's own analyses, on the original and on the synthetic table.

    The *interval overlap* of a term is the length that its two 95 % intervals share, relative
    to each, averaged over both: 1 where they are the same, 0 where they are disjoint. A term
    is *kept in sign* where both estimates lie on the same side of no effect, and *kept in
    significance* where both intervals leave out no effect, on the same side, or neither does;
    neither is asked of means, proportions and survival, for which no value means no effect.
    What cannot be estimated on the synthetic table is not replicated.

    - Terms about fewer than five persons of the original are counted (``hidden``), not shown.
      Of a term about fewer than five persons of the synthetic table the comparison is shown,
      the synthetic estimate is not.
    - The value is the mean overlap over terms; its interval comes from resampling terms, and
      thus is about the terms of this question, not about persons.
    - Fresh persons of the same number would have an overlap of about .71 for a model that is
      right, since two estimates differ by the root of 2 of their error.

    References
    ----------
    .. [1] A. F. Karr, C. N. Kohnen, A. Oganian, J. P. Reiter, A. P. Sanil, "A framework for
       evaluating the utility of data altered to protect confidentiality", The American
       Statistician 60, 2006.
    .. [2] B. Nowok, G. M. Raab, C. Dibben, "synthpop: bespoke creation of synthetic data in
       R", Journal of Statistical Software 74(11), 2016.
    """

    name: ClassVar[str] = "replication_overlap"

    def run(
        self, case: Case, question: Question
    ) -> tuple[list[dict[str, Any]], dict[str, Finding]]:
        """Do the analyses and compare their terms.

        Parameters
        ----------
        case : Case
        question : Question

        Returns
        -------
        list of dict
            One a term: ``name``, ``kind``, ``scale``, ``term``, ``original`` and
            ``synthetic`` (``estimate``, ``low``, ``high``, ``p``), ``overlap``, ``sign_kept``,
            ``significance_kept`` (both None where not asked) and ``reason`` (why there is no
            synthetic estimate, else None).
        dict of str to Finding
            ``replication_overlap``.

        Raises
        ------
        ParameterError
            If an analysis does not fit the columns, or cannot be computed on the original.
        """
        question.check(case.layout)
        terms: list[dict[str, Any]] = []
        hidden = separated = 0
        for analysis in question.analysis:
            try:
                ours, theirs = analysed(analysis, case.original, case.synthetic)
            except NotFitted as error:
                raise ParameterError(
                    f"Analysis {analysis.name!r}: {_WHY[error.reason]}."
                ) from error
            for term, original in ours.items():
                if isinstance(original, Estimate) and not original.few:
                    terms.append(_compared(analysis, term, original, theirs.get(term, "too_few")))
                elif original == "separated":
                    separated += 1
                else:
                    hidden += 1
        counts = {"hidden": hidden, "not_estimable": separated}
        return terms, {self.name: self._finding(case, terms, counts)}

    def _finding(self, case: Case, terms: list[dict[str, Any]], counts: dict[str, int]) -> Finding:
        if not terms:
            return Finding(
                target=_TARGET, better="higher", why_not="too_few", n=0, detail=dict(counts)
            )
        overlaps = np.array([term["overlap"] for term in terms])
        ci = None
        if len(terms) >= _FEWEST_TERMS:
            rng, repeats = case.rng(self.name), case.effort.repeats
            ci = bootstrap(lambda rows: overlaps[rows].mean(), len(terms), rng, repeats)
        value = float(overlaps.mean())
        verdict = Verdict.PASS if value >= _TARGET else Verdict.ATTENTION
        if ci and ci[1] < _TARGET:
            verdict = Verdict.FAIL
        return Finding(
            value=value,
            ci=ci,
            target=_TARGET,
            better="higher",
            verdict=verdict,
            n=len(terms),
            detail={
                "sign_kept": _share(terms, "sign_kept"),
                "significance_kept": _share(terms, "significance_kept"),
                "terms": len(terms),
                "not_fitted": sum(term["reason"] not in (None, "too_few") for term in terms),
                **counts,
            },
        )


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Give the mean of the length two intervals share, relative to each.

    Examples
    --------
    >>> overlap((0.0, 4.0), (2.0, 4.0)), overlap((0.0, 1.0), (2.0, 3.0))
    (0.75, 0.0)
    """
    low, high = max(a[0], b[0]), min(a[1], b[1])
    if high < low:
        return 0.0
    # A point that lies within the other interval is covered whole.
    shares = [(high - low) / (end - start) if end > start else 1.0 for start, end in (a, b)]
    return float(np.mean(shares))


def _compared(
    analysis: Analysis, term: str, original: Estimate, synthetic: Estimate | str
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": analysis.name,
        "kind": analysis.kind,
        "scale": analysis.scale,
        "term": term,
        "original": original.to_json(),
        "synthetic": None,
        "overlap": 0.0,
        "sign_kept": None,
        "significance_kept": None,
        "reason": None,
    }
    asked = original.p is not None
    if isinstance(synthetic, str):
        found["reason"] = synthetic
        if asked:
            found["sign_kept"] = found["significance_kept"] = False
        return found
    if synthetic.few:
        found["reason"] = "too_few"
    else:
        found["synthetic"] = synthetic.to_json()
    found["overlap"] = overlap((original.low, original.high), (synthetic.low, synthetic.high))
    if asked:
        same = bool(np.sign(original.estimate) == np.sign(synthetic.estimate))
        ours, theirs = _significant(original), _significant(synthetic)
        found["sign_kept"] = same
        found["significance_kept"] = ours == theirs and (same or not ours)
    return found


def _significant(one: Estimate) -> bool:
    return one.low > 0 or one.high < 0


def _share(terms: list[dict[str, Any]], key: str) -> float | None:
    asked = [term[key] for term in terms if term[key] is not None]
    return float(np.mean(asked)) if asked else None
