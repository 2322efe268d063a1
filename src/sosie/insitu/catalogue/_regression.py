"""What all regressions of an outcome on a formula share."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sosie.insitu._analysis import Analysis
from sosie.insitu._design import read_formula

__all__ = ["FormulaText", "Regression"]

FormulaText = Annotated[str, Field(max_length=2000)]


class Regression(Analysis):
    """A model of an outcome, as the formula says: ``y ~ a + b``."""

    version: ClassVar[str] = "2"
    rounds_seen: ClassVar[bool] = True
    formula: FormulaText

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return read_formula(self.formula, outcome=True).columns
