"""How fast, how light and how sure analyses in place are: beside Flower, doing the same sum.

Parts: a one-shot statistic, b Cox, c memory, d Flower, e the audit of differences, f a soak of
1,000 tasks with processes killed at random. All over loopback TLS with three nodes, each a program
of its own, on the trial of `make demo-insitu`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "demo"))

import demo_insitu as demo  # noqa: E402

from sosie.errors import SosieError  # noqa: E402
from sosie.insitu.analyst import connect  # noqa: E402

RESULTS = HERE / "results" / "insitu.md"
COX = {"formula": "Surv(days, rash) ~ age + sex"}


class Holders(demo.Programs):
    """The programs of the demo, with other options, and nodes that can be killed."""

    def __init__(self, place: Path, keys: dict[str, Path], *options: str) -> None:
        super().__init__(place, keys)
        self._options = options
        self.nodes: dict[int, subprocess.Popen[str]] = {}
        self._words: dict[int, tuple[str, ...]] = {}

    def _start(self, *words: str) -> subprocess.Popen[str]:
        more = self._options if words[0] == "node" else ("--asks-a-minute", "100000")
        one = super()._start(*words, *more)
        if words[0] == "node":
            number = int(Path(words[words.index("--data") + 1]).stem[-1])
            self.nodes[number], self._words[number] = one, words
        return one

    def again(self, number: int) -> None:
        """Kill a node, as a power cut would, and start it afresh."""
        self.nodes[number].kill()
        self.nodes[number].wait()
        self._running.remove(self.nodes[number])
        self._start(*self._words[number])


def made() -> tuple[Path, dict[str, Path]]:
    """Make the tables, keys and agreement in a folder of their own."""
    place = Path(tempfile.mkdtemp(prefix="sosie-bench-"))
    demo.OUT = place / "out"
    demo.OUT.mkdir()
    demo.hospitals()
    return place, demo.agreed(place)


def timed(ask: Any, repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        ask()
        found.append(time.perf_counter() - started)
    return found


def one_shot(repeats: int, lines: list[str]) -> float:
    """Time the mean of a column, with a fresh process a task and without; and Cox, and memory."""
    medians = {}
    for name, options in (("fresh process a task", ()), ("one process", ("--one-process",))):
        place, keys = made()
        with (
            Holders(place, keys, *options) as programs,
            connect(demo.OUT / "agreement.json", programs.url, key=keys["recipient"]) as analyst,
        ):
            analyst.ask("counts", column="sex", wait=60)
            time.sleep(2)
            took = timed(lambda a=analyst: a.ask("counts", column="sex"), repeats)
            means = timed(lambda a=analyst: a.ask("means", columns_of=["age"]), repeats)
            paced = []
            for _ in range(max(3, repeats // 3)):
                time.sleep(1.5)  # as a person asks: the next process stands ready
                paced += timed(lambda a=analyst: a.ask("counts", column="sex"), 1)
            cox = timed(lambda a=analyst: a.ask("cox", **COX), 3)
            medians[name] = statistics.median(means)
            lines.append(
                f"| {name} | {1000 * statistics.median(took):.0f} | {1000 * max(took):.0f} | "
                f"{1000 * statistics.median(paced):.0f} | {1000 * statistics.median(means):.0f} | "
                f"{statistics.median(cox):.2f} |"
            )
            if not options:
                memory = memory_of(programs)
        shutil.rmtree(place)
    lines += ["", "| process | MB resident | MB, shared pages by share |", "|---|---|---|"]
    lines += [f"| {name} | {resident:.0f} | {share:.0f} |" for name, resident, share in memory]
    return medians["one process"]


def memory_of(programs: Holders) -> list[tuple[str, float, float]]:
    found = []
    for one in programs._running:
        words = Path(f"/proc/{one.pid}/cmdline").read_text().split("\0")
        name = "hub" if "hub" in words else "node"
        found.append((name, *memory_in(one.pid)))
        children = Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()
        computes = "process of the hub that adds up" if name == "hub" else "process of one task"
        found += [(computes, *memory_in(int(child))) for child in children]
    return found


def memory_in(pid: int) -> tuple[float, float]:
    """Give resident memory, and that in which each of several processes counts its share alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return int(found["Rss"]) / 1024, int(found["Pss"]) / 1024


