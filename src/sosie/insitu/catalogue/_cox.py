"""Cox's proportional hazards: a baseline a holder, or one baseline on a grid of times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._aggregate import (
    Model,
    Part,
    Total,
    counts,
    implied_cells,
    over,
    products,
    shaped,
    sums,
)
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._design import Design, model_of, read_formula
from sosie.insitu._grid import begin_grid, bins_of, grid_votes, next_grid, told_bins
from sosie.insitu._newton import begin, inverse, next_step
from sosie.insitu._result import Result, term_rows
from sosie.insitu._rows import require_number
from sosie.insitu._told import SOME_VALUES, crossed, told_of, weighers_of
from sosie.insitu.catalogue._regression import FormulaText  # noqa: TC001 - pydantic reads annotations
from sosie.insitu.catalogue._survival import times_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._aggregate import Selection
    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Cox", "CoxGrid"]

_FEW_TIMES = 3
"""Times of which the deviance tells how many left at each."""


class _Hazards(Analysis):
    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    duration: ColumnName
    event: ColumnName
    formula: FormulaText

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

    def cells(
        self, rows: Rows, state: State, known: Mask
    ) -> tuple[tuple[int, ...], tuple[Selection, ...]]:
        """Give those with each of the labels at once: `crossed`."""
        return crossed(rows, known, self.columns, state["design"].columns, self.event)

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
            tables["bins"] = told_bins(state["edges"], ends=True)
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
        cells = (
            *implied_cells(np.column_stack([matrix, events])), *_at_few_times(times, events)
        )  # fmt: skip
        weighed = model_of(np.column_stack([np.ones(len(matrix)), matrix]))
        chosen = np.zeros(len(rows), bool)
        chosen[known] = events == 1
        had = counts(np.zeros(int(chosen.sum()), np.int64), 1, chosen)
        arrays = {
            "n": counts(np.zeros(len(times), np.int64), 1, known),
            "events": had,
            "score": over(sums(score), had),
            "information": over(replace(found, cells=cells), had),
            "deviance": over(sums(-2 * likelihood[:, None]), had),
        }
        had_it = (np.where(chosen, 1.0, 0.0), (self.event,))
        weighers = [*weighers_of(state["design"], rows), had_it]
        told, summed = told_of(rows, known, self.columns, weighers)
        # Where many leave at once, each set at risk is a sum over cells of all covariates.
        if len(np.unique(times)) <= SOME_VALUES:
            small, crossing = self.cells(rows, state, known)
            arrays["deviance"] = replace(arrays["deviance"], cells=small)
            told += crossing
        return Part(arrays, told, Model(int(events.sum()), p, weighed.leverage), summed)

    def combine(self, total: Total, state: State) -> State | Result:
        """Take a step, or give the hazard ratios."""
        if total.number("events") < 1:
            raise DataError("Nobody had the event.")
        return self.fitted(
            total, total["score"], total["information"], total.number("deviance"), state
        )


class CoxGrid(_Hazards):
    r"""Cox's model with one baseline for all, which is constant within bins of time.

    The hazard of a person is :math:`\lambda_j e^{x\beta}` in bin j [1]_: persons are at risk for as
    long as they were, so that no bin need be short. Given :math:`\beta`, the baseline is
    :math:`\lambda_j = d_j / S_j`, of the events and the time at risk of the bin weighted by
    :math:`e^{x\beta}`; given the baseline, the score is a sum over all persons. So of each bin
    only the events and one sum leave, and covariates of no risk set; the means of covariates at
    risk, which the information needs, are taken as constant over time.

    Bins are cut while at each holder those with the event in a part, and those whose
    observation ends there without it, are none or enough.

    References
    ----------
    .. [1] M. Friedman, "Piecewise exponential models for survival data with covariates", Annals of
       Statistics 10, 1982.

    Examples
    --------
    >>> CoxGrid(duration="days", event="death", formula="age", horizon=2000).columns
    ('days', 'death', 'age')
    """

    id: Literal["cox_grid"] = "cox_grid"
    bound: ClassVar[str] = (
        "The baseline is constant within each bin. On three cohorts coefficients were within 0.21 "
        "standard errors of Cox's (0.38 where the horizon was the very end of observation) and "
        "standard errors up to 3 % too small. The analysis cox is exact."
    )
    horizon: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    def start(self, schema: Schema) -> State:
        """Check the columns and the formula."""
        grid = begin_grid(0.0, self.horizon, early=True)
        return super().start(schema) | grid | {"centre": None, "hazard": None}

    def local(self, rows: Rows, state: State) -> Part:
        """Vote on the bins; then give events and risk by bin, and sums over all persons."""
        times, events, matrix, known = self.read(rows, state, self.horizon)
        if not state["settled"]:
            kinds = [events.astype(np.int64)]
            found = grid_votes(times, kinds, state, rows.floors, right=True)
            return Part({"votes": found}, (rows.selection(known, self.columns),))
        weighed = model_of(np.column_stack([np.ones(len(matrix)), matrix]))
        model = Model(int(events.sum()), matrix.shape[1], weighed.leverage)
        edges = state["edges"]
        bins, had_it = bins_of(times, edges, right=True), np.zeros(len(rows), bool)
        had_it[known] = events == 1
        n = counts(np.zeros(len(times), np.int64), 1, known)
        had = counts(bins[events == 1], len(edges) - 1, had_it)
        # Where weights are 1, time at risk by bin adds up to that until the horizon.
        until = (np.minimum(rows.numbers(self.duration), self.horizon), (self.duration,))
        weighers = [*weighers_of(state["design"], rows), until]
        told, summed = told_of(rows, known, self.columns, weighers)
        of_bins = (self.duration, self.event)
        told += tuple(rows.selection(m, self.columns, of_bins) for m in had.members)
        told += tuple(
            rows.selection(_within(known, bins == j), self.columns, (self.duration,))
            for j in range(len(edges) - 1)
        )
        # In one bin the score is a sum over cells of any column that is given as the duration.
        small, crossing = self.cells(rows, state, known)
        told += crossing
        centred = matrix if state["centre"] is None else matrix - state["centre"]
        weights = np.exp(centred @ state["beta"])
        # The share of each bin that a person was at risk in.
        shares = np.clip(times[:, None] - edges[:-1], 0, np.diff(edges)) / np.diff(edges)
        later = np.column_stack([shares[:, 1:], np.zeros(len(times))])
        arrays = {
            "n": n,
            "events": had,
            "risk": over(replace(sums(shares - later, weights), cells=small), n),
        }
        if state["hazard"] is None:
            return Part(arrays | {"sum": over(sums(matrix), n)}, told, model, summed)
        expected = weights * (shares @ state["hazard"])
        cells = implied_cells(np.column_stack([matrix, events]))
        ones = np.column_stack([np.ones(len(times)), centred])
        whole_had = counts(np.zeros(int(events.sum()), np.int64), 1, had_it)
        arrays |= {
            "covariates": over(sums(ones[events == 1]), whole_had),
            "expected": over(sums(ones, expected), n),
            "information": over(replace(products(centred, expected), cells=cells), n),
        }
        return Part(arrays, told, model, summed)

    def combine(self, total: Total, state: State) -> State | Result:
        """Settle bins, centre and baseline, then take Newton's steps."""
        if not state["settled"]:
            return state | next_grid(total, state)
        risk = total["risk"][::-1].cumsum()[::-1]
        d = total["events"]
        if not d.any():
            raise DataError("Nobody had the event.")
        hazard = {"hazard": np.where(d > 0, d / np.where(risk > 0, risk, 1), 0.0)}
        if state["hazard"] is None:
            return state | hazard | {"centre": total["sum"] / max(1.0, total.number("n"))}
        mean = total["expected"][1:] / total["expected"][0]
        # Counts that are rounded bin by bin add up to others than all together.
        covariates = total["covariates"][1:] * (d.sum() / max(1.0, total["covariates"][0]))
        score = covariates - d.sum() * mean
        spread = total["information"] / total["expected"][0] - np.outer(mean, mean)
        log_risk = np.log(np.where(risk > 0, risk, 1))
        deviance = -2 * float(covariates @ state["beta"] - d @ log_risk)
        return self.fitted(total, score, d.sum() * spread, deviance, state | hazard)


def _at_few_times(times: Floats, events: Floats) -> tuple[int, ...]:
    """Size who left at each time, with the event and without, where these are told: few times."""
    different = np.unique(times)
    if len(different) > _FEW_TIMES:
        return ()
    return tuple(
        int(((times == one) & (events == had)).sum()) for one in different for had in (0, 1)
    )


def _within(known: Mask, chosen: Mask) -> Mask:
    """Take a choice among those who are known as one among all rows."""
    found = known.copy()
    found[known] = chosen
    return found


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
