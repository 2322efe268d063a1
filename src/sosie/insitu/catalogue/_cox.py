"""Cox's proportional hazards: a baseline a holder, or one baseline on a grid of times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._aggregate import Model, Part, Total, counts, implied_cells, shaped, stacked, sums
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._design import Design, model_of, read_formula
from sosie.insitu._grid import begin_grid, bins_of, grid_votes, next_grid, told_bins
from sosie.insitu._newton import begin, inverse, next_step
from sosie.insitu._result import Result, term_rows
from sosie.insitu._rows import require_number
from sosie.insitu.catalogue._survival import times_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Aggregate
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Cox", "CoxGrid"]


class _Hazards(Analysis):
    rounds_seen: ClassVar[bool] = True
    duration: ColumnName
    event: ColumnName
    formula: Annotated[str, Field(max_length=2000)]

    id: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        own = read_formula(self.formula, outcome=False).columns
        return tuple(dict.fromkeys((self.duration, self.event, *own)))

    def start(self, schema: Schema) -> State:
        """Check the columns and the formula."""
        require_number(schema, self.duration)
        _ = schema[self.event]
        design = Design.of(read_formula(self.formula, outcome=False), schema, intercept=False)
        return begin(np.zeros(len(design.names))) | {"design": design}

    def read(self, rows: Rows, state: State, horizon: float) -> tuple[Floats, Floats, Floats, Mask]:
        """Give times, events and covariates of the persons for whom all are known."""
        times, events = times_of(rows, self.duration, self.event, horizon)
        matrix = state["design"].matrix(rows)
        known = np.isfinite(matrix).all(axis=1) & np.isfinite(times) & np.isfinite(events)
        return times[known], events[known], matrix[known], known

    def fitted(self, total: Total, score: Floats, information: Floats, deviance: float,
               state: State) -> State | Result:  # fmt: skip
        """Take a step, or give the hazard ratios."""
        after, done = next_step(score, information, deviance, state)
        if not done:
            return state | after
        errors = np.sqrt(np.diag(inverse(information)))
        terms = term_rows(state["design"].names, state["beta"], errors)
        for term in terms:
            term["hazard_ratio"] = float(np.exp(term["estimate"]))
        values = {"n": total.number("n"), "events": self.events_of(total), "deviance": deviance}
        exact = isinstance(self, Cox)
        tables = {"terms": terms}
        if "edges" in state:
            tables["bins"] = told_bins(state)
        return Result(self.id, values, tables, exact=exact, bound=self.bound)

    bound: ClassVar[str] = ""

    def events_of(self, total: Total) -> float:
        """Count the events."""
        return float(total["events"].sum())


class Cox(_Hazards):
    """Cox's model with a baseline of each holder, ties after Efron.

    The partial likelihood of the strata is the product of theirs, so that scores and
    informations add up: it is exactly the model stratified by holder on the pooled rows, and
    no risk set leaves.

    Examples
    --------
    >>> Cox(duration="days", event="death", formula="age + sex").columns
    ('days', 'death', 'age', 'sex')
    """

    id: Literal["cox"] = "cox"

    def local(self, rows: Rows, state: State) -> Part:
        """Give score, information and deviance of this holder's stratum."""
        times, events, matrix, known = self.read(rows, state, np.inf)
        score, information, likelihood = _efron(times, events, matrix, state["beta"])
        p = matrix.shape[1]
        found = shaped(sums(information.reshape(-1, p * p)), (p, p))
        cells = implied_cells(np.column_stack([matrix, events]))
        weighed = model_of(np.column_stack([np.ones(len(matrix)), matrix]))
        chosen = np.zeros(len(rows), bool)
        chosen[known] = events == 1
        arrays = {
            "n": counts(np.zeros(len(times), np.int64), 1, known),
            "events": counts(np.zeros(int(chosen.sum()), np.int64), 1, chosen),
            "score": sums(score),
            "information": replace(found, cells=cells),
            "deviance": sums(-2 * likelihood[:, None]),
        }
        told = (
            rows.selection(known, self.columns),
            rows.selection(chosen, self.columns, (self.event,)),
        )
        return Part(arrays, told, Model(int(events.sum()), p, weighed.leverage))

    def combine(self, total: Total, state: State) -> State | Result:
        """Take a step, or give the hazard ratios."""
        if total.number("events") < 1:
            raise DataError("Nobody had the event.")
        return self.fitted(
            total, total["score"], total["information"], total.number("deviance"), state
        )


