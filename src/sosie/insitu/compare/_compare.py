"""One question, answered by every way of sharing."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sosie.errors import DataError, ParameterError
from sosie.insitu._derive import derived
from sosie.insitu._question import Question
from sosie.insitu._rows import Rows as HolderRows
from sosie.insitu._rows import labels, require_coded
from sosie.insitu._task import run_in_place
from sosie.insitu.compare import _releases as releases
from sosie.insitu.compare._attacks import AreaMeans, Coefficients, Rows
from sosie.insitu.compare._comparison import Comparison, Way
from sosie.insitu.compare._decomposition import Decomposition, decomposed
from sosie.insitu.compare._model import Fit, Model, NoAnswer
from sosie.insitu.compare._persons import Persons, Scale
from sosie.insitu.compare._risk import risk_of
from sosie.insitu.gate import Gate, Refused
from sosie.table import NUMERIC, Column, Kind, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sosie.insitu.compare._releases import Release

    Share = Callable[[Persons, np.random.Generator], Release]

__all__ = ["compare_ways", "halved", "own_way", "shared_ways"]


def compare_ways(
    tables: Sequence[Table],
    question: Question | dict[str, Any],
    term: str,
    *,
    area: str | None = None,
    schema: Schema | None = None,
    gates: Sequence[Gate] | None = None,
    k: int = 10,
    noise: float = 0.5,
    artificial: bool = True,
    seed: int = 0,
) -> Comparison:
    """Answer one question by every way of sharing, and say what each costs.

    Each holder shares the columns of the question in its own way: the means of its areas,
    groups of `k` persons, noise on every value, avatars, artificial patients; their recipient
    puts the holders together and fits the model. In place, the catalogue answers through the
    gates. All are compared with the answer on all rows together, and attacked alike
    (:class:`Risk`).

    It reads rows of all holders, and so is run by who may: at one holder, or on data that are
    public. What it gives is aggregates.

    Parameters
    ----------
    tables : sequence of Table
        One a holder.
    question : Question or dict
        A ``linear``, ``logistic`` or ``cox`` analysis, with derived columns if any.
    term : str
        The coefficient that is asked about, as results name it: ``"age"``, ``"sex[T.m]"``.
    area : str, optional
        Column of labels by whose means it is shared first; the holders where not given.
    schema : Schema, optional
        Of the agreement; that of the first table where not given.
    gates : sequence of Gate, optional
        One a holder; with the default floors where not given.
    k : int
        Persons of a k-anonymous group, and of the neighbourhood of an avatar.
    noise : float
        Standard deviation of the noise, over that of the column.
    artificial : bool
        Whether artificial patients are tried: three trainings a holder.
    seed : int
        Same tables, question and seed give the same comparison.

    Raises
    ------
    ParameterError
        If the question is none, has no such term, or a setting is out of range.
    DataError
        If a table does not have the columns.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> place = np.repeat(np.arange(6), 50)
    >>> x = place + rng.normal(0, 1, 300)
    >>> y = 2.0 * place - 0.5 * (x - place) + rng.normal(0, 1, 300)
    >>> frame = pl.DataFrame({"x": x, "y": y, "place": [f"p{i}" for i in place]})
    >>> asked = {"analysis": {"id": "linear", "formula": "y ~ x + place"}}
    >>> found = compare_ways([Table.of(frame)], asked, "x", area="place", artificial=False)
    >>> found["in_place"].sign_kept, found["area_means"].sign_kept
    (True, False)
    """
    asked = question if isinstance(question, Question) else Question.of(question)
    if not tables or not isinstance(k, int) or k < 2 or not noise > 0 or seed < 0:
        raise ParameterError(
            "A comparison needs a table or more, k of at least 2, noise above 0 and a seed of 0 "
            "or more."
        )
    schema = schema or tables[0].schema
    gates = [Gate() for _ in tables] if gates is None else list(gates)
    seen = derived(schema, asked.derive)
    if area is not None:
        require_coded(seen, area)
    model = Model(asked.analysis, seen, term, area)
    rows = [
        HolderRows(table, schema, asked.derive, gate.floors)
        for table, gate in zip(tables, gates, strict=True)
    ]
    persons = Persons.stacked([Persons.of(one, model.names, i, area) for i, one in enumerate(rows)])
    if len(persons) < 4 * k:
        raise ParameterError(f"{len(persons)} persons have all columns; {4 * k} are needed.")
    try:
        pooled = model.fit(persons)
    except NoAnswer as error:
        raise ParameterError("The pooled rows have no answer to this question.") from error
    half = halved(persons, np.random.default_rng([seed, 0]))
    ways = shared_ways(rows, persons, model, pooled, half, k, noise, seed, artificial=artificial)
    in_place = _in_place(tables, asked, gates, schema, term, model, persons, pooled, half)
    analysis = asked.analysis
    return Comparison(
        analysis.id,
        getattr(analysis, "formula", ""),
        term,
        len(persons),
        len(tables),
        area,
        len(np.unique(persons.area[persons.area >= 0])),
        pooled,
        (*ways, in_place),
        _decomposition(model, persons),
        {"k": k, "noise": noise, "seed": seed},
    )


def shared_ways(
    rows: Sequence[HolderRows],
    persons: Persons,
    model: Model,
    pooled: Fit,
    half: NDArray[np.bool_],
    k: int,
    noise: float,
    seed: int,
    *,
    artificial: bool,
) -> list[Way]:
    """Try the ways in which something is shared, all but in place.

    Parameters
    ----------
    rows : sequence of Rows
        Of the holders, in the order of ``persons.holder``.
    persons : Persons
        Their complete rows.
    model : Model
    pooled : Fit
        What each answer is compared with.
    half : ndarray of shape (n,), bool
        Who are shared first when risks are measured.
    k, noise, seed, artificial
        As for :func:`compare_ways`.
    """
    typed = [_typed(one, model.names) for one in rows]
    scale = Scale(persons)

    def by_rows(name: str, way: int, share: Share, fewest: int | None) -> Way:
        calls = count()

        def shared(some: Persons) -> Release:
            entropy = [seed, way, next(calls)]
            return releases.stacked(
                [
                    share(some.taken(some.holder == i), np.random.default_rng([*entropy, int(i)]))
                    for i in np.unique(some.holder)
                ]
            )

        try:
            fit = model.fit(shared(persons).rows)
            risk = risk_of(lambda some: Rows(shared(some), model, scale), persons, half, model)
        except NoAnswer as error:
            return Way(name, why_not=error.reason)
        return Way.of(name, fit, pooled, risk, fewest)

    def own(some: Persons) -> Table:
        return typed[int(some.holder[0])].taken(some.place)

    def seed_of(rng: np.random.Generator) -> int:
        return int(rng.integers(2**31))

    ways = [
        _of_areas(model, persons, pooled, half, scale),
        by_rows("k_anonymous", 2, lambda some, _: releases.k_anonymous(some, k), k),
        by_rows("noise", 3, lambda some, rng: releases.noised(some, noise, rng), 1),
        by_rows(
            "avatars", 4, lambda some, rng: releases.avatars(some, own(some), k, seed_of(rng)), k
        ),
    ]
    if not artificial:
        return [*ways, Way("artificial", why_not="left_out")]

    def drawn(some: Persons, rng: np.random.Generator) -> Release:
        return releases.artificial(some, own(some), seed_of(rng))

    return [*ways, by_rows("artificial", 5, drawn, None)]


def _of_areas(
    model: Model, persons: Persons, pooled: Fit, half: NDArray[np.bool_], scale: Scale
) -> Way:
    sizes = np.bincount(persons.area[persons.area >= 0])
    try:
        fit = model.fit_areas(persons)
        risk = risk_of(lambda some: AreaMeans(some, model, scale), persons, half, model)
    except NoAnswer as error:
        return Way("area_means", why_not=error.reason)
    return Way.of("area_means", fit, pooled, risk, int(sizes[sizes > 0].min()))


def _in_place(
    tables: Sequence[Table],
    asked: Question,
    gates: Sequence[Gate],
    schema: Schema,
    term: str,
    model: Model,
    persons: Persons,
    pooled: Fit,
    half: NDArray[np.bool_],
) -> Way:
    try:
        found = run_in_place(tables, asked, gates, schema).tables["terms"]
    except Refused:
        return Way("in_place", why_not="refused")
    except DataError:
        return Way("in_place", why_not="not_fitted")
    one = next(row for row in found if row["term"] == term)
    fit = Fit(one["estimate"], one["se"], one["ci"][0], one["ci"][1], np.empty(0))
    way = own_way(persons, model, pooled, half)
    fewest = max(gate.floors.min_cell for gate in gates)
    return Way.of("in_place", fit, pooled, way.risk, fewest)


def own_way(persons: Persons, model: Model, pooled: Fit, half: NDArray[np.bool_]) -> Way:
    """Give the answer on all rows as a way, with the risk of its coefficients alone."""
    risk = risk_of(lambda some: Coefficients(some, model), persons, half, model)
    return Way.of("in_place", pooled, pooled, risk)


def _decomposition(model: Model, persons: Persons) -> Decomposition | None:
    inside = persons.taken(persons.area >= 0)
    areas, area = np.unique(inside.area, return_inverse=True)
    if model.kind != "linear" or len(areas) < 2:
        return None
    x, place = model.matrix(inside, of_areas=True), model.place_of_areas
    return decomposed(x[:, place], model.outcome(inside), np.delete(x, place, axis=1), area)


def halved(persons: Persons, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw half of the persons of each holder."""
    half = np.zeros(len(persons), bool)
    for holder in np.unique(persons.holder):
        own = np.flatnonzero(persons.holder == holder)
        half[rng.permutation(own)[: len(own) // 2]] = True
    return half


def _typed(rows: HolderRows, names: Sequence[str]) -> Table:
    """Give the complete rows of a holder with the types of its columns, as generators want."""
    series, columns = [], []
    for name in names:
        column = rows.schema[name]
        if column.kind in NUMERIC:
            whole = column.kind is Kind.INTEGER
            kind = Kind.INTEGER if whole else Kind.NUMBER
            values = pl.Series(name, rows.numbers(name), nan_to_null=True)
            series.append(values.cast(pl.Int64) if whole else values)
            columns.append(Column(name=name, kind=kind))
        else:
            told = labels(rows.schema, name)
            known = [*told, None]
            series.append(pl.Series(name, [known[code] for code in rows.codes(name)]))
            columns.append(Column(name=name, kind=Kind.CATEGORY, levels=list(told)))
    frame = pl.DataFrame(series).filter(pl.Series(rows.known(names)))
    return Table.of(frame, Schema(columns=columns))
