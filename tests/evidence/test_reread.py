"""Evidence that was changed after it was made is not read as evidence."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sosie.errors import DataError
from sosie.evidence import Evidence, assess

Told = dict[str, Any]


@pytest.fixture(scope="module")
def made() -> Evidence:
    """Give evidence of a table that copies its persons: it fails."""
    rng = np.random.default_rng(0)

    def table() -> pl.DataFrame:
        return pl.DataFrame({name: rng.random(200) for name in ("x", "y", "z")})

    persons = table()
    return assess(persons, persons, table(), effort="quick")


@pytest.fixture
def told(made: Evidence) -> Told:
    return copy.deepcopy(made.to_dict())


def read(told: Told, folder: Path) -> Evidence:
    path = folder / "e.json"
    path.write_text(json.dumps(told), "utf-8")
    return Evidence.read(path)


def test_what_was_written_is_read(made: Evidence, tmp_path: Path) -> None:
    made.write(tmp_path / "e.json")
    assert Evidence.read(tmp_path / "e.json").to_json() == made.to_json()
    persons = pl.DataFrame({"age": [float(i % 37) for i in range(200)], "sex": ["f", "m"] * 100})
    without = assess(persons, persons, effort="quick")
    assert without.controls == {}
    assert read(without.to_dict(), tmp_path).to_json() == without.to_json()


def test_other_advice_is_no_other_verdict(told: Told, tmp_path: Path) -> None:
    told["criteria"]["membership"]["advice"] = ["raise_k"]
    assert read(told, tmp_path).verdict == "fail"


def _passed(told: Told) -> None:
    for one in (told, *told["criteria"].values()):
        one["verdict"] = "pass"


def _criterion_passed(told: Told) -> None:
    told["criteria"]["linkability"]["verdict"] = "pass"


def _not_driven(told: Told) -> None:
    told["criteria"]["membership"]["drivers"] = []


def _no_such_criterion(told: Told) -> None:
    del told["criteria"]["membership"]


def _attack_passed(told: Told) -> None:
    told["privacy"]["membership_auc"]["verdict"] = "pass"


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(verdict="pass"),
        lambda told: told.update(verdict="attention"),
        _passed,
        _criterion_passed,
        _not_driven,
        _no_such_criterion,
        _attack_passed,
    ],
)
def test_a_verdict_is_what_the_findings_say(
    change: Callable[[Told], None], told: Told, tmp_path: Path
) -> None:
    assert told["verdict"] == "fail"
    change(told)
    with pytest.raises(DataError, match=r"e\.json: its verdict is not what its findings say"):
        read(told, tmp_path)


def test_nothing_passes_by_a_battery_without_power(told: Told, tmp_path: Path) -> None:
    """What passes every attack has the verdict attention where its controls failed."""
    for one in told["privacy"].values():
        if one["verdict"] in ("attention", "fail") or one["why_not"] == "too_few":
            one |= {"verdict": "pass", "why_not": None}
    for one in told["criteria"].values():
        one |= {"verdict": "pass", "drivers": [], "columns": [], "advice": []}
    for name, key in (("original_as_synthetic", "as_expected"), ("fresh_control", "as_expected"),
                      ("planted", "found")):  # fmt: skip
        told["controls"][name][key] = True
    told["verdict"] = "pass"
    assert read(told, tmp_path).verdict == "pass"
    told["controls"]["planted"]["found"] = False
    with pytest.raises(DataError, match="its verdict is not what its findings say"):
        read(told, tmp_path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("privacy.membership_auc.value", 7.0),
        ("privacy.membership_auc.value", -0.1),
        ("privacy.membership_auc.value", 0.2),
        ("privacy.linkability.control", 1.5),
        ("privacy.linkability.naive", -1),
        ("privacy.exact_copies.ci", [0.5, 1.5]),
        ("privacy.exact_copies.difference_ci", [0.9, 0.1]),
        ("privacy.membership_auc.p_value", 2),
        ("privacy.exact_copies.n", -200),
        ("utility.hellinger_mean.ci", [0.3, 0.2]),
        ("privacy.near_copies", None),
        ("privacy.identifiers_copied", None),
        ("controls", {}),
        ("controls", {"planted": {"found": True}}),
    ],
)
def test_what_sosie_never_writes_is_no_evidence(
    place: str, value: Any, told: Told, tmp_path: Path
) -> None:
    *outer, last = place.split(".")
    part = told
    for step in outer:
        part = part[step]
    if value is None:
        del part[last]
    else:
        part[last] = value
    with pytest.raises(DataError, match=rf"is not evidence of this version of sosie \(at {place}"):
        read(told, tmp_path)


def test_controls_cannot_be_there_without_control_persons(told: Told, tmp_path: Path) -> None:
    told["inputs"]["control"] = None
    with pytest.raises(DataError, match=r"at controls"):
        read(told, tmp_path)


def test_details_that_judging_cannot_read(told: Told, tmp_path: Path) -> None:
    told["privacy"]["attribute_inference_max"]["detail"] = {"by_secret": [3]}
    with pytest.raises(DataError, match=r"at privacy\)"):
        read(told, tmp_path)


def test_json_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text("[" * 200_000)
    with pytest.raises(DataError, match="is not JSON"):
        Evidence.read(tmp_path / "e.json")
