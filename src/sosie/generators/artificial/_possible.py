"""Pairs of values that hardly anybody has, by more than chance: draws are kept off them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coding
    from sosie.generators.artificial._draws import Draws
    from sosie.space import Columns

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Codes = NDArray[np.intp]

__all__ = ["Decoder", "Possible"]

_EXPECTED = 10.0, 12.5
"""Persons who would have a pair of values, were the columns independent, that nobody has, or one:
chance makes a pair so rare five times in 100,000. What one alone has is not to be told."""

_MOST_VALUES = 20
"""Values of a number that are looked at one by one; of others, those that many share."""

_SPIKE = 0.05
"""Share of the persons from which a value of a number is one that many share."""

_SWEEPS = 4
_PARTNERS = 1000
"""Rows, at most, among which one is looked for that takes a value over."""


class Decoder(Protocol):
    """What a model says of rows, given their latents.

    Attributes
    ----------
    sigma : ndarray of shape (p,)
        Spread of each score.
    """

    @property
    def sigma(self) -> Floats:
        """Spread of each score."""

    def outputs(self, z: Floats, strata: NDArray[np.int32]) -> Floats:
        """Give means of scores, then logits, of shape (m, p + L)."""


class _Facet(NamedTuple):
    """What is looked at of a column: which of some values a cell has, or another.

    Attributes
    ----------
    kind : str
        ``score``, ``level`` or ``stratum``.
    place : int
        Among the scores, or the nominal columns.
    values : ndarray of shape (k,)
        Rising.
    rest : bool
        Whether all other values count as one more.
    """

    kind: str
    place: int
    values: Floats
    rest: bool = False

    @property
    def size(self) -> int:
        return len(self.values) + self.rest

    def codes(self, values: Floats) -> Codes:
        """Tell which value each is; -1 for none, as where it is missing."""
        at = np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)
        others = np.where(np.isnan(values), -1, len(self.values) if self.rest else -1)
        return np.where(self.values[at] == values, at, others)


class Possible:
    r"""Keep rows off pairs of values, of two columns each, that no person has or one alone.

    A decoder gives such pairs (a husband who is a woman, a death in hospital of a survivor, a cell
    known with a value with which it never is) a small probability, of which many columns make many
    rows. Their values are exchanged with those of other rows, one column at a time: the margins
    stay, and both rows become possible. The partner is drawn by how likely the two are after the
    exchange, given their latents: for a column with mean :math:`\mu` of the score and spread
    :math:`\sigma`, in proportion to :math:`\exp((x_s - x_r)(\mu_r - \mu_s) / \sigma^2)`; for
    levels, to the ratio of their probabilities. It is a step of a Metropolis chain of permutations
    [1]_, kept to those that are possible.

    Parameters
    ----------
    coding : Coding
    columns : Columns
        Of the persons.

    References
    ----------
    .. [1] J. Besag, P. Clifford, "Generalized Monte Carlo significance tests", Biometrika 76
       (1989), section 4 (exchanges that keep the margins).
    """

    def __init__(self, coding: Coding, columns: Columns) -> None:
        self._coding = coding
        self._facets, told = _facets(coding, columns)
        self._never = _never(self._facets, told)

    @property
    def pairs(self) -> int:
        """Pairs of values that rows are kept off."""
        return sum(int(p.sum()) for others in self._never.values() for p in others.values()) // 2

    def mend(
        self, drawn: Draws, places: Floats, z: Floats, model: Decoder, rng: np.random.Generator
    ) -> Bools:
        """Exchange values between rows, in place, and tell which rows have such a pair still.

        Parameters
        ----------
        drawn : Draws
            Rows m.
        places : ndarray of shape (m, p)
            Of their scores.
        z : ndarray of shape (m, d)
            Their latents.
        model : Decoder
        rng : Generator
        """
        if not self._never:
            return np.zeros(len(places), bool)
        codes = self._codes(drawn, places)
        odd = self._odd(codes)
        if not odd.any():
            return odd
        output = model.outputs(z, drawn.strata)
        for _ in range(_SWEEPS):
            for i in self._never:
                self._exchanged(i, codes, drawn, places, output, model.sigma, rng)
            odd = self._odd(codes)
            if not odd.any():
                break
        return odd

    def odd(self, drawn: Draws, places: Floats) -> Bools:
        """Tell which rows have such a pair."""
        if not self._never:
            return np.zeros(len(places), bool)
        return self._odd(self._codes(drawn, places))

    def _exchanged(
        self,
        i: int,
        codes: list[Codes],
        drawn: Draws,
        places: Floats,
        output: Floats,
        sigma: Floats,
        rng: np.random.Generator,
    ) -> None:
        """Exchange the values of one column, of rows that have such a pair."""
        facet, code = self._facets[i], codes[i]
        if facet.kind == "stratum":  # the others are exchanged
            return
        allowed = self._allowed(i, codes)
        m = len(code)
        bad = np.flatnonzero((code >= 0) & ~allowed[np.arange(m), code])
        shape, j = self._coding.shape, facet.place
        first = shape.n_scores + sum(shape.levels[:j])
        for r in rng.permutation(bad):
            if allowed[r, code[r]]:  # it took part as a partner
                continue
            others = rng.choice(m, _PARTNERS, replace=False) if m > _PARTNERS else np.arange(m)
            fits = (code[others] >= 0) & allowed[others, code[r]]
            fits &= allowed[r, code[others]]
            if facet.kind == "score":  # places are those of a stratum
                fits &= drawn.strata[others] == drawn.strata[r]
            others = others[fits]
            if not len(others):
                continue
            if facet.kind == "score":
                x, mean = drawn.scores[:, j], output[:, j]
                gain = (x[others] - x[r]) * (mean[r] - mean[others]) / sigma[j] ** 2
            else:
                own, theirs = drawn.levels[r, j], drawn.levels[others, j]
                gain = output[r, first + theirs] - output[r, first + own]
                gain += output[others, first + own] - output[others, first + theirs]
            s = others[(gain + rng.gumbel(size=len(others))).argmax()]
            pair, back = [r, s], [s, r]
            if facet.kind == "score":
                drawn.scores[pair, j] = drawn.scores[back, j]
                places[pair, j] = places[back, j]
            else:
                drawn.levels[pair, j] = drawn.levels[back, j]
            code[pair] = code[back]

    def _allowed(self, i: int, codes: list[Codes]) -> Bools:
        """Tell for every row which values of a column go with all its others, of shape (m, k)."""
        found = np.ones((len(codes[i]), self._facets[i].size), bool)
        for k, never in self._never[i].items():
            known = codes[k] >= 0
            found[known] &= ~never[:, codes[k][known]].T
        return found

    def _odd(self, codes: list[Codes]) -> Bools:
        found = np.zeros(len(codes[0]), bool)
        for i in self._never:
            known = np.flatnonzero(codes[i] >= 0)
            found[known] |= ~self._allowed(i, codes)[known, codes[i][known]]
        return found

    def _codes(self, drawn: Draws, places: Floats) -> list[Codes]:
        """Tell which value every row has, for every column; -1 where it is missing."""
        coding, found = self._coding, []
        for facet in self._facets:
            j = facet.place
            if facet.kind == "stratum":
                found.append(drawn.strata.astype(np.intp))
                continue
            if facet.kind == "score":
                code = facet.codes(coding.values(j, places[:, j], drawn.strata))
                names = coding.scored
            else:
                code, names = drawn.levels[:, j].astype(np.intp), coding.nominal
            if j >= len(names):  # a mask
                code[coding.absent_in(j - len(names), places, drawn)] = -1
            elif names[j] in coding.mask_of:
                code[coding.missing(coding.mask_of[names[j]], places, drawn)] = -1
            found.append(code)
        return found


def _facets(coding: Coding, columns: Columns) -> tuple[list[_Facet], list[Codes]]:
    """Give what is looked at of the columns, and what persons have of it."""
    facets, told = [], []
    for j, values in enumerate(coding.ordered(columns)):
        facet = _of_values(j, values[~np.isnan(values)])
        if facet is not None:
            facets.append(facet)
            told.append(facet.codes(values))
    for j, name in enumerate(coding.nominal):
        codes = columns.codes[name].astype(np.intp)
        if name in columns.mask_of:
            codes = np.where(columns.masks[columns.mask_of[name]], -1, codes)
        facets.append(_Facet("level", j, np.arange(columns.levels[name], dtype=np.float64)))
        told.append(codes)
    if coding.stratum:
        levels = np.arange(columns.levels[coding.stratum], dtype=np.float64)
        facets.append(_Facet("stratum", 0, levels))
        told.append(columns.codes[coding.stratum].astype(np.intp))
    return facets, told


def _of_values(j: int, known: Floats) -> _Facet | None:
    values, counts = np.unique(known, return_counts=True)
    if len(values) <= _MOST_VALUES:
        return _Facet("score", j, values)
    spikes = values[counts >= max(_SPIKE * len(known), _EXPECTED[0])]
    return _Facet("score", j, spikes, rest=True) if len(spikes) else None


def _never(facets: list[_Facet], told: list[Codes]) -> dict[int, dict[int, Bools]]:
    """Find the pairs that hardly anybody has, by the two columns: (k, k of the other) each."""
    ends = np.cumsum([0, *(facet.size for facet in facets)])
    n = len(told[0]) if told else 0
    has, known = np.zeros((n, ends[-1]), np.float32), np.zeros((n, ends[-1]), np.float32)
    for first, last, codes in zip(ends[:-1], ends[1:], told, strict=True):
        rows = np.flatnonzero(codes >= 0)
        has[rows, first + codes[rows]] = 1
        known[rows, first:last] = 1
    both, alone, all_known = has.T @ has, has.T @ known, known.T @ known
    expected = alone * alone.T / np.maximum(all_known, 1)
    never = np.logical_or.reduce([(both == m) & (expected >= e) for m, e in enumerate(_EXPECTED)])
    found: dict[int, dict[int, Bools]] = {}
    for i in range(len(facets)):
        for k in range(len(facets)):
            part = never[ends[i] : ends[i + 1], ends[k] : ends[k + 1]]
            if i != k and part.any():
                found.setdefault(i, {})[k] = part
    return found
