"""Which labels of a category have a column in each term, so that no column is redundant."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from sosie.table import Factor

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Coding", "codings"]

Coding = dict[Factor, bool]
"""Categories whose labels are multiplied: whether all of them have a column, or all but the first.
"""

Term = tuple[Factor, ...]
_Part = frozenset[tuple[Factor, bool]]


def codings(
    terms: Sequence[Term], categories: Collection[Factor], *, intercept: bool
) -> dict[Term, list[Coding]]:
    """Code the categories of each term, given what the terms before it span [1]_.

    With all labels, a category spans what it tells and the constant besides. So a:b with all
    labels is made of four parts without their first labels: the constant, a, b, and a:b. Of these
    only the parts that no term before spans are new, and they are joined again where they can be.

    Parameters
    ----------
    terms : sequence of tuple of Factor
        Terms of fewer factors come before those of more, in whatever order they are written.
    categories : collection of Factor
        The factors that have labels; others are numbers.
    intercept : bool
        Whether the constant is spanned already.

    Returns
    -------
    dict
        Of each term the codings whose columns together are the term's.

    References
    ----------
    .. [1] J. M. Chambers, T. J. Hastie (eds.), "Statistical Models in S", 1992, section 2.4.1;
       for margins that a formula leaves out, N. J. Smith, "patsy: Describing statistical models",
       "Redundancy and how it works".

    Examples
    --------
    >>> sex, age = Factor("sex"), Factor("age")
    >>> codings([(age, sex)], [sex], intercept=True)[age, sex] == [{sex: True}]
    True
    >>> codings([(age,), (age, sex)], [sex], intercept=True)[age, sex] == [{sex: False}]
    True
    """
    spanned: set[frozenset[Factor]] = {frozenset()} if intercept else set()
    found: dict[Term, list[Coding]] = {}
    for term in sorted(terms, key=len):
        own = [factor for factor in term if factor in categories]
        numbers = frozenset(term).difference(own)
        margins = [
            frozenset(one) for size in range(len(own) + 1) for one in combinations(own, size)
        ]
        new = [margin for margin in margins if numbers | margin not in spanned]
        spanned.update(numbers | margin for margin in new)
        found[term] = [dict(part) for part in _joined(new)]
    return found


def _joined(margins: list[frozenset[Factor]]) -> list[_Part]:
    """Join two parts that differ by one category: the greater one then has all its labels."""
    parts: list[_Part] = [frozenset((factor, False) for factor in one) for one in margins]
    while pair := _pair(parts):
        less, more = pair
        ((factor, _),) = more - less
        parts[parts.index(more)] = less | {(factor, True)}
        parts.remove(less)
    return parts


def _pair(parts: list[_Part]) -> tuple[_Part, _Part] | None:
    pairs = combinations(parts, 2)
    return next(((a, b) for a, b in pairs if a < b and len(b) == len(a) + 1), None)
