"""Labels of codes, whole numbers and ends of files of SAS, Stata and SPSS."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyreadstat
import pytest

from sosie.errors import DataError
from sosie.table import Column, Kind, Schema, Table

N = 120
SEX = {0: "Woman", 1: "Man"}
PAIN = {1: "none", 2: "mild", 3: "severe"}


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 60, N).astype(float),
            "weight": rng.normal(70, 9, N).round(1),
            "sex": rng.integers(0, 2, N),
            "pain": rng.integers(1, 4, N),
        }
    )
    frame.loc[:5, "age"] = 99
    frame.loc[7, "age"] = np.nan
    return frame


def written(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    writers = {
        ".dta": pyreadstat.write_dta,
        ".sav": pyreadstat.write_sav,
        ".xpt": pyreadstat.write_xport,
    }
    writers[path.suffix](frame, str(path), **options)
    return path


@pytest.fixture(params=[".dta", ".sav"])
def path(request: pytest.FixtureRequest, frame: pd.DataFrame, tmp_path: Path) -> Path:
    labels = {"sex": SEX, "pain": PAIN, "age": {99: "NSP"}}
    return written(frame, tmp_path / f"a{request.param}", variable_value_labels=labels)


def test_codes_that_all_have_labels_are_read_as_these(path: Path, frame: pd.DataFrame) -> None:
    table = Table.read(path)
    assert table.schema["sex"].kind is table.schema["pain"].kind is Kind.CATEGORY
    assert table.schema["pain"].levels == ["none", "mild", "severe"]  # as codes are, not letters
    assert table.frame["sex"].cast(pl.String).to_list() == [SEX[code] for code in frame["sex"]]


def test_codes_of_which_some_have_labels_stay_numbers_and_it_is_told(path: Path) -> None:
    column = Table.read(path).schema["age"]
    assert column.kind is Kind.INTEGER
    n = Table.read(path).frame["age"].n_unique() - 1
    assert column.remark.startswith(f"labels on 1 of {n} values")


def test_labelled_codes_that_mean_missing_can_be_said_to(path: Path) -> None:
    table = Table.read(path, missing=["99", "mild"])
    assert table.frame["age"].max() < 60  # type: ignore[operator]
    assert table.schema["age"].remark == ""
    assert table.schema["pain"].levels == ["none", "severe"]


def test_codes_declared_numbers_stay_so(path: Path, frame: pd.DataFrame) -> None:
    said = Schema(columns=[Column(name="pain", kind=Kind.INTEGER)])
    assert Table.read(path, said).numbers("pain").tolist() == frame["pain"].tolist()


def test_labels_that_spell_missing_are_missing(frame: pd.DataFrame, tmp_path: Path) -> None:
    labels = {"pain": {**PAIN, 3: "manquant"}}
    table = Table.read(written(frame, tmp_path / "a.sav", variable_value_labels=labels))
    assert table.frame["pain"].null_count() == int((frame["pain"] == 3).sum())


def test_codes_that_spss_takes_for_missing_are_missing(frame: pd.DataFrame, tmp_path: Path) -> None:
    options = {"variable_value_labels": {"age": {99: "NSP"}}, "missing_ranges": {"age": [99]}}
    table = Table.read(written(frame, tmp_path / "a.sav", **options))
    assert table.frame["age"].null_count() == 7
    assert table.schema["age"].remark == ""


def test_names_of_persons_as_labels_are_an_identifier(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["who"] = range(N)
    labels = {"who": {i: f"Surname{i}" for i in range(N)}}
    table = Table.read(written(frame, tmp_path / "a.dta", variable_value_labels=labels))
    assert table.schema["who"].kind is Kind.IDENTIFIER


@pytest.mark.parametrize("suffix", [".dta", ".sav", ".xpt"])
def test_whole_numbers_are_integers_again(suffix: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    table = Table.read(written(frame, tmp_path / f"a{suffix}"))
    assert [table.frame.schema[name] for name in ("age", "weight")] == [pl.Int64, pl.Float64]
    table.write(tmp_path / "a.csv")
    first = (tmp_path / "a.csv").read_text().splitlines()[1]
    assert first == f"99,{frame['weight'][0]},{frame['sex'][0]},{frame['pain'][0]}"


def test_a_format_that_shows_decimals_says_there_can_be_some(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    shown = {"age": "F5.1", "sex": "F8.2", "pain": "F1.0"}
    table = Table.read(written(frame, tmp_path / "a.sav", variable_format=shown))
    types = [table.frame.schema[name] for name in ("age", "sex", "pain")]
    assert types == [pl.Float64, pl.Int64, pl.Int64]


@pytest.mark.parametrize("version", [5, 8])
@pytest.mark.parametrize("gone", [1, 81, 720])
def test_a_transport_file_cut_short_is_refused(
    version: int, gone: int, frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = written(frame, tmp_path / "a.xpt", file_format_version=version)
    assert len(Table.read(path)) == N
    path.write_bytes(path.read_bytes()[:-gone])
    with pytest.raises(DataError, match="cut short"):
        Table.read(path)


def test_a_transport_file_cut_between_two_rows_is_refused_where_it_counts_them(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = written(frame, tmp_path / "a.xpt", file_format_version=8)
    path.write_bytes(path.read_bytes()[:-320])  # ten rows of 32 bytes, four records
    with pytest.raises(DataError, match="cut short"):
        Table.read(path)


def test_a_transport_file_of_two_tables_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = written(frame, tmp_path / "a.xpt", file_format_version=5)
    content = path.read_bytes()
    path.write_bytes(content + content[content.find(b"HEADER RECORD*******MEMBER") :])
    with pytest.raises(DataError, match="holds 2 tables"):
        Table.read(path)


def test_a_code_for_missing_is_missing_whatever_its_label(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": [1.0, 2.0, 9.0] * 20, "n": np.arange(60.0)})
    labels = {"sex": {1.0: "F", 2.0: "H", 9.0: "ne sait pas"}}
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), variable_value_labels=labels)
    told = Table.read(tmp_path / "a.sav", missing=["9"])
    assert told.schema["sex"].levels == ["F", "H"]
    assert told.frame["sex"].null_count() == 20
    assert Table.read(tmp_path / "a.sav").schema["sex"].levels == ["F", "H", "ne sait pas"]


def test_ends_of_a_scale_that_have_labels_are_not_taken_for_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"score": [float(i % 11) for i in range(120)], "n": np.arange(120.0)})
    labels = {"score": {0.0: "never", 10.0: "always"}}
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), variable_value_labels=labels)
    remark = Table.read(tmp_path / "a.sav").schema["score"].remark
    assert remark == "labels on 2 of 11 values: codes kept"
