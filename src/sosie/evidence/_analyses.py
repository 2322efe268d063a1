"""The analyses a user can ask for: what each needs, and whether the columns give it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
)

from sosie.errors import ParameterError
from sosie.evidence._variables import holds_numbers, spelt
from sosie.table import Formula, FormulaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sosie.evidence._people import Layout

__all__ = [
    "KINDS",
    "Analysis",
    "Correlation",
    "Cox",
    "KaplanMeier",
    "Linear",
    "Logistic",
    "Mean",
    "Poisson",
    "Proportion",
]

Level = StrictBool | StrictInt | StrictFloat | StrictStr
Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_MOST_COEFFICIENTS = 300


class _Analysis(BaseModel):
    """What all analyses have: a name, and that they can be checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    scale: ClassVar[str]

    name: Annotated[str, Field(min_length=1, description="What it is called in the report.")]

    def check(self, layout: Layout) -> None:
        """Refuse what cannot be computed on tables with this layout.

        Raises
        ------
        ParameterError
            One sentence: which analysis, and what is wrong.
        """

    def _refuse(self, why: str) -> ParameterError:
        return ParameterError(f"Analysis {self.name!r}: {why}.")

    def _known(self, layout: Layout, columns: Iterable[str]) -> None:
        for name in columns:
            if name not in layout.names:
                near = difflib.get_close_matches(name, layout.names, 1)
                hint = f"did you mean {near[0]!r}?" if near else "check its spelling."
                raise ParameterError(
                    f"Analysis {self.name!r}: there is no column {name!r} among those compared "
                    f"(identifiers, free text and constant columns are not); {hint}"
                )

    def _numbers(self, layout: Layout, columns: Iterable[str]) -> None:
        for name in columns:
            self._known(layout, [name])
            if not holds_numbers(layout, name):
                raise self._refuse(f"column {name!r} holds labels, where numbers are needed")

    def _has_level(self, layout: Layout, column: str, level: Level) -> None:
        self._known(layout, [column])
        if not layout.is_number(column) and spelt(level) not in layout.levels[column]:
            raise self._refuse(f"column {column!r} has no label {spelt(level)!r}")

    def _event(self, layout: Layout, column: str, level: Level | None) -> None:
        """Check that a column says yes or no."""
        if level is not None:
            self._has_level(layout, column, level)
            return
        self._known(layout, [column])
        if not layout.is_number(column) and not {
            label.lower() for label in layout.levels[column]
        } <= {"0", "1", "false", "true"}:
            raise self._refuse(
                f"column {column!r} is not 0 or 1; say which label counts as the event with level"
            )

    def _formula(self, layout: Layout, text: str, outcome: bool) -> Formula:
        try:
            found = Formula.read(text)
        except FormulaError as error:
            raise self._refuse(f"the formula cannot be read: {error}") from error
        if outcome and found.outcome is None:
            raise self._refuse("the formula has no outcome; write it as outcome ~ columns")
        if not outcome and found.outcome is not None:
            raise self._refuse("the formula gives covariates only; leave out ~ and what is before")
        if not found.terms:
            raise self._refuse("nothing can be fitted, as the formula has no column to explain by")
        self._known(layout, found.columns)
        if found.outcome and found.outcome.column in {f.column for f in found.factors}:
            raise self._refuse(f"column {found.outcome.column!r} cannot explain itself")
        for factor in found.factors:
            if factor.form not in ("as_is", "category"):
                self._numbers(layout, [factor.column])
        size = 0
        for term in found.terms:
            product = 1
            for factor in term:
                if factor.form == "category" or not holds_numbers(layout, factor.column):
                    product *= len(layout.levels.get(factor.column, ())) or 1
            size += product
        if size > _MOST_COEFFICIENTS:
            raise self._refuse(
                f"the formula has about {size} coefficients, more than {_MOST_COEFFICIENTS}"
            )
        return found


class Mean(_Analysis):
    """The mean of a column, of all or in each group.

    Examples
    --------
    >>> Mean(name="Age", kind="mean", column="age", by="arm").scale
    'mean'
    """

    scale = "mean"
    kind: Literal["mean"]
    column: str
    by: str | None = None

    def check(self, layout: Layout) -> None:
        self._numbers(layout, [self.column])
        self._known(layout, [self.by] if self.by else [])


