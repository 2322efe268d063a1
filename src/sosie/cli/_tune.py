"""`sosie tune`: settings of the generator side by side."""

from __future__ import annotations

import math
import shlex
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._columns import Drop, Recreate, check_remade, said_of_columns
from sosie.cli._options import (  # noqa: TC001 - Typer reads it when it runs
    Lang,
    Missing,
    SchemaFile,
)
from sosie.cli._places import check_apart, check_place
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import ParameterError

if TYPE_CHECKING:
    from sosie.evidence import Tuning

__all__ = ["tune"]

_SHOWN = 20
"""Settings printed; all are written."""

_DECIMALS = {
    "threshold": 3,
    "f1": 3,
    "auc": 3,
    "recall": 3,
    "precision": 3,
    "hidden_rate": 1,
    "local_cloaking": 0,
    "member_auc": 3,
    "hellinger": 3,
}
_WIDE = 120
"""Letters of a line from which on every column is shown."""

_LESS = ("threshold", "recall", "precision", "hellinger")
_COLOURS = {"pass": "green", "attention": "yellow", "fail": "red"}

Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw what is kept and leaks.")
]


def tune(
    data: Annotated[Path, typer.Argument(help="The table of persons.")],
    target: Annotated[
        str, typer.Option("--target", metavar="COL", help="Column of two classes, to predict.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="OUT.csv", help="Where the settings go, best first.")
    ],
    k: Annotated[
        str, typer.Option("--k", metavar="K,K...", help="Persons in a neighbourhood.")
    ] = "5,10,20",
    ncp: Annotated[
        str, typer.Option("--ncp", metavar="N,N...", help="Factors of neighbourhoods.")
    ] = "5",
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight", metavar="COL=W,W...", help="Inertias of a column; may be repeated."
        ),
    ] = None,
    kernel: Annotated[
        str, typer.Option("--kernel", help="gibbs, rotation, gaussian, published; or several.")
    ] = "gibbs",
    plot: Plot = None,
    positive: Annotated[
        str | None,
        typer.Option("--positive", metavar="LEVEL", help="Class to find; else the last one."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Splits of the persons.")] = 3,
    seed: Annotated[int, typer.Option("--seed", help="A whole number.")] = 0,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Advantage of an attacker above which it fails."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; else one a processor.")
    ] = None,
    schema: SchemaFile = None,
    drop: Drop = None,
    recreate: Recreate = None,
    missing: Missing = None,
    lang: Lang = None,
) -> None:
    """Try settings on the same splits of the persons: what each keeps, what each leaks."""
    catalogue: dict[str, Any] = texts(language(lang))
    words, criteria = catalogue["tune"], catalogue["evidence"]["criteria"]
    grid: dict[str, Any] = {
        "k": _wholes("--k", k),
        "n_factors": _wholes("--ncp", ncp),
        "column_weights": _weights(weight or []),
        "kernels": _parts("--kernel", kernel, "give kernels separated by commas."),
    }
    check_place(out, ".csv")
    if plot is not None:
        check_place(plot, ".png")
    check_apart([p for p in (out, plot) if p], [p for p in (data, schema) if p])
    from sosie.evidence import THRESHOLD
    from sosie.evidence import tune as tuned
    from sosie.table import Drafts, Table

    with Stages(words["stages"], shown=True) as stages:
        stages.begin("read")
        table = Table.read(data, said_of_columns(schema, drop, recreate), missing=missing)
        check_remade(table, recreate)
        stages.begin("try")
        found = tuned(
            table,
            target,
            **grid,
            positive=positive,
            rounds=rounds,
            seed=seed,
            threshold=THRESHOLD if threshold is None else threshold,
            jobs=jobs,
            progress=stages.advance,
        )
        stages.begin("write")
        contents = {out: found.to_csv().encode()}
        if plot is not None:
            contents[plot] = _drawn(found, words)
        with Drafts() as drafts:
            for path, content in contents.items():
                with drafts.file(path) as file:
                    file.write(content)
    said: dict[str, list[Any]] = {
        "--schema": [schema] if schema else [],
        "--drop": drop or [],
        "--recreate": recreate or [],
        "--missing": missing or [],
        "--threshold": [threshold] if threshold else [],
    }
    repeated = [
        str(word) for option, values in said.items() for v in values for word in (option, v)
    ]
    command = [] if found.best is None else _rehearsal(found, data, seed)
    _show(found, [*command, *repeated], list(contents), words, criteria)


def _parts(option: str, spelt: str, advice: str) -> list[str]:
    found = [part.strip() for part in spelt.split(",")]
    if not all(found):
        raise ParameterError(f"{option} {spelt!r}: {advice}")
    return found


