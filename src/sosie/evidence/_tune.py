"""Settings of the generator side by side: what each keeps, what each leaks."""

from __future__ import annotations

import csv
import difflib
import io
from dataclasses import dataclass
from itertools import product
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.evidence._align import align
from sosie.evidence._assess import THRESHOLD, check_settings, table_of
from sosie.evidence._finding import Criterion, Verdict, worst
from sosie.evidence._side_by_side import tried
from sosie.evidence._trial import Ground, Setting
from sosie.evidence._two_classes import TwoClasses, check_target
from sosie.generators import KERNELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sosie.table import Schema, Table

__all__ = ["COLUMNS", "FEWEST_PERSONS", "Tuning", "tune"]

FEWEST_PERSONS = 200

_DECIMALS = {
    "threshold": 4,
    "f1": 4,
    "auc": 4,
    "recall": 4,
    "precision": 4,
    "hidden_rate": 2,
    "local_cloaking": 1,
    "member_auc": 4,
    "hellinger": 4,
    "f1_sd": 4,
    "auc_sd": 4,
    "member_auc_sd": 4,
    "auc_boosted": 4,
}
_SPREADS = {"f1_sd": "f1", "auc_sd": "auc", "member_auc_sd": "member_auc"}

COLUMNS = (
    "k",
    "cw",
    "ncp",
    "threshold",
    "f1",
    "auc",
    "recall",
    "precision",
    "hidden_rate",
    "local_cloaking",
    "member_auc",
    "hellinger",
    "verdict",
    "kernel",
    "f1_sd",
    "auc_sd",
    "member_auc_sd",
    "auc_boosted",
    "criteria",
)
"""Of the table that is written."""

_ORDER = (Verdict.PASS, Verdict.ATTENTION, Verdict.FAIL)