class CoxGrid(_Hazards):
    """Cox's model with one baseline for all, on binned times, ties after Efron.

    Bins are halved while at each holder those who leave the risk set in a half are none or
    enough, with and without the event and with and without each label: sums over consecutive
    risk sets then differ by enough persons.

    Examples
    --------
    >>> CoxGrid(duration="days", event="death", formula="age", horizon=2000).columns
    ('days', 'death', 'age')
    """

    id: Literal["cox_grid"] = "cox_grid"
    bound: ClassVar[str] = (
        "Persons who leave within a bin are at risk until its end and its events are ties, which "
        "draws coefficients towards 0: by up to one standard error where the bins are few. The "
        "analysis cox is exact."
    )
    horizon: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    def start(self, schema: Schema) -> State:
        """Check the columns and the formula."""
        return super().start(schema) | begin_grid(0.0, self.horizon) | {"centre": None}

    def local(self, rows: Rows, state: State) -> Part:
        """Vote on the bins, give the centre, then sums over those who leave in each bin."""
        times, events, matrix, known = self.read(rows, state, self.horizon)
        whole = rows.selection(known, self.columns)
        if not state["settled"]:
            kinds = [events.astype(np.int64)]
            kinds += [2 * events.astype(np.int64) + high for high in _binaries(matrix)]
            found = grid_votes(times, kinds, state, rows.floors, right=True)
            return Part({"votes": found}, (whole,))
        weighed = model_of(np.column_stack([np.ones(len(matrix)), matrix]))
        model = Model(int(events.sum()), matrix.shape[1], weighed.leverage)
        n = counts(np.zeros(len(times), np.int64), 1, known)
        if state["centre"] is None:
            return Part({"n": n, "sum": sums(matrix)}, (whole,), model)
        centred = matrix - state["centre"]
        many = len(state["edges"]) - 1
        bins = bins_of(times, state["edges"], right=True)
        weights = np.exp(centred @ state["beta"])
        left, among = [], []
        for j in range(many):
            own, had_it = bins == j, (bins == j) & (events == 1)
            cells = implied_cells(np.column_stack([matrix[own], events[own]]))
            left.append(replace(_pairs(centred[own], weights[own]), cells=cells))
            among.append(_pairs(centred[had_it], weights[had_it]))
        had = counts(events.astype(np.int64) * many + bins, (2, many), known)
        told = [rows.selection(members, self.columns, self.columns) for members in had.members]
        arrays = {
            "n": n, "left": stacked(left), "among": stacked(among), "events": had,
            "covariates": sums(centred[events == 1]),
        }  # fmt: skip
        return Part(arrays, (whole, *told), model)

    def combine(self, total: Total, state: State) -> State | Result:
        """Settle bins and centre, then take Newton's steps."""
        if not state["settled"]:
            return state | next_grid(total, state)
        if state["centre"] is None:
            return state | {"centre": total["sum"] / max(1.0, total.number("n"))}
        q = len(state["beta"]) + 1
        risk = total["left"][::-1].cumsum(axis=0)[::-1].reshape(-1, q, q)
        d = np.rint(total["events"][1]).astype(int)
        if not d.any():
            raise DataError("Nobody had the event.")
        among = total["among"].reshape(-1, q, q)
        bins = np.repeat(np.arange(len(d)), d)
        before = np.concatenate([np.arange(one) / one for one in d if one])[:, None, None]
        at_risk = risk[bins] - before * among[bins]  # ties after Efron: one leaves after the other
        s0 = at_risk[:, 0, 0]
        mean = at_risk[:, 0, 1:] / s0[:, None]
        spread = at_risk[:, 1:, 1:] / s0[:, None, None] - mean[:, :, None] * mean[:, None, :]
        deviance = -2 * float(total["covariates"] @ state["beta"] - np.log(s0).sum())
        score = total["covariates"] - mean.sum(axis=0)
        return self.fitted(total, score, spread.sum(axis=0), deviance, state)

    def events_of(self, total: Total) -> float:
        """Count the events."""
        return float(total["events"][1].sum())


def _pairs(centred: Floats, weights: Floats) -> Aggregate:
    """Sum the weighted products of 1 and the covariates, pair by pair."""
    x = np.column_stack([np.ones(len(centred)), centred])
    return sums((x[:, :, None] * x[:, None, :]).reshape(len(x), x.shape[1] ** 2), weights)


def _efron(
    times: Floats, events: Floats, matrix: Floats, beta: Floats
) -> tuple[Floats, Floats, Floats]:
    """Give score, information and log likelihood of each event, ties after Efron (1977)."""
    order = np.argsort(-times, kind="stable")
    times, events, matrix = times[order], events[order], matrix[order]
    linear = matrix @ beta
    shift = linear.max(initial=0)
    weights = np.exp(linear - shift)
    p = matrix.shape[1]
    scores, informations, likelihoods = [], [], []
    s0, s1, s2 = 0.0, np.zeros(p), np.zeros((p, p))
    starts = np.flatnonzero(np.diff(times, prepend=np.inf) != 0).tolist()
    for start, stop in zip(starts, [*starts[1:], len(times)], strict=True):
        w, x, had = weights[start:stop], matrix[start:stop], events[start:stop] == 1
        s0, s1, s2 = s0 + w.sum(), s1 + w @ x, s2 + (x * w[:, None]).T @ x
        tied_w, tied_x = w[had], x[had]
        d = len(tied_w)
        e0, e1, e2 = tied_w.sum(), tied_w @ tied_x, (tied_x * tied_w[:, None]).T @ tied_x
        for place in range(d):
            share = place / d
            r0, r1, r2 = s0 - share * e0, s1 - share * e1, s2 - share * e2
            mean = r1 / r0
            scores.append(tied_x[place] - mean)
            informations.append(r2 / r0 - np.outer(mean, mean))
            likelihoods.append(linear[start:stop][had][place] - shift - np.log(r0))
    m = len(scores)
    return (
        np.array(scores).reshape(m, p),
        np.array(informations).reshape(m, p, p),
        np.array(likelihoods),
    )


def _binaries(matrix: Floats) -> list[NDArray[np.int64]]:
    """Give the columns of two values, as 0 and 1."""
    return [
        (column == column.max()).astype(np.int64)
        for column in matrix.T
        if len(column) and np.isin(column, (column.min(), column.max())).all()
    ]
