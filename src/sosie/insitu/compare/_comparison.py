"""What a comparison of ways of sharing found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from sosie.insitu.compare._decomposition import Decomposition
    from sosie.insitu.compare._model import Fit
    from sosie.insitu.compare._risk import Risk

__all__ = ["Comparison", "Way", "overlap"]


@dataclass(frozen=True)
class Way:
    """One way of sharing, and what it answers.

    Attributes
    ----------
    name : str
        ``area_means``, ``k_anonymous``, ``noise``, ``avatars``, ``artificial`` or ``in_place``.
    estimate, low, high : float or None
        The coefficient with its 95 % interval, as the recipient computes them.
    bias : float or None
        Estimate less the pooled answer, in standard errors of the pooled answer.
    overlap : float or None
        Of the two intervals: the length they share, relative to each, averaged; 0 where apart.
    sign_kept : bool or None
    risk : Risk or None
    fewest : int or None
        Fewest persons behind any one value that leaves; None where it is of all persons.
    why_not : str or None
        Why there is no answer: a key of the texts.
    """

    name: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    bias: float | None = None
    overlap: float | None = None
    sign_kept: bool | None = None
    risk: Risk | None = None
    fewest: int | None = None
    why_not: str | None = None

    @classmethod
    def of(
        cls, name: str, fit: Fit, pooled: Fit, risk: Risk | None = None, fewest: int | None = None
    ) -> Way:
        """Compare an answer with the pooled one."""
        return cls(
            name,
            fit.estimate,
            fit.low,
            fit.high,
            (fit.estimate - pooled.estimate) / pooled.se,
            overlap((fit.low, fit.high), (pooled.low, pooled.high)),
            (fit.estimate > 0) == (pooled.estimate > 0),
            risk,
            fewest,
        )


@dataclass(frozen=True)
class Comparison:
    """One question answered by several ways of sharing.

    Attributes
    ----------
    analysis, formula, term : str
        The question; of a Cox model the formula has covariates only.
    persons, holders, areas : int
    area : str or None
        The column of areas; None where each holder is one.
    pooled : Fit
        The answer on all rows together, which every way is compared with.
    ways : tuple of Way
    decomposition : Decomposition or None
        Of a linear model: what lies within areas, and between.
    settings : dict
        ``k``, ``noise`` and ``seed``.
    """

    analysis: str
    formula: str
    term: str
    persons: int
    holders: int
    area: str | None
    areas: int
    pooled: Fit
    ways: tuple[Way, ...]
    decomposition: Decomposition | None
    settings: dict[str, float | int]

    def __getitem__(self, name: str) -> Way:
        return next(way for way in self.ways if way.name == name)

    def table(self) -> list[dict[str, Any]]:
        """Give one row a way, with numbers under plain names."""
        rows = []
        for way in self.ways:
            row: dict[str, Any] = {
                "way": way.name, "estimate": way.estimate, "low": way.low, "high": way.high,
                "bias_in_se": way.bias, "overlap": way.overlap, "sign_kept": way.sign_kept,
            }  # fmt: skip
            for name in ("found", "recognised", "guessed"):
                row[name] = None if way.risk is None else getattr(way.risk, name).value
            row |= {
                "risk": None if way.risk is None else way.risk.verdict,
                "fewest_persons": way.fewest,
                "why_not": way.why_not,
            }
            rows.append(row)
        return rows

    def content(self) -> dict[str, Any]:
        """Give JSON, with the intervals of the risks."""
        pooled = {
            "estimate": self.pooled.estimate, "se": self.pooled.se,
            "ci": [self.pooled.low, self.pooled.high],
        }  # fmt: skip
        ways = []
        for row, way in zip(self.table(), self.ways, strict=True):
            said = row | {"ci": None if way.low is None else [way.low, way.high]}
            for name in ("found", "recognised", "guessed"):
                said[name] = None if way.risk is None else asdict(getattr(way.risk, name))
            ways.append({key: value for key, value in said.items() if key not in ("low", "high")})
        return {
            "format": "sosie-compare-ways/1",
            "analysis": self.analysis,
            "formula": self.formula,
            "term": self.term,
            "persons": self.persons,
            "holders": self.holders,
            "area": self.area,
            "areas": self.areas,
            "pooled": pooled,
            "ways": ways,
            "decomposition": None if self.decomposition is None else asdict(self.decomposition),
            "settings": self.settings,
        }

    def picture(self, path: str | Path, lang: str = "en") -> None:
        """Draw the card as a PNG file, whole or not at all.

        Parameters
        ----------
        path : str or Path
        lang : {"en", "fr"}

        Raises
        ------
        ParameterError
            If there is no such language.
        DataError
            If the file cannot be written.
        """
        from sosie.insitu.compare._card import draw

        draw(self, path, lang)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Give the length two intervals share, relative to each, averaged; 0 where apart.

    References
    ----------
    .. [1] A. F. Karr et al., "A framework for evaluating the utility of data altered to protect
       confidentiality", The American Statistician 60, 2006.

    Examples
    --------
    >>> overlap((0.0, 2.0), (1.0, 5.0))
    0.375
    """
    shared = min(one[1], other[1]) - max(one[0], other[0])
    widths = (one[1] - one[0], other[1] - other[0])
    if shared <= 0 or min(widths) <= 0:
        return float(one == other)
    return (shared / widths[0] + shared / widths[1]) / 2
