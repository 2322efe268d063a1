"""Files of Excel, Stata and SPSS come in as tables."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from sosie.table import Kind, Table, columns_of

N = 80


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D")
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 90, N),
            "weight": rng.normal(70, 9, N).round(1),
            "sex": rng.choice(["f", "m", "f"], N),
            "seen": days,
        }
    )
    frame.loc[3, "weight"] = np.nan
    frame.loc[5, "sex"] = None
    return frame


def check(table: Table) -> None:
    assert [column.kind for column in table.schema.columns][:3] == [
        Kind.INTEGER,
        Kind.NUMBER,
        Kind.CATEGORY,
    ]
    assert table.schema["seen"].kind in (Kind.DATE, Kind.DATETIME)
    assert np.isnan(table.numbers("weight")[3])
    assert table.codes("sex")[5] == -1


@pytest.mark.parametrize("suffix", [".dta", ".sav", ".xpt"])
def test_statistics_programs(suffix: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    writers = {
        ".dta": pyreadstat.write_dta,
        ".sav": pyreadstat.write_sav,
        ".xpt": pyreadstat.write_xport,
    }
    writers[suffix](frame, str(path))
    table = Table.read(path)
    check(table)
    table.write(tmp_path / "a.csv")
    check(Table.read(tmp_path / "a.csv"))
    table.write(tmp_path / "a.parquet")
    check(Table.read(tmp_path / "a.parquet"))


def write_workbook(path: Path, rows: list[tuple[object, ...]]) -> None:
    """Write the least that Excel calls a workbook."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    cells = "".join(
        "<row>"
        + "".join(
            f"<c><v>{cell}</v></c>"
            if isinstance(cell, int)
            else f'<c t="inlineStr"><is><t>{cell}</t></is></c>'
            for cell in row
        )
        + "</row>"
        for row in rows
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="persons" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


def test_excel(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    persons = [(20 + i * 37 % 50, "fm"[i % 2]) for i in range(60)]
    write_workbook(path, [("age", "sex"), *persons])
    table = Table.read(path)
    assert columns_of(path) == table.names == ["age", "sex"]
    assert [column.kind for column in table.schema.columns] == [Kind.INTEGER, Kind.CATEGORY]
    assert table.numbers("age").tolist() == [age for age, _ in persons]
