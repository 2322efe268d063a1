"""`sosie avatar`: one synthetic row a person, written to a file."""

from __future__ import annotations

import json
import math
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from sosie.cli._columns import Drop, Recreate, check_remade, said_of_columns
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError

__all__ = ["avatar"]

_PATIENCE = 1.0
"""Seconds before progress is shown."""


def avatar(
    data: Annotated[
        Path, typer.Argument(help="The table of persons: CSV, Parquet, Excel, SAS, Stata, SPSS.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Where avatars go: .csv, .parquet or .feather.")
    ],
    k: Annotated[int, typer.Option("--k", help="Persons in a neighbourhood.")] = 10,
    ncp: Annotated[
        int, typer.Option("--ncp", help="Factors in which neighbourhoods are made.")
    ] = 5,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            metavar="COL=W",
            help="What multiplies the inertia of a column; may be repeated.",
        ),
    ] = None,
    kernel: Annotated[
        str, typer.Option("--kernel", help="gibbs, rotation, gaussian or published.")
    ] = "gibbs",
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="A whole number; drawn afresh where it is not given."),
    ] = None,
    schema: Annotated[
        Path | None, typer.Option("--schema", help="What is already known of the columns.")
    ] = None,
    drop: Drop = None,
    recreate: Recreate = None,
    linked: Annotated[
        Path | None,
        typer.Option("--linked", help="SENSITIVE: also write them in the order of the original."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", help="One more spelling of a missing cell; may be repeated."),
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="en or fr.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make one avatar a person: rows of people who do not exist, in random order.

    The same table, settings and seed give the same avatars; without --seed a fresh one is drawn.
    """
    started = time.perf_counter()
    words: dict[str, Any] = texts(language(lang))["avatar"]
    weights = _weights(weight or [])
    if seed is None:
        seed = secrets.randbelow(2**53)  # what every reader of JSON holds exactly
    elif seed < 0:
        raise ParameterError(f"The seed is a whole number of at least 0, not {seed}.")
    from sosie.generators import Avatar
    from sosie.table import Table

    _check_places([p for p in (out, linked) if p], [p for p in (data, schema) if p])
    generator = Avatar(k, ncp, weights, kernel, seed)
    with _Stages(words["stages"], shown=not as_json) as stages:
        stages.begin("read")
        said = said_of_columns(schema, drop, recreate)
        table = Table.read(data, said, missing=missing)
        check_remade(table, recreate)
        stages.begin("learn")
        generator.fit(table, progress=stages.advance)
        stages.begin("draw")
        avatars, sensitive = generator.sample_tables(progress=stages.advance)
        stages.begin("write")
        # Both or neither: whatever was under these names stays if one cannot be written.
        avatars.write(out, also={linked: sensitive} if linked else None)
    done = {
        "rows": len(avatars),
        "columns": len(avatars.names),
        "k": k,
        "ncp": generator.n_factors_,
        "kernel": kernel,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_mb": _peak_memory_mb(),
        "out": str(out),
    }
    if as_json:
        typer.echo(json.dumps(done))
    else:
        _show(done, linked, getattr(generator, "rare_labels_", {}), words)
    if linked is not None:
        typer.echo(words["warning"].format(path=linked), err=True)


def _weights(spelt: list[str]) -> dict[str, float]:
    """Read ``COL=W``, where the name may hold ``=`` too."""
    weights: dict[str, float] = {}
    for one in spelt:
        name, sign, value = one.rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not (sign and name and math.isfinite(weight) and weight >= 0):
            raise ParameterError(
                f"--weight {one}: give a column, = and a number of at least 0, as in age=2."
            )
        if name in weights:
            raise ParameterError(f"--weight gives column {name!r} two weights; give it one.")
        weights[name] = weight
    return weights


def _check_places(outputs: list[Path], inputs: list[Path]) -> None:
    """Refuse, before any work, where nothing could or should be written."""
    from sosie.table import check_output

    taken = list(inputs)
    for path in outputs:
        check_output(path)
        for other in taken:
            if _same(path, other):
                raise ParameterError(f"{path} would replace {other}; give another name.")
        taken.append(path)


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


class _Stages:
    """What is being done, shown on a terminal once it has taken a second."""

    def __init__(self, names: dict[str, str], *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._names = names
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._progress.add_task("", total=None)
        self._timer = threading.Timer(_PATIENCE, self._progress.start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._progress.live.is_started:
            self._progress.stop()

    def begin(self, name: str) -> None:
        """Tell what begins; how long it takes is not known yet."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(self._names[name], total=None)

    def advance(self, share: float) -> None:
        """Tell the share that is done, from 0 to 1."""
        self._progress.update(self._task, completed=share, total=1)


def _peak_memory_mb() -> float | None:
    """Give the most memory that this process held; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        # Not getrusage: after exec, its peak is at least that of the parent.
        kilobytes = next(line.split()[1] for line in status.splitlines() if "VmHWM" in line)
        return round(int(kilobytes) * 1024 / 1e6, 1)
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def _show(
    done: dict[str, Any], linked: Path | None, rare: dict[str, int], words: dict[str, Any]
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    memory = done["peak_memory_mb"]
    cells = {
        "rows": _number(done["rows"], words),
        "columns": _number(done["columns"], words),
        "k": str(done["k"]),
        "ncp": str(done["ncp"]),
        "kernel": done["kernel"],
        "seed": str(done["seed"]),
        "seconds": _number(done["seconds"], words, 1),
        "memory": "" if memory is None else f"{_number(memory, words)} MB",
    }
    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(justify="right")
    for key, cell in cells.items():
        grid.add_row(words[key], cell)
    console = Console()
    console.print(grid)
    lines = [words["written"].format(path=done["out"]), words["keep"]]
    if linked is not None:
        lines.insert(1, words["linked"].format(path=linked))
    if rare:
        pair = words["rare_pair"]
        pairs = ", ".join(pair.format(count=n, column=repr(name)) for name, n in rare.items())
        lines.append(words["rare"].format(k=done["k"], pairs=pairs))
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


def _number(value: float, words: dict[str, Any], decimals: int = 0) -> str:
    """Spell a number as the reader's language has it."""
    spelt = f"{value:,.{decimals}f}"
    return spelt.translate(str.maketrans({",": words["thousands"], ".": words["decimal"]}))
