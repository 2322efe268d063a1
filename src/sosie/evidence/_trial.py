"""One setting of the generator, tried on one split of the persons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from sosie.evidence._align import coded
from sosie.evidence._case import EFFORTS, Case
from sosie.evidence._criteria import judge
from sosie.evidence.privacy import (
    AttributeInference,
    AvatarDiagnostics,
    Copies,
    Linkability,
    Membership,
    SinglingOut,
)
from sosie.evidence.utility._univariate import Hellinger
from sosie.generators import Avatar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sosie.evidence._finding import Finding
    from sosie.evidence._people import Layout
    from sosie.evidence._two_classes import TwoClasses
    from sosie.table import Table

    Rows = NDArray[np.intp]

__all__ = ["Ground", "Setting", "trial"]

_BATTERY = (
    Copies,
    SinglingOut,
    Linkability,
    AttributeInference,
    Membership,
    AvatarDiagnostics,
)


@dataclass(frozen=True)
class Setting:
    """One point of the grid.

    Attributes
    ----------
    k, n_factors : int
    weights : mapping of column to float
    kernel : str
    """

    k: int
    n_factors: int
    weights: Mapping[str, float] = field(default_factory=dict)
    kernel: str = "gibbs"

    @property
    def cw(self) -> str:
        """The weights, spelt; 1 where every column weighs the same.

        Examples
        --------
        >>> Setting(5, 5, {"age": 1, "sex": 3}).cw, Setting(5, 5, {"age": 1}).cw
        ('age=1;sex=3', '1')
        """
        if all(weight == 1 for weight in self.weights.values()):
            return "1"
        return ";".join(f"{name}={weight:g}" for name, weight in self.weights.items())


@dataclass(frozen=True)
class Ground:
    """What every trial stands on, the same for every setting.

    Attributes
    ----------
    table : Table
        All persons.
    layout : Layout
        The columns that are compared.
    classes : TwoClasses
    threshold : float
        Advantage of an attacker above which a criterion fails.
    seed : int
    """

    table: Table
    layout: Layout
    classes: TwoClasses
    threshold: float
    seed: int

    def split(self, turn: int) -> tuple[Rows, Rows, Rows]:
        """Part the persons in train (half), control and test (a quarter each).

        Classes of the target, and those whose class is not known, are parted alike.
        """
        people = coded(self.table, self.layout)
        outcome = self.classes.outcome(people).astype(int)
        outcome[people.missing(self.classes.target)] = 2
        rng = np.random.default_rng([self.seed, turn])
        parts: tuple[list[Rows], ...] = ([], [], [])
        for value in range(3):
            rows = rng.permutation(np.flatnonzero(outcome == value))
            cuts = [len(rows) // 2, 3 * len(rows) // 4]
            for part, some in zip(parts, np.split(rows, cuts), strict=True):
                part.append(some)
        train, control, test = (np.sort(np.concatenate(part)) for part in parts)
        return train, control, test


def trial(ground: Ground, setting: Setting | None, turn: int) -> dict[str, Any]:
    """Fit on train, attack with control, and test what models learn on test.

    Parameters
    ----------
    ground : Ground
    setting : Setting or None
        None for the original: models then learn on train itself.
    turn : int
        Which split.

    Returns
    -------
    dict
        Numbers by the name of the column; ``verdict``, and that of each of ``criteria``.
    """
    train, control, test = (ground.table.taken(rows) for rows in ground.split(turn))
    layout, classes = ground.layout, ground.classes
    tested = coded(test, layout)
    if setting is None:
        return dict(classes.scores(coded(train, layout), tested, _rng(ground, turn)))
    # A pool of processes gives each trial one thread; so does one process, for the same digits.
    with threadpool_limits(1):
        generator = Avatar(
            setting.k, setting.n_factors, setting.weights, setting.kernel, ground.seed + turn
        ).fit(train)
        released, linked = generator.sample_tables()
        synthetic = coded(released, layout)
        case = Case(
            coded(train, layout),
            synthetic,
            coded(control, layout),
            coded(linked, layout),
            layout.names,
            layout.names,
            classes.target,
            ground.threshold,
            EFFORTS["quick"],
            ground.seed + turn,
        )
        found: dict[str, Finding] = {}
        for attack in _BATTERY:
            found |= attack().run(case)
        found |= Hellinger().run(case.measured())
    criteria, verdict = judge(found, control=True)
    return {
        **classes.scores(synthetic, tested, _rng(ground, turn)),
        "hidden_rate": found["hidden_rate"].value,
        "local_cloaking": found["local_cloaking"].value,
        "member_auc": found["membership_auc"].value,
        "hellinger": found["hellinger_mean"].value,
        "verdict": verdict,
        "criteria": {str(name): one.verdict for name, one in criteria.items()},
    }


def _rng(ground: Ground, turn: int) -> np.random.Generator:
    return np.random.default_rng([ground.seed, turn, *b"models"])
