"""What each way of sharing would cost, told by the holders who would share."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._aggregate import Part, Total, counts, estimates, implied_cells, over, votes
from sosie.insitu._analysis import Analysis, ColumnName, Finite, State
from sosie.insitu._design import model_of
from sosie.insitu._result import Result, to_hundredths
from sosie.insitu._rows import labels, require_coded
from sosie.insitu._told import told_of, weighers_of
from sosie.insitu.catalogue._cox import Cox
from sosie.insitu.catalogue._generalised import Logistic  # noqa: TC001 - pydantic reads annotations
from sosie.insitu.catalogue._linear import Linear  # noqa: TC001
from sosie.trust import canonical, sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.insitu.compare._comparison import Way
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["CompareWays"]

_WAYS = ("area_means", "k_anonymous", "noise", "avatars", "artificial", "in_place")
_RISKS = ("found", "recognised", "guessed")
_REASONS = ("too_few_areas", "too_few", "not_fitted", "not_made", "not_installed", "left_out")
_Z = 1.959963984540054


class CompareWays(Analysis):
    """Answer a question by every way of sharing, at each holder, and average what it costs.

    Each holder compares the ways on its own rows, as :func:`sosie.insitu.compare.compare_ways`
    does. The coefficient of each way leaves, with its precision, each to a hundredth of the
    standard error, and its three risks, in steps that no fewer persons than the floor can move;
    nothing that was shared in trial does. Where a way has no answer at a holder, one of a few
    reasons leaves. What is drawn at a holder depends on the question and on a number that it
    alone has: who knew the noise would know the rows it was added to.

    Examples
    --------
    >>> asked = {"id": "linear", "formula": "bp ~ age"}
    >>> CompareWays.model_validate({"of": asked, "term": "age", "area": "town"}).columns
    ('bp', 'age', 'town')
    """

    version: ClassVar[str] = "4"
    rounds_seen: ClassVar[bool] = False
    id: Literal["compare_ways"] = "compare_ways"
    of: Annotated[Linear | Logistic | Cox, Field(discriminator="id")]
    term: Annotated[str, Field(min_length=1, max_length=300)]
    area: ColumnName
    k: Annotated[int, Field(ge=2, le=1000)] = 10
    noise: Annotated[Finite, Field(gt=0, le=100)] = 0.5
    artificial: bool = False
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(dict.fromkeys((*self.of.columns, self.area)))

    def start(self, schema: Schema) -> State:
        """Check the question, its term and the areas."""
        from sosie.insitu.compare._model import Model

        self.of.start(schema)
        require_coded(schema, self.area)
        model = Model(self.of, schema, self.term, self.area)
        return {"model": model, "areas": len(labels(schema, self.area))}

    def local(self, rows: Rows, state: State) -> Part:
        """Compare the ways on this holder's rows."""
        from sosie.insitu.compare._compare import halved, own_way, shared_ways
        from sosie.insitu.compare._model import NoAnswer
        from sosie.insitu.compare._persons import Persons

        model = state["model"]
        known = rows.known(self.columns)
        persons = Persons.of(rows, model.names, 0, self.area)
        persons = persons.taken(persons.area >= 0)
        if len(persons) < 4 * self.k:
            raise DataError("There are too few persons to compare ways of sharing.")
        seed = self._drawn_by(rows)
        half = halved(persons, np.random.default_rng([seed, 0]))
        try:
            own = model.fit(persons)
            ways = shared_ways(
                [rows], persons, model, own, half, self.k, self.noise, seed,
                artificial=self.artificial,
            )  # fmt: skip
            ways.append(own_way(persons, model, own, half))
            matrix = model.matrix(persons)
        except NoAnswer as error:
            raise DataError("The rows have no answer to this question.") from error
        outcome = model.told(persons)
        n, fewest = len(persons), rows.floors.min_cell
        told_ways = [_answer(way, n, fewest) for way in ways]
        answers = np.array([answer for answer, _ in told_ways])
        why = votes(np.array([[reason == one for one in _REASONS] for _, reason in told_ways]))
        sizes = counts(persons.area, state["areas"], known)
        told = [rows.selection(members, self.columns, (self.area,)) for members in sizes.members]
        design = self.of.start(rows.schema)["design"]
        response = np.zeros(len(rows))
        response[known] = outcome
        of = self.of.event if isinstance(self.of, Cox) else self.of.columns[0]
        weighers = [*weighers_of(design, rows), (response, (of,))]
        whole, summed = told_of(rows, known, self.columns, weighers)
        # Means of areas tell of each area what a model tells of all.
        everything = np.column_stack([matrix, outcome])
        cells = implied_cells(everything)
        for place, members in enumerate(sizes.members):
            inside, of_area = told_of(rows, members, self.columns, weighers, (self.area,))
            told += inside[1:]  # the area itself stands there already
            summed += of_area
            cells += implied_cells(everything[persons.area == place])
        found = replace(estimates(answers, n), cells=cells)
        found = over(found, counts(np.zeros(n, np.int64), 1, known))
        weighed = model_of(np.column_stack([np.ones(n), matrix]))
        arrays = {"areas": sizes, "answers": found, "why_not": why}
        return Part(arrays, (*whole, *told), weighed, summed)

    def _drawn_by(self, rows: Rows) -> int:
        """Give the seed of this question at this holder; without one of its own, any."""
        own = secrets.randbits(53) if rows.beside.seed is None else rows.beside.seed
        rules = [rule.model_dump(mode="json") for rule in rows.rules.values()]
        said = {"analysis": self.model_dump(mode="json"), "rules": rules, "own": own}
        return int(sha256(canonical(said))[:13], 16)

    def combine(self, total: Total, state: State) -> Result:
        """Average the answers by their precision, and the risks by persons."""
        from sosie.insitu.compare._comparison import overlap

        answers, n = total["answers"], float(total["areas"].sum())
        if not answers[-1, 0] > 0:
            raise DataError("There is no answer to compare with.")
        pooled = answers[-1, 1] / answers[-1, 0]
        error = 1 / np.sqrt(answers[-1, 0])
        band = (pooled - _Z * error, pooled + _Z * error)
        ways: list[dict[str, Any]] = []
        for name, (w, wb, m, *risks), why in zip(_WAYS, answers, total["why_not"], strict=True):
            # What most of those holders say that have no answer; None where all have one.
            reason = _REASONS[int(why.argmax())] if why.max() > 0.5 else None
            if not w > 0:
                ways.append({"way": name, "estimate": None, "why_not": reason})
                continue
            b, se = wb / w, 1 / np.sqrt(w)
            ci = (float(b - _Z * se), float(b + _Z * se))
            row = {
                "way": name, "estimate": float(b), "se": float(se), "ci": list(ci),
                "bias_in_se": float((b - pooled) / error), "overlap": overlap(ci, band),
                "sign_kept": bool((b > 0) == (pooled > 0)), "why_not": reason,
            }  # fmt: skip
            ways.append(row | {risk: float(x / m) for risk, x in zip(_RISKS, risks, strict=True)})
        bound = (
            "An average of one comparison a holder; the answer in place is that of a "
            "meta-analysis. Risks are of one holder's sharing, in steps of the gate's floor."
        )
        values: dict[str, Any] = {"n": n, "holders": total.holders, "term": self.term}
        return Result(self.id, values, {"ways": ways}, exact=False, bound=bound)


def _answer(way: Way, n: int, fewest: int) -> tuple[list[float], str | None]:
    """Give precision, weighted estimate, persons and weighted risks; zeros, and why, for none."""
    from sosie.insitu.gate._judgement import step_of

    step = step_of(n, fewest)
    if way.estimate is None or way.low is None or way.high is None:
        return [0.0] * 6, way.why_not
    if way.risk is None or step is None:
        return [0.0] * 6, "too_few"
    if not way.high > way.low:
        return [0.0] * 6, "not_fitted"
    error = (way.high - way.low) / (2 * _Z)
    estimate, se = to_hundredths(np.array([way.estimate, error]), np.full(2, error)).tolist()
    risks = [round(getattr(way.risk, risk).value / step) * step for risk in _RISKS]
    return [1 / se**2, estimate / se**2, float(n), *(n * one for one in risks)], None
