"""What the page says of floors, analyses, checks and tests is what they are."""

import json
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from sosie.insitu import catalogue
from sosie.insitu._derive import Derivation
from sosie.insitu.analyst import asked
from sosie.insitu.gate._checks import CHECKS
from sosie.insitu.gate._gate import _SOURCES, MOST_REFUSALS
from sosie.insitu.gate._path import MOST_ROUNDS
from sosie.trust import PRESETS, Floors

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "insitu.md"

if not PAGE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)

TEXT = PAGE.read_text(encoding="utf-8")


def rows_of(head: str) -> list[list[str]]:
    table = TEXT[TEXT.index(head) :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_floors():
    def told(value):
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value:g}"

    head, _, *rows = rows_of("| | snds-11")
    assert head[1:] == list(PRESETS)
    assert rows == [
        [f"`{name}`", *(told(getattr(floors, name)) for floors in PRESETS.values())]
        for name in Floors.model_fields
    ]


def test_analyses_and_parameters():
    found = {}
    for cells in rows_of("| analysis | parameters |")[2:]:
        for name in re.findall(r"`(\w+)`", cells[0]):
            found[name] = set(re.findall(r"`(\w+)`", cells[1]))
    entries = [getattr(catalogue, name) for name in catalogue.__all__]
    assert found == {
        entry.model_fields["id"].default: set(entry.model_fields) - {"id"} for entry in entries
    }
    private = {e.model_fields["id"].default for e in entries if e.private_rounds}
    said = TEXT[TEXT.index("## Differential privacy") :]
    sentence = re.search(r"- ((?:`\w+`[, ]*(?:and )?)+) have such answers", said)
    assert sentence
    assert set(re.findall(r"`(\w+)`", sentence[1])) == private


def test_rules_of_the_page_make_what_it_says(gbsg2):
    said = TEXT[TEXT.index("## Columns made first") :]
    rules = json.loads(re.search(r"```json\n(.*?)```", said, re.DOTALL)[1])
    names = {rule["rule"] for rule in rules}
    assert names == set(re.findall(r"^\| `(\w+)` \|", said[: said.index("## The gate")], re.M))
    assert names == {one.model_fields["rule"].default for one in get_args(get_args(Derivation)[0])}
    rows = gbsg2.pooled
    made = {
        "late": rows["tgrade"].map({"I": "no", "II": "no", "III": "yes"}),
        "age_class": pd.cut(rows["age"], [0, 50, 60, 200], right=False,
                            labels=["< 50", "50 to < 60", ">= 60"]),
        "before": rows["menostat"].map({"Post": "no", "Pre": "yes"}),
    }  # fmt: skip
    for name, expected in made.items():
        found = gbsg2.ask({"id": "counts", "column": name}, derive=asked_rules(name, rules))
        told = {row["label"]: row["count"] for row in found.tables["counts"]}
        assert told == expected.value_counts().to_dict()
    numbers = {"log_size": np.log(rows["tsize"]), "nodes_a_mm": rows["pnodes"] / rows["tsize"]}
    for name, values in numbers.items():
        asked_for = {"id": "means", "columns_of": [name]}
        (row,) = gbsg2.ask(asked_for, derive=asked_rules(name, rules)).tables["means"]
        np.testing.assert_allclose([row["mean"], row["sd"]], [values.mean(), values.std()])


def asked_rules(name, rules):
    """The rules that are left of all of them where one column is asked for."""
    kept = asked("counts", {"column": name}, rules).derive
    assert [rule.name for rule in kept] == [name]
    return [rule.model_dump() for rule in kept]


def test_checks_and_attacks():
    checks = {
        n for row in rows_of("| check | refuses |")[2:] for n in re.findall(r"`(\w+)`", row[0])
    }
    assert checks == {*CHECKS, *_SOURCES, "path"}
    assert f"after {MOST_REFUSALS} refusals" in TEXT
    assert f"more than {MOST_ROUNDS} rounds" in TEXT
    tests = set(re.findall(r"`(test_\w+)`", TEXT))
    there = {file.stem for file in HERE.rglob("test_*.py")}
    assert tests <= there
    assert {file.stem for file in (HERE / "attacks").glob("test_*.py")} <= tests
