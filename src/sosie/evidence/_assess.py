"""The battery on one synthetic table, whatever made it."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError, ParameterError
from sosie.evidence._align import Aligned, align, read_alike
from sosie.evidence._case import EFFORTS, Case
from sosie.evidence._conclusion import concluded
from sosie.evidence._controls import controls
from sosie.evidence._evidence import Evidence
from sosie.evidence.privacy import ATTACKS, identifiers
from sosie.evidence.utility import MEASURES, Replication
from sosie.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sosie.evidence._finding import Finding
    from sosie.evidence._question import Question
    from sosie.table import Schema

__all__ = [
    "OPEN_RELEASE",
    "THRESHOLD",
    "assess",
    "case_of",
    "check_settings",
    "input_of",
    "judged",
    "question_of",
    "settled",
    "table_of",
]

THRESHOLD, OPEN_RELEASE = 0.05, 0.02
"""Advantage of an attacker above which a criterion fails; the controller may set another."""

_LIBRARIES = ("sosie", "numpy", "polars", "scipy", "scikit-learn", "statsmodels", "lifelines")


def assess(
    original: Any,
    synthetic: Any,
    control: Any = None,
    linked: Any = None,
    *,
    schema: Schema | str | Path | None = None,
    target: str | None = None,
    question: str | Path | None = None,
    secrets: Sequence[str] | None = None,
    known: Sequence[str] | None = None,
    effort: str = "standard",
    threshold: float | None = None,
    seed: int = 0,
    missing: list[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Evidence:
    """Judge a synthetic table by attacks on the persons of its original, and by its use.

    Parameters
    ----------
    original, synthetic : Table, dataframe or path
        Persons the generator saw, and what it made.
    control : Table, dataframe or path, optional
        Persons of the same population whom the generator never saw. Without them nothing can
        pass: see ``sosie rehearse``.
    linked : Table, dataframe or path, optional
        Row i is the avatar of person i: for the diagnostics of avatars.
    schema : Schema or path, optional
        What is already known of the columns of the original.
    target : str, optional
        Column that models predict from the others.
    question : path, optional
        TOML file of the analyses that the table is for.
    secrets, known : sequence of str, optional
        Columns that an attacker wants to learn, and may know; all where not given.
    effort : {"quick", "standard", "thorough"}
    threshold : float, optional
        Advantage of an attacker above which a criterion fails; 0.05 where not given.
    seed : int
        Same tables, settings and seed give the same evidence.
    missing : list of str, optional
        Further spellings of a missing cell, in any column of any table.
    progress : callable, optional
        Told the share of the work done, from 0 to 1.

    Returns
    -------
    Evidence

    Raises
    ------
    DataError
        If the tables cannot be compared.
    ParameterError
        If a setting is out of range or names no column.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> rng = np.random.default_rng(0)
    >>> a, b, c = (pl.DataFrame({"x": rng.random(200), "y": rng.random(200)}) for _ in range(3))
    >>> evidence = assess(a, b, c, effort="quick")
    >>> evidence.privacy["exact_copies"].value
    0.0
    """
    started = time.perf_counter()
    threshold, threshold_is = settled(threshold)
    check_settings(effort, threshold, seed)
    given = {"synthetic": synthetic, "control": control, "linked": linked}
    names = {role: _called(source, role) for role, source in given.items()}
    names["original"] = _called(original, "original")
    table = table_of(original, schema, missing)
    others = {
        role: None if source is None else read_alike(source, table, names[role], missing)
        for role, source in given.items()
    }
    assert others["synthetic"] is not None
    aligned = align(table, others["synthetic"], others["control"], others["linked"], names)
    case = case_of(
        aligned,
        target=target,
        secrets=secrets,
        known=known,
        effort=effort,
        threshold=threshold,
        seed=seed,
    )
    asked = question_of(question, aligned)
    inputs: dict[str, Any] = {"original": input_of(original, table)}
    inputs |= {role: input_of(source, others[role]) for role, source in given.items()}
    inputs["left_out"] = aligned.left_out
    return judged(
        case,
        aligned,
        asked,
        inputs,
        started=started,
        progress=progress,
        settings={"threshold_is": threshold_is},
    )


def judged(
    case: Case,
    aligned: Aligned,
    asked: Question | None,
    inputs: dict[str, Any],
    *,
    started: float,
    extra: dict[str, Finding] | None = None,
    progress: Callable[[float], None] | None = None,
    settings: dict[str, Any] | None = None,
) -> Evidence:
    """Run the battery on a case."""
    told = progress or (lambda _: None)
    measured = case.measured()
    steps = len(ATTACKS) + len(MEASURES) + 4
    done = 0
    privacy: dict[str, Finding] = {"identifiers_copied": identifiers(aligned.kept)}
    for attack in ATTACKS:
        privacy |= attack().run(case)
        told((done := done + 1) / steps)
    privacy |= extra or {}
    utility: dict[str, Finding] = {}
    for measure in MEASURES:
        utility |= measure().run(measured)
        told((done := done + 1) / steps)
    replication: list[dict[str, Any]] = []
    if asked is not None:
        replication, found = Replication().run(measured, asked)
        utility |= found
    tried: dict[str, Any] = {}
    if case.control is not None:
        base = done
        tried = controls(case, lambda share: told((base + 4 * share) / steps))
    criteria, verdict = concluded(privacy, tried, control=case.control is not None)
    today = dt.datetime.now(dt.UTC).date()
    return Evidence(
        sosie=version("sosie"),
        judged="table" if extra is None else "generator",
        made_on=today.isoformat(),
        review_by=_a_year_after(today).isoformat(),
        verdict=verdict,
        criteria=criteria,
        privacy=privacy,
        utility=utility,
        replication=replication,
        controls=tried,
        inputs=inputs,
        settings=_settings(case)
        | {"seconds": round(time.perf_counter() - started, 1)}
        | (settings or {}),
    )


def case_of(
    aligned: Aligned,
    *,
    target: str | None,
    secrets: Sequence[str] | None,
    known: Sequence[str] | None,
    effort: str,
    threshold: float,
    seed: int,
) -> Case:
    """Make the case, its columns checked."""
    names = aligned.original.layout.names
    for option, given in (
        ("target", [target] if target else []),
        ("secret", secrets or ()),
        ("known", known or ()),
    ):
        for name in given:
            _check_column(name, option, names, aligned.left_out)
    if target is not None:
        _check_target(target, aligned)
    return Case(
        aligned.original,
        aligned.synthetic,
        aligned.control,
        aligned.linked,
        tuple(secrets or names),
        tuple(known or names),
        target,
        threshold,
        EFFORTS[effort],
        seed,
    )


def settled(threshold: float | None) -> tuple[float, str]:
    """Give the threshold, and whether it is the default or was set: who signs is to know."""
    return (THRESHOLD, "default") if threshold is None else (threshold, "set")


def check_settings(effort: str, threshold: float, seed: int) -> None:
    if effort not in EFFORTS:
        listed = ", ".join(EFFORTS)
        raise ParameterError(f"There is no effort {effort!r}; use one of: {listed}.")
    if not 0 < threshold < 1:
        raise ParameterError(f"The threshold is between 0 and 1, not {threshold}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ParameterError(f"The seed is a whole number of at least 0, not {seed!r}.")


def _check_column(name: str, option: str, names: Sequence[str], left_out: dict[str, str]) -> None:
    import difflib

    if name in names:
        return
    if name in left_out:
        raise ParameterError(
            f"Column {name!r}, given as {option}, is not compared: it is of kind {left_out[name]}."
        )
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else "check its spelling."
    raise ParameterError(f"There is no column {name!r}, given as {option}; {hint}")


def _check_target(target: str, aligned: Aligned) -> None:
    import numpy as np

    for role, people in (("original", aligned.original), ("control", aligned.control)):
        if people is None:
            continue
        values = people.column(target)[~people.missing(target)]
        if len(np.unique(values)) < 2:
            raise DataError(
                f"The target {target!r} has one value only in the {role}: nothing can be "
                "predicted; choose another target."
            )


def table_of(
    source: Any, schema: Schema | str | Path | None, missing: list[str] | None = None
) -> Table:
    """Read a path, or take a table."""
    if isinstance(source, str | Path):
        return Table.read(source, schema, missing=missing)
    return Table.of(source, schema, missing=missing)


def _called(source: Any, role: str) -> str:
    return str(source) if isinstance(source, str | Path) else f"The {role} table"


def question_of(path: str | Path | None, aligned: Aligned) -> Question | None:
    if path is None:
        return None
    from sosie.evidence._question import Question

    question = Question.read(path)
    question.check(aligned.original.layout)
    return question


def input_of(source: Any, table: Table | None) -> dict[str, Any] | None:
    if table is None:
        return None
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = Path(source).name
    else:
        digest = hashlib.sha256(table.frame.write_ipc(None).getbuffer()).hexdigest()
        name = ""
    return {"name": name, "rows": len(table), "columns": len(table.names), "sha256": digest}


def _settings(case: Case) -> dict[str, Any]:
    effort = next(name for name, one in EFFORTS.items() if one == case.effort)
    tables = {"original": case.original, "control": case.control}
    sampled = {
        role: [min(len(people), case.n_attacked), len(people)]
        for role, people in tables.items()
        if people is not None
    }
    sampled["synthetic"] = [len(case.compared), len(case.synthetic)]
    return {
        "effort": effort,
        "seed": case.seed,
        "threshold": case.threshold,
        "secrets": list(case.secrets),
        "known": list(case.known),
        "target": case.target,
        "sampled": sampled,
        "versions": {name: version(name) for name in _LIBRARIES},
        "generator": None,
        "rounds": None,
    }


def _a_year_after(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)
