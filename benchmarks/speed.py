"""Speed and memory beside the reference recipe, the bare neighbour search, and SDV.

    python benchmarks/speed.py --parts a,d --sdv-python /path/to/sdv-venv/bin/python

Parts: a, the reference recipe at 100,000 rows; b, a million rows from file to file against the
bare faiss search; c, growth with the number of rows; d, SDV's Gaussian copula at 50,000 rows.
Every run has a process of its own; what is compared is interleaved and repeated, medians are
told. Prints a table and writes benchmarks/results/speed.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sections import busy, machine

# Nothing heavy is imported here: a child's peak memory may start from its parent's.

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
WORKERS = HERE / "speed_workers.py"
PUBLISHED = '{"kernel": "published", "k": 20, "n_factors": 5}'

Told = dict[str, float]


@dataclass
class Bench:
    """What all parts share: where files go, how often things run, the lines to print."""

    adult: Path
    folder: Path
    repeats: int
    sdv_python: str
    lines: list[str]

    def say(self, line: str) -> None:
        """Print a line and keep it for the report."""
        print(line, flush=True)
        self.lines.append(line)

    def table(self, rows: int, suffix: str = "parquet") -> Path:
        """Give an Adult-like table of so many rows, built once."""
        path = self.folder / f"adult_{rows}.{suffix}"
        if not path.exists():
            run([sys.executable, str(WORKERS), "build", str(self.adult), str(rows), str(path)])
        return path


def run(command: list[str]) -> str:
    """Run to the end and give what it prints, or leave with the reason that it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"This command failed with code {done.returncode}: {' '.join(command)}")
    return done.stdout


def worker(python: str, *arguments: str) -> Told:
    told: Told = json.loads(run([python, str(WORKERS), *arguments]).splitlines()[-1])
    return told


