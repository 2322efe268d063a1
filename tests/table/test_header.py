"""The names of the columns, of any file, with no row read."""

import gzip
from pathlib import Path

import polars as pl
import pyreadstat
import pytest

from sosie.errors import DataError
from sosie.table import Table, columns_of

FRAME = pl.DataFrame({"âge": [41, 52, 33], "sex": ["f", "m", "f"], "a b": [0.5, 1.5, 2.5]})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_text(tmp_path: Path, separator: str, encoding: str, line_end: str) -> None:
    path = tmp_path / "a.csv"
    text = FRAME.write_csv(separator=separator).replace("\n", line_end)
    path.write_bytes(text.encode(encoding))
    assert columns_of(path) == FRAME.columns == Table.read(path).names
    path.write_bytes(gzip.compress(text.encode(encoding)))
    assert columns_of(path) == FRAME.columns


def test_other_formats(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "a.parquet")
    FRAME.write_ipc(tmp_path / "a.feather")
    FRAME.write_ipc_stream(tmp_path / "a.arrow")
    pyreadstat.write_sav(FRAME.rename({"a b": "ab"}).to_pandas(), tmp_path / "a.sav")
    pyreadstat.write_dta(FRAME.rename({"a b": "ab"}).to_pandas(), tmp_path / "a.dta")
    for name in ("a.parquet", "a.feather", "a.arrow", "a.sav", "a.dta"):
        assert columns_of(tmp_path / name) == Table.read(tmp_path / name).names


def test_rows_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"age,sex\n" + b"1,f\n" * 500_000 + b'1,f,"\n2\n')
    assert columns_of(path) == ["age", "sex"]
    with pytest.raises(DataError):
        Table.read(path)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-100])  # damaged at its end
    assert columns_of(packed) == ["age", "sex"]
    with pytest.raises(DataError, match="damaged"):
        Table.read(packed)


def test_a_header_longer_than_what_is_first_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    names = [f"column {i} {'x' * 50}" for i in range(25_000)]
    path.write_text(",".join(names) + "\n1\n")
    assert columns_of(path) == names


@pytest.mark.parametrize("name", ["absent.csv", "folder.csv", "empty.csv", "junk.parquet"])
def test_bad_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(DataError):
        columns_of(tmp_path / name)
