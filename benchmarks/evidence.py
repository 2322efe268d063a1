"""Attacks, reports and distances beside those of anonymeter, mostlyai-qa and SDMetrics.

    python benchmarks/evidence.py --parts a,e --anonymeter-python /path/to/venv/bin/python

Parts: a, three attacks beside anonymeter's evaluators; b, evidence and report beside
mostlyai-qa's; c, nearer to whom, beside SDMetrics; d, copies planted among fresh rows, and who
sees them; e, the whole battery at 10,000 and 1,000,000 rows. Every run has a process of its
own. Prints tables and writes benchmarks/results/evidence.md; parts that are not run keep what
an earlier run wrote there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sections import busy, earlier, write
from speed import RESULTS, WORKERS, Told, medians, run

EVIDENCE_WORKERS = Path(__file__).resolve().parent / "evidence_workers.py"
COPIES = (0, 25, 50, 100, 250)
PLANTED_ROWS = 5_000
ROWS = 10_000
MANY_ROWS = 1_000_000
ATTACKS = 500
PREDICATES = 300
"""Of each of 1 to 4 columns; sosie finds more than 500 in all."""


@dataclass
class Bench:
    """What all parts share: data, interpreters, the lines to print."""

    adult: Path
    folder: Path
    repeats: int
    pythons: dict[str, str]
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Print a line and keep it for the report."""
        print(line, flush=True)
        self.lines.append(line)

    def has(self, peer: str, module: str) -> bool:
        """Tell whether a peer's interpreter can import it; say so if not."""
        check = [self.pythons[peer], "-c", f"import {module}"]
        if subprocess.run(check, stderr=subprocess.DEVNULL, check=False).returncode:
            self.say(f"Left out: no {peer} (see benchmarks/README.md).\n")
            return False
        return True

    def worker(self, who: str, *arguments: str | int | Path) -> dict[str, Any]:
        """Run one piece, by sosie's interpreter or by a peer's."""
        command = [self.pythons[who], str(EVIDENCE_WORKERS), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"This command failed with code {process.returncode}: {' '.join(command)}")
        told: dict[str, Any] = json.loads(printed.splitlines()[-1])
        told["all_cpu"] = usage.ru_utime + usage.ru_stime  # with processes that it started
        return told

    def piece(self, *arguments: str | int | Path) -> None:
        """Run a piece that makes files."""
        run([self.pythons["sosie"], str(EVIDENCE_WORKERS), *map(str, arguments)])

    def tables(self) -> Path:
        """Give the folder of persons, control persons and avatars, made once."""
        folder = self.folder / "tables"
        if not folder.exists():
            folder.mkdir()
            self.piece("tables", self.adult, ROWS, folder)
        return folder

    def planted(self) -> Path:
        """Give the folder of fresh rows with copies among them, made once."""
        folder = self.folder / "planted"
        if not folder.exists():
            folder.mkdir()
            copies = ",".join(map(str, COPIES))
            self.piece("planted", self.adult, PLANTED_ROWS, copies, folder)
        return folder

    def interleaved(
        self, runs: dict[str, tuple[str, list[str | Path]]], repeats: int | None = None
    ) -> dict[str, Told]:
        """Run each of several pieces in turn, several times over; give medians."""
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in runs}
        for _ in range(repeats or self.repeats):
            for name, (who, arguments) in runs.items():
                found[name].append(self.worker(who, *arguments))
        return {
            name: medians(
                [{k: v for k, v in one.items() if isinstance(v, int | float)} for one in told]
            )
            for name, told in found.items()
        }

    def times(self, found: dict[str, Told], steps: dict[str, str] | None = None) -> None:
        """Print a line each, then how many times the first takes what the others take."""
        steps = steps or {}
        heads = [*steps, "wall s", "CPU s", "wall with imports", "CPU with all", "peak MB"]
        self.say("| | " + " | ".join(heads) + " |")
        self.say("|---" * (len(heads) + 1) + "|")
        for name, told in found.items():
            cells = [f"{told[key]:.2f}" if key in told else "" for key in steps.values()]
            cells += [f"{told[key]:.2f}" for key in ("work_wall", "work_cpu")]
            cells += [f"{told['work_wall'] + told['import_wall']:.2f}"]
            cells += [f"{told['all_cpu']:.2f}", f"{told['peak_mb']:.0f}"]
            self.say(f"| {name} | " + " | ".join(cells) + " |")
        first, *others = found
        for name in others:
            wall, cpu, both = (
                found[first][key] / found[name][key] for key in ("work_wall", "work_cpu", "all_cpu")
            )
            self.say(
                f"\n{name}: {wall:.1f} times faster than {first} by the wall, {cpu:.1f} times in "
                f"CPU seconds, {both:.1f} times in those of the whole process and those it starts."
            )


