"""Small cohorts, each with what is to be predicted, and their halves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["IN_FOLDER", "IN_PACKAGES", "WIDE", "Cohort", "load"]

WIDE = (500, 85)
"""Persons and columns of the cohort that the published figure of fidelity speaks of."""


@dataclass(frozen=True)
class Cohort:
    """Persons, and the label that models are to predict.

    Numbers are floats, everything else is text; the target is text without missing cells.
    """

    name: str
    frame: pd.DataFrame
    target: str
    time: str | None = None
    event: str | None = None

    @property
    def numbers(self) -> list[str]:
        """Names of the columns of numbers."""
        return [c for c in self.frame if pd.api.types.is_numeric_dtype(self.frame[c])]

    def halves(self, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Part the persons in two at random."""
        order = np.random.default_rng(seed).permutation(len(self.frame))
        half = len(order) // 2
        parts = order[:half], order[half : 2 * half]
        first, second = (self.frame.iloc[rows].reset_index(drop=True) for rows in parts)
        return first, second


def load(name: str, folder: Path | None) -> Cohort:
    """Give a cohort by name; some are read from a folder of public files."""
    if name in IN_FOLDER:
        if folder is None:
            raise SystemExit(f"{name} is read from a folder: name it with --data.")
        return IN_FOLDER[name](folder)
    return IN_PACKAGES[name]()


def _classes(name: str, source: Callable[..., Any]) -> Cohort:
    found = source(as_frame=True)
    frame = found.data.astype(float)
    label = found.target
    if name == "diabetes":
        label = (label > label.median()).astype(int)
    return Cohort(name, frame.assign(outcome="c" + label.astype(str)), "outcome")


def _cancer() -> Cohort:
    from sklearn.datasets import load_breast_cancer

    return _classes("cancer", load_breast_cancer)


def _diabetes() -> Cohort:
    from sklearn.datasets import load_diabetes

    return _classes("diabetes", load_diabetes)


def _wine() -> Cohort:
    from sklearn.datasets import load_wine

    return _classes("wine", load_wine)


def _survival(name: str, found: tuple[pd.DataFrame, Any]) -> Cohort:
    frame, outcome = found
    event, time = outcome.dtype.names
    frame = _readable(frame).assign(
        event=np.where(outcome[event], "yes", "no"), time=outcome[time].astype(float)
    )
    return Cohort(name, frame, "event", "time", "event")


def _whas500() -> Cohort:
    from sksurv.datasets import load_whas500

    return _survival("whas500", load_whas500())


def _gbsg2() -> Cohort:
    from sksurv.datasets import load_gbsg2

    return _survival("gbsg2", load_gbsg2())


def _actg320() -> Cohort:
    from sksurv.datasets import load_aids

    return _survival("actg320", load_aids("aids"))


def _pbc(folder: Path) -> Cohort:
    frame = pd.read_csv(folder / "pbc.csv").drop(columns="id")
    died = np.where(frame.pop("status") == 2, "yes", "no")
    time = frame.pop("time").astype(float)
    coded = ("trt", "ascites", "hepato", "spiders", "edema", "stage")
    frame = frame.assign(**{c: frame[c].map("{:g}".format, na_action="ignore") for c in coded})
    return Cohort("pbc", _readable(frame).assign(event=died, time=time), "event", "time", "event")


def _heart(folder: Path) -> Cohort:
    frame = pd.read_csv(folder / "heart_disease_uci.csv").drop(columns="id")
    ill = np.where(frame.pop("num") > 0, "yes", "no")
    return Cohort("heart", _readable(frame).assign(ill=ill), "ill")


def _wide() -> Cohort:
    """About 500 patients x 85 columns, wide as a file of a clinic is.

    The breast cancers of scikit-learn with their 30 measures, and of each measure whether it is
    in the upper quarter and in which third it is, less what passes 85 columns.
    """
    cancer = _cancer()
    rows, columns = WIDE
    frame = cancer.frame.sample(min(rows * 2, len(cancer.frame)), random_state=0)
    numbers = frame[cancer.numbers]
    high = (numbers > numbers.quantile(0.75)).replace({True: "yes", False: "no"})
    thirds = numbers.rank(pct=True).mul(3).clip(upper=2.999).astype(int).astype(str)
    parts = [numbers, high.add_suffix(" high"), "t" + thirds.add_suffix(" third")]
    wide = pd.concat(parts, axis=1).iloc[:, : columns - 1]
    return Cohort("wide", wide.assign(outcome=frame["outcome"]), "outcome")


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Give numbers as floats and everything else as text, missing cells kept."""
    return frame.apply(
        lambda column: (
            column.astype(float)
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
            else column.map(str, na_action="ignore").astype(object)
        )
    )


IN_PACKAGES: dict[str, Callable[[], Cohort]] = {
    "cancer": _cancer,
    "diabetes": _diabetes,
    "wine": _wine,
    "whas500": _whas500,
    "gbsg2": _gbsg2,
    "actg320": _actg320,
    "wide": _wide,
}
IN_FOLDER: dict[str, Callable[[Path], Cohort]] = {"heart": _heart, "pbc": _pbc}
