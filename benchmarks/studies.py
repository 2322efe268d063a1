"""The data sets of the benchmarks, their rounds, and how their columns are read."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from codings import Study, Survival

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"
NUMBERS_HAVE_MORE_THAN = 10
TRAIN_SHARE = 0.7
SAMPLE = 3000

ACTG_NUMBERS = ("age", "wtkg", "preanti", "cd40", "cd420", "cd496", "cd80", "cd820", "days")
ACTG = Study("aids", ACTG_NUMBERS, "cens", Survival("days", "cens", "arms", "0"))


@dataclass(frozen=True)
class Round:
    """Persons the generator sees, and persons it never sees."""

    study: Study
    number: int
    train: pd.DataFrame
    control: pd.DataFrame


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=REPOSITORY.parent / "shared" / "data",
        help="folder of the public data sets (default: ../shared/data beside the repository)",
    )


def checked_folder(folder: Path, needed: str) -> Path:
    """Give the folder, or leave in one sentence when it lacks what is needed."""
    if not (folder / needed).exists():
        sys.exit(f"{needed} is not in the data folder {folder}: name the folder with --data.")
    return folder


def aids_round(folder: Path, number: int) -> Round:
    """ACTG175, as split by the authors of the published avatars."""
    train, control = (aids_file(folder, name, number) for name in ("train", "control"))
    return Round(ACTG, number, train, control)


def aids_file(folder: Path, name: str, number: int) -> pd.DataFrame:
    """One file of the round: train, control, avatar, synthpop or ctgan."""
    frame = pd.read_csv(folder / "aids_splits" / f"{name}_{number}.csv")
    return frame.iloc[:, 1:] if name == "synthpop" else frame  # the first one is a row name


def aids_published(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All 2,139 patients and their published avatars (k = 20, 5 factors), in one order."""
    splits = folder / "aids_splits"
    original = pd.read_csv(splits / "original.csv", sep=";").drop(columns="pidnum")
    return original, pd.read_csv(splits / "avatar_linked_k20_ncp5.csv")[list(original.columns)]


def _heart(folder: Path) -> pd.DataFrame:
    frame = pd.read_csv(folder / "heart_disease_uci.csv").drop(columns="id")
    return frame.assign(num=(frame["num"] > 0).astype(int))


def _cancer(_: Path) -> pd.DataFrame:
    from sklearn.datasets import load_breast_cancer

    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    return frame


@dataclass(frozen=True)
class Source:
    """Where a data set comes from, and what is asked of it."""

    file: str
    target: str
    read: Callable[[Path], pd.DataFrame]
    survival: Survival | None = None


SOURCES = {
    "heart": Source("heart_disease_uci.csv", "num", _heart),
    "attrition": Source(
        "attrition_hr.csv", "Attrition", lambda folder: pd.read_csv(folder / "attrition_hr.csv")
    ),
    "cancer": Source("", "target", _cancer),
    "adult": Source("adult.csv.gz", "income", lambda folder: pd.read_csv(folder / "adult.csv.gz")),
    "support": Source(
        "support2.csv",
        "death",
        lambda folder: pd.read_csv(folder / "support2.csv"),
        Survival("d.time", "death", "dzclass", "ARF/MOSF"),
    ),
}
SETS = ("aids", *SOURCES)


def load_round(name: str, folder: Path, number: int) -> Round:
    """Round `number` of a data set: 70 % of the persons seen, 30 % not.

    A set of more than 3,000 persons is first sampled, the same for every round. A number is a
    numeric column of more than 10 values, anything else a category.
    """
    if name == "aids":
        return aids_round(checked_folder(folder, "aids_splits"), number)
    source = SOURCES[name]
    frame = source.read(checked_folder(folder, source.file))
    if len(frame) > SAMPLE:
        frame = frame.sample(SAMPLE, random_state=0)
    numeric = frame.select_dtypes("number")
    numbers = tuple(str(c) for c in numeric if numeric[c].nunique() > NUMBERS_HAVE_MORE_THAN)
    study = Study(name, numbers, source.target, source.survival)
    order = np.random.default_rng(number).permutation(len(frame))
    cut = int(TRAIN_SHARE * len(frame))
    train, control = (frame.iloc[rows].reset_index(drop=True) for rows in np.split(order, [cut]))
    return Round(study, number, train, control)