def part_a(bench: Bench) -> None:
    """Run the attacks that anonymeter has."""
    bench.say("## a. anonymeter, 10,000 x 15, 500 attacks of each kind (asked: 5 times faster)\n")
    if not bench.has("anonymeter", "anonymeter"):
        return
    folder = bench.tables()
    steps = {
        "singling out": "singling_out",
        "linkability": "linkability",
        "inference": "inference",
    }
    for title, secrets, learners, repeats in (
        ("One secret, `income`; nearest neighbours only, as anonymeter's.", "income", "0", None),
        ("Each of the 15 columns in turn is the secret.", "all", "0", 1),
    ):
        times = "One run" if repeats == 1 else f"Medians of {bench.repeats} runs"
        bench.say(f"{title} {times}.\n")
        peer = [folder, str(ATTACKS), "4", secrets, "-1"]
        mine = [folder, str(ATTACKS), str(PREDICATES), secrets]
        runs: dict[str, tuple[str, list[str | Path]]] = {
            "anonymeter": ("anonymeter", ["anonymeter", *peer]),
            "sosie": ("sosie", ["sosie_attacks", *mine, learners]),
            "sosie, boosted trees too": ("sosie", ["sosie_attacks", *mine, "1"]),
        }
        bench.times(bench.interleaved(runs, repeats), steps)
        bench.say("")
    counted = bench.worker("sosie", "sosie_attacks", folder, ATTACKS, PREDICATES, "income", "0")
    singled = sum(n for name, n in counted["attacks"].items() if name.startswith("singling"))
    bench.say(
        f"sosie's predicates: {singled} in all, of 1 to 4 columns; anonymeter's: 500, of 4. Both "
        "attack 500 persons and 500 control persons through one split, and for each secret."
    )


def part_b(bench: Bench) -> None:
    """Make a whole report."""
    bench.say(
        "## b. mostlyai-qa's report, 10,000 x 15 (asked: 5 times faster, a tenth of its size)\n"
    )
    if not bench.has("mostlyai-qa", "mostlyai.qa"):
        return
    if not bench.has("sosie", "sosie.report"):
        return
    folder, theirs, ours = bench.tables(), bench.folder / "theirs.html", bench.folder / "ours.html"
    found = bench.interleaved(
        {
            "mostlyai-qa": ("mostlyai-qa", ["mostly", folder, theirs]),
            "sosie, standard": ("sosie", ["sosie_report", folder, ours, "standard"]),
            "sosie, quick": ("sosie", ["sosie_report", folder, ours, "quick"]),
        },
        1,
    )
    bench.times(found, {"HTML, kB": "size_kb", "of which rendering s": "render"})
    size = found["sosie, standard"]["size_kb"] / found["mostlyai-qa"]["size_kb"]
    bench.say(f"\nsosie's HTML is {size:.3f} of the size of mostlyai-qa's. One run.")


def part_c(bench: Bench) -> None:
    """Ask to whom synthetic rows are nearer."""
    bench.say(
        "## c. SDMetrics DCROverfittingProtection, 5,000 rows of each table (asked: 50 times)\n"
    )
    if not bench.has("sdmetrics", "sdmetrics"):
        return
    folder = bench.planted()
    peer = bench.interleaved({"SDMetrics": ("sdmetrics", ["sdmetrics", folder, "0"])}, 1)
    mine = bench.interleaved(
        {
            "sosie, the same share": ("sosie", ["sosie_closer", folder, "0"]),
            "sosie, three membership attacks": ("sosie", ["sosie_membership", folder, "0"]),
        }
    )
    bench.times(peer | mine, {"closer to the original": "closer"})
    bench.say(f"\nOne run of SDMetrics, medians of {bench.repeats} of sosie.")


