"""Kaplan and Meier's curve and the log-rank test, on a grid of times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sosie.errors import DataError
from sosie.insitu._aggregate import Part, Total, counts
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._design import binary
from sosie.insitu._grid import begin_grid, bins_of, grid_votes, next_grid
from sosie.insitu._laws import CRITICAL, chi2_tail
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded, require_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["KaplanMeier", "times_of"]


def times_of(rows: Rows, duration: str, event: str, horizon: float) -> tuple[Floats, Floats]:
    """Give times, none after the horizon, and 1 where the event came by then.

    Raises
    ------
    DataError
        If a time is below 0 or an event is neither 0 nor 1.
    """
    times, events = rows.numbers(duration), binary(rows, event)
    if (times < 0).any():
        raise DataError(f"Column {duration!r} is below 0.")
    return np.minimum(times, horizon), np.where(times > horizon, 0.0, events)


class KaplanMeier(Analysis):
    """Share of persons free of the event over time, by group; log-rank test of the groups.

    Times are binned so that in each bin, at each holder and in each group, those with the event
    and those who are no longer followed are none or enough.

    Examples
    --------
    >>> KaplanMeier(duration="days", event="death", horizon=2000).columns
    ('days', 'death')
    """

    rounds_seen: ClassVar[bool] = True
    id: Literal["kaplan_meier"] = "kaplan_meier"
    duration: ColumnName
    event: ColumnName
    horizon: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    by: ColumnName | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        own = (self.duration, self.event)
        return own if self.by is None else (*own, self.by)

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        require_number(schema, self.duration)
        _ = schema[self.event]
        if self.by is not None:
            require_coded(schema, self.by)
        groups = [""] if self.by is None else labels(schema, self.by)
        return begin_grid(0.0, self.horizon) | {"groups": groups}

    def local(self, rows: Rows, state: State) -> Part:
        """Vote on the bins; then count events and censored."""
        times, events = times_of(rows, self.duration, self.event, self.horizon)
        group = np.zeros(len(rows), np.int64)
        if self.by is not None:
            group = rows.codes(self.by).astype(np.int64)
        known = np.isfinite(times) & np.isfinite(events) & (group >= 0)
        times, kind = times[known], group[known] * 2 + events[known].astype(np.int64)
        whole = rows.selection(known, self.columns)
        if not state["settled"]:
            found = grid_votes(times, [kind], state, rows.floors, right=True)
            return Part({"votes": found}, (whole,))
        many = len(state["edges"]) - 1
        codes = kind * many + bins_of(times, state["edges"], right=True)
        n = counts(codes, (len(state["groups"]), 2, many), known)
        told = [rows.selection(members, self.columns, self.columns) for members in n.members]
        return Part({"counts": n}, (whole, *told))

    def combine(self, total: Total, state: State) -> State | Result:
        """Settle the bins, then give curves and test."""
        if not state["settled"]:
            return state | next_grid(total, state)
        found = total["counts"]
        curve: list[dict[str, Any]] = []
        for group, (censored, events) in zip(state["groups"], found, strict=True):
            rows = _curve(state["edges"], censored, events)
            curve += rows if self.by is None else [{self.by: group} | row for row in rows]
        values: dict[str, float | None] = {
            "n": float(found.sum()),
            "events": float(found[:, 1].sum()),
        }
        if self.by is not None:
            values |= _log_rank(found)
        bound = (
            "The curve on the pooled rows lies between at_least and survival at each time; the "
            "test is that of the binned times."
        )
        return Result(self.id, values, {"curve": curve}, exact=False, bound=bound)


def _curve(edges: Floats, censored: Floats, events: Floats) -> list[dict[str, Any]]:
    """Give the curve at the end of each bin, with Greenwood's interval on log(-log)."""
    left = censored + events
    risk = left[::-1].cumsum()[::-1]
    if risk[:1].sum() < 1:
        raise DataError("A group has nobody in it.")
    with np.errstate(all="ignore"):
        share = np.cumprod(np.where(risk > 0, 1 - events / risk, 1.0))
        # As if all who were lost in a bin had been lost at its beginning.
        least = np.cumprod(np.where(risk > censored, 1 - events / (risk - censored), 1.0))
        green = np.cumsum(events / (risk * (risk - events)))
        half = CRITICAL * np.sqrt(green) / np.log(share)
        low, high = share ** np.exp(-half), share ** np.exp(half)
    rows = []
    for j, time in enumerate(edges[1:]):
        ends = [float(low[j]), float(high[j])] if np.isfinite(low[j]) else None
        rows.append(
            {
                "time": float(time), "at_risk": float(risk[j]), "events": float(events[j]),
                "survival": float(share[j]), "ci": ends, "at_least": float(least[j]),
            }
        )  # fmt: skip
    return rows


def _log_rank(found: Floats) -> dict[str, float | None]:
    """Compare observed with expected events over the bins (Mantel, Cox)."""
    events = found[:, 1]
    risk = found.sum(axis=1)[:, ::-1].cumsum(axis=1)[:, ::-1]
    d, n = events.sum(axis=0), risk.sum(axis=0)
    used = (d > 0) & (n > 1)
    share, d, n = risk[:, used] / n[used], d[used], n[used]
    difference = (events[:, used] - share * d).sum(axis=1)
    weight = d * (n - d) / (n - 1)
    variance = np.diag((share * weight).sum(axis=1)) - (share * weight) @ share.T
    g = len(found) - 1
    try:
        chi2 = float(difference[:g] @ np.linalg.solve(variance[:g, :g], difference[:g]))
    except np.linalg.LinAlgError:
        return {"chi2": None, "df": g, "p": None}
    return {"chi2": chi2, "df": g, "p": chi2_tail(chi2, g)}
