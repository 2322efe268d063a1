"""`sosie inspect` shows one line a column, in two languages, and saves the schema."""

import datetime as dt
import json
from pathlib import Path

import polars as pl
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


def test_french_numbers_and_what_is_typed(tmp_path: Path) -> None:
    day = dt.timedelta(1)
    frame = pl.DataFrame(
        {
            "weight": [41.6 + 0.1 * (i * 37 % 649) for i in range(600)],
            "dose": [0.5 * (i * 7 % 29) for i in range(600)],
            "grade": ["0.5", "1.5"] * 300,
            "ward": [f"ward {i % 5}" for i in range(600)],
            "stay": [6 * day + dt.timedelta(hours=5, seconds=i) for i in range(600)],
            "night": [day + dt.timedelta(seconds=i) for i in range(600)],
            "empty": [None if i % 32 == 0 else i for i in range(600)],
        }
    )
    path = tmp_path / "t.parquet"
    frame.write_parquet(path)
    lines = {
        line.split()[0]: line for line in run(path, "--lang", "fr").splitlines() if line.strip()
    }
    for name, told in (
        ("weight", "41,6 à 106,4"),
        ("dose", "multiples de 0,5"),
        ("grade", "0.5, 1.5"),  # as a schema or a question has it
        ("ward", "… et 1 de plus"),
        ("stay", "6 jours, 5:00:00 à 6 jours, 5:09:59"),
        ("night", "1 jour, 0:00:00 à 1 jour, 0:09:59"),
        ("empty", "3,2 %"),
    ):
        assert told in lines[name], lines[name]
    english = run(path, "--lang", "en")
    for told in ("41.6 to 106.4", "6 days, 5:00:00 to", "… 1 more", "3.2 %"):
        assert told in english, told


def test_rows_of_a_number_are_counted_on_average(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("code\n" + "1\n" * 60 + "2\n" * 60 + "77\n")
    assert "3 distinct numbers, on 5 rows each or more on average" in run(path, "--lang", "en")
    french = run(path, "--lang", "fr")
    assert "3 nombres distincts, chacun sur 5 lignes ou plus en moyenne" in french


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


def test_a_schema_that_is_written_holds_no_extreme_value(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{20 + i * 37 % 60 if i % 9 else 999},{i % 4}" for i in range(200)]
    path.write_text("age,arm\n" + "\n".join(rows) + "\n")
    assert "--missing 999" in run(path, "--write", tmp_path / "s.toml")
    assert "999" not in (tmp_path / "s.toml").read_text()
    assert "--missing 999" in run(path, "--schema", tmp_path / "s.toml")
    assert "--missing" not in run(path, "--schema", tmp_path / "s.toml", "--missing", "999")


def test_why_a_table_is_not_ready_is_said_in_the_language_asked_for(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{1000 + 7 * i};{i % 4};{'#VALEUR!' if i % 9 == 0 else i % 30}" for i in range(200)]
    path.write_text("\n".join(["id;stade;poids", *rows]))
    told = run(path, "--lang", "fr")
    assert "la colonne 'id' est un identifiant" in told
    assert " is an identifier" not in told
    assert Table.read(path).frame["poids"].null_count() == 23
