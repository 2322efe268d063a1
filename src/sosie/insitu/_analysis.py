"""The one protocol of all analyses: holders compute sums, the hub combines them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from sosie.errors import ParameterError, TrustError
from sosie.insitu._aggregate import Part, Total  # noqa: TC001 - pydantic reads annotations
from sosie.insitu._result import Result  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.insitu._rows import Rows
    from sosie.insitu.gate import Judgement
    from sosie.table import Schema

__all__ = ["Analysis", "ColumnName", "Finite", "State"]

State = dict[str, Any]
"""Where an analysis stands between rounds. It never travels: hub and holders compute it alike."""

ColumnName = Annotated[str, Field(min_length=1, max_length=300)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Analysis(BaseModel, ABC):
    """An entry of the catalogue with its parameters.

    Holders call :meth:`local` and send the part through their gate; the hub adds the parts up
    and calls :meth:`combine` on the total, which gives the result or the state of the next
    round. Holders are sent the total and call :meth:`combine` too: nobody is ever told at which
    state to compute.

    What cannot be added up is told a holder at a time, in a last round: the gate lets a
    judgement of a synthetic table out, and the hub calls :meth:`gathered` on all of them.

    Attributes
    ----------
    version : str
        Of the entry; another one may compute something else.
    rounds_seen : bool
        Whether there is a second round, so that holders see a total.
    private_rounds : int
        Rounds in which it is answered with differential privacy; 0 where it cannot be.
    needs : tuple of str
        What it reads beside the table: ``synthetic``, without which a holder declines, and
        ``control``, where the holder has it.
    seconds : float
        That a step may take at a holder, beyond those that the hub grants any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: ClassVar[str] = "1"
    rounds_seen: ClassVar[bool] = False
    private_rounds: ClassVar[int] = 0
    needs: ClassVar[tuple[str, ...]] = ()
    seconds: ClassVar[float] = 0.0

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns it reads; none where it reads all that a holder agreed to."""

    @abstractmethod
    def start(self, schema: Schema) -> State:
        """Check the parameters against the columns, before any row is read.

        Raises
        ------
        ParameterError
            If a column does not exist or is of another kind.
        """

    def start_privately(self, schema: Schema) -> State:
        """Begin an answer with differential privacy: nothing but noised sums may leave.

        Raises
        ------
        ParameterError
            If this analysis, or what is known of its columns, does not allow one.
        """
        if not self.private_rounds:
            raise ParameterError(
                "This analysis has no answer with differential privacy; counts, crosstab, means, "
                "histogram and quantiles do."
            )
        return self.start(schema)

    def tells(self, state: State) -> bool:
        """Tell whether this round is the last, told a holder at a time and not added up."""
        return False

    def released(self) -> tuple[str, dict[str, Any]] | None:
        """Name the generator whose rows leave, and its parameters; None where no row does."""
        return None

    @abstractmethod
    def local(self, rows: Rows, state: State) -> Part | Judgement:
        """Compute what one holder contributes to a round."""

    @abstractmethod
    def combine(self, total: Total, state: State) -> State | Result:
        """Take the total of a round: give the result, or the state of the next round.

        Raises
        ------
        DataError
            If the pooled data have no such result.
        """

    def gathered(self, told: Sequence[bytes], state: State) -> Result:
        """Put together what the holders told, in their order.

        Raises
        ------
        DataError, TrustError
            If it makes no result.
        """
        raise TrustError("Nothing of this analysis is told a holder at a time.")
