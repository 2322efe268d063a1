"""Avatars that each holder makes of its own persons, in factors of all holders."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import ParameterError
from sosie.insitu._question import Question
from sosie.insitu._rows import Rows
from sosie.insitu._task import run_in_place
from sosie.insitu.gate import Refused
from sosie.insitu.synthetic._judge import judgement_of
from sosie.insitu.synthetic._place import InFactors, coordinates_in
from sosie.insitu.synthetic._told import Told
from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.evidence import Evidence
    from sosie.insitu._result import Result
    from sosie.insitu.gate import Cleared, Gate, Judgement
    from sosie.table import Schema, Table
    from sosie.trust import Floors

__all__ = [
    "FederatedAvatars",
    "Made",
    "Released",
    "avatars_in_place",
    "federated_avatars",
    "made_avatars",
    "received",
]

_SET_ASIDE = 1 / 3
_ORDER = ("pass", "attention")


@dataclass(frozen=True)
class Made:
    """Avatars before the gate.

    Attributes
    ----------
    judgement : Judgement
        What may leave, with the rows.
    table : Table
    evidence : Evidence
    """

    judgement: Judgement
    table: Table
    evidence: Evidence = field(repr=False)


@dataclass(frozen=True)
class Released:
    """What a holder has after it made avatars that may leave.

    Attributes
    ----------
    cleared : Cleared
        What leaves: the verdict, and the rows in random order.
    table : Table
        The same rows.
    evidence : Evidence
        All that was measured; it stays at the holder.
    """

    cleared: Cleared
    table: Table
    evidence: Evidence = field(repr=False)


@dataclass(frozen=True)
class FederatedAvatars:
    """Avatars of several holders.

    Attributes
    ----------
    factors : Result
        Of the analysis ``famd``.
    releases : tuple of Released or None
        One a holder; None where the holder refused, in words that are always the same.
    """

    factors: Result
    releases: tuple[Released | None, ...]

    @property
    def tables(self) -> list[Table]:
        """The avatars of the holders whose evidence allows their release."""
        return [one.table for one in self.releases if one is not None]


def avatars_in_place(
    table: Table,
    factors: Result,
    *,
    gate: Gate,
    schema: Schema | None = None,
    control: Table | None = None,
    k: int = 10,
    kernel: str = "gibbs",
    worst: str = "pass",
    effort: str = "standard",
    threshold: float = 0.05,
    seed: int | None = None,
) -> Released:
    """Make avatars of a holder's persons in common factors, judge them, and let them leave.

    Neighbourhoods are those of the holder's own persons, in the factors of all holders. Margins
    stay the holder's own: put together, the avatars of all holders then have the margins of all
    persons, and no quantile has to leave. A third of the persons is set aside as control, unless
    others are given, and gets no avatar.

    Parameters
    ----------
    table : Table
    factors : Result
        Of the analysis ``famd`` on all holders.
    gate : Gate
    schema : Schema, optional
        Of the agreement: the columns that leave, with their labels; those of the table else.
    control : Table, optional
        Persons who get no avatar.
    k : int
        Persons of a neighbourhood.
    kernel : str
        As for :class:`sosie.Avatar`.
    worst : {"pass", "attention"}
        Worst verdict of the evidence with which rows leave; ``"attention"`` where it is agreed
        that finding no leak among too few persons to exclude one is enough.
    effort, threshold
        As for ``sosie.assess``.
    seed : int, optional
        Of the holder, who tells nobody; drawn where not given.

    Returns
    -------
    Released

    Raises
    ------
    Refused
        If the evidence or the gate lets them not out; the reason stays.
    ParameterError
        If a setting is none.
    """
    from sosie.generators import KERNELS

    if worst not in _ORDER or kernel not in KERNELS:
        raise ParameterError(
            f"worst is pass or attention, and kernel one of: {', '.join(KERNELS)}."
        )
    schema = schema or table.schema
    try:
        made = made_avatars(
            _only(table, schema), None if control is None else _only(control, schema), factors,
            gate.floors, schema, k=k, kernel=kernel, effort=effort, threshold=threshold, seed=seed,
        )  # fmt: skip
    except ParameterError:
        raise
    except Exception as error:  # whatever it is, its words may tell of rows: they stay here
        raise gate.refuse("rows") from error
    accept = _ORDER[: _ORDER.index(worst) + 1]
    return Released(gate.judgement(made.judgement, accept), made.table, made.evidence)


def made_avatars(
    table: Table,
    control: Table | None,
    factors: Result,
    floors: Floors,
    schema: Schema | None = None,
    *,
    k: int,
    kernel: str,
    effort: str,
    threshold: float,
    seed: int | None,
) -> Made:
    """Make avatars of a holder's persons in common factors, and judge them: see above.

    Parameters
    ----------
    table, control : Table
        Of the columns that would leave.
    factors, k, kernel, effort, threshold, seed
        As for :func:`avatars_in_place`.
    floors : Floors
    schema : Schema, optional
        Of the agreement; that of the table where not given.

    Raises
    ------
    ParameterError, DataError
        If there are too few persons, or too many in a neighbourhood.
    """
    from sosie.evidence import assess
    from sosie.generators import KERNELS, Avatar

    own = table
    entropy = None if seed is None else [seed, 1]
    rows = np.random.default_rng(entropy).permutation(len(own))
    if control is None:
        aside = round(len(own) * _SET_ASIDE)
        control, own = own.taken(np.sort(rows[:aside])), own.taken(np.sort(rows[aside:]))
    where = coordinates_in(factors, Rows(own, schema or table.schema, (), floors))
    avatar = Avatar(k, where.shape[1], kernel=InFactors(KERNELS[kernel](), where), seed=seed)
    avatars, linked = avatar.fit(own).sample_tables()
    evidence = assess(own, avatars, control, linked, effort=effort, threshold=threshold)
    csv = avatars.frame.write_csv()
    found = replace(
        judgement_of(evidence), synthetic=sha256(csv.encode()), persons=len(table), csv=csv
    )
    return Made(found, avatars, evidence)


def federated_avatars(
    tables: Sequence[Table],
    gates: Sequence[Gate],
    columns: Sequence[str],
    *,
    schema: Schema | None = None,
    n_factors: int = 5,
    recipient_holds: bool = True,
    **settings: Any,
) -> FederatedAvatars:
    """Fit factors on all holders in place, then let each make and judge its avatars.

    Parameters
    ----------
    tables : sequence of Table
        One a holder.
    gates : sequence of Gate
        One a holder.
    columns : sequence of str
        Of which factors are made.
    schema : Schema, optional
        Of the agreement; that of the first table where not given.
    n_factors : int
    recipient_holds : bool
        Whether a holder receives the factors.
    **settings
        Of :func:`avatars_in_place`.

    Raises
    ------
    Refused
        If a gate lets the factors not out.
    ParameterError, DataError
        As :func:`run_in_place`.
    """
    schema = schema or tables[0].schema
    asked = Question.of(
        {"analysis": {"id": "famd", "columns_of": list(columns), "factors": n_factors}}
    )
    factors = run_in_place(tables, asked, gates, schema, recipient_holds=recipient_holds)
    releases: list[Released | None] = []
    for table, gate in zip(tables, gates, strict=True):
        try:
            releases.append(avatars_in_place(table, factors, gate=gate, schema=schema, **settings))
        except Refused:
            releases.append(None)
    return FederatedAvatars(factors, tuple(releases))


def received(payload: bytes, schema: Schema) -> Table:
    """Read the avatars that a holder let leave.

    Parameters
    ----------
    payload : bytes
    schema : Schema
        Of the agreement.

    Raises
    ------
    TrustError
        If the message has no rows, or not those that were judged.
    """
    import polars as pl

    from sosie.table import Table

    rows = Told.read(payload).rows
    frame = pl.read_csv(io.BytesIO(rows.encode()), infer_schema=False)
    return Table.of(frame, schema.only(frame.columns))


def _only(table: Table, schema: Schema) -> Table:
    """Keep the columns of the agreement."""
    from sosie.table import Table

    names = [name for name in table.names if name in schema]
    if names == table.names:
        return table
    return Table.of(table.frame.select(names), table.schema.only(names))