class Proportion(_Analysis):
    """The share of persons with a label, of all or in each group."""

    scale = "proportion"
    kind: Literal["proportion"]
    column: str
    level: Level
    by: str | None = None

    def check(self, layout: Layout) -> None:
        self._has_level(layout, self.column, self.level)
        self._known(layout, [self.by] if self.by else [])


class Linear(_Analysis):
    """Least squares; coefficients are differences of the outcome."""

    scale = "difference"
    kind: Literal["linear"]
    formula: str

    def check(self, layout: Layout) -> None:
        found = self._formula(layout, self.formula, outcome=True)
        if found.outcome:
            self._numbers(layout, [found.outcome.column])


class Logistic(_Analysis):
    """Logistic regression of an outcome of 0 and 1, or of one label against the others."""

    scale = "log odds ratio"
    kind: Literal["logistic"]
    formula: str
    level: Level | None = None

    def check(self, layout: Layout) -> None:
        found = self._formula(layout, self.formula, outcome=True)
        if found.outcome:
            if found.outcome.form != "as_is":
                raise self._refuse("the outcome of a logistic model is a column as it is")
            self._event(layout, found.outcome.column, self.level)


class Poisson(_Analysis):
    """Poisson regression of a count."""

    scale = "log rate ratio"
    kind: Literal["poisson"]
    formula: str

    def check(self, layout: Layout) -> None:
        found = self._formula(layout, self.formula, outcome=True)
        if found.outcome:
            self._numbers(layout, [found.outcome.column])


class Cox(_Analysis):
    """Proportional hazards, ties after Efron; the formula has covariates only."""

    scale = "log hazard ratio"
    kind: Literal["cox"]
    duration: str
    event: str
    formula: str
    level: Level | None = None
    strata: list[str] = Field(default_factory=list)

    @field_validator("strata", mode="before")
    @classmethod
    def _listed(cls, strata: object) -> object:
        return [strata] if isinstance(strata, str) else strata

    def check(self, layout: Layout) -> None:
        self._numbers(layout, [self.duration])
        self._event(layout, self.event, self.level)
        self._known(layout, self.strata)
        found = self._formula(layout, self.formula, outcome=False)
        if not found.intercept:
            raise self._refuse("a Cox model has no intercept to leave out; drop the 0 or - 1")
        used = {self.duration, self.event} & {*found.columns, *self.strata}
        if used or self.duration == self.event:
            raise self._refuse(
                f"column {min(used, default=self.event)!r} cannot be in two places at once"
            )


class KaplanMeier(_Analysis):
    """The share still free of the event at some times, of all or in each group."""

    scale = "survival"
    kind: Literal["kaplan_meier"]
    duration: str
    event: str
    at: Annotated[list[Time], Field(min_length=1, max_length=50)]
    level: Level | None = None
    by: str | None = None

    def check(self, layout: Layout) -> None:
        self._numbers(layout, [self.duration])
        self._event(layout, self.event, self.level)
        self._known(layout, [self.by] if self.by else [])


class Correlation(_Analysis):
    """The correlation of two columns, of their values or of their ranks."""

    scale = "correlation"
    kind: Literal["correlation"]
    columns: Annotated[list[str], Field(min_length=2, max_length=2)]
    method: Literal["pearson", "spearman"] = "pearson"

    def check(self, layout: Layout) -> None:
        self._numbers(layout, self.columns)
        if self.columns[0] == self.columns[1]:
            raise self._refuse("a column is not correlated with itself; name two")


KINDS: dict[str, type[_Analysis]] = {
    "mean": Mean,
    "proportion": Proportion,
    "linear": Linear,
    "logistic": Logistic,
    "poisson": Poisson,
    "cox": Cox,
    "kaplan_meier": KaplanMeier,
    "correlation": Correlation,
}

Analysis = Annotated[
    Mean | Proportion | Linear | Logistic | Poisson | Cox | KaplanMeier | Correlation,
    Field(discriminator="kind"),
]
