"""A holder's synthetic table, judged where its original lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from sosie.errors import DataError, TrustError
from sosie.insitu._analysis import Analysis, State
from sosie.insitu._rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.insitu._aggregate import Total
    from sosie.insitu._result import Result
    from sosie.insitu.gate import Judgement
    from sosie.table import Schema

__all__ = ["Evidence"]


class Evidence(Analysis):
    """Judge the synthetic table that each holder serves beside its own; the verdict leaves.

    The table is the holder's file, so there is no column to name: it is judged on all that it
    has, with the effort and the threshold of the agreement.

    Examples
    --------
    >>> Evidence().columns
    ()
    """

    needs: ClassVar[tuple[str, ...]] = ("synthetic", "control")
    seconds: ClassVar[float] = 1200.0
    id: Literal["evidence"] = "evidence"

    @property
    def columns(self) -> tuple[str, ...]:
        """None: it reads all that a holder agreed to."""
        return ()

    def start(self, schema: Schema) -> State:
        """Begin; there is nothing to check."""
        return {}

    def tells(self, state: State) -> bool:
        """Tell that its one round is told a holder at a time."""
        return True

    def local(self, rows: Rows, state: State) -> Judgement:
        """Judge the table of this holder."""
        from sosie.evidence import assess
        from sosie.insitu.synthetic._judge import judgement_of
        from sosie.insitu.synthetic._table import table_of

        beside = rows.beside
        if beside.synthetic is None:
            raise DataError("There is no synthetic table at this holder.")
        names = beside.synthetic.schema.names
        original, synthetic, control = (
            None if table is None else table_of(Rows(table, rows.agreed, (), rows.floors), names)
            for table in (rows.table, beside.synthetic, beside.control)
        )
        found = assess(
            original, synthetic, control, effort=beside.effort, threshold=beside.threshold
        )
        return replace(judgement_of(found), synthetic=beside.sha256)

    def combine(self, total: Total, state: State) -> Result:
        """Refuse: verdicts are not added up."""
        raise TrustError("Verdicts are told a holder at a time; this total is not used.")

    def gathered(self, told: Sequence[bytes], state: State) -> Result:
        """Give the worst verdict, and what each holder told."""
        from sosie.insitu.synthetic._judge import verdicts

        return verdicts(told)
