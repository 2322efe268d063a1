"""Avatars that each holder makes of its own persons, in factors of all holders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._result import Result
from sosie.insitu._rows import Rows
from sosie.insitu.catalogue._factors import Factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.insitu._aggregate import Part, Total
    from sosie.insitu.gate import Judgement
    from sosie.table import Schema

__all__ = ["Avatars"]


class Avatars(Analysis):
    """Fit factors together, then let each holder make, judge and release avatars of its persons.

    The rounds of :class:`Factors` first, whose sums are added up. In the last one rows leave,
    with the verdict on them, if it is one that the agreement accepts.

    Examples
    --------
    >>> Avatars(columns_of=["age", "sex"], k=50).columns
    ('age', 'sex')
    """

    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("control",)
    seconds: ClassVar[float] = 1200.0
    id: Literal["avatars"] = "avatars"
    columns_of: Annotated[list[ColumnName], Field(min_length=2, max_length=50)]
    k: Annotated[int, Field(ge=2, le=1000)] = 10
    factors: Annotated[int, Field(ge=1, le=20)] = 5
    kernel: Literal["gibbs", "gaussian", "rotation", "published"] = "gibbs"

    @property
    def _famd(self) -> Factors:
        return Factors(columns_of=self.columns_of, factors=self.factors)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, and whose rows leave."""
        return self._famd.columns

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        return {"rounds": self._famd.start(schema), "factors": None}

    def tells(self, state: State) -> bool:
        """Tell whether the factors are known."""
        return state["factors"] is not None

    def released(self) -> tuple[str, dict[str, Any]]:
        """Name the generator, which the agreement must allow with these parameters."""
        return "avatar", {"k": self.k, "ncp": self.factors, "kernel": self.kernel}

    def local(self, rows: Rows, state: State) -> Part | Judgement:
        """Give what the factors need; then avatars, judged."""
        if state["factors"] is None:
            return self._famd.local(rows, state["rounds"])
        from sosie.insitu.synthetic._avatars import made_avatars
        from sosie.insitu.synthetic._table import table_of

        beside, control = rows.beside, None
        if beside.control is not None:
            others = Rows(beside.control, rows.agreed, tuple(rows.rules.values()), rows.floors)
            control = table_of(others, self.columns)
        made = made_avatars(
            table_of(rows, self.columns), control, state["factors"], rows.floors, k=self.k,
            kernel=self.kernel, effort=beside.effort, threshold=beside.threshold, seed=beside.seed,
        )  # fmt: skip
        return made.judgement

    def combine(self, total: Total, state: State) -> State:
        """Go on to the factors."""
        found = self._famd.combine(total, state["rounds"])
        name = "factors" if isinstance(found, Result) else "rounds"
        return state | {name: found}

    def gathered(self, told: Sequence[bytes], state: State) -> Result:
        """Put the rows of all holders into one random order, beside their verdicts."""
        from sosie.insitu.synthetic._together import together

        return together(told, self.columns)