def part_d(bench: Bench) -> None:
    """Plant copies, and ask every tool."""
    bench.say(
        "## d. Who sees copies? Adult, 5,000 persons, 5,000 control persons; synthetic: 5,000 "
        "fresh rows, some replaced by copies of the most isolated persons\n"
    )
    folder = bench.planted()
    asked = {"sosie": ["sosie_leak", folder, "{}", "standard"]}
    for peer, module, piece in (
        ("anonymeter", "anonymeter", "anonymeter_leak"),
        ("sdmetrics", "sdmetrics", "sdmetrics_leak"),
        ("mostlyai-qa", "mostlyai.qa", "mostly_leak"),
    ):
        if bench.has(peer, module):
            asked[peer] = [piece, folder, "{}"]
    every = ",".join(map(str, COPIES))
    jobs = [
        (who, count)
        for who in asked
        for count in ([every] if who == "sdmetrics" else map(str, COPIES))
    ]
    jobs.sort(key=lambda job: job[0] != "sdmetrics")  # the longest first

    def told(job: tuple[str, str]) -> dict[str, Any]:
        who, count = job
        return bench.worker(who, *(str(x).format(count) for x in asked[who]))

    with ThreadPoolExecutor(2) as pool:  # nothing is timed
        answers = dict(zip(jobs, pool.map(told, jobs), strict=True))
    scores = answers.get(("sdmetrics", every), {}).get("scores", {})
    names = {
        "exact_copies": "exact copies",
        "unique_copies": "unique copies",
        "membership_auc": "member AUC",
        "membership_tpr_at_1": "TPR at 1 %",
        "membership_auc_isolated": "AUC, 5 % isolated",
        "membership_auc_most_isolated": "AUC, 1 % most isolated",
        "singling_out_multivariate": "singling out",
        "linkability": "linkability",
        "attribute_inference_max": "inference",
    }
    bench.say("| copies | " + " | ".join(names.values()) + " | verdict |")
    bench.say("|---" * (len(names) + 2) + "|")
    for count in COPIES:
        answer = answers["sosie", str(count)]
        cells = [_finding(answer["found"][name]) for name in names]
        verdict = answer["verdict"]
        failed = [k.replace("_", " ") for k, v in answer["criteria"].items() if v == "fail"]
        cells.append(f"**{verdict}**: {', '.join(failed)}" if failed else verdict)
        bench.say(f"| {_share(count)} | " + " | ".join(cells) + " |")
    bench.say(
        f"\nsosie (`assess`, standard effort, which attacked {answers['sosie', '0']['attacked']:,} "
        "persons): value on persons [95 % interval], then on control persons (for membership: by "
        "chance). Bold: a finding that fails.\n"
    )
    bench.say(
        "| copies | anonymeter singling out | linkability | inference | SDMetrics DCR score "
        "(1 is safe) | mostlyai-qa DCR share (.5 is safe) | its identical matches, training / "
        "holdout |"
    )
    bench.say("|---|---|---|---|---|---|---|")
    for count in COPIES:
        cells = []
        risks = answers.get(("anonymeter", str(count)), {}).get("found", {})
        for name in ("singling_out", "linkability", "inference"):
            cells.append(_risk(risks[name]) if name in risks else "-")
        score = scores.get(str(count))
        cells.append("-" if score is None else f"{score:.3f}")
        mostly = answers.get(("mostlyai-qa", str(count)))
        cells.append("-" if mostly is None else f"{mostly['dcr_share']:.3f}")
        cells.append("-" if mostly is None else " / ".join(f"{x:.4f}" for x in mostly["ims"]))
        bench.say(f"| {_share(count)} | " + " | ".join(cells) + " |")
    bench.say(
        "\nanonymeter: 500 attacks with 4 columns; 1,000 attacks with k = 1; 1,000 attacks on "
        "`occupation`. Bold: an interval that lies above 0. The others tell no alarm, but which "
        "value is perfect."
    )