def flower(bin_folder: Path, rounds: int) -> list[float]:
    """Time the same sum in Flower: its deployment engine, without TLS, three nodes."""
    work = Path(tempfile.mkdtemp(prefix="flower-"))
    demo.OUT = work / "out"
    demo.OUT.mkdir()
    demo.hospitals()
    app = HERE / "insitu_flower"
    shutil.copytree(app, work / "app")
    (work / "home").mkdir()
    (work / "home" / "config.toml").write_text(
        '[superlink]\ndefault = "local"\n[superlink.local]\naddress = "127.0.0.1:8000"\n'
        "insecure = true\n"
    )
    environment = os.environ | {
        "FLWR_TELEMETRY_ENABLED": "0", "FLWR_HOME": str(work / "home"),
        "PATH": f"{bin_folder}:{os.environ['PATH']}", "SUM_OUT": str(work / "out.json"),
    }  # fmt: skip

    def start(*words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd=work / "app",
        )  # fmt: skip

    running = [start("flower-superlink", "--insecure")]
    try:
        time.sleep(6)
        for number in (1, 2, 3):
            data = demo.OUT / f"site_{number}.csv"
            running.append(
                start("flower-supernode", "--insecure", "--superlink", "127.0.0.1:8000",
                      "--port", str(9100 + number), "--node-config", f"data='{data}'")
            )  # fmt: skip
        time.sleep(8)
        subprocess.run(
            ["flwr", "run", ".", "local", "--run-config", f"rounds={rounds}"], env=environment,
            cwd=work / "app", check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 180
        while not (work / "out.json").exists() and time.monotonic() < until:
            time.sleep(0.2)
        found: list[float] = json.loads((work / "out.json").read_text())["took"]
    finally:
        for one in running:
            os.killpg(one.pid, signal.SIGTERM)
        time.sleep(2)
        for one in running:
            one.kill()
        shutil.rmtree(work, ignore_errors=True)
    return found


def audit() -> tuple[float, float]:
    """Time the audit of one output of 1,000,000 persons against 1,000 earlier ones."""
    from sosie.insitu._aggregate import Selection
    from sosie.insitu.gate import Memory

    rng = np.random.default_rng(0)
    memory = Memory(1_000_000)
    columns = frozenset({"age", "sex"})
    earlier = [
        Selection(rng.random(1_000_000) < 0.5, columns, frozenset({f"c{i % 40}"}))
        for i in range(1000)
    ]
    for one in earlier:
        memory.add([one])
    asked = Selection(rng.random(1_000_000) < 0.5, columns, frozenset({"sex"}))
    close = earlier[500].rows.copy()
    close[:5] = ~close[:5]
    took = timed(lambda: memory.allows([asked], 11), 3)
    assert memory.allows([asked], 11)[0]
    assert not memory.allows([Selection(close, columns, frozenset({"sex"}))], 11)[0]
    return statistics.median(took), memory._audit.nbytes / 1e6


def soak(tasks: int, seconds: float, seed: int, lines: list[str]) -> None:
    """Ask many questions while nodes, and what adds up for the hub, are killed at random."""
    place, keys = made()
    chance = random.Random(seed)
    frames = [pl.read_csv(demo.OUT / f"site_{n}.csv") for n in (1, 2, 3)]
    truth = pl.concat(frames, how="vertical_relaxed")
    asks: list[tuple[str, dict[str, Any], Any]] = [
        ("means", {"columns_of": [c]}, (c, truth[c].mean())) for c in ("age", "education", "mmse")
    ]
    kills, stop, answers, wrong, lost = Counter[int](), threading.Event(), Counter[str](), 0, 0
    with Holders(place, keys, "--one-process") as programs:

        def killer() -> None:
            while not stop.wait(chance.uniform(0.2, 2 * seconds)):
                number = chance.choice((1, 2, 3))
                programs.again(number)
                kills[number] += 1
                hub = programs._running[0].pid
                for child in Path(f"/proc/{hub}/task/{hub}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
                    kills[0] += 1

        def ask(place_in_line: int) -> tuple[str, bool]:
            analysis, parameters, (column, mean) = asks[place_in_line % len(asks)]
            for _ in range(5):
                try:
                    answer = local.connection.ask(analysis, wait=290, **parameters)
                except SosieError as error:
                    return f"failed: {error}", False
                row = next(r for r in answer.content["result"]["means"] if r["column"] == column)
                return answer.task, abs(row["mean"] - mean) < 1e-9
            raise AssertionError

        local = threading.local()

        def connected() -> None:
            path = demo.OUT / "agreement.json"
            local.connection = connect(path, programs.url, key=keys["recipient"])

        killing = threading.Thread(target=killer, daemon=True)
        started = time.perf_counter()
        killing.start()
        with ThreadPoolExecutor(4, initializer=connected) as pool:
            for task, good in pool.map(ask, range(tasks)):
                if task.startswith("failed"):
                    lost += 1
                    print(task)
                else:
                    answers[task] += 1
                    wrong += not good
        took = time.perf_counter() - started
        stop.set()
        killing.join()
        grown = ", ".join(f"{name} {mb:.0f}" for name, mb, _ in memory_of(programs)[:2])
        with connect(demo.OUT / "agreement.json", programs.url, key=keys["recipient"]) as analyst:
            listed = analyst.tasks()
    twice, released = 0, 0
    for number in (1, 2, 3):
        ledger = place / f"site_{number}.node" / "ledger.jsonl"
        steps = Counter[tuple[str, int, int]]()
        for line in ledger.read_text().splitlines():
            said = json.loads(line)
            if said["event"] == "released":
                content = said["content"]
                steps[content["task"], content["attempt"], content["round"]] += 1
        twice += sum(times > 1 for times in steps.values())
        released += len(steps)
    done = sum(one["state"] == "done" for one in listed)
    again = sum(one["attempt"] > 1 for one in listed)
    lines += [
        f"{tasks:,} tasks in {took:.0f} s, {sum(kills.values()) - kills[0]} kills (SIGKILL) and "
        f"restarts of nodes, {kills[0]} of the process of the hub that adds up: "
        f"{done:,} done, {lost} lost, {wrong} wrong, {twice} steps released twice "
        f"(of {released:,}), {again} tasks begun more than once. After them, MB: {grown}."
    ]
    print(lines[-1])
    shutil.rmtree(place)


def main() -> None:
    """Run the parts that are asked for, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="a,e")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--flower-bin", type=Path, help="bin folder of a venv with flwr 1.41")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--seconds-between-kills", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write the results file")
    given = parser.parse_args()
    parts = given.parts.split(",")
    asked = f"--parts {given.parts} --repeats {given.repeats} --tasks {given.tasks}"
    lines = [
        "# Analyses in place",
        "",
        f"`python benchmarks/insitu.py {asked} --flower-bin ...`",
        "",
    ]
    if "a" in parts:
        lines += [
            "Counts of a column at three nodes, over loopback TLS: ms from question to verified "
            "answer; means, which take two rounds, in ms; Cox in seconds.", "",
            "| | counts, one after the other | slowest | every 1.5 s | means | Cox |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        ours = one_shot(given.repeats, lines)
        if "d" in parts and given.flower_bin:
            took = flower(given.flower_bin, 3)
            theirs = statistics.median(took)
            lines += [
                "", f"Flower 1.41 (deployment engine, no TLS, no gate), the same sum in the same "
                f"run: {theirs:.1f} s a round, {theirs / ours:.0f} times our means of one process.",
            ]  # fmt: skip
    if "e" in parts:
        seconds, megabytes = audit()
        lines += [
            "", f"Audit of one output of 1,000,000 persons against 1,000 earlier ones: "
            f"{seconds:.2f} s, {megabytes:.0f} MB.",
        ]  # fmt: skip
    if "f" in parts:
        lines.append("")
        soak(given.tasks, given.seconds_between_kills, given.seed, lines)
    text = "\n".join(lines) + "\n"
    print(text)
    if given.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
