"""A rehearsal: the generator judged on persons split for the purpose, before any release."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.evidence._align import align, coded
from sosie.evidence._assess import (
    case_of,
    check_settings,
    input_of,
    judged,
    question_of,
    settled,
    table_of,
)
from sosie.evidence._pooled import pooled
from sosie.evidence.privacy import RegenerationLinkage, ShadowMembership

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._evidence import Evidence
    from sosie.evidence._finding import Finding
    from sosie.evidence._people import People
    from sosie.table import Schema, Table

__all__ = ["Generator", "rehearse"]

_ROUNDS = {"quick": 1, "standard": 3, "thorough": 5}
_FEWEST = 200
_REFITTED_ON = 2_000
"""Most persons on which a generator is fitted again and again."""


class Generator(Protocol):
    """What is rehearsed: fitted on a table, it draws a table; linked too where it can."""

    def fit(self, data: Table) -> Self:
        """Learn from a table of persons."""
        ...

    def sample_tables(self) -> tuple[Table, Table | None]:
        """Draw the released table, and the same in the order of the persons or None."""
        ...

    def get_params(self) -> dict[str, Any]:
        """Give the parameters by name."""
        ...


def rehearse(
    data: Any,
    make: Callable[[int], Generator],
    *,
    schema: Schema | str | Path | None = None,
    target: str | None = None,
    question: str | Path | None = None,
    secrets: Sequence[str] | None = None,
    known: Sequence[str] | None = None,
    effort: str = "standard",
    threshold: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
    source: str | Path | None = None,
    persons: Sequence[Any] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Evidence:
    """Judge a generator: split the persons, fit on one half, attack with the other.

    In each round the persons are split at random; the generator sees one half only. Half of
    the others are control persons while the rest are the attacker's reference, then the two
    change places: no person is in two of the three at a time. As the generator is at hand, it is
    also fitted again and again: shadow membership and regeneration linkage. Rounds share
    persons, so their mean is given with the mean of their intervals, not with a narrower one.

    A generator fitted on half of the persons has fewer to hide each among: what passes here
    is passed by a release made from all rows with the same parameters, or nearly so.

    Parameters
    ----------
    data : Table, dataframe or path
        Persons.
    make : callable
        Makes the generator, not fitted, of a seed.
    schema, target, question, secrets, known, effort, threshold, seed, progress
        As :func:`assess`.
    rounds : int, optional
        Splits; 1, 3 or 5 by effort where not given.
    source : path, optional
        File that ``data`` was read from, for its name and hash.
    persons : sequence, optional
        Whose each row is, where a person has several: all rows of a person then fall on the
        same side of a split. The column itself is not to be in ``data``.

    Returns
    -------
    Evidence
        ``judged`` is ``"generator"``.

    Raises
    ------
    DataError
        If there are fewer than 200 persons, or the generator refuses them.
    """
    started = time.perf_counter()
    threshold, threshold_is = settled(threshold)
    check_settings(effort, threshold, seed)
    table = table_of(data, schema)
    if len(table) < _FEWEST:
        raise DataError(
            f"There are {len(table)} persons: a rehearsal splits them and needs {_FEWEST} at least."
        )
    whose = _whose(persons, len(table))
    times = _ROUNDS[effort] if rounds is None else rounds
    told = progress or (lambda _: None)
    original = input_of(source or data, table)
    asked = None
    found = []
    for one in range(times):
        rng = np.random.default_rng([seed, one])
        seen = _halved(whose, rng)
        train, control = (table.taken(np.flatnonzero(rows)) for rows in (seen, ~seen))
        generator = make(int(rng.integers(2**31))).fit(train)
        released, linked = generator.sample_tables()
        aligned = align(train, released, control, linked)
        if asked is None:
            asked = question_of(question, aligned)
        case = case_of(
            aligned,
            target=target,
            secrets=secrets,
            known=known,
            effort=effort,
            threshold=threshold,
            seed=seed + one,
        )

        def advanced(share: float, *, one: int = one) -> None:
            told((one + share) / times)

        extra: dict[str, Finding] = {}
        if one == 0:
            extra = _with_generator(case, train, make, effort, lambda s: advanced(0.5 * s))
        inputs = {
            "original": original,
            "synthetic": None,
            "control": None,
            "linked": None,
            "left_out": aligned.left_out,
        }
        found.append(
            judged(
                case,
                aligned,
                asked,
                inputs,
                started=started,
                extra=extra,
                progress=lambda s, one=one: advanced(  # type: ignore[misc]
                    0.5 + 0.5 * s if one == 0 else s
                ),
                settings={
                    "generator": {
                        "name": type(generator).__name__,
                        **{k: v for k, v in generator.get_params().items() if k != "seed"},
                    },
                    "rounds": times,
                    "threshold_is": threshold_is,
                },
            )
        )
    return pooled(found)


def _whose(persons: Sequence[Any] | None, n: int) -> NDArray[np.intp]:
    """Give each row the number of its person; each is one where not told."""
    if persons is None:
        return np.arange(n)
    if len(persons) != n:
        raise ParameterError(f"persons names {len(persons)} rows and the table has {n}.")
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(one, len(numbers)) for one in persons], np.intp)


def _halved(whose: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Tell the rows of half of the persons."""
    count = int(whose.max()) + 1
    chosen = np.zeros(count, np.bool_)
    chosen[rng.permutation(count)[: count // 2]] = True
    return chosen[whose]


def _with_generator(
    case: Case,
    train: Table,
    make: Callable[[int], Generator],
    effort: str,
    progress: Callable[[float], None],
) -> dict[str, Finding]:
    """Attack by fitting the generator again and again, on some of the persons if very many."""
    from dataclasses import replace

    links = case.linked is not None
    if len(train) > _REFITTED_ON:
        rows = np.sort(case.rng("refitted on").choice(len(train), _REFITTED_ON, replace=False))
        train = train.taken(rows)
        case = replace(case, original=case.original.taken(rows), linked=None)

    def with_rows(rows: NDArray[np.intp], seed: int) -> People:
        return coded(make(seed).fit(train.taken(rows)).sample_tables()[0], case.layout)

    found: dict[str, Finding] = {}
    shadow = ShadowMembership(with_rows, ShadowMembership.fits_of(effort))
    found |= shadow.run(case, lambda share: progress(share / 2))
    if links:

        def linked(seed: int) -> People:
            table = make(seed).fit(train).sample_tables()[1]
            assert table is not None
            return coded(table, case.layout)

        regeneration = RegenerationLinkage(linked, RegenerationLinkage.sets_of(effort))
        found |= regeneration.run(case, lambda share: progress(0.5 + share / 2))
    return found
