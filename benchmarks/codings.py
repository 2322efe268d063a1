"""What is told of a table, and its rows as labels, codes and coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FACTORS = 5


@dataclass(frozen=True)
class Survival:
    """A Cox model: time to an event, by groups of which the reference is one."""

    time: str
    event: str
    group: str
    reference: str


@dataclass(frozen=True)
class Study:
    """What the measures must know of a table."""

    name: str
    numbers: tuple[str, ...]
    target: str
    survival: Survival | None = None


def labels(column: pd.Series[Any]) -> pd.Series[str]:
    """Name levels alike whatever the type: 1, 1.0 and "1" are one level."""
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    texts = column.map("{:.10g}".format if numeric else str, na_action="ignore")
    return texts.astype(object).where(column.notna(), "(missing)")


def all_levels(study: Study, frames: list[pd.DataFrame]) -> dict[str, list[str]]:
    """List the levels of each category over all the frames, sorted."""
    names = [c for c in frames[0].columns if c not in study.numbers]
    return {c: sorted(set().union(*(labels(f[c]) for f in frames))) for c in names}


def coded(study: Study, frame: pd.DataFrame, levels: dict[str, list[str]]) -> Floats:
    """One column each: the number, or the integer code of the level."""
    return np.column_stack(
        [
            frame[c].to_numpy(float)
            if c in study.numbers
            else pd.Categorical(labels(frame[c]), categories=levels[c]).codes.astype(float)
            for c in frame.columns
        ]
    )


def standardised(
    study: Study, reference: pd.DataFrame, frames: list[pd.DataFrame]
) -> list[NDArray[np.float32]]:
    """Coordinates of the rows of each frame in the space that `membership` describes."""
    levels = all_levels(study, frames)
    parts: list[list[Any]] = [[] for _ in frames]
    for c in reference.columns:
        ever_missing = any(f[c].isna().any() for f in frames)
        for part, frame in zip(parts, frames, strict=True):
            if c in study.numbers:
                spread = reference[c].std() or 1.0
                part.append(((frame[c] - reference[c].mean()) / spread).fillna(0))
                if ever_missing:
                    absent = frame[c].isna().to_numpy(float)
                    part.extend([absent / np.sqrt(2), (1 - absent) / np.sqrt(2)])
            else:
                named = labels(frame[c])
                part.extend((named == level) / np.sqrt(2) for level in levels[c])
    return [np.column_stack(part).astype(np.float32) for part in parts]


def factors(
    study: Study, train: pd.DataFrame, others: pd.DataFrame, n_factors: int = FACTORS
) -> tuple[Floats, Floats]:
    """FAMD coordinates of `train` and of rows projected on its factors."""
    levels = all_levels(study, [train])
    pairs = []
    for c in train.columns:
        if c in study.numbers:
            mean, spread = train[c].mean(), train[c].std(ddof=0) or 1.0
            pairs.append([((f[c] - mean) / spread).fillna(0) for f in (train, others)])
            continue
        ours, theirs = labels(train[c]), labels(others[c])
        for level in levels[c]:
            share = (ours == level).mean()
            pairs.append([((x == level) - share) / np.sqrt(share) for x in (ours, theirs)])
    real, made = (np.column_stack(side).astype(float) for side in zip(*pairs, strict=True))
    axes = np.linalg.svd(real, full_matrices=False)[2][:n_factors].T
    return real @ axes, made @ axes


def dummies(
    study: Study, frame: pd.DataFrame, levels: dict[str, list[str]], reference: pd.DataFrame
) -> Floats:
    """Numbers (missing: the mean of `reference`, with an indicator) and level indicators."""
    parts: list[Any] = []
    for c in frame.columns:
        if c in study.numbers:
            parts.append(frame[c].fillna(reference[c].mean()))
            if reference[c].isna().any():
                parts.append(frame[c].isna())
        else:
            named = labels(frame[c])
            parts.extend(named == level for level in levels[c][1:])
    return np.column_stack(parts).astype(float)
