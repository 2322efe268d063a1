"""Whether avatars hide the persons they were made from: a maker's own diagnosis, no proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import optimize, spatial, stats

from sosie.errors import DataError
from sosie.evidence._finding import Criterion, Finding, Verdict
from sosie.evidence._intervals import clopper_pearson
from sosie.evidence.privacy._factors import Factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._finding import Pair

    Floats = NDArray[np.float64]

__all__ = ["AvatarDiagnostics", "Hiding", "hiding", "lines_drawn", "most_hidden"]

_TIE = 1e-6
"""Relative difference up to which two distances are one."""

_PAIRS = 250_000
"""Pairs of persons and avatars compared for each person attacked at the effort asked."""

_LEAF = 64
"""Avatars below which a branch is compared one by one: the balls here are large."""

_MOST_MATCHED = 2_000
"""Persons matched one to one, or half the persons attacked: time grows with their cube."""

_FEWEST = 5
"""Persons below which no share is told."""

_HIDDEN_TARGET = 90.0
_CLOAKING_TARGET = 5.0

_EDGES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)


class AvatarDiagnostics:
    r"""How well persons are hidden among avatars whose makers kept the order of the rows.

    Space: the first 5 factors of a FAMD of the original, avatars projected on them; :math:`d`
    is the Euclidean distance, :math:`a_i` the avatar made from person :math:`x_i`. Two
    distances that differ by less than a millionth are tied.

    - ``local_cloaking``: median over persons of the number of avatars strictly nearer than
      their own, :math:`\#\{j : d(x_i, a_j) < d(x_i, a_i)\}`. More than 5 is the target of the
      reference product. Interval: order statistics.
    - ``hidden_rate``: percent of persons for whom that number is not 0: a tie with one's own
      avatar hides nobody, for whoever is as near as anyone is a candidate. More than 90 is
      the target of the reference product. Interval: Clopper-Pearson.
    - ``hidden_rate_index_rule``: the same as the product counts: of tied avatars the first in
      the table is the nearest, though the order of a table that is released means nothing.
    - ``assignment_attack``: share, 0 to 1, of persons matched to their own avatar by the
      one-to-one matching of least total distance, among at most 2,000 (half the persons
      attacked at less effort); ties are broken at random. By chance :math:`1 / n`.

    The first three are internal diagnostics and decide nothing: most persons are hidden
    although a copy of every original row is released, if only the rows are permuted, and a
    rate says nothing of who is not hidden. No attacker holds the linked table; the assignment
    attack shows how much of the link he can rebuild from the rows alone.

    All persons are looked at up to about 22,000 at standard effort, 50,000 at thorough; of
    more, as many are drawn as keep the pairs of persons and avatars at that number.

    References
    ----------
    .. [1] M. Guillaudeux et al., "Patient-centric synthetic data generation, no reason to risk
       re-identification in biomedical data analysis", npj Digital Medicine 6, 37, 2023.
    .. [2] H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research
       Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> from sosie.evidence._case import Case
    >>> from sosie.evidence._people import Layout, People
    >>> layout = Layout(("age",), ("age",), {})
    >>> def people(ages):
    ...     return People(layout, ages[:, None], np.empty((len(ages), 0), np.int32))
    >>> persons, avatars = people(np.arange(100.0)), people(np.arange(100.0) + 3)
    >>> case = Case(persons, avatars, None, avatars, ("age",), ("age",))
    >>> found = AvatarDiagnostics().run(case)
    >>> found["hidden_rate"].value, found["local_cloaking"].value
    (99.0, 5.0)
    """

    name: ClassVar[str] = "avatar_diagnostics"

    def run(self, case: Case) -> dict[str, Finding]:
        """Compare every person with every avatar."""
        names = ("hidden_rate", "hidden_rate_index_rule", "local_cloaking", "assignment_attack")
        if case.linked is None:
            return {name: Finding(why_not="no_linked") for name in names}
        try:
            factors = Factors().fit(case.original)
        except DataError:  # nothing varies
            return {name: Finding(why_not="too_few") for name in names}
        persons, avatars = factors.points(case.original), factors.points(case.linked)
        rows = lines_drawn(len(persons), most_hidden(case), case.rng(self.name))
        found = hiding(persons, avatars, rows)
        matched = min(_MOST_MATCHED, case.effort.persons // 2)
        return {
            "hidden_rate": _rate(found.hidden),
            "hidden_rate_index_rule": _rate(found.hidden_by_index),
            "local_cloaking": _cloaking(found.nearer, len(avatars)),
            "assignment_attack": _assignment(
                persons, avatars, matched, case.rng("assignment_attack")
            ),
        }


@dataclass(frozen=True)
class Hiding:
    """What hides each of m persons.

    Attributes
    ----------
    nearer : ndarray of shape (m,), int64
        Avatars strictly nearer than one's own.
    first : ndarray of shape (m,), bool
        Whether an avatar as near as one's own stands before it in the table; told only of
        persons who have none nearer.
    """

    nearer: NDArray[np.int64]
    first: NDArray[np.bool_]

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Whether some other avatar is strictly nearer than one's own."""
        return self.nearer > 0

    @property
    def hidden_by_index(self) -> NDArray[np.bool_]:
        """The same with ties resolved by the order of the rows."""
        return self.hidden | self.first


