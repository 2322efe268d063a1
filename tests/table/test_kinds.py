"""The kinds inferred are those a data manager would give."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from lifelines import datasets
from sklearn.datasets import load_breast_cancer, load_diabetes

from sosie.table import Column, Kind, Schema, Table
from sosie.table._names import is_named_like_identifier

N = 400
RNG = np.random.default_rng(11)


def kind_of(values: pl.Series | list[object], name: str = "x") -> Kind:
    """Infer the kind of a column beside an ordinary one."""
    series = pl.Series(name, values)
    other = pl.Series("other", [0.5 + i % 7 for i in range(len(series))])
    return Table.of(pl.DataFrame({name: series, "other": other})).schema[name].kind


@pytest.mark.parametrize(
    "name",
    ["id", "patient_id", "PatientID", "subjid", "USUBJID", "pidnum", "nir", "IPP", "email",
     "numero_patient", "num_dossier", "N° dossier", "Prénom", "nom", "patient_nbr", "Subject ID",
     "téléphone", "last_name"],
)  # fmt: skip
def test_names_of_identifiers(name: str) -> None:
    assert is_named_like_identifier(name)
    assert kind_of([1000 + 7 * i for i in range(60)], name) is Kind.IDENTIFIER
    assert kind_of([f"a{i}" for i in range(60)], name) is Kind.IDENTIFIER


@pytest.mark.parametrize(
    "name",
    ["age", "num_procedures", "num.co", "weight", "nb_enfants", "idle", "number_diagnoses",
     "visit_date", "nombre", "hidden", "cd40", "case_mix"],
)  # fmt: skip
def test_names_of_measures(name: str) -> None:
    assert not is_named_like_identifier(name)


def test_identifiers() -> None:
    assert kind_of([5 * (i % 5) for i in range(N)], "center_id") is Kind.CATEGORY
    assert kind_of([f"c{i % 5}" for i in range(N)], "center_id") is Kind.CATEGORY
    assert kind_of(list(range(N)), "Unnamed: 0") is Kind.IDENTIFIER
    assert kind_of(RNG.permutation(N) + 1) is Kind.IDENTIFIER
    assert kind_of([f"{i * 7919 % 99991:05}" for i in range(N)]) is Kind.IDENTIFIER
    assert kind_of([f"u{i}@b.fr" for i in RNG.integers(0, 90, N)]) is Kind.IDENTIFIER
    grams = RNG.choice(np.arange(2200, 4400), 40, replace=False)
    assert kind_of(grams, "weight") is Kind.INTEGER
    assert kind_of(RNG.normal(size=N)) is Kind.NUMBER
    assert kind_of(RNG.choice(10**9, N, replace=False)) is Kind.INTEGER


def test_numbers_and_categories() -> None:
    assert kind_of([i % 10 for i in range(50)]) is Kind.CATEGORY
    assert kind_of([i % 10 for i in range(49)]) is Kind.INTEGER
    assert kind_of([i % 11 for i in range(N)]) is Kind.INTEGER
    assert kind_of([float(i % 40) for i in range(N)]) is Kind.INTEGER
    assert kind_of([1 + i % 26 for i in range(N)], "admission_source_id") is Kind.CATEGORY
    assert kind_of(["yes", "no", None, "no"] * 20) is Kind.CATEGORY
    assert kind_of(["true", "false", None, "true"] * 20) is Kind.BOOLEAN
    assert kind_of(["a", None] * 20) is Kind.CATEGORY
    assert kind_of(["a", "a"] * 20) is Kind.CONSTANT
    assert kind_of([3.0, 3.0] * 20) is Kind.CONSTANT
    assert kind_of(["18-25", "26-40", "41+", "<18"] * 20) is Kind.ORDINAL
    assert kind_of([f"{'long ' * 20}{i}" for i in range(60)]) is Kind.TEXT
    assert kind_of([f"town {i % 210}" for i in range(1000)]) is Kind.CATEGORY
    assert kind_of([f"town {i % 30}" for i in range(50)]) is Kind.TEXT


def write(tmp_path: Path, header: str, rows: list[str]) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(header + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_digits_that_are_labels(tmp_path: Path) -> None:
    rows = [f"{i % 40:02}000,{'V57' if i % 20 == 0 else 250.25 + i % 50}" for i in range(N)]
    table = Table.read(write(tmp_path, "postcode,icd9", rows))
    assert table.schema["postcode"].kind is Kind.CATEGORY
    assert table.schema["icd9"].kind is Kind.CATEGORY
    assert table.frame["postcode"][0] == "00000"


def test_missing_spellings(tmp_path: Path) -> None:
    words = ["NA", "N/A", ".", "?", "", "NULL", "-", "ND", "non renseigné", "NaN"]
    rows = [f"{word},{'+' if i % 2 else '-'},x" for i, word in enumerate(words)]
    rows += [f"{i}.5,-,y" for i in range(20)]
    table = Table.read(write(tmp_path, "number,sign,z", rows))
    assert table.frame["number"].null_count() == len(words)
    assert table.schema["sign"].levels == ["+", "-"]
    assert table.frame["sign"].null_count() == 0
    coded = Table.read(write(tmp_path, "a,b", ["999,x", "12.5,y", "13.5,x"]), missing=["999"])
    assert np.isnan(coded.numbers("a")[0])
    assert coded.schema["a"].missing == "999"


def test_the_day_is_told_by_the_whole_file(tmp_path: Path) -> None:
    def day(header: str, rows: list[str]) -> str:
        table = Table.read(write(tmp_path, header, rows))
        return str(table.frame["a"][0])

    assert day("a,b", ["01/02/2020,1", "25/02/2020,2"]) == "2020-02-01"
    assert day("a,b", ["01/02/2020,1", "01/25/2020,2"]) == "2020-01-02"
    assert day("a;b", ["01/02/2020;1", "03/04/2020;2"]) == "2020-02-01"
    assert day("a,b", ["01/02/2020,1", "03/04/2020,2"]) == "2020-01-02"
    assert day("a,b", ["01/02/2020,25/12/2019", "03/04/2020,01/02/2019"]) == "2020-02-01"
    assert day("birth_date,a", ["19810131,19810131", "19790212,19790212"]) == "19810131"
    table = Table.read(write(tmp_path, "birth_date,a", ["19810131,1", "19790212,2"]))
    assert table.schema["birth_date"].kind is Kind.DATE


def test_steps_and_decimals() -> None:
    table = Table.of(
        pl.DataFrame(
            {
                "tens": RNG.integers(0, 60, N) * 10,
                "halves": RNG.integers(0, 90, N) / 2,
                "cents": RNG.integers(0, 10**5, N) / 100,
                "sevenths": RNG.integers(0, 10**5, N) / 7,
            }
        )
    )
    steps = {column.name: (column.decimals, column.step) for column in table.schema.columns}
    assert steps == {
        "tens": (0, 10.0),
        "halves": (1, 0.5),
        "cents": (2, None),
        "sevenths": (None, None),
    }


def test_what_is_declared_wins() -> None:
    frame = pl.DataFrame({"grade": [1, 2, 3] * 20, "stage": [3, 1, 2] * 20, "x": [0.5, 1.5] * 30})
    said = Schema(
        columns=[
            Column(name="grade", kind=Kind.INTEGER),
            Column(name="stage", kind=Kind.ORDINAL, levels=[3, 2, 1]),
        ]
    )
    table = Table.of(frame, said)
    assert table.schema["grade"].kind is Kind.INTEGER
    assert table.codes("stage")[:3].tolist() == [0, 2, 1]
    assert table.schema["x"].kind is Kind.CATEGORY


REAL = {
    "rossi": ({"week": "integer", "arrest": "category", "age": "integer", "prio": "integer"}),
    "larynx": ({"time": "number", "age": "integer", "death": "category"}),
    "stanford_heart_transplants": ({"id": "identifier", "transplant": "category"}),
    "lung": ({"inst": "integer", "time": "integer", "status": "category", "wt.loss": "integer"}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables(name: str) -> None:
    schema = Table.of(getattr(datasets, f"load_{name}")()).schema
    assert {column: schema[column].kind.value for column in REAL[name]} == REAL[name]


def test_real_measures_are_numbers() -> None:
    for frame in (
        load_breast_cancer(as_frame=True).frame,
        load_diabetes(as_frame=True, scaled=False).frame,
    ):
        table = Table.of(frame)
        kinds = {column.kind for column in table.schema.columns}
        assert kinds <= {Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY}
        table.refuse()


@pytest.mark.parametrize("seconds", [86_400, 3_600, 60, 1])
@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_durations_have_the_step_of_their_clock(seconds: int, unit: str) -> None:
    """Whole days are whole days, in whatever ticks they are counted."""
    stays = [dt.timedelta(seconds=seconds * int(k)) for k in RNG.integers(1, 400, N)]
    stays[0] = dt.timedelta(seconds=7 * seconds)
    table = Table.of(
        pl.DataFrame({"stay": pl.Series(stays, dtype=pl.Duration(unit)), "x": RNG.normal(size=N)})
    )
    ticks = {"ns": 10**9, "us": 10**6, "ms": 10**3}[unit]
    assert table.schema["stay"].step == seconds * ticks
    assert (table.numbers("stay") == [one.total_seconds() * ticks for one in stays]).all()


@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers_with_a_label_among_them_are_named(decimal: str) -> None:
    crp = ["<5" if i % 5 == 0 else f"{i % 40}{decimal}5" for i in range(N)]
    frame = pl.DataFrame({"crp": crp, "other": [0.5 + i % 7 for i in range(N)]})
    column = Table.of(frame).schema["crp"]
    assert column.kind is Kind.CATEGORY
    assert column.remark.startswith(f"numbers but for {N // 5} of {N} cells")
    mostly_words = ["abc" if i % 5 else f"{i % 200}" for i in range(N)]
    codes = [f"{'ABCD'[i % 4]}{i % 13}" for i in range(N)]
    for cells in (mostly_words, codes):
        quiet = Table.of(frame.with_columns(crp=pl.Series(cells))).schema["crp"]
        assert quiet.remark == ""


def test_labels_that_differ_by_capitals_or_spaces_are_named() -> None:
    other = [0.5 + i % 7 for i in range(N)]
    for odd in ("f", "F ", " F"):
        frame = pl.DataFrame({"sex": [["F", "M", odd][i % 3] for i in range(N)], "other": other})
        column = Table.of(frame).schema["sex"]
        assert column.remark == "some labels differ by capitals or spaces only"
        assert len(column.levels) == 3
    plain = pl.DataFrame({"sex": [["F", "M", "FM"][i % 3] for i in range(N)], "other": other})
    assert Table.of(plain).schema["sex"].remark == ""
