"""`sosie inspect` shows one line a column, in two languages, and saves the schema."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sosie.cli._inspect import inspect
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError
from sosie.table import Schema, Table

APP = typer.Typer()
APP.command()(inspect)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    rows = [
        f"Z{i * 7919 % 9973:04};{20 + i * 37 % 60};{'fm'[i % 2]};{'' if i % 4 else '12,5'};"
        f"{i % 3};{'abc'[i % 3]}"
        for i in range(120)
    ]
    path.write_text("patient_id;age;sex [x];dose;arm;label\n" + "\n".join(rows) + "\n")
    return path


def run(*arguments: object, **environment: str) -> str:
    result = CliRunner().invoke(APP, [str(a) for a in arguments], env=environment)
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_one_line_a_column(path: Path) -> None:
    shown = run(path, LC_ALL="C")
    for name, kind in [("patient_id", "identifier"), ("age", "integer"), ("sex [x]", "category")]:
        lines = [line for line in shown.splitlines() if line.strip().startswith(name)]
        assert len(lines) == 1
        assert kind in lines[0]
    assert "75.0 %" in shown
    assert "20 to 79" in shown
    assert "label by arm" in shown
    assert "Z0000" not in shown
    assert "recreate" in shown


def test_french(path: Path) -> None:
    assert "20 à 79" in run(path, LC_ALL="fr_FR.UTF-8")
    assert "catégorie" in run(path, "--lang", "fr")
    with pytest.raises(ParameterError):
        language("de")


def test_both_catalogues_have_the_same_keys() -> None:
    english, french = texts("en")["inspect"], dict(texts("fr")["inspect"])
    remarks = french.pop("remarks")
    assert english.keys() == french.keys()
    assert english["kinds"].keys() == french["kinds"].keys()
    assert all(key.count("#") == text.count("#") for key, text in remarks.items())


def test_json_and_schema(path: Path, tmp_path: Path) -> None:
    written = tmp_path / "schema.toml"
    content = json.loads(run(path, "--json", "--write", written))
    assert content["rows"] == 120
    assert [column["name"] for column in content["columns"]] == Table.read(path).names
    assert content["ready"] is False
    assert Schema.read(written) == Table.read(path).schema
    again = json.loads(run(path, "--json", "--schema", written))
    assert again == content
