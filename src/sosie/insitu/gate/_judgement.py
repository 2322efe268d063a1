"""What may be told of a synthetic table that was judged where its original lies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError
from sosie.insitu._aggregate import Selection
from sosie.insitu.gate._checks import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sosie.insitu.gate._memory import Memory
    from sosie.trust import Floors

__all__ = [
    "MOST_JUDGED",
    "MOST_TOLD",
    "WORDS",
    "Judgement",
    "Measure",
    "TooMuchError",
    "checked",
    "remembered",
    "said",
    "step_of",
]

FORMAT = "sosie-verdict/1"

MOST_JUDGED = 20
"""Tables judged against one original under an agreement: who could have any number of tables
judged, each with another guess at a person in it, would read the person in the verdicts."""

MOST_TOLD = 8 << 20
"""Bytes of a verdict and its rows, at most: what one message carries."""

WORDS = ("pass", "attention", "fail", "information", "not_measured")
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
_HASH = re.compile(r"[0-9a-f]{64}")

_TOLD = frozenset(
    {
        "exact_copies", "near_copies", "moved_copies", "singling_out_multivariate", "linkability",
        "linkability_nearest", "attribute_inference_max", "membership_auc", "membership_tpr_at_1",
        "hellinger_mean", "univariate_distance", "association_difference",
        "three_way_difference", "projection_difference", "missing_difference", "sd_ratio",
        "detector_auc", "tstr_auc", "trtr_auc", "replication_overlap",
    }
)  # fmt: skip
"""Measures that are told: shares, probabilities and distances over all persons. Those about rare
labels or isolated persons, and all details, are about a few and stay."""


class TooMuchError(DataError):
    """Rows that may leave, but are more than one message carries."""


@dataclass(frozen=True)
class Measure:
    """One measure of the evidence.

    Attributes
    ----------
    verdict : str
    value : float or None
        What was measured; a share, a probability or a distance.
    advantage : float or None
        Of an attack: how much more is found than of persons whom the generator never saw.
    persons : int
        Of whom, at least, it was measured.
    """

    verdict: str
    value: float | None
    advantage: float | None
    persons: int


@dataclass(frozen=True)
class Judgement:
    """The evidence of a holder, before the gate.

    Attributes
    ----------
    synthetic : str
        SHA-256 of the synthetic table.
    rows, persons : int
        Of the synthetic table, and of the original.
    verdict : str
    criteria : dict of str to str
        Verdict of each criterion.
    measures : dict of str to Measure
    settings : dict of str to number or text
        Told as they are: effort, threshold, seed, version.
    csv : str, optional
        The synthetic rows, where they are to leave with their verdict.
    """

    synthetic: str
    rows: int
    persons: int
    verdict: str
    criteria: Mapping[str, str]
    measures: Mapping[str, Measure]
    settings: Mapping[str, float | str] = field(default_factory=dict)
    csv: str | None = field(default=None, repr=False)


def checked(
    found: Judgement, floors: Floors, memory: Memory, accept: Collection[str]
) -> list[Verdict]:
    """Check what would be told of a table.

    Rows leave with a verdict that the agreement accepts, alone.
    """
    judged = {name for name in memory.columns if name.startswith("synthetic ")}
    words = [found.verdict, *found.criteria.values()]
    words += [one.verdict for one in found.measures.values()]
    names = [*found.criteria, *found.measures, *found.settings]
    form = (
        all(word in WORDS for word in words)
        and all(_NAME.fullmatch(name) for name in names)
        and _HASH.fullmatch(found.synthetic) is not None
        and all(isinstance(one, float | int) or len(one) <= 120 for one in found.settings.values())
    )
    enough = min(found.persons, found.rows) >= 2 * floors.min_cell
    fewer = len(judged | {_mark(found)}) <= MOST_JUDGED
    good = found.csv is None or found.verdict in accept
    return [
        Verdict("evidence", "the agreement's clause on evidence", good),
        Verdict("persons", "dsBase nfilter.subset; vantage6, minimum of rows", enough),
        Verdict("judgements", "each table judged is an answer about its original", fewer),
        Verdict("form", "default deny: known words, names and hashes", form),
    ]


def remembered(found: Judgement, rows: Any) -> Selection:
    """Give what the memory keeps: that this table was judged against all persons."""
    return Selection(rows, frozenset({_mark(found)}), frozenset())


def said(found: Judgement, floors: Floors) -> dict[str, Any]:
    """Give what leaves.

    Where the table fails, the words alone: numbers would say which attack to make. Elsewhere the
    measures over all persons, in steps that no fewer than the floor of persons can move.
    """
    measures = {}
    if found.verdict != "fail":
        for name, one in sorted(found.measures.items()):
            step = step_of(one.persons, floors.min_cell)
            if name in _TOLD and one.value is not None and step is not None:
                measures[name] = {
                    "verdict": one.verdict,
                    "value": _rounded(one.value, step),
                    "advantage": None if one.advantage is None else _rounded(one.advantage, step),
                    "step": step,
                }
    told: dict[str, Any] = {
        "format": FORMAT,
        "synthetic": {"sha256": found.synthetic, "rows": found.rows},
        "persons_about": round(found.persons, -1),
        "verdict": found.verdict,
        "criteria": dict(found.criteria),
        "measures": measures,
        "settings": dict(found.settings),
    }
    return told if found.csv is None else told | {"csv": found.csv}


def _mark(found: Judgement) -> str:
    return f"synthetic {found.synthetic}"


def step_of(persons: int, fewest: int) -> float | None:
    """Find the finest step of a share that stands for enough persons.

    Examples
    --------
    >>> step_of(500, 11), step_of(2000, 11), step_of(40, 11)
    (0.05, 0.01, None)
    """
    return next((step for step in _STEPS if step * persons >= fewest), None)


def _rounded(value: float, step: float) -> float:
    return round(round(value / step) * step, 2) + 0.0
