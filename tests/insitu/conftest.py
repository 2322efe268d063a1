"""Real rows split over three holders, with one schema."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_gbsg2
from sklearn.datasets import load_breast_cancer

from sosie.insitu import Gate, Question, Result, run_in_place
from sosie.table import Column, Schema, Table
from sosie.trust import PRESETS, Floors

LAX = Floors.model_validate(
    PRESETS["datashield-3"].model_dump()
    | {"min_cell": 1, "max_parameters": 1.0, "max_share": 1.0, "max_share_of_two": 1.0,
       "max_leverage": 1.0, "min_degrees": 1, "min_holders": 1}
)  # fmt: skip
"""Floors that stop nothing, to compare numbers."""


@dataclass
class Holders:
    pooled: pd.DataFrame
    parts: list[pd.DataFrame]
    schema: Schema

    @property
    def tables(self) -> list[Table]:
        return [Table.of(part, self.schema) for part in self.parts]

    def ask(self, analysis: dict[str, Any], floors: Any = LAX, derive: Any = ()) -> Result:
        question = Question.of({"analysis": analysis, "derive": list(derive)})
        gates = [Gate(floors) for _ in self.parts]
        return run_in_place(self.tables, question, gates, self.schema)


def split(frame: pd.DataFrame, schema: Schema, holders: int = 3) -> Holders:
    site = np.random.default_rng(1).integers(0, holders, len(frame))
    parts = [frame[site == s].reset_index(drop=True) for s in range(holders)]
    return Holders(pd.concat(parts, ignore_index=True), parts, schema)


@pytest.fixture(scope="session")
def gbsg2() -> Holders:
    """686 women with breast cancer: time to recurrence, and what was known before."""
    frame = load_gbsg2()
    frame = frame.astype({"horTh": str, "menostat": str, "tgrade": str})
    frame["big"] = (frame["tsize"] > 25).astype(int)
    kinds: dict[str, Any] = {
        "age": {"kind": "integer"}, "tsize": {"kind": "integer"}, "pnodes": {"kind": "integer"},
        "progrec": {"kind": "integer"}, "estrec": {"kind": "integer"}, "time": {"kind": "integer"},
        "cens": {"kind": "integer"}, "big": {"kind": "integer"},
        "horTh": {"kind": "category", "levels": ["no", "yes"]},
        "menostat": {"kind": "category", "levels": ["Post", "Pre"]},
        "tgrade": {"kind": "category", "levels": ["I", "II", "III"]},
    }  # fmt: skip
    schema = Schema(columns=[Column(name=name, **kinds[name]) for name in frame.columns])
    return split(frame, schema)


@pytest.fixture(scope="session")
def tumours() -> Holders:
    """569 tumours: measures of cell nuclei."""
    data = load_breast_cancer(as_frame=True).frame
    frame = data.iloc[:, :6].rename(columns=lambda name: name.replace(" ", "_"))
    columns = [Column(name=name, kind="number") for name in frame.columns]
    return split(frame, Schema(columns=columns))
