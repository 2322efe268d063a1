"""Linkability: joining two files about the same persons through the synthetic table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sosie.evidence._finding import Criterion, Finding, Verdict, decide, magnified
from sosie.evidence._intervals import wilson
from sosie.evidence._space import nearest_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.evidence._case import Case
    from sosie.evidence._people import People

    Floats = NDArray[np.float64]

__all__ = ["Linkability"]


class Linkability:
    r"""Two files hold the same persons, each with half of the known columns.

    The attacker looks for the ``k`` synthetic rows nearest to a person by the columns of one
    file, and by those of the other; if a row is among both, the synthetic table links the two
    records. The known columns are parted at random in several ways, and a person counts by the
    share of the ways in which the link is made, so that the interval is one over persons.

    Links are also made through persons of the population: by control persons, linked in the
    same way, and by chance, :math:`1 - \binom{s - k}{k} / \binom{s}{k}` among s rows.

    References
    ----------
    .. [1] M. Giomi et al., "A unified framework for quantifying privacy risk in synthetic
       data", PETS 2023, section 4.2.
    """

    name: ClassVar[str] = "linkability"

    def run(self, case: Case) -> dict[str, Finding]:
        """Link with ten neighbours, and with the nearest."""
        if len(case.known) < 2:
            why = Finding(why_not="too_few", criterion=Criterion.LINKABILITY)
            return {"linkability": why, "linkability_nearest": why}
        rng = case.rng(self.name)
        persons, control = case.attacked()
        synthetic = case.compared
        splits = _splits(list(case.known), case.effort.splits, rng)
        ks = (10, 1)
        ours = _links(case, persons, synthetic, splits, ks)
        theirs = None if control is None else _links(case, control, synthetic, splits, ks)
        return {
            name: magnified(
                _finding(
                    ours[k], None if theirs is None else theirs[k], splits, k, len(synthetic), case
                ),
                case.visible_share,
            )
            for name, k in zip(("linkability", "linkability_nearest"), ks, strict=True)
        }


Split = tuple[list[str], list[str]]


def _splits(known: list[str], wanted: int, rng: np.random.Generator) -> list[Split]:
    """Part the columns in halves at random, each way once."""
    found: dict[frozenset[str], Split] = {}
    for _ in range(20 * wanted):
        order = rng.permutation(len(known))
        half = frozenset(known[i] for i in order[: len(known) // 2])
        other = frozenset(known) - half
        if half not in found and other not in found:
            left = [name for name in known if name in half]
            found[half] = (left, [name for name in known if name in other])
        if len(found) == wanted:
            break
    return list(found.values())


def _links(
    case: Case, persons: People, synthetic: People, splits: list[Split], ks: tuple[int, ...]
) -> dict[int, NDArray[np.bool_]]:
    """Tell which persons are linked, by k: shape (splits, persons)."""
    found = {k: np.zeros((len(splits), len(persons)), np.bool_) for k in ks}
    for i, sides in enumerate(splits):
        near = [
            nearest_rows(
                case.space.points(persons, side), case.space.points(synthetic, side), max(ks)
            )
            for side in sides
        ]
        for k in ks:
            left, right = (side[:, :k] for side in near)
            found[k][i] = (left[:, :, None] == right[:, None, :]).any(axis=(1, 2))
    return found


def _finding(
    ours: NDArray[np.bool_],
    theirs: NDArray[np.bool_] | None,
    splits: list[Split],
    k: int,
    rows: int,
    case: Case,
) -> Finding:
    share = ours.mean(axis=0)
    n, value = len(share), float(share.mean())
    by_chance = 1 - float(np.prod([(rows - k - i) / (rows - i) for i in range(min(k, rows))]))
    found = Finding(
        value=value,
        ci=_mean_interval(share),
        naive=by_chance,
        target=case.threshold,
        verdict=Verdict.ATTENTION,
        criterion=Criterion.LINKABILITY,
        n=n,
        detail={
            "by_split": [
                {
                    "left": left,
                    "right": right,
                    "value": float(ours[i].mean()),
                    "control": None if theirs is None else float(theirs[i].mean()),
                    "naive": by_chance,
                }
                for i, (left, right) in enumerate(splits)
            ],
            "neighbours": k,
        },
    )
    if theirs is None:
        return found
    other = theirs.mean(axis=0)
    difference = value - float(other.mean())
    (low, high), (low_other, high_other) = _mean_interval(share), _mean_interval(other)
    interval = (
        difference - float(np.hypot(value - low, high_other - other.mean())),
        difference + float(np.hypot(high - value, other.mean() - low_other)),
    )
    return found.model_copy(
        update={
            "control": float(other.mean()),
            "difference": difference,
            "difference_ci": interval,
            "n_control": len(other),
            "verdict": decide(difference, interval, case.threshold),
        }
    )


def _mean_interval(shares: Floats) -> tuple[float, float]:
    """Give Wilson's interval of a mean of shares: as many persons as their spread is worth."""
    n, mean = len(shares), float(shares.mean())
    variance = float(shares.var(ddof=1)) if n > 1 else 0.0
    # Were each share 0 or 1 the variance would be p (1 - p); averaging makes it less.
    worth = n if variance <= 0 else max(n, n * mean * (1 - mean) / variance)
    return wilson(mean * worth, round(worth))