def _wholes(option: str, spelt: str) -> list[int]:
    advice = "give whole numbers of at least 1 separated by commas, as in 5,10."
    parts = _parts(option, spelt, advice)
    # Not int(): it takes 1_0 and numerals of other scripts.
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise ParameterError(f"{option} {spelt!r}: {advice}")
    return [int(part) for part in parts]


def _weights(spelt: list[str]) -> list[dict[str, float]]:
    """Read ``COL=W,W`` for several columns: every combination of their weights.

    Examples
    --------
    >>> _weights(["age=1,3"])
    [{'age': 1.0}, {'age': 3.0}]
    """
    columns: dict[str, list[float]] = {}
    for one in spelt:
        name, _, values = one.rpartition("=")
        try:
            weights = [float(value) for value in values.split(",")]
        except ValueError:
            weights = [math.nan]
        if not name or not all(math.isfinite(weight) and weight >= 0 for weight in weights):
            raise ParameterError(
                f"--weight {one}: give a column, = and numbers of at least 0 separated by "
                "commas, as in age=1,3."
            )
        if name in columns:
            raise ParameterError(
                f"--weight gives column {name!r} twice; give its weights at once, as in age=1,3."
            )
        columns[name] = weights
    return [dict(zip(columns, one, strict=True)) for one in product(*columns.values())]


def _drawn(found: Tuning, words: dict[str, Any]) -> bytes:
    from sosie.report._frontier import frontier

    plot = {**words["plot"], "verdicts": words["verdicts"], "names": words["columns"]}
    plot["title"] = plot["title"].format(target=found.target, positive=found.positive)

    def write(value: float) -> str:
        return f"{value:g}".replace(".", words["decimal"])

    return frontier(found.rows, found.best, plot, write)


def _show(
    found: Tuning,
    command: list[str],
    written: list[Path],
    words: dict[str, Any],
    criteria: dict[str, str],
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    console = Console()
    names = [name for name in ("k", "ncp", "cw", "kernel") if _differs(found, name)]
    wide = console.width >= _WIDE
    numbers = {n: d for n, d in _DECIMALS.items() if wide or n not in _LESS}
    grid = Grid(box=None, pad_edge=False)
    for name in [*names, *numbers, "verdict"]:
        right = name in _DECIMALS or name in ("k", "ncp")
        grid.add_column(
            words["columns"][name], justify="right" if right else "left", overflow="fold"
        )
    for row in found.rows[: 1 + _SHOWN]:
        cells = [escape("" if row[name] is None else str(row[name])) for name in names]
        if row["k"] is None:
            cells[0] = words["original"]
        cells += [_number(row[name], places, words) for name, places in numbers.items()]
        verdict = row["verdict"]
        shown = "" if verdict is None else words["verdicts"][verdict]
        colour = _COLOURS.get(str(verdict))
        grid.add_row(*cells, f"[{colour}]{shown}[/{colour}]" if colour else shown)
    console.print(grid)
    lines = [_why(found, words, criteria)]
    if len(found.rows) > 1 + _SHOWN:
        lines.insert(0, words["more"].format(count=len(found.rows) - 1 - _SHOWN))
    if found.best is not None:
        lines.append(words["next"].format(command=shlex.join(command)))
    lines += [words["written"].format(path=path) for path in written]
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


def _differs(found: Tuning, name: str) -> bool:
    return name == "k" or len({row[name] for row in found.rows[1:]}) > 1


def _number(value: float | None, places: int, words: dict[str, Any]) -> str:
    return "" if value is None else spelt_number(value, words, places)


def _why(found: Tuning, words: dict[str, Any], criteria: dict[str, str]) -> str:
    """Say which setting is chosen, and why."""
    which, values = found.why
    spelt = {
        name: _number(value, 3, words) if isinstance(value, float) else value
        for name, value in values.items()
    }
    spelt["f1_sd"] = "" if values.get("f1_sd") is None else f" ± {spelt['f1_sd']}"
    if "criterion" in values:
        spelt["criterion"] = criteria[values["criterion"]]
    return words["why"][which].format(**spelt)


def _rehearsal(found: Tuning, data: Path, seed: int) -> list[str]:
    """Give the command that judges the setting that was chosen."""
    assert found.best is not None
    best = found.best
    words = ["sosie", "rehearse", str(data), "--k", str(best["k"]), "--ncp", str(best["ncp"])]
    for name, weight in best["weights"].items():
        words += ["--weight", f"{name}={weight:g}"]
    if best["kernel"] != "gibbs":
        words += ["--kernel", best["kernel"]]
    return [*words, "--target", found.target, "--seed", str(seed + 1)]
