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
    and those who are no longer followed are none or enough. ``survival`` is the greatest share
    that the bins allow, ``at_least`` the least; ``ci`` goes from the lower end of the 95 %
    interval (log(-log), Greenwood) at the least to the upper end at the greatest, and so holds
    the interval of the exact times (but where ``at_least`` is 0: then its lower end alone is
    sure). ``at_risk`` are those at risk at the beginning of the bin that
    ends at ``time``, ``events`` those with the event in it. Where the bins are one there is no
    curve to compare, and no test.

    Those who are followed to the horizon are counted apart where every holder can bear it;
    otherwise they may have been lost anywhere in the last bin, and ``at_least`` is 0 there.

    Examples
    --------
    >>> KaplanMeier(duration="days", event="death", horizon=2000).columns
    ('days', 'death')
    """

    version: ClassVar[str] = "2"
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
        return begin_grid(0.0, self.horizon, beyond=True) | {"groups": groups}

    def local(self, rows: Rows, state: State) -> Part:
        """Vote on the bins; then count events and censored."""
        times, events = times_of(rows, self.duration, self.event, self.horizon)
        group = np.zeros(len(rows), np.int64)
        if self.by is not None:
            group = rows.codes(self.by).astype(np.int64)
        known = np.isfinite(times) & np.isfinite(events) & (group >= 0)
        followed = (times >= self.horizon) & (events == 0)
        times = np.where(followed, np.inf, times)
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
        found, edges = total["counts"], state["edges"]
        bins = len(edges) - 1 if edges[-2] < self.horizon else len(edges) - 2
        edges = np.append(edges[:bins], self.horizon)
        curve: list[dict[str, Any]] = []
        for group, (censored, events) in zip(state["groups"], found, strict=True):
            after = float(censored[bins:].sum())
            rows = _curve(edges, censored[:bins], events[:bins], after)
            curve += rows if self.by is None else [{self.by: group} | row for row in rows]
        values: dict[str, float | None] = {
            "n": float(found.sum()),
            "events": float(found[:, 1].sum()),
        }
        bound = (
            "The curve on the pooled rows lies between at_least and survival at each time, and its "
            "95 % interval within ci; where at_least is 0, of that the lower end alone is sure."
        )
        if bins == 1:
            bound += (
                " The times are too coarse for a curve or a test: one bin alone can leave. Ask "
                "without groups, or for another horizon."
            )
        elif self.by is not None:
            bound += " The test is that of the binned times."
        if self.by is not None:
            values |= _log_rank(found) if bins > 1 else _UNTESTED
        return Result(self.id, values, {"curve": curve}, exact=False, bound=bound)


_UNTESTED: dict[str, float | None] = {"chi2": None, "df": None, "p": None}


def _curve(edges: Floats, censored: Floats, events: Floats, after: float) -> list[dict[str, Any]]:
    """Give the curve at the end of each bin: the most and the least that the bins allow.

    All who were lost in a bin may have been lost at its end, or at its beginning; the curve
    and Greenwood's sum then are the greatest and the least, and the reverse. Of the intervals
    on log(-log) between these, the lowest end and the highest are told.
    """
    left = censored + events
    risk = left[::-1].cumsum()[::-1] + after
    if risk[:1].sum() < 1:
        raise DataError("A group has nobody in it.")
    with np.errstate(all="ignore"):
        most, narrow = _product(risk, events)
        least, wide = _product(risk - censored, events)
        # The lower end falls and rises again with the curve: it is lowest at one of the two.
        low = np.minimum(_ends(most, wide)[0], _ends(least, wide)[0])
        high = _ends(most, np.where(np.isfinite(wide), wide, narrow))[1]
    low = np.where(least > 0, low, 0.0)
    rows = []
    for j, time in enumerate(edges[1:]):
        ends = [float(low[j]), float(high[j])] if np.isfinite(low[j] + high[j]) else None
        rows.append(
            {
                "time": float(time), "at_risk": float(risk[j]), "events": float(events[j]),
                "survival": float(most[j]), "ci": ends, "at_least": float(least[j]),
            }
        )  # fmt: skip
    return rows


def _product(risk: Floats, events: Floats) -> tuple[Floats, Floats]:
    """Give the curve and Greenwood's sum, of those at risk at the events of each bin."""
    kept: Floats = np.where(events > 0, 1 - events / risk, 1.0)
    share: Floats = kept.cumprod()
    return share, np.cumsum(np.where(events > 0, events / (risk * (risk - events)), 0.0))


def _ends(share: Floats, green: Floats) -> tuple[Floats, Floats]:
    half = CRITICAL * np.sqrt(green) / -np.log(share)
    return share ** np.exp(half), share ** np.exp(-half)


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