@dataclass(frozen=True)
class Tuning:
    """What a search over settings found.

    Attributes
    ----------
    rows : list of dict
        One a setting by the names of ``COLUMNS``, the original first, where what has no
        meaning is None; then those that pass, those that ask for attention and those that
        fail, each by falling F1. ``hidden_rate`` in percent, all other rates 0 to 1;
        ``criteria`` are those the verdict is due to. Besides, ``weights`` other than 1.
    best : dict or None
        The row with the best F1 among those that pass; where none passes, among those that
        ask for attention; None where all fail.
    why : tuple of str and dict
        Which of the three it was, ``"pass"``, ``"attention"`` or ``"none"``, and the numbers
        of the sentence that says so.
    persons : int
    rounds : int
    target, positive : str
        What was predicted, and the class that was to be found.
    """

    rows: list[dict[str, Any]]
    best: dict[str, Any] | None
    why: tuple[str, dict[str, Any]]
    persons: int
    rounds: int
    target: str
    positive: str

    def to_csv(self) -> str:
        """Spell the rows as CSV; an empty cell has no meaning for its row."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            writer.writerow([_spelt(name, row[name]) for name in COLUMNS])
        return out.getvalue()

    def write(self, path: str | Path) -> None:
        """Write the rows as CSV, whole or not at all."""
        from pathlib import Path

        from sosie.table import whole_file

        with whole_file(Path(path)) as out:
            out.write(self.to_csv().encode())


def tune(
    data: Any,
    target: str,
    *,
    k: Sequence[int] = (5, 10, 20),
    n_factors: Sequence[int] = (5,),
    column_weights: Sequence[Mapping[str, float]] = ({},),
    kernels: Sequence[str] = ("gibbs",),
    positive: str | None = None,
    schema: Schema | str | Path | None = None,
    rounds: int = 3,
    seed: int = 0,
    threshold: float = THRESHOLD,
    jobs: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Tuning:
    """Try every setting of a grid on the same splits of the persons.

    In each round the persons are parted at random: the generator sees half of them; models
    are trained on the synthetic table, the cut of their probability is chosen there, and
    they are tested on a quarter; attackers tell the half from the last quarter, which is
    never tested on. The verdict is that of a quick battery, of most rounds, the worse one
    where two are equally many.

    The best F1 of many settings is a little too good, for it was also the luckiest: judge the
    one that is chosen with :func:`rehearse` on another seed.

    Parameters
    ----------
    data : Table, dataframe or path
        Persons.
    target : str
        A column of two classes that models predict.
    k, n_factors, column_weights, kernels : sequence
        The grid: parameters of :class:`sosie.Avatar`.
    positive : str, optional
        The class to find; the last where not told. The others stand together.
    schema : Schema or path, optional
        What is already known of the columns.
    rounds : int
        Splits.
    seed : int
        Same persons, grid and seed give the same rows, whatever the number of jobs.
    threshold : float
        Advantage of an attacker above which a criterion fails.
    jobs : int, optional
        Processes; one a processor where not told.
    progress : callable, optional
        Told the share of the work done, from 0 to 1.

    Returns
    -------
    Tuning

    Raises
    ------
    DataError
        If there are fewer than 200 persons, or fewer than 20 of a class, or one class.
    ParameterError
        If a setting is out of range, or names no column or class.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(50, 10, 240).round()
    >>> patients = pl.DataFrame({"age": age, "ill": rng.random(240) < age / 100})
    >>> found = tune(patients, "ill", k=[10], rounds=1, jobs=1)
    >>> len(found.rows), found.rows[0]["k"], found.rows[1]["k"]
    (2, None, 10)
    """
    check_settings("quick", threshold, seed)
    for name, value in (("rounds", rounds), ("jobs", 1 if jobs is None else jobs)):
        _check_whole(name, value)
    table = table_of(data, schema)
    settings = _grid(k, n_factors, column_weights, kernels)
    ground = _ground(table, target, positive, threshold, seed)
    _check_grid(settings, table, ground)
    tasks = [(setting, turn) for setting in (None, *settings) for turn in range(rounds)]
    found = tried(ground, tasks, jobs, progress or (lambda _: None))
    rows = []
    for place, setting in enumerate((None, *settings)):
        rows.append(_row(setting, found[place * rounds : (place + 1) * rounds]))
    first, others = rows[0], sorted(rows[1:], key=_place)
    best, why = _chosen(first, others)
    return Tuning([first, *others], best, why, len(table), rounds, target, ground.classes.label)


def _ground(table: Table, target: str, positive: str | None, threshold: float, seed: int) -> Ground:
    check_target(table, target)
    if len(table) < FEWEST_PERSONS:
        raise DataError(
            f"There are {len(table)} persons: tuning splits them and needs {FEWEST_PERSONS} at "
            "least."
        )
    table.refuse()
    people = align(table, table).original
    classes = TwoClasses.of(people, target, positive)
    return Ground(table, people.layout, classes, threshold, seed)


def _grid(
    k: Iterable[int],
    n_factors: Iterable[int],
    column_weights: Iterable[Mapping[str, float]],
    kernels: Iterable[str],
) -> list[Setting]:
    """Give every combination once."""
    axes: dict[str, list[Any]] = {
        "k": list(k),
        "n_factors": list(n_factors),
        "column_weights": list(column_weights),
        "kernels": list(kernels),
    }
    for name, values in axes.items():
        if not values:
            raise ParameterError(f"There is no {name} to try: give one at least.")
    for name in ("k", "n_factors"):
        for value in axes[name]:
            _check_whole(name, value)
    for kernel in axes["kernels"]:
        if kernel not in KERNELS:
            listed = ", ".join(KERNELS)
            raise ParameterError(f"There is no kernel {kernel!r}; use one of: {listed}.")
    found: dict[tuple[Any, ...], Setting] = {}
    for one_k, factors, weights, kernel in product(*axes.values()):
        setting = Setting(int(one_k), int(factors), dict(weights), kernel)
        found.setdefault((setting.k, setting.n_factors, setting.cw, kernel), setting)
    return list(found.values())


def _check_grid(settings: list[Setting], table: Table, ground: Ground) -> None:
    """Refuse, before any work, what a generator would refuse in the middle of it."""
    seen = len(ground.split(0)[0])
    largest = max(setting.k for setting in settings)
    if largest >= seen:
        raise ParameterError(
            f"k = {largest} is too large: generators are tried on half of the {len(table)} "
            f"persons; use a k of at most {seen - 1}."
        )
    for name in {name for setting in settings for name in setting.weights}:
        if name not in table.names:
            near = difflib.get_close_matches(name, table.names, 1)
            hint = f"did you mean {near[0]!r}?" if near else "check its spelling."
            raise ParameterError(f"There is no column {name!r} to weigh; {hint}")


def _check_whole(name: str, value: object) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ParameterError(f"{name} is a whole number of at least 1, not {value!r}.")


def _row(setting: Setting | None, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the rounds of one setting."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    if setting is not None:
        row |= {"k": setting.k, "cw": setting.cw, "ncp": setting.n_factors}
        row["weights"] = {name: w for name, w in setting.weights.items() if w != 1}
        row |= {"kernel": setting.kernel, "verdict": _most([one["verdict"] for one in turns])}
        row["criteria"] = ";".join(_due_to(row["verdict"], [one["criteria"] for one in turns]))
    for name in _DECIMALS:
        values = [one[name] for one in turns if one.get(name) is not None]
        if values:
            # Of a count the median, as within a round.
            middle = np.median if name == "local_cloaking" else np.mean
            row[name] = float(middle(values))
    for name, of in _SPREADS.items():
        values = [one[of] for one in turns if one.get(of) is not None]
        if len(values) > 1:
            row[name] = float(np.std(values, ddof=1))
    return row


def _most(verdicts: list[Verdict]) -> Verdict:
    """Give the verdict of most rounds, the worst of those equally many."""
    most = max(map(verdicts.count, verdicts))
    return worst([verdict for verdict in verdicts if verdicts.count(verdict) == most])


def _due_to(verdict: Verdict, turns: list[dict[str, Verdict]]) -> list[str]:
    """Name the criteria with that verdict in most rounds; if none, those with it in any."""
    if verdict is Verdict.PASS:
        return []
    by_name = {name: [one[name] for one in turns] for name in turns[0]}
    often = [name for name, verdicts in by_name.items() if _most(verdicts) is verdict]
    return often or [name for name, verdicts in by_name.items() if verdict in verdicts]


def _place(row: dict[str, Any]) -> tuple[float, ...]:
    return _ORDER.index(row["verdict"]), -row["f1"], -row["auc"], -row["k"]


def _chosen(
    original: dict[str, Any], rows: list[dict[str, Any]]
) -> tuple[dict[str, Any] | None, tuple[str, dict[str, Any]]]:
    """Choose the first row, unless it fails; say among how many."""
    counts = {str(v): sum(row["verdict"] == v for row in rows) for v in _ORDER}
    values = {"settings": len(rows), "original": original["f1"], **counts}
    first = rows[0]
    if first["verdict"] is Verdict.FAIL:
        names = [name for row in rows for name in row["criteria"].split(";")]
        return None, ("none", values | {"criterion": max(Criterion, key=names.count)})
    return first, (str(first["verdict"]), values | {name: first[name] for name in COLUMNS})


def _spelt(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _DECIMALS:
        spelt = f"{value:.{_DECIMALS[name]}f}"
        return spelt.removesuffix(".0") if name == "local_cloaking" else spelt
    return str(value)
