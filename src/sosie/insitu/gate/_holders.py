"""Whether answers of several groups of holders can be subtracted to tell of a few alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sosie.insitu.gate._combinations import about_few

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["holders_apart"]


def holders_apart(asked: Collection[str], before: Iterable[Collection[str]], fewest: int) -> bool:
    """Tell whether a question, with those answered before, tells nothing of a few holders alone.

    Each is answered by the holders who have all of its columns. A total of four and one of three
    of them give that of the fourth.

    Parameters
    ----------
    asked : collection of str
        Holders who would answer.
    before : iterable of collection of str
        Holders who answered, of each question about one of the same columns.
    fewest : int
        Holders that nothing told of several may be about fewer of. Where fewer were asked by
        themselves, what they told is not told apart from anything.

    Examples
    --------
    >>> holders_apart("abc", ["abcd"], 3), holders_apart("ab", ["abc"], 3)
    (False, False)
    >>> holders_apart("abc", ["abc", "abcdef"], 3), holders_apart("abcd", ["d"], 3)
    (True, True)
    """
    groups = {frozenset(one) for one in (asked, *before)}
    if len(groups) == 1:
        return True
    alone = frozenset().union(*(group for group in groups if len(group) < fewest))
    others = sorted(frozenset().union(*groups) - alone)
    within = np.array([[name in group for name in others] for group in groups], float)
    return not others or not about_few(within, np.ones(len(others), np.int64), fewest)
