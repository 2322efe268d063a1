"""A synthetic table judged where its original lies; only the verdict leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError
from sosie.insitu._result import Result
from sosie.insitu.gate import Judgement, Measure
from sosie.insitu.synthetic._told import Told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sosie.evidence import Evidence
    from sosie.insitu.gate import Cleared, Gate
    from sosie.table import Schema

__all__ = ["Judged", "judge_in_place", "verdicts", "verdicts_of"]

_ORDER = ("pass", "attention", "fail")
_BOUND = (
    "Each holder's synthetic table was judged where its original lies; numbers are in steps that "
    "no fewer persons than the gate's floor can move, and where a table fails none are told."
)


@dataclass(frozen=True)
class Judged:
    """What a holder has after a table was judged.

    Attributes
    ----------
    cleared : Cleared
        What leaves.
    evidence : Evidence
        All that was measured; it stays at the holder.
    """

    cleared: Cleared
    evidence: Evidence = field(repr=False)

    @property
    def verdict(self) -> str:
        """``pass``, ``attention`` or ``fail``."""
        return str(self.evidence.verdict)


def judge_in_place(
    original: Any,
    synthetic: Any,
    control: Any = None,
    *,
    gate: Gate,
    schema: Schema | str | Path | None = None,
    target: str | None = None,
    question: str | Path | None = None,
    secrets: Sequence[str] | None = None,
    known: Sequence[str] | None = None,
    effort: str = "standard",
    threshold: float = 0.05,
    seed: int = 0,
) -> Judged:
    """Judge a holder's synthetic table by the evidence room, and pass the verdict through the gate.

    The table is one of the holder's own files: judged for others, it could be a guess.

    Parameters
    ----------
    original, synthetic, control : Table, dataframe or path
        As for ``sosie.assess``; without control nothing passes.
    gate : Gate
        Of this agreement at this holder.
    schema, target, question, secrets, known, effort, threshold, seed
        As for ``sosie.assess``.

    Returns
    -------
    Judged

    Raises
    ------
    Refused
        If the gate lets the verdict not out, or the tables cannot be judged, in the same words.
    ParameterError
        If the effort, the threshold or the seed is none, before a row is read.

    Examples
    --------
    >>> import json, numpy as np, polars as pl
    >>> from sosie.insitu import Gate
    >>> rng = np.random.default_rng(0)
    >>> a, b, c = (pl.DataFrame({"x": rng.random(200), "y": rng.random(200)}) for _ in range(3))
    >>> judged = judge_in_place(a, b, c, gate=Gate(), effort="quick")
    >>> json.loads(judged.cleared.payload)["verdict"] == judged.verdict
    True
    """
    from sosie.evidence import assess
    from sosie.evidence._assess import check_settings

    check_settings(effort, threshold, seed)
    try:
        evidence = assess(
            original,
            synthetic,
            control,
            schema=schema,
            target=target,
            question=question,
            secrets=secrets,
            known=known,
            effort=effort,
            threshold=threshold,
            seed=seed,
        )
    except Exception as error:  # whatever it is, its words may tell of rows: they stay here
        raise gate.refuse("rows") from error
    return Judged(gate.judgement(judgement_of(evidence)), evidence)


def judgement_of(evidence: Evidence) -> Judgement:
    """Take out of the evidence what a gate may look at."""
    measures = {}
    for name, one in {**evidence.privacy, **evidence.utility}.items():
        sizes = [n for n in (one.n, one.n_control) if n is not None]
        measures[name] = Measure(
            str(one.verdict), one.value, one.difference, min(sizes) if sizes else 0
        )
    settings = evidence.settings
    return Judgement(
        evidence.inputs["synthetic"]["sha256"],
        evidence.inputs["synthetic"]["rows"],
        evidence.inputs["original"]["rows"],
        str(evidence.verdict),
        {str(name): str(one.verdict) for name, one in evidence.criteria.items()},
        measures,
        {
            "effort": settings["effort"],
            "threshold": settings["threshold"],
            "seed": settings["seed"],
            "control": "given" if evidence.inputs["control"] else "none",
            "sosie": evidence.sosie,
        },
    )


def verdicts(payloads: Sequence[bytes]) -> Result:
    """Put the verdicts of several holders together, at the hub.

    Parameters
    ----------
    payloads : sequence of bytes
        One a holder; in the tables, holders are numbered from 1.

    Returns
    -------
    Result
        The worst verdict; tables ``verdicts``, one row a holder and criterion; ``measures``, where
        any is told; and ``judged``, what was judged.

    Raises
    ------
    TrustError
        If a payload is no verdict.
    DataError
        If there is none.
    """
    return verdicts_of([Told.read(payload) for payload in payloads])


def verdicts_of(told: Sequence[Told]) -> Result:
    """Put together what :func:`verdicts` reads."""
    if not told:
        raise DataError("There is no verdict to put together.")
    tables: dict[str, list[dict[str, Any]]] = {"verdicts": [], "judged": [], "measures": []}
    for holder, one in enumerate(told, 1):
        tables["verdicts"] += [
            {"holder": holder, "criterion": name, "verdict": word}
            for name, word in [("all", one.verdict), *one.criteria.items()]
        ]
        tables["judged"].append(
            {"holder": holder, "rows": one.synthetic.rows, "persons_about": one.persons_about,
             **one.settings, "sha256": one.synthetic.sha256}
        )  # fmt: skip
        tables["measures"] += [
            {"holder": holder, "measure": name, **measure.model_dump()}
            for name, measure in one.measures.items()
        ]
    worst = max((one.verdict for one in told), key=_ORDER.index)
    kept = {name: rows for name, rows in tables.items() if rows}
    return Result("evidence", {"verdict": worst}, kept, exact=False, bound=_BOUND)
