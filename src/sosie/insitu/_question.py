"""A question: one analysis of the catalogue and the columns it makes; data, never code."""

from itertools import chain
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sosie.errors import ParameterError
from sosie.insitu import catalogue as c
from sosie.insitu._derive import Derivation
from sosie.insitu._faults import first_fault
from sosie.insitu._outline import Outline, check_size, check_spelt
from sosie.trust import canonical, sha256

__all__ = ["Question"]

Entry = Annotated[
    c.Anova | c.Avatars | c.Clusters | c.CompareWays | c.Components | c.Correlation | c.Counts
    | c.Cox | c.CoxGrid | c.Crosstab | c.Evidence | c.Factors | c.Gamma | c.Histogram
    | c.KaplanMeier | c.Lasso | c.Linear | c.Logistic | c.MannWhitney | c.Means | c.MetaAnalysis
    | c.Poisson | c.Propensity | c.Quantiles | c.Ridge | c.TTest | c.WithinBetween,
    Field(discriminator="id"),
]  # fmt: skip


class Question(BaseModel):
    """What is asked.

    Attributes
    ----------
    analysis : Analysis
        Told by its ``id``.
    derive : tuple of Derivation
        Columns to make first.
    epsilon : float, optional
        Of differential privacy, that each holder is to spend on it; with a budget in the
        agreement alone.

    Examples
    --------
    >>> asked = Question.of({"analysis": {"id": "t_test", "column": "age", "by": "sex"}})
    >>> asked.analysis.columns, len(asked.sha256)
    (('age', 'sex'), 64)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    analysis: Entry
    derive: Annotated[tuple[Derivation, ...], Field(max_length=50)] = ()
    epsilon: Annotated[float, Field(gt=0, le=100)] | None = None

    @classmethod
    def of(cls, content: Any) -> Self:
        """Take a question out of what was read.

        Raises
        ------
        ParameterError
            If it is none, telling the first thing that is wrong; or too long.
        """
        check_spelt(content)
        try:
            question = cls.model_validate(content)
        except ValidationError as error:
            raise ParameterError(first_fault(error)) from error
        check_size(len(canonical(question.content)))
        return question

    @model_validator(mode="after")
    def _made_before(self) -> Self:
        for place, rule in enumerate(self.derive):
            late = {other.name for other in self.derive[place + 1 :]} - {rule.name}
            if early := [name for name in rule.sources if name in late]:
                raise ValueError(
                    f"Rule {place + 1} of --derive ({rule.rule}): column {early[0]!r} is made by a "
                    "later rule; put that rule first"
                )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the holders that are read, without those that are made."""
        return self._read()[0]

    @property
    def needed(self) -> Self:
        """The same question without the rules whose columns it does not use."""
        used = self._read()[1]
        kept = tuple(rule for rule in self.derive if rule.name in used)
        return self.model_copy(update={"derive": kept})

    def _read(self) -> tuple[tuple[str, ...], set[str]]:
        """Go back from the last rule: what it makes may be used directly and by no rule before."""
        wanted, used = dict.fromkeys(self.analysis.columns), set[str]()
        for rule in reversed(self.derive):
            if rule.name in wanted:
                used.add(rule.name)
                instead = ((rule.sources if n == rule.name else (n,)) for n in wanted)
                wanted = dict.fromkeys(chain.from_iterable(instead))
        return tuple(wanted), used

    @property
    def content(self) -> dict[str, Any]:
        """All that is asked, with the version of the analysis, as JSON."""
        said = self.model_dump(mode="json") | {"version": self.analysis.version}
        if self.epsilon is None:
            del said["epsilon"]
        return said

    @property
    def sha256(self) -> str:
        """Of the content, as canonical JSON."""
        return sha256(canonical(self.content))

    @property
    def outline(self) -> Outline:
        """What is told of it where nothing is computed."""
        generator, parameters = self.analysis.released() or (None, {})
        return Outline(
            str(self.analysis.id), self.columns, self.analysis.needs, self.analysis.seconds,
            generator, parameters, self.content,
        )  # fmt: skip
