"""A question: one analysis of the catalogue and the columns it makes; data, never code."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sosie.errors import ParameterError
from sosie.insitu import catalogue as c
from sosie.insitu._derive import Derivation
from sosie.insitu._faults import first_fault
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
            If it is none, telling the first thing that is wrong.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise ParameterError(first_fault(error)) from error

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
        made = {rule.name: rule for rule in self.derive}
        found: list[str] = []
        waiting = list(self.analysis.columns)
        while waiting:
            name = waiting.pop(0)
            rule = made.get(name)
            if rule is None:
                found.append(name)
            else:
                waiting = [*rule.sources, *waiting]
                del made[name]
        return tuple(dict.fromkeys(found)), {rule.name for rule in self.derive} - set(made)

    @property
    def sha256(self) -> str:
        """Of the question and the version of the analysis, as canonical JSON."""
        said = self.model_dump(mode="json") | {"version": self.analysis.version}
        if self.epsilon is None:
            del said["epsilon"]
        return sha256(canonical(said))
