"""`sosie avatar`: one synthetic row a person, written to a file."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from sosie.cli._allowed import (
    AgreementOption,
    KeysOption,
    RecipientOption,
    check_allowed,
    check_read,
    told,
)
from sosie.cli._columns import Drop, Recreate, check_remade, said_of_columns
from sosie.cli._options import Json, Lang, Missing, SchemaFile, Seed, weights_of
from sosie.cli._places import check_apart
from sosie.cli._remarks import doubtful
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import ParameterError

__all__ = ["avatar"]


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
    seed: Seed = None,
    schema: SchemaFile = None,
    drop: Drop = None,
    recreate: Recreate = None,
    linked: Annotated[
        Path | None,
        typer.Option("--linked", help="SENSITIVE: also write them in the order of the original."),
    ] = None,
    missing: Missing = None,
    agreement: AgreementOption = None,
    recipient: RecipientOption = None,
    keys: KeysOption = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Make one avatar a person: rows of people who do not exist, in random order.

    The same table, settings and seed give the same avatars; without --seed a fresh one is drawn.
    """
    started = time.perf_counter()
    words: dict[str, Any] = texts(language(lang))["avatar"]
    weights = weights_of(weight or [])
    if seed is None:
        seed = secrets.randbelow(2**53)  # what every reader of JSON holds exactly
    elif seed < 0:
        raise ParameterError(f"The seed is a whole number of at least 0, not {seed}.")
    from sosie.generators import Avatar
    from sosie.table import Table, check_output

    outputs = [p for p in (out, linked) if p]
    for path in outputs:
        check_output(path)
    check_apart(outputs, [p for p in (data, schema, agreement) if p])
    generator = Avatar(k, ncp, weights, kernel, seed)
    said = said_of_columns(schema, drop, recreate)
    given = {"k": k, "ncp": ncp, "kernel": kernel, "weight": weights or None}
    signed = check_allowed(agreement, data, said, "avatar", given, recipient, keys)
    with Stages(words["stages"], shown=not as_json) as stages:
        stages.begin("read")
        table = Table.read(data, said, missing=missing)
        check_remade(table, recreate)
        check_read(agreement, signed, table)
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
    if weights:
        done["weights"] = weights
    if signed is not None:
        with out.open("rb") as file:
            done["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        done["agreement"] = signed.sha256
    if as_json:
        typer.echo(json.dumps(done))
    else:
        _show(done, linked, getattr(generator, "rare_labels_", {}), words)
    for line in (*doubtful(table, lang), *told(signed, texts(language(lang))["allowed"])):
        typer.echo(line, err=True)
    if linked is not None:
        typer.echo(words["warning"].format(path=linked), err=True)


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
        "rows": spelt_number(done["rows"], words),
        "columns": spelt_number(done["columns"], words),
        "k": str(done["k"]),
        "ncp": str(done["ncp"]),
        "kernel": done["kernel"],
        "seed": str(done["seed"]),
        "seconds": spelt_number(done["seconds"], words, 1),
        "memory": "" if memory is None else f"{spelt_number(memory, words)} MB",
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