def hiding(persons: Floats, avatars: Floats, rows: NDArray[np.intp]) -> Hiding:
    """Count the avatars nearer to persons than their own.

    Parameters
    ----------
    persons, avatars : ndarray of shape (n, d)
        Row i of the avatars was made from person i.
    rows : ndarray of shape (m,)
        Persons looked at.

    Examples
    --------
    >>> persons, avatars = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [1.0], [1.5]])
    >>> found = hiding(persons, avatars, np.arange(3))
    >>> found.nearer.tolist(), found.hidden.tolist(), found.hidden_by_index.tolist()
    ([0, 0, 0], [False, False, False], [False, True, False])
    """
    asked = persons[rows]
    own = np.sqrt(((asked - avatars[rows]) ** 2).sum(axis=1))
    nearer = np.zeros(len(rows), np.int64)
    apart = np.flatnonzero(own > 0)  # nothing is nearer than no distance
    # A tree counts the avatars within a radius without holding the pairs.
    nearer[apart] = spatial.KDTree(avatars, leafsize=_LEAF).query_ball_point(
        asked[apart], own[apart] * (1 - _TIE), return_length=True, workers=-1
    )
    shown = np.flatnonzero(nearer == 0)
    distinct, earliest = np.unique(avatars, axis=0, return_index=True)
    tied = spatial.KDTree(distinct).query_ball_point(
        asked[shown], own[shown] * (1 + _TIE), workers=-1
    )
    first = np.zeros(len(rows), np.bool_)
    first[shown] = [
        earliest[np.asarray(places, np.intp)].min(initial=row) < row
        for row, places in zip(rows[shown], tied, strict=True)
    ]
    return Hiding(nearer, first)


def most_hidden(case: Case) -> int:
    """Give the number of persons that keeps the pairs compared within the effort."""
    return max(_PAIRS * case.effort.persons // len(case.original), 500)


def lines_drawn(n: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw at most ``most`` of n row numbers, in their order."""
    if n <= most:
        return np.arange(n)
    return np.sort(rng.choice(n, most, replace=False))


def _rate(hidden: NDArray[np.bool_]) -> Finding:
    n, count = len(hidden), int(hidden.sum())
    low, high = clopper_pearson(count, n)
    return _against(100 * count / n, (100 * low, 100 * high), _HIDDEN_TARGET, n)


def _cloaking(nearer: NDArray[np.int64], of: int) -> Finding:
    n, ranked = len(nearer), np.sort(nearer)
    low, high = stats.binom.ppf([0.025, 0.975], n, 0.5).astype(int)
    ends = float(ranked[max(low - 1, 0)]), float(ranked[min(high, n - 1)])
    found = _against(float(np.median(ranked)), ends, _CLOAKING_TARGET, n)
    edges = [*(edge for edge in _EDGES if edge < of), of]
    counts = np.histogram(nearer, edges)[0].tolist()
    shares = [count / n if count >= _FEWEST else None for count in counts]
    return found.model_copy(update={"detail": {"edges": edges, "shares": shares}})


def _assignment(persons: Floats, avatars: Floats, most: int, rng: np.random.Generator) -> Finding:
    rows = lines_drawn(len(persons), most, rng)
    shuffled = rng.permutation(rows)
    distances = spatial.distance.cdist(persons[rows], avatars[shuffled])
    _, matched = optimize.linear_sum_assignment(distances)
    n, hits = len(rows), int((shuffled[matched] == rows).sum())
    return Finding(
        value=hits / n,
        ci=clopper_pearson(hits, n),
        naive=1 / n,
        n=n,
        criterion=Criterion.LINKABILITY,
        verdict=Verdict.INFORMATION,
    )


def _against(value: float, interval: Pair, target: float, n: int) -> Finding:
    """Hold a number against a target of the reference product, which decides nothing."""
    verdict = Verdict.PASS if value > target else Verdict.FAIL
    return Finding(value=value, ci=interval, target=target, better="higher", n=n, verdict=verdict)