def measured(command: list[str]) -> Told:
    """Wall, CPU and peak memory of a whole process, start and imports included."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"This command failed with code {process.returncode}: {' '.join(command)}")
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return {
        "work_wall": wall,
        "work_cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / unit,
    }


def interleaved(bench: Bench, runs: dict[str, list[str]]) -> dict[str, Told]:
    """Run each of several workers in turn, several times over; give medians."""
    told: dict[str, list[Told]] = {name: [] for name in runs}
    for _ in range(bench.repeats):
        for name, command in runs.items():
            told[name].append(worker(*command))
    return {name: medians(of) for name, of in told.items()}


def medians(told: list[Told]) -> Told:
    return {key: statistics.median(one[key] for one in told) for key in told[0]}


def compare(bench: Bench, runs: dict[str, list[str]]) -> None:
    """Print a line each, then how many times the first one takes what the others take."""
    found = interleaved(bench, runs)
    bench.say("| | wall s | CPU s | wall with imports | CPU with imports | peak MB | added MB |")
    bench.say("|---|---|---|---|---|---|---|")
    for name, told in found.items():
        cells = (
            f"{told['work_wall']:.2f}",
            f"{told['work_cpu']:.2f}",
            f"{told['work_wall'] + told['import_wall']:.2f}",
            f"{told['work_cpu'] + told['import_cpu']:.2f}",
            f"{told['peak_mb']:.0f}",
            f"{told['peak_mb'] - told['before_mb']:.0f}",
        )
        bench.say(f"| {name} | " + " | ".join(cells) + " |")
    first, *others = found
    for name in others:
        ratios = {key: found[first][key] / found[name][key] for key in ("work_wall", "work_cpu")}
        memory = found[name]["peak_mb"] / found[first]["peak_mb"]
        bench.say(
            f"\n{name}: {ratios['work_wall']:.1f} times faster than {first} by the wall, "
            f"{ratios['work_cpu']:.1f} times in CPU seconds, in {memory:.2f} of its memory."
        )


def part_a(bench: Bench) -> None:
    """Run the reference recipe against sosie."""
    bench.say("\n## a. Reference recipe, 100,000 rows (asked: 6 times faster, half the memory)\n")
    table = str(bench.table(100_000))
    compare(
        bench,
        {
            "reference": [sys.executable, "reference", table],
            "sosie": [sys.executable, "sosie", table],
            "sosie published": [sys.executable, "sosie", table, PUBLISHED],
        },
    )


def command_line(bench: Bench, rows: int) -> Told:
    out = bench.folder / f"avatars_{rows}.parquet"
    program = str(Path(sys.executable).parent / "sosie")
    told = measured([program, "avatar", str(bench.table(rows)), "--out", str(out)])
    out.unlink()
    return told


def part_b(bench: Bench) -> None:
    """Run a million rows from file to file against the bare search."""
    bench.say("\n## b. 1,000,000 rows from Parquet to Parquet (asked: 2.5 times, under 3 GB)\n")
    table = str(bench.table(1_000_000))
    whole, bare = [], []
    for _ in range(bench.repeats):
        bare.append(worker(sys.executable, "search", table))
        whole.append(command_line(bench, 1_000_000))
    ours, theirs = medians(whole), medians(bare)
    bench.say("| | wall s | CPU s | peak MB |")
    bench.say("|---|---|---|---|")
    name = (
        f"bare faiss search ({theirs['lists']:.0f} lists, {theirs['probes']:.0f} probed, "
        f"recall {theirs['recall']:.3f})"
    )
    for title, told in ((name, theirs), ("sosie avatar, end to end", ours)):
        cells = f"{told['work_wall']:.1f} | {told['work_cpu']:.1f} | {told['peak_mb']:.0f}"
        bench.say(f"| {title} | {cells} |")
    wall, cpu = (ours[key] / theirs[key] for key in ("work_wall", "work_cpu"))
    bench.say(f"\nRatio: {wall:.2f} by the wall, {cpu:.2f} in CPU seconds.")


def part_c(bench: Bench) -> None:
    """Show how the time grows with the rows."""
    bench.say("\n## c. Growth (asked: close to linear)\n")
    bench.say("| rows | wall s | CPU s | wall s per million | peak MB |")
    bench.say("|---|---|---|---|---|")
    for rows in (200_000, 1_000_000, 5_000_000):
        told = command_line(bench, rows)
        each = told["work_wall"] / rows * 1e6
        cells = f"{told['work_wall']:.1f} | {told['work_cpu']:.1f} | {each:.1f}"
        bench.say(f"| {rows:,} | {cells} | {told['peak_mb']:.0f} |")


def part_d(bench: Bench) -> None:
    """Run SDV's Gaussian copula against sosie."""
    bench.say("\n## d. SDV GaussianCopula, 50,000 rows (asked: 3 times faster in CPU seconds)\n")
    check = [bench.sdv_python, "-c", "import sdv"]
    if subprocess.run(check, stderr=subprocess.DEVNULL, check=False).returncode:
        bench.say(f"Left out: {bench.sdv_python} cannot import sdv (see benchmarks/README.md).")
        return
    table = str(bench.table(50_000, "csv"))  # the one format that SDV's dependencies always read
    compare(
        bench,
        {
            "SDV GaussianCopula": [bench.sdv_python, "sdv", table],
            "sosie": [sys.executable, "sosie", table],
        },
    )


PARTS = {"a": part_a, "b": part_b, "c": part_c, "d": part_d}


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--data",
        type=Path,
        default=HERE.parent.parent / "shared" / "data",
        help="folder with adult.csv.gz (default: ../shared/data beside the repository)",
    )
    parser.add_argument("--parts", default="a,b,c,d", help="comma-separated")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sdv-python", default=sys.executable, help="interpreter that has sdv")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.parts.split(",")) - set(PARTS)):
        parser.error(f"unknown part {unknown[0]!r}: choose among {', '.join(PARTS)}")
    return arguments


def main() -> None:
    arguments = read_arguments()
    adult = arguments.data / "adult.csv.gz"
    if not adult.exists():
        sys.exit(f"adult.csv.gz is not in the data folder {arguments.data}: name it with --data.")
    if importlib.util.find_spec("saiph") is None and "a" in arguments.parts.split(","):
        sys.exit("Part a needs the reference's own library: pip install saiph.")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(adult, Path(folder), arguments.repeats, arguments.sdv_python, [])
        bench.say("# Speed")
        bench.say(f"\n{machine()}; load before the runs {busy()}; medians of {bench.repeats} runs.")
        for part in arguments.parts.split(","):
            PARTS[part](bench)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.md").write_text("\n".join(bench.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