def _share(count: int) -> str:
    return f"{count} ({count / PLANTED_ROWS:.1%})"


def _finding(found: list[Any] | None) -> str:
    if found is None:
        return "-"
    low, high, value, control, verdict = found
    cell = f"{value:.3f} [{low:.3f}, {high:.3f}]"
    if verdict == "fail":
        cell = f"**{cell}**"
    return cell if control is None else f"{cell}; {control:.3f}"


def _risk(found: list[float]) -> str:
    low, high, value = found
    cell = f"{value:.2f} [{low:.2f}, {high:.2f}]"
    return f"**{cell}**" if low > 0 else cell


def part_e(bench: Bench) -> None:
    """Run the whole battery."""
    bench.say("## e. sosie.assess, standard effort, control and target given\n")
    folder = bench.tables()
    long, many = bench.folder / "long.parquet", bench.folder / "many"
    many.mkdir()
    build = [str(WORKERS), "build", str(bench.adult), str(3 * MANY_ROWS), str(long)]
    run([bench.pythons["sosie"], *build])
    bench.piece("million", long, MANY_ROWS, many)
    found = {}
    for title, place, suffix in (
        ("10,000 rows each, CSV (asked: 60 s, 500 MB)", folder, "csv"),
        ("1,000,000 rows each, Parquet (asked: 2 GB)", many, "parquet"),
    ):
        files = [place / f"{role}.{suffix}" for role in ("original", "synthetic", "control")]
        found[title] = bench.worker("sosie", "assessed", *files, "income", "standard")
    bench.say("| rows | wall s | CPU s | wall with imports | peak MB |")
    bench.say("|---|---|---|---|---|")
    for title, told in found.items():
        whole = told["work_wall"] + told["import_wall"]
        cells = f"{told['work_wall']:.1f} | {told['work_cpu']:.1f} | {whole:.1f}"
        bench.say(f"| {title} | {cells} | {told['peak_mb']:.0f} |")
    bench.say("\nOne run. Where the time goes, wall seconds:\n")
    bench.say("| | 10,000 | 1,000,000 |")
    bench.say("|---|---|---|")
    small, large = (told["pieces"] for told in found.values())
    for name in sorted(small, key=lambda name: -small[name]):
        if max(small[name], large.get(name, 0)) >= 0.5:
            bench.say(f"| {name} | {small[name]:.1f} | {large.get(name, 0):.1f} |")


PARTS = {"a": part_a, "b": part_b, "c": part_c, "d": part_d, "e": part_e}


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--data",
        type=Path,
        default=RESULTS.parent.parent.parent / "shared" / "data",
        help="folder with adult.csv.gz (default: ../shared/data beside the repository)",
    )
    parser.add_argument("--parts", default="a,b,c,d,e", help="comma-separated")
    parser.add_argument("--repeats", type=int, default=3)
    for peer in ("anonymeter", "qa", "sdmetrics"):
        parser.add_argument(
            f"--{peer}-python", default=sys.executable, help=f"interpreter that has {peer}"
        )
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.parts.split(",")) - set(PARTS)):
        parser.error(f"unknown part {unknown[0]!r}: choose among {', '.join(PARTS)}")
    return arguments


def main() -> None:
    arguments = read_arguments()
    adult = arguments.data / "adult.csv.gz"
    if not adult.exists():
        sys.exit(f"adult.csv.gz is not in the data folder {arguments.data}: name it with --data.")
    pythons = {
        "sosie": sys.executable,
        "anonymeter": arguments.anonymeter_python,
        "mostlyai-qa": arguments.qa_python,
        "sdmetrics": arguments.sdmetrics_python,
    }
    results = RESULTS / "evidence.md"
    sections = earlier(results)
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.parts.split(","):
            bench = Bench(adult, Path(folder), arguments.repeats, pythons)
            load = busy()
            PARTS[part](bench)
            bench.say(f"\nLoad before: {load}.\n")
            sections[part] = "\n".join(bench.lines)
            write(results, "Evidence: speed, and who sees a leak", dict(sorted(sections.items())))


if __name__ == "__main__":
    main()
