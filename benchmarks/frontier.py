"""Leak against distortion: the published avatars, their peers and sosie's kernels.

    python benchmarks/frontier.py --quick
    python benchmarks/frontier.py --sets aids,heart,attrition,cancer,adult,support

Prints one table a data set (mean and sd over the rounds) and writes it, with every single
number and a figure, to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from threadpoolctl import threadpool_limits

from fidelity import published_fidelity
from measures import evaluate, train_synthetic_test_real
from studies import REPOSITORY, RESULTS, SETS, Round, add_data_option, aids_file, load_round
from targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

REAL = "train-real (ceiling)"
FILES = {"avatar": "published file", "synthpop": "synthpop", "ctgan": "CTGAN"}


@dataclass(frozen=True)
class Maker:
    """A row of the table: sosie with these parameters, or a file of the round."""

    name: str
    family: str
    parameters: tuple[tuple[str, object], ...] = ()
    file: str = ""


def sosie_maker(family: str, **parameters: object) -> Maker:
    said = ", ".join(f"{name}={value}" for name, value in parameters.items() if name != "kernel")
    return Maker(f"{family} {said}".strip(), family, tuple(parameters.items()))


def makers(name: str) -> list[Maker]:
    """List what is measured on a data set; files of other generators are there for one only."""
    from sosie import Avatar

    files = [Maker(title, title, file=file) for file, title in FILES.items()]
    default = Avatar()
    return [
        Maker(REAL, REAL),
        *(files if name == "aids" else []),
        sosie_maker("published", kernel="published", k=20, n_factors=5),
        *(sosie_maker("gaussian", kernel="gaussian", k=k) for k in (10, 20)),
        sosie_maker("rotation", kernel="rotation"),
        *(
            sosie_maker("gibbs", kernel="gibbs", k=k, n_factors=f)
            for f in (5, 10, 20)
            for k in (5, 10, 20, 50)
            if (k, f) != (default.k, default.n_factors)  # the last one
        ),
        sosie_maker("default"),
    ]


def measure(maker: Maker, split: Round, folder: Path) -> dict[str, float]:
    """All measures of what one generator makes of one round."""
    if maker.name == REAL:
        return train_synthetic_test_real(split.study, split.train, split.control, split.train)
    if maker.file:
        made = aids_file(folder, maker.file, split.number)
        linked = made if maker.file == "avatar" else None
        return evaluate(split.study, split.train, split.control, made, linked)
    import sosie

    start = time.perf_counter()
    avatar = sosie.Avatar(**dict(maker.parameters), seed=split.number)  # type: ignore[arg-type]
    made = avatar.fit(split.train).sample(linked=True)
    seconds = time.perf_counter() - start
    found = evaluate(split.study, split.train, split.control, made, made)
    return found | {"seconds": seconds}


def one_job(job: tuple[str, Maker, int, Path]) -> dict[str, object]:
    name, maker, number, folder = job
    with threadpool_limits(1):  # two processes share two cores
        found = measure(maker, load_round(name, folder, number), folder)
    return {"set": name, "generator": maker.name, "family": maker.family, "round": number} | found


def run(jobs: list[tuple[str, Maker, int, Path]], workers: int) -> pd.DataFrame:
    """Measure everything; one line on the screen as each is done."""
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        for row in pool.map(one_job, jobs):
            rows.append(row)
            told = f"{row['set']} {row['generator']} round {row['round']}"
            print(f"  [{len(rows)}/{len(jobs)}] {told}", flush=True)
    return pd.DataFrame(rows)


def table(found: pd.DataFrame) -> list[list[str]]:
    """Lines of the table of one data set: titles, targets, one a generator, the verdict."""
    names = [m for m in TARGETS if m in found and found[m].notna().any()]
    groups = found.groupby("generator", sort=False)[names]
    means, sds = groups.mean(), groups.std()
    lines = [
        ["generator", *(TARGETS[m].title for m in names)],
        ["must", *(TARGETS[m].wording(TARGETS[m].must) for m in names)],
        ["hope", *(TARGETS[m].wording(TARGETS[m].hope) for m in names)],
    ]
    for generator in means.index:
        cells = []
        for m in names:
            mean, sd = means.loc[generator, m], sds.loc[generator, m]
            spread = "" if pd.isna(sd) or sd == 0 else f" ± {TARGETS[m].format(sd)}"
            cells.append(TARGETS[m].format(mean) + spread)
        lines.append([generator, *cells])
    if "default" in means.index:
        held: dict[str, dict[str, float]] = means.T.to_dict()  # type: ignore[assignment]
        real = held.get(REAL, {})
        verdicts = [
            TARGETS[m].verdict(held["default"][m], real.get(m, float("nan"))) for m in names
        ]
        lines.append(["default meets", *verdicts])
    return lines


def markdown(lines: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(cells) + " |" for cells in lines]
    return "\n".join([head, "|---" * len(lines[0]) + "|", *body])


def plain(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in lines
    )


def version() -> str:
    """Say which commit is measured, and whether anything was changed since."""
    told = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "an unknown commit"


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_option(parser)
    parser.add_argument("--sets", default="aids", help=f"comma-separated, among {', '.join(SETS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="2 rounds, 3 seeds for fidelity")
    parser.add_argument("--only", default="", help="regular expression on generator names")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-fidelity", action="store_true", help="leave out the last table")
    arguments = parser.parse_args()
    arguments.sets = [name.strip() for name in arguments.sets.split(",")]
    if unknown := sorted(set(arguments.sets) - set(SETS)):
        parser.error(f"unknown data set {unknown[0]}: choose among {', '.join(SETS)}")
    return arguments


def main() -> None:
    arguments = read_arguments()
    rounds = 2 if arguments.quick else arguments.rounds
    jobs = [
        (name, maker, number, arguments.data)
        for name in arguments.sets
        for maker in makers(name)
        if re.search(arguments.only, maker.name)
        for number in range(rounds)
    ]
    for name in arguments.sets:
        load_round(name, arguments.data, 0)  # leave at once if a file is absent
    found = run(jobs, arguments.workers)
    RESULTS.mkdir(exist_ok=True)
    found.to_csv(RESULTS / "frontier.csv", index=False)

    head = f"Mean ± sd over {rounds} rounds, at {version()}; see measures.py for definitions."
    report = ["# Frontier", head]
    for name in arguments.sets:
        lines = table(found[found["set"] == name])
        print(f"\n{name}\n{plain(lines)}")
        report += [f"## {name}", markdown(lines)]
    if not arguments.no_fidelity:
        lines = published_fidelity(arguments.data, seeds=3 if arguments.quick else 10)
        print(f'\nkernel="published" against the published linked file\n{plain(lines)}')
        report += ['## kernel="published" against the published linked file', markdown(lines)]
    (RESULTS / "frontier.md").write_text("\n\n".join(report) + "\n", encoding="utf-8")
    if "aids" in arguments.sets:
        from drawing import draw_frontier

        draw_frontier(found[found["set"] == "aids"], RESULTS / "frontier.png")
    print(f"\nwritten to {RESULTS}")


if __name__ == "__main__":
    main()
